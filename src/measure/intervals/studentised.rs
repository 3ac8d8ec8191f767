//! The studentised bootstrap of ratios of sums (bootstrap-t: Efron 1979; Hall 1988).
//!
//! A resample says by how many of **its own** standard errors it misses the number that it was drawn from. Where terms are
//! skewed it misses farther on one side, and percentiles of the number itself are short on that side: of 50 queries, nearly
//! all of one meaning and a few of twenty, they held 90 % where these limits held 95. Where terms have long tails resamples
//! miss too little, as many have none of the rare ones; so no limit is nearer than Student's. None is farther than twice
//! Student's: resamples in which hardly anything varies do not decide. docs/measures.md has what that covers.

use super::super::tables::Interval;
use super::quantiles::{quantiles, standard_errors};
use super::weights::{Resampled, Weights};
use crate::base::math::ln;
use crate::base::simd::widest;
use pulp::Arch;
use rayon::prelude::*;

/// Resamples that a thread adds up before it takes others.
const AT_ONCE: usize = 125;
/// How much farther than Student's a limit may be.
const FARTHEST: f64 = 2.0;

/// On which scale a number is taken to vary evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As it stands.
    Plain,
    /// Its logarithm; limits are logarithms.
    Logarithm,
}

/// Sums over the queries of a resample of `w e`, `w y`, `w e^2`, `w e y` and `w y^2`, with `e = x - r y` what a query's
/// numerator has beyond the ratio r of the sample.
pub type Moments = [f64; 5];

/// The ratio r of sum(x) to sum(y), with its standard error by linearisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// r.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    /// Queries that it rests on.
    pub queries: usize,
}

impl Ratio {
    /// Of the terms of the queries that have one; two or more.
    pub fn new(used: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let (x, y, queries) = used.clone().fold((0.0, 0.0, 0), |t, p| (t.0 + p.0, t.1 + p.1, t.2 + 1));
        let value = x / y;
        let squares: f64 = used.map(|(x, y)| (x - value * y) * (x - value * y)).sum();
        Self { value, error: standard_error(squares, queries) / y, queries }
    }

    /// The same as it rests on so many queries, of those that have a term.
    pub fn over(self, queries: usize) -> Self {
        let factor = standard_error(1.0, queries) / standard_error(1.0, self.queries);
        Self { error: self.error * factor, queries, ..self }
    }

    /// By how many of its standard errors a resample misses; `None` where it has no number.
    fn missed(&self, scale: Scale, [e, y, ee, ey, yy]: Moments) -> Option<f64> {
        let off = e / y;
        if scale == Scale::Logarithm && self.value + off <= 0.0 {
            return (y > 0.0).then_some(f64::NEG_INFINITY);
        }
        // Sum of w (x - r* y)^2; its rounding errors may leave it below 0.
        let squares = (ee - 2.0 * off * ey + off * off * yy).max(0.0);
        let error = standard_error(squares, self.queries) / y;
        let (off, error) = match scale {
            Scale::Plain => (off, error),
            Scale::Logarithm => (ln(1.0 + off / self.value), error / (self.value + off)),
        };
        // Nothing missed is nothing, whatever the standard error.
        (y > 0.0 && !off.is_nan()).then(|| if off == 0.0 { 0.0 } else { off / error })
    }

    /// Limits where resamples missed by so many of their standard errors. Reorders `missed`.
    fn limits(&self, scale: Scale, missed: &mut [f64]) -> Option<Interval> {
        let (value, error) = match scale {
            Scale::Plain => (self.value, self.error),
            Scale::Logarithm => (ln(self.value), self.error / self.value),
        };
        limits(value, error, self.queries, missed)
    }

    /// The interval by resamples of (x, y) by query, (0, 0) where a query has none.
    pub fn interval(&self, scale: Scale, terms: &[(f64, f64)], weights: &Weights) -> Option<Interval> {
        let of = |term: fn(f64, f64) -> f64| -> Vec<f64> {
            terms.iter().map(|&(x, y)| term(x - self.value * y, y)).collect()
        };
        let columns = [of(|e, _| e), of(|_, y| y), of(|e, _| e * e), of(|e, y| e * y), of(|_, y| y * y)];
        let some = |first: usize| {
            let last = (first + AT_ONCE).min(weights.resamples());
            widest(
                Arch::new(),
                #[inline(always)]
                || {
                    let columns = columns.each_ref().map(Vec::as_slice);
                    let moments = (first..last).map(|resample| weighted(weights.of(resample), columns));
                    moments.filter_map(|moments| self.missed(scale, moments)).collect::<Vec<f64>>()
                },
            )
        };
        let mut missed: Vec<f64> =
            (0..weights.resamples()).into_par_iter().step_by(AT_ONCE).flat_map_iter(some).collect();
        self.limits(scale, &mut missed)
    }
}

/// Standard error of a sum over `queries` queries whose terms less their mean have this sum of squares.
pub fn standard_error(squares: f64, queries: usize) -> f64 {
    let n = queries as f64;
    (squares * n / (n - 1.0)).sqrt()
}

/// The interval around a number with this standard error, over `units` queries, where resamples missed it by so many of
/// their own standard errors. `None` without any. Reorders `missed`.
pub fn limits(value: f64, error: f64, units: usize, missed: &mut [f64]) -> Option<Interval> {
    let student = standard_errors(units);
    missed.iter_mut().for_each(|t| *t = t.clamp(-FARTHEST * student, FARTHEST * student));
    let of = quantiles(missed, 0.025)?;
    let away = |far: f64| error * far.max(student);
    Some(Interval { low: value - away(of.high), high: value + away(-of.low) })
}

/// Sums of columns weighted by counts: element i to lane i mod 8, lanes added in the order of a product.
#[inline(always)]
fn weighted<const N: usize>(counts: &[u16], columns: [&[f64]; N]) -> [f64; N] {
    let mut sums = [[0.0; 8]; N];
    let (whole, rest) = counts.as_chunks::<8>();
    for (sums, column) in sums.iter_mut().zip(columns) {
        let (of_whole, of_rest) = column.as_chunks::<8>();
        for (counts, column) in whole.iter().zip(of_whole) {
            for lane in 0..8 {
                sums[lane] += f64::from(counts[lane]) * column[lane];
            }
        }
        let lanes = sums.iter_mut().zip(rest).zip(of_rest);
        lanes.for_each(|((sum, &count), x)| *sum += f64::from(count) * x);
    }
    sums.map(|s| ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7])))
}

/// Ratios of many pairs of sums in all resamples, by matrix products over blocks of queries.
pub struct Studentised {
    sums: [Resampled; 5],
}

impl Studentised {
    /// Of `rows` ratios.
    pub fn new(rows: usize, resamples: usize) -> Self {
        Self { sums: std::array::from_fn(|_| Resampled::new(rows, resamples)) }
    }

    /// Adds e and y of some queries, rows x columns, weighted by [`Weights::block`] of those queries.
    pub fn add(&mut self, e: &[f64], y: &[f64], weights: &[f64]) {
        let of = |term: fn(f64, f64) -> f64| -> Vec<f64> { e.iter().zip(y).map(|(&e, &y)| term(e, y)).collect() };
        let [sum_e, sum_y, sum_ee, sum_ey, sum_yy] = &mut self.sums;
        sum_e.add(e, weights);
        sum_ee.add(&of(|e, _| e * e), weights);
        sum_ey.add(&of(|e, y| e * y), weights);
        // Numbers of responses, which are the same in many rows.
        sum_y.add_repeated(y, weights);
        sum_yy.add_repeated(&of(|_, y| y * y), weights);
    }

    /// The interval of row `i`, whose ratio this is.
    pub fn interval(&self, i: usize, ratio: &Ratio) -> Option<Interval> {
        let rows = self.sums.each_ref().map(|sums| sums.row(i));
        let moments = (0..rows[0].len()).map(|resample| rows.map(|row| row[resample]));
        let mut missed: Vec<f64> =
            moments.filter(|of| of[1] > 0.0).filter_map(|of| ratio.missed(Scale::Plain, of)).collect();
        ratio.limits(Scale::Plain, &mut missed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RESAMPLES, ratio};
    use super::*;
    use crate::base::random::Stream;

    /// A second way to the same numbers: every resample by itself, in the plainest way.
    fn plainly(terms: &[(f64, f64)], weights: &Weights, logarithm: bool) -> Interval {
        let of = |counts: &[u16]| {
            let drawn: Vec<(f64, f64)> =
                terms.iter().zip(counts).flat_map(|(&term, &count)| vec![term; count as usize]).collect();
            let (x, y) = (drawn.iter().map(|t| t.0).sum::<f64>(), drawn.iter().map(|t| t.1).sum::<f64>());
            let n = terms.iter().filter(|t| t.1 > 0.0).count() as f64;
            let squares: f64 = drawn.iter().map(|t| (t.0 - x / y * t.1).powi(2)).sum();
            let error = (squares * n / (n - 1.0)).sqrt() / y;
            if logarithm { ((x / y).ln(), error / (x / y)) } else { (x / y, error) }
        };
        let (value, error) = of(&vec![1; terms.len()]);
        let mut missed: Vec<f64> =
            (0..weights.resamples()).map(|r| of(weights.of(r))).map(|(v, e)| (v - value) / e).collect();
        missed.sort_by(f64::total_cmp);
        let of = |p: f64| crate::base::math::quantile_sorted(&missed, p);
        let student = standard_errors(terms.iter().filter(|t| t.1 > 0.0).count());
        let away = |far: f64| error * far.clamp(student, 2.0 * student);
        Interval { low: value - away(of(0.975)), high: value + away(-of(0.025)) }
    }

    #[test]
    fn five_sums_say_what_every_resample_says() {
        let stream = Stream::new(3, "studentised");
        for queries in [10u64, 17, 50, 51, 64, 97] {
            let count = |q| 1.0 + (4.0 * stream.uniform(q, 1)).floor();
            let term = |q| if q % 13 == 5 { (0.0, 0.0) } else { (count(q) * stream.normal(q, 0).exp(), count(q)) };
            let terms: Vec<(f64, f64)> = (0..queries + 10).map(term).collect();
            let weights = Weights::new(1, "studentised", 300, terms.len());
            let ratio = Ratio::new(terms.iter().copied().filter(|t| t.1 > 0.0));
            for (scale, logarithm) in [(Scale::Plain, false), (Scale::Logarithm, true)] {
                let (found, want) =
                    (ratio.interval(scale, &terms, &weights).unwrap(), plainly(&terms, &weights, logarithm));
                assert!(
                    (found.low - want.low).abs() < 1e-10 && (found.high - want.high).abs() < 1e-10,
                    "{found:?} {want:?}"
                );
            }
        }
    }

    /// The side that skewed terms leave open is farther than Student's, the other one is Student's.
    #[test]
    fn limits_know_skewed_terms_and_end_at_twice_students() {
        let stream = Stream::new(4, "skewed");
        let terms: Vec<(f64, f64)> = (0..60).map(|q| ((1.5 * stream.normal(q, 0)).exp(), 1.0)).collect();
        let weights = Weights::new(1, "skewed", RESAMPLES, 60);
        let of = Ratio::new(terms.iter().copied());
        let (found, student) = (ratio(&terms, Some(&weights)).unwrap(), standard_errors(60) * of.error);
        assert!(
            ((of.value - found.low) / student - 1.0).abs() < 1e-12 && (found.high - of.value) / student > 1.3,
            "{found:?} {of:?}"
        );
        // One query of 60 has anything: many resamples do not vary at all.
        let one: Vec<(f64, f64)> = (0..60).map(|q| (if q == 7 { 1.0 } else { 0.0 }, 1.0)).collect();
        let (of, found) = (Ratio::new(one.iter().copied()), ratio(&one, Some(&weights)).unwrap());
        let far = |end: f64| (end - of.value).abs() / of.error / standard_errors(60);
        assert!((far(found.low) - 1.0).abs() < 1e-12 && (far(found.high) - 2.0).abs() < 1e-12, "{found:?}");
        let same = vec![(0.5, 1.0); 60];
        assert_eq!(ratio(&same, Some(&weights)), Some(Interval { low: 0.5, high: 0.5 }));
    }

    /// Normal terms are Student's own case.
    #[test]
    fn normal_terms_have_students_interval() {
        let stream = Stream::new(5, "normal values");
        let terms: Vec<(f64, f64)> = (0..50).map(|q| (stream.normal(q, 0), 1.0)).collect();
        let weights = Weights::new(1, "normal values", 40_000, 50);
        let (found, exact) = (ratio(&terms, Some(&weights)).unwrap(), super::super::linearised(&terms).unwrap());
        let width = |i: Interval| i.high - i.low;
        assert!((width(found) / width(exact) - 1.0).abs() < 0.03, "{found:?} {exact:?}");
    }
}
