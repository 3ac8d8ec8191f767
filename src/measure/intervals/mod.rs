//! 95 % intervals: the studentised bootstrap over queries by weights from 10 queries on, below that Student's t on the
//! linearised ratio, below 5 none. Two-way intervals are for models in general.

mod edge;
mod quantiles;
mod score;
mod studentised;
mod two_way;
mod weights;

use super::tables::Interval;
use crate::base::math::ln;
pub use edge::{number, share};
pub use quantiles::{percentiles, quantiles, standard_errors};
pub use score::{Noise, score};
pub use studentised::{Ratio, Studentised, standard_error};
use studentised::{Scale, limits};
pub use two_way::{OfQuery, two_way};
pub use weights::{QUERIES, Resampled, Weights, columns};

/// Queries from which on the studentised bootstrap is used.
pub const BOOTSTRAP_QUERIES: usize = 10;
/// Queries (teams) from which on resamples that are not studentised are.
pub const PERCENTILE_QUERIES: usize = 50;
/// Queries (and models, two-way) below which there is no interval.
pub const LEAST: usize = 5;
/// Multiply-adds that all resamples of one table may take; above it the linearised interval stands in.
pub const WORK: f64 = 2e11;
/// Resamples by default.
pub const RESAMPLES: usize = 1000;

/// Student's interval over `units` units.
fn student(value: f64, error: f64, units: usize) -> Interval {
    let half = standard_errors(units) * error;
    Interval { low: value - half, high: value + half }
}

/// Student interval of a number by the jackknife: `without` has what it is without each of 2 units and more.
pub fn jackknife(value: f64, without: &[f64]) -> Interval {
    let n = without.len() as f64;
    let mean = without.iter().sum::<f64>() / n;
    let squares: f64 = without.iter().map(|v| (v - mean) * (v - mean)).sum();
    student(value, (squares * (n - 1.0) / n).sqrt(), without.len())
}

/// Student interval of sum(numerators) / sum(denominators) over queries by the linearised standard error.
pub fn linearised(terms: &[(f64, f64)]) -> Option<Interval> {
    let used = terms.iter().copied().filter(|t| t.1 > 0.0);
    (used.clone().count() >= LEAST).then(|| {
        let ratio = Ratio::new(used);
        student(ratio.value, ratio.error, ratio.queries)
    })
}

/// Interval of a ratio of sums over queries; `terms` has one (numerator, denominator) a query, (0, 0) where it has none.
pub fn ratio(terms: &[(f64, f64)], weights: Option<&Weights>) -> Option<Interval> {
    let used = terms.iter().copied().filter(|t| t.1 > 0.0);
    match enough(weights, used.clone().count()) {
        Some(weights) => Ratio::new(used).interval(Scale::Plain, terms, weights),
        None => linearised(terms),
    }
}

/// The weights, if there are resamples and so many queries that they are used.
fn enough(weights: Option<&Weights>, queries: usize) -> Option<&Weights> {
    weights.filter(|weights| queries >= BOOTSTRAP_QUERIES && weights.resamples() > 0)
}

/// Sum of numerators over sum of denominators.
pub fn total(terms: &[(f64, f64)]) -> Option<f64> {
    let (sum, count) = terms.iter().fold((0.0, 0.0), |t, p| (t.0 + p.0, t.1 + p.1));
    (count > 0.0).then(|| sum / count)
}

/// Interval of a ratio of sums where a term may have a denominator of 0 or less, such as a similarity above its floor: `None` is a query
/// without a term.
pub fn quotient(terms: &[Option<(f64, f64)>], weights: Option<&Weights>) -> Option<Interval> {
    quotient_over(terms, terms.iter().flatten().count(), weights)
}

/// The same where it rests on so many queries, and others with a term only move it.
pub fn quotient_over(terms: &[Option<(f64, f64)>], queries: usize, weights: Option<&Weights>) -> Option<Interval> {
    if queries < LEAST {
        return None;
    }
    let ratio = Ratio::new(terms.iter().flatten().copied()).over(queries);
    match enough(weights, queries) {
        Some(weights) => {
            let terms: Vec<(f64, f64)> = terms.iter().map(|term| term.unwrap_or_default()).collect();
            ratio.interval(Scale::Plain, &terms, weights)
        }
        None => Some(student(ratio.value, ratio.error, queries)),
    }
}

/// The same of terms where (0, 0) stands for none.
pub fn quotient_of(terms: &[(f64, f64)], weights: Option<&Weights>) -> Option<Interval> {
    let known: Vec<Option<(f64, f64)>> = terms.iter().map(|&term| (term.1 != 0.0).then_some(term)).collect();
    quotient(&known, weights)
}

/// Interval of the logarithm of a ratio of sums over queries, both of them positive; its standard error is that of the
/// ratio over the ratio.
pub fn log_ratio(terms: &[(f64, f64)], weights: Option<&Weights>) -> Option<Interval> {
    let used = terms.iter().copied().filter(|t| t.1 > 0.0);
    let queries = used.clone().count();
    let ratio = Ratio::new(used);
    if queries < LEAST || ratio.value <= 0.0 {
        return None;
    }
    match enough(weights, queries) {
        Some(weights) => ratio.interval(Scale::Logarithm, terms, weights),
        None => Some(student(ln(ratio.value), ratio.error / ratio.value, queries)),
    }
}

/// Interval of a smooth function of sums over queries that stays as it is where all sums are multiplied by one number;
/// `value` gives its gradient too. `None` is a query without a term. Below 10 queries Student's t with the standard error
/// of the jackknife.
pub fn of_sums<const N: usize>(
    terms: &[Option<[f64; N]>],
    weights: Option<&Weights>,
    value: impl Fn([f64; N]) -> (f64, [f64; N]),
) -> Option<Interval> {
    let used: Vec<(usize, [f64; N])> =
        terms.iter().enumerate().filter_map(|(query, term)| Some((query, (*term)?))).collect();
    // The number, and its standard error: a query moves it by the gradient times its term, and these add up to 0.
    let weighted = |weight: &dyn Fn(usize) -> f64| {
        let mut total = [0.0; N];
        for (query, term) in &used {
            let w = weight(*query);
            total.iter_mut().zip(term).for_each(|(t, x)| *t += w * x);
        }
        let (value, gradient) = value(total);
        let moves = |term: &[f64; N]| gradient.iter().zip(term).map(|(g, x)| g * x).sum::<f64>();
        let squares = used.iter().map(|(query, term)| weight(*query) * moves(term).powi(2)).sum();
        (value, standard_error(squares, used.len()))
    };
    if used.len() < LEAST {
        return None;
    }
    let (number, error) = weighted(&|_| 1.0);
    match enough(weights, used.len()) {
        Some(weights) => {
            let resampled = (0..weights.resamples()).map(|r| weighted(&|query| f64::from(weights.of(r)[query])));
            let missed = resampled.filter(|(value, _)| value.is_finite());
            let mut missed: Vec<f64> =
                missed.map(|(value, error)| if value == number { 0.0 } else { (value - number) / error }).collect();
            limits(number, error, used.len(), &mut missed)
        }
        None => {
            let without = |left: &(usize, [f64; N])| weighted(&|query| f64::from(u8::from(query != left.0))).0;
            Some(jackknife(number, &used.iter().map(without).collect::<Vec<f64>>()))
        }
    }
}

/// What to say about a number that rests on few queries.
pub fn warning(queries: usize) -> Option<String> {
    match queries {
        0..LEAST => Some("fewer than 5 queries: no interval".into()),
        LEAST..BOOTSTRAP_QUERIES => Some("fewer than 10 queries".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_queries_use_student_and_none_below_five() {
        let terms: Vec<(f64, f64)> = [0.1, 0.2, 0.3, 0.4, 0.5].map(|x| (x, 1.0)).into();
        assert!(ratio(&terms[..4], None).is_none());
        let ci = ratio(&terms, None).unwrap();
        // mean .3, standard error sqrt(.025 / 5), t(.975, 4) = 2.7764451051977987
        let half = 2.776_445_105_197_798_7 * (0.025f64 / 5.0).sqrt();
        assert!((ci.low - (0.3 - half)).abs() < 1e-9 && (ci.high - (0.3 + half)).abs() < 1e-9);
    }

    /// A ratio is a smooth function of sums; the others of a few queries are its jackknife.
    #[test]
    fn a_function_of_sums_has_the_interval_of_a_ratio() {
        let terms: Vec<(f64, f64)> = (0..60).map(|i| (f64::from(i % 7) + 1.0, f64::from(i % 5) + 2.0)).collect();
        let sums = |n: usize| terms[..n].iter().map(|t| Some([t.0, t.1])).collect::<Vec<_>>();
        let weights = Weights::new(1, "sums", 500, 60);
        let value = |[x, y]: [f64; 2]| (x / y, [1.0 / y, -x / (y * y)]);
        let (found, plain) =
            (of_sums(&sums(60), Some(&weights), value).unwrap(), ratio(&terms, Some(&weights)).unwrap());
        assert!(
            (found.low - plain.low).abs() < 1e-12 && (found.high - plain.high).abs() < 1e-12,
            "{found:?} {plain:?}"
        );
        let logarithm = |[x, y]: [f64; 2]| ((x / y).ln(), [1.0 / x, -1.0 / y]);
        let (found, log) =
            (of_sums(&sums(60), Some(&weights), logarithm).unwrap(), log_ratio(&terms, Some(&weights)).unwrap());
        assert!((found.low - log.low).abs() < 1e-12 && (found.high - log.high).abs() < 1e-12, "{found:?} {log:?}");
        let (few, exact) = (of_sums(&sums(20), None, value).unwrap(), linearised(&terms[..20]).unwrap());
        assert!((few.low - exact.low).abs() < 0.02 && (few.high - exact.high).abs() < 0.02);
        let log = log_ratio(&terms[..20], None).unwrap();
        let ratio = (exact.high + exact.low) / 2.0;
        assert!((log.high + log.low - 2.0 * ratio.ln()).abs() < 1e-12);
        assert!((log.high - log.low - (exact.high - exact.low) / ratio).abs() < 1e-12);
        assert_eq!(of_sums(&sums(4), None, value), None);
    }

    /// A query whose denominator is below 0 counts as any other; (0, 0) is no query.
    #[test]
    fn denominators_may_be_below_zero() {
        let mut terms: Vec<(f64, f64)> = (0..60).map(|i| (f64::from(i % 7), f64::from(i % 5) + 1.0)).collect();
        (terms[3], terms[8]) = ((-1.0, -0.5), (0.0, 0.0));
        let weights = Weights::new(1, "below", 300, 60);
        for weights in [Some(&weights), None] {
            let found = quotient_of(&terms, weights).unwrap();
            let value = total(&terms).unwrap();
            assert!(found.low < value && value < found.high && Some(found) != ratio(&terms, weights));
            let moved: Vec<(f64, f64)> = terms.iter().map(|&(x, y)| (x + 2.0 * y, y)).collect();
            let more = quotient_of(&moved, weights).unwrap();
            assert!((more.low - found.low - 2.0).abs() < 1e-12 && (more.high - found.high - 2.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_bootstrap_agrees_with_the_normal_interval() {
        let terms: Vec<(f64, f64)> = (0..400).map(|i| (f64::from(i % 10) / 10.0, 1.0)).collect();
        let ci = ratio(&terms, Some(&Weights::new(1, "test", 1000, terms.len()))).unwrap();
        let exact = linearised(&terms).unwrap();
        assert!((ci.low - exact.low).abs() < 0.005 && (ci.high - exact.high).abs() < 0.005);
    }
}
