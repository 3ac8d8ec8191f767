//! The labels of one group's responses to a query: how many there are of so many responses, in any order and in that of
//! time.

use super::super::meanings::{Abundances, Rarefaction};
use super::super::tables::{Group, GrowthRow};
use super::super::times::Times;
use super::super::topn::none_drawn;
use crate::base::math::ln;

/// The factor in n over which an exponent is taken.
pub const FACTOR: f64 = 4.0;
/// Fewest responses of a group: a quarter of them is still a pair.
pub const LEAST: u32 = 8;

/// Numbers of responses at which D is given: 1, 2, 3, 4, 6, 8, 11, 16, ... below n, and n.
pub fn grid(n: u32) -> Vec<u32> {
    let mut found = vec![1];
    let mut power = 1.0;
    while power < f64::from(n) {
        power *= std::f64::consts::SQRT_2;
        let next = libm::round(power) as u32;
        if next < n && found.last() != Some(&next) {
            found.push(next);
        }
    }
    found.retain(|&m| m < n);
    found.push(n);
    found
}

/// A value between whole numbers of responses.
pub fn between(m: f64, at: impl Fn(u32) -> f64) -> f64 {
    let below = libm::floor(m);
    let first = at(below as u32);
    if m > below { first + (m - below) * (at(below as u32 + 1) - first) } else { first }
}

/// Expected labels of m of a group's responses.
pub fn rarefied(counts: &Abundances, m: f64) -> f64 {
    between(m, |m| Rarefaction::new(m).hill(counts).zero)
}

/// Responses at the end and at the start of a time, labels at the end and at the start, and how long it was.
pub type Span = [f64; 5];

/// The labels of a group in the order of time; responses of one time come in any order.
pub struct InTime {
    /// (time, responses until then, labels until then), ascending.
    steps: Vec<(f64, u32, u32)>,
    /// Responses of each step, and how many of them each of its new labels has.
    new: Vec<(u32, Vec<u32>)>,
}

impl InTime {
    pub fn new(mut dated: Vec<(f64, u32)>) -> Self {
        dated.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut seen = std::collections::HashSet::new();
        let (mut steps, mut new, mut until) = (Vec::new(), Vec::new(), 0);
        for tied in dated.chunk_by(|a, b| a.0 == b.0) {
            let fresh: Vec<u32> = (tied.chunk_by(|a, b| a.1 == b.1))
                .filter(|same| seen.insert(same[0].1))
                .map(|same| same.len() as u32)
                .collect();
            until += tied.len() as u32;
            steps.push((tied[0].0, until, seen.len() as u32));
            new.push((tied.len() as u32, fresh));
        }
        Self { steps, new }
    }

    /// The step in which response m comes.
    pub fn step(&self, m: u32) -> usize {
        self.steps.partition_point(|step| step.1 < m)
    }

    /// Expected labels of the first m responses, those of one time in any order.
    pub fn labels(&self, m: f64) -> f64 {
        between(m, |m| {
            let step = self.step(m);
            let (tied, fresh) = &self.new[step];
            let left = m + tied - self.steps[step].1;
            let before = f64::from(self.steps[step].2) - fresh.len() as f64;
            let missed = |&of: &u32| none_drawn(u64::from(*tied), u64::from(of), u64::from(left));
            before + fresh.iter().map(|of| 1.0 - missed(of)).sum::<f64>()
        })
    }

    /// (n, D) when a quarter of the responses was there and at the end, and the time between.
    pub fn span(&self) -> Option<Span> {
        let &(last, n, labels) = self.steps.last()?;
        let (first, some, of_some) = self.steps[self.step(n.div_ceil(FACTOR as u32))];
        let counts = [n, some, labels, of_some].map(f64::from);
        (last > first).then(|| [counts[0], counts[1], counts[2], counts[3], last - first])
    }
}

/// The exponent of a growth by `ratio` over the factor.
pub fn exponent(ratio: f64) -> f64 {
    ln(ratio) / ln(FACTOR)
}

/// One group's responses to a query.
pub struct Series {
    query: u32,
    /// Responses by label.
    pub counts: Abundances,
    /// Where all have a time.
    pub in_time: Option<InTime>,
}

impl Series {
    /// `None` under [`LEAST`] responses.
    pub fn new(query: usize, labelled: &[(usize, u32)], times: Option<&Times>) -> Option<Self> {
        let mut labels: Vec<u32> = labelled.iter().map(|one| one.1).collect();
        let dated = times.and_then(|times| labelled.iter().map(|one| Some((times.of_row[one.0]?, one.1))).collect());
        let counts = Abundances::new(&mut labels);
        (counts.n() >= LEAST).then(|| Self { query: query as u32, counts, in_time: dated.map(InTime::new) })
    }

    pub fn points(&self, group: Group) -> Vec<GrowthRow> {
        let point = |n: u32| {
            let m = f64::from(n);
            let distinct = rarefied(&self.counts, m);
            GrowthRow {
                query: self.query,
                group,
                n,
                distinct,
                exponent: (n >= LEAST).then(|| exponent(distinct / rarefied(&self.counts, m / FACTOR))),
                time: self.in_time.as_ref().map(|in_time| in_time.steps[in_time.step(n)].0),
                distinct_in_time: self.in_time.as_ref().map(|in_time| in_time.labels(m)),
            }
        };
        grid(self.counts.n()).into_iter().map(point).collect()
    }

    /// (D(m), D(m/4)).
    pub fn ends(&self, m: u32) -> (f64, f64) {
        let m = f64::from(m);
        (rarefied(&self.counts, m), rarefied(&self.counts, m / FACTOR))
    }

    /// (D(n), D(n/4)) in the order of time.
    pub fn ends_in_time(&self) -> Option<(f64, f64)> {
        let n = f64::from(self.counts.n());
        self.in_time.as_ref().map(|in_time| (in_time.labels(n), in_time.labels(n / FACTOR)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_logarithmic_and_ends_at_n() {
        assert_eq!(grid(1), [1]);
        assert_eq!(grid(8), [1, 2, 3, 4, 6, 8]);
        assert_eq!(grid(20), [1, 2, 3, 4, 6, 8, 11, 16, 20]);
    }

    #[test]
    fn responses_of_one_time_come_in_any_order() {
        let labels = [3, 3, 1, 2, 1, 0, 0, 4, 4, 4u32];
        let counts = Abundances::new(&mut labels.to_vec());
        let at_once = InTime::new(labels.iter().map(|&label| (5.0, label)).collect());
        for m in [1.0, 2.5, 4.0, 9.75, 10.0] {
            assert!((at_once.labels(m) - rarefied(&counts, m)).abs() < 1e-12, "{m}");
        }
        assert_eq!(at_once.span(), None);
        // Times 0, 1, 1, 2, ...: of the first two responses the second is one of a 3 and a 1.
        let in_time = InTime::new(labels.iter().enumerate().map(|(i, &label)| (i.div_ceil(2) as f64, label)).collect());
        assert_eq!((in_time.labels(1.0), in_time.labels(3.0), in_time.labels(10.0)), (1.0, 2.0, 5.0));
        assert!((in_time.labels(2.0) - 1.5).abs() < 1e-12 && (in_time.labels(2.5) - 1.75).abs() < 1e-12);
        // A quarter of ten is there at time 1, with three responses and two labels; the last comes at 5.
        assert_eq!(in_time.span(), Some([10.0, 3.0, 5.0, 2.0, 4.0]));
        // One after the other: the third response of nine makes a quarter.
        let apart = InTime::new((0..9).map(|i| (f64::from(i), i)).collect());
        assert_eq!(apart.span(), Some([9.0, 3.0, 9.0, 3.0, 6.0]));
    }
}
