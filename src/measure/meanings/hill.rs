//! How many different labels a group of responses has: Hill numbers, rarefied to n responses in closed form, and what
//! was not yet seen.
//!
//! A group of n responses has S labels, label i on x_i of them; f1 labels occur once, f2 twice. Of m <= n responses drawn
//! without replacement k have label i with the hypergeometric probability `C(x_i, k) C(n - x_i, m - k) / C(n, m)`, so
//! what m responses have is known without a draw (Hurlbert 1971; Chao et al. 2014, "Rarefaction and extrapolation with
//! Hill numbers", equations 4 to 6): with `E f_k` the expected number of labels that k of the m have,
//! - order 0 is `sum E f_k`, the expected number of labels;
//! - order 1 is `exp(-sum k/m ln(k/m) E f_k)`, the exponential of the expected entropy;
//! - order 2 is `1 / sum (k/m)^2 E f_k`, one over the expected share of pairs, drawn with replacement, of one label.
//!
//! At m = n they are S, `exp(-sum p ln p)` and `1 / sum p^2` with p = x_i / n.

use crate::base::math::{exp, ln};

/// Responses that a number is also given for where there are enough.
const PER: u32 = 1000;
/// The least n for that: twice as many can be extrapolated to (Colwell et al. 2012).
pub const LEAST_PER_1000: u32 = PER / 2;
/// Weights under this share of the largest do not change a sum in f64.
const NEGLIGIBLE: f64 = 1e-30;

/// Hill numbers of order 0, 1 and 2.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Hill {
    /// Labels.
    pub zero: f64,
    /// Exponential of the entropy.
    pub one: f64,
    /// One over the concentration.
    pub two: f64,
}

/// What estimates of the unseen rest on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Responses n.
    pub n: u32,
    /// Labels S.
    pub distinct: u32,
    /// Labels that occur once, f1.
    pub singletons: u32,
    /// Labels that occur twice, f2.
    pub doubletons: u32,
}

impl Seen {
    /// Good's coverage `1 - f1/n`: the share of the next responses whose label was seen (Good 1953). n is at least 1.
    pub fn coverage(&self) -> f64 {
        1.0 - f64::from(self.singletons) / f64::from(self.n)
    }

    /// Chao1, a lower bound on the labels there are, bias-corrected: `S + f1 (f1 - 1) / (2 (f2 + 1))` (Chao 1984,
    /// 2005). `None` at f1 = n, where nothing was seen twice.
    pub fn chao1(&self) -> Option<f64> {
        let (once, twice) = (f64::from(self.singletons), f64::from(self.doubletons));
        (self.singletons < self.n).then(|| f64::from(self.distinct) + once * (once - 1.0) / (2.0 * (twice + 1.0)))
    }

    /// Labels expected in m > n responses: `S + f0 (1 - (1 - f1 / (n f0 + f1))^(m - n))` with f0 = Chao1 - S (Colwell
    /// et al. 2012, equation 9). `None` where Chao1 is undefined.
    pub fn extrapolated(&self, m: u32) -> Option<f64> {
        let (n, once) = (f64::from(self.n), f64::from(self.singletons));
        let unseen = self.chao1()? - f64::from(self.distinct);
        if unseen <= 0.0 {
            return Some(f64::from(self.distinct));
        }
        let missed = libm::pow(1.0 - once / (n * unseen + once), f64::from(m.saturating_sub(self.n)));
        Some(f64::from(self.distinct) + unseen * (1.0 - missed))
    }
}

/// How often each label of a group occurs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Abundances {
    n: u32,
    /// (x, labels that occur x times), x descending.
    kinds: Vec<(u32, u32)>,
}

impl Abundances {
    /// Counts the labels of a group; reorders them.
    pub fn new(labels: &mut [u32]) -> Self {
        labels.sort_unstable();
        let mut counts: Vec<u32> = labels.chunk_by(|a, b| a == b).map(|same| same.len() as u32).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let kinds = counts.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)).collect();
        Self { n: labels.len() as u32, kinds }
    }

    /// Responses.
    pub fn n(&self) -> u32 {
        self.n
    }

    /// What was seen.
    pub fn seen(&self) -> Seen {
        let of = |times: u32| self.kinds.iter().find(|kind| kind.0 == times).map_or(0, |kind| kind.1);
        let distinct = self.kinds.iter().map(|kind| kind.1).sum();
        Seen { n: self.n, distinct, singletons: of(1), doubletons: of(2) }
    }

    /// Labels in 1,000 responses, from n = 500 on: rarefied at n >= 1,000, else extrapolated.
    pub fn per_1000(&self) -> Option<f64> {
        match self.n {
            0..LEAST_PER_1000 => None,
            LEAST_PER_1000..PER => self.seen().extrapolated(PER),
            PER.. => Some(Rarefaction::new(PER).hill(self).zero),
        }
    }

    /// Hill numbers of all responses; 0 without any.
    pub fn hill(&self) -> Hill {
        let (mut distinct, mut entropy, mut squares) = (0.0, 0.0, 0.0);
        for &(x, labels) in &self.kinds {
            let (p, labels) = (f64::from(x) / f64::from(self.n), f64::from(labels));
            distinct += labels;
            entropy -= labels * p * ln(p);
            squares += labels * p * p;
        }
        if self.n == 0 { Hill::default() } else { Hill { zero: distinct, one: exp(entropy), two: 1.0 / squares } }
    }
}

/// Rarefaction to m responses.
#[derive(Debug, Clone)]
pub struct Rarefaction {
    m: u32,
    /// `-k/m ln(k/m)` for k = 0..=m.
    entropy: Vec<f64>,
}

impl Rarefaction {
    /// To `m` >= 1 responses.
    pub fn new(m: u32) -> Self {
        let term = |k: u32| {
            let p = f64::from(k) / f64::from(m);
            if k == 0 { 0.0 } else { -p * ln(p) }
        };
        Self { m, entropy: (0..=m).map(term).collect() }
    }

    /// Responses drawn.
    pub fn m(&self) -> u32 {
        self.m
    }

    /// Hill numbers of a group of at least m responses.
    pub fn hill(&self, group: &Abundances) -> Hill {
        if group.n <= self.m {
            return group.hill();
        }
        let (n, m) = (f64::from(group.n), f64::from(self.m));
        let (mut distinct, mut entropy, mut pairs) = (0.0, 0.0, 0.0);
        for &(x, labels) in &group.kinds {
            let (seen, term) = self.expected(group.n, x);
            let (x, labels) = (f64::from(x), f64::from(labels));
            distinct += labels * seen;
            entropy += labels * term;
            pairs += labels * x * (x - 1.0);
        }
        let squares = 1.0 / m + (m - 1.0) / m * (pairs / (n * (n - 1.0)));
        Hill { zero: distinct, one: exp(entropy), two: 1.0 / squares }
    }

    /// For a label on x of n responses: the probability that a draw has it, and the expected `-k/m ln(k/m)`. The
    /// probabilities of all k are found by their ratios, from the most probable k outwards.
    fn expected(&self, n: u32, x: u32) -> (f64, f64) {
        let (n, m, x) = (i64::from(n), i64::from(self.m), i64::from(x));
        let (low, high) = ((m + x - n).max(0), x.min(m));
        let mode = ((m + 1) * (x + 1) / (n + 2)).clamp(low, high);
        let (mut total, mut seen, mut entropy) = (0.0, 0.0, 0.0);
        let mut add = |k: i64, weight: f64| {
            total += weight;
            if k > 0 {
                seen += weight;
                entropy += weight * self.entropy[k as usize];
            }
            weight > NEGLIGIBLE
        };
        add(mode, 1.0);
        let (mut k, mut weight) = (mode, 1.0);
        while k < high {
            weight *= ((x - k) * (m - k)) as f64 / ((k + 1) * (n - x - m + k + 1)) as f64;
            k += 1;
            if !add(k, weight) {
                break;
            }
        }
        (k, weight) = (mode, 1.0);
        while k > low {
            weight *= (k * (n - x - m + k)) as f64 / ((x - k + 1) * (m - k + 1)) as f64;
            k -= 1;
            if !add(k, weight) {
                break;
            }
        }
        (seen / total, entropy / total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: &[u32]) -> Abundances {
        let mut labels: Vec<u32> =
            counts.iter().enumerate().flat_map(|(label, &x)| std::iter::repeat_n(label as u32, x as usize)).collect();
        labels.rotate_left(counts.len() / 2);
        Abundances::new(&mut labels)
    }

    #[test]
    fn a_thousand_is_reached_from_five_hundred_on() {
        let group = |twos: usize, ones: usize| of(&[vec![2; twos], vec![1; ones]].concat());
        assert_eq!(group(249, 1).per_1000(), None);
        let near = group(250, 0);
        assert_eq!((near.n(), near.per_1000()), (500, Some(250.0)));
        assert_eq!(group(500, 0).per_1000(), Some(500.0));
        // Of 2,000 responses with 1,000 labels twice each half is drawn: a label is missed at 1/2 * 999/1999.
        close(group(1000, 0).per_1000().unwrap(), 1000.0 * (1.0 - 0.5 * 999.0 / 1999.0));
    }

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-12 * want.abs().max(1.0), "{got} vs {want}");
    }

    /// scikit-bio 0.7.4: chao1, goods_coverage, hill of orders 0, 1, 2.
    #[test]
    fn the_whole_group_agrees_with_scikit_bio() {
        let group = of(&[10, 5, 1, 1, 1, 2]);
        let seen = group.seen();
        assert_eq!(seen, Seen { n: 20, distinct: 6, singletons: 3, doubletons: 1 });
        close(seen.chao1().unwrap(), 7.5);
        close(seen.coverage(), 0.85);
        let hill = group.hill();
        close(hill.zero, 6.0);
        close(hill.one, 3.946_249_092_372_012_6);
        close(hill.two, 3.030_303_030_303_030_3);
        assert_eq!(Rarefaction::new(20).hill(&group), hill);
    }

    #[test]
    fn what_was_seen_once_only_says_nothing_of_the_rest() {
        let alone = of(&[1; 7]).seen();
        assert_eq!((alone.chao1(), alone.extrapolated(1000), alone.coverage()), (None, None, 0.0));
        // All seen twice and more: nothing is missing.
        assert_eq!(of(&[3, 2, 2]).seen().extrapolated(1000), Some(3.0));
        // S = 6, f0 = 1.5, f1 = 3, n = 20: 6 + 1.5 (1 - (1 - 3/33)^10)
        close(of(&[10, 5, 1, 1, 1, 2]).seen().extrapolated(30).unwrap(), 6.0 + 1.5 * (1.0 - (30.0f64 / 33.0).powi(10)));
    }

    /// Every draw of m of the responses, one by one.
    #[test]
    fn rarefaction_is_the_mean_over_all_draws() {
        for counts in [&[4, 3, 1, 1, 2][..], &[9, 1], &[2, 2, 2], &[1, 1, 1, 1], &[12]] {
            let group = of(counts);
            let labels: Vec<usize> =
                counts.iter().enumerate().flat_map(|(label, &x)| std::iter::repeat_n(label, x as usize)).collect();
            for m in 1..=labels.len() as u32 {
                let (mut draws, mut distinct, mut entropy, mut squares) = (0.0, 0.0, 0.0, 0.0);
                for chosen in (0u32..1 << labels.len()).filter(|chosen| chosen.count_ones() == m) {
                    let mut of_label = vec![0u32; counts.len()];
                    (0..labels.len()).filter(|i| chosen >> i & 1 == 1).for_each(|i| of_label[labels[i]] += 1);
                    draws += 1.0;
                    for p in of_label.iter().filter(|&&k| k > 0).map(|&k| f64::from(k) / f64::from(m)) {
                        distinct += 1.0;
                        entropy -= p * p.ln();
                        squares += p * p;
                    }
                }
                let hill = Rarefaction::new(m).hill(&group);
                close(hill.zero, distinct / draws);
                close(hill.one, (entropy / draws).exp());
                close(hill.two, draws / squares);
            }
        }
    }

    /// Where binomial coefficients are far beyond what f64 holds: halves of 4,000 responses of two labels and 500 rare
    /// ones. The number of labels is known from ratios of factorials.
    #[test]
    fn large_groups_do_not_underflow() {
        let mut counts = vec![1u32; 500];
        counts.extend([2000, 1500]);
        let hill = Rarefaction::new(2000).hill(&of(&counts));
        close(hill.zero, 2.0 + 500.0 * 0.5);
        let p: f64 = [2000.0, 1500.0].map(|x: f64| x * (x - 1.0)).iter().sum::<f64>() / (4000.0 * 3999.0);
        close(hill.two, 1.0 / (1.0 / 2000.0 + 1999.0 / 2000.0 * p));
        assert!(hill.one > hill.two && hill.one < hill.zero);
    }
}
