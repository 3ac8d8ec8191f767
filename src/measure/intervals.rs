//! 95 % intervals: bootstrap over queries by weights from 50 queries on, below that Student's t on the linearised
//! ratio, below 5 none. Two-way intervals resample models as well.

use super::tables::Interval;
use crate::base::math::{quantile_sorted, student_t_quantile};
use crate::base::random::Stream;
use rayon::prelude::*;

/// Queries from which on the bootstrap is used.
pub const BOOTSTRAP_QUERIES: usize = 50;
/// Queries (and models, two-way) below which there is no interval.
pub const LEAST: usize = 5;
/// Additions that all resamples of one table may take; above it the linearised interval stands in.
pub const WORK: f64 = 2e10;

/// Weights of all resamples: how often each query was drawn.
#[derive(Debug, Clone)]
pub struct Weights {
    counts: Vec<Vec<u16>>,
}

fn draw(stream: &Stream, resample: usize, n: usize) -> Vec<u16> {
    let mut counts = vec![0u16; n];
    for i in 0..n {
        let place = stream.below(resample as u64, i as u64, n as u64) as usize;
        counts[place] = counts[place].saturating_add(1);
    }
    counts
}

impl Weights {
    /// `resamples` resamples of `queries` queries under (seed, measure).
    pub fn new(seed: u64, measure: &str, resamples: usize, queries: usize) -> Self {
        let stream = Stream::new(seed, measure);
        Self { counts: (0..resamples).into_par_iter().map(|r| draw(&stream, r, queries)).collect() }
    }
}

fn percentiles(mut values: Vec<f64>) -> Option<Interval> {
    if values.is_empty() {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    Some(Interval { low: quantile_sorted(&values, 0.025), high: quantile_sorted(&values, 0.975) })
}

fn student(value: f64, se: f64, df: usize) -> Interval {
    let half = student_t_quantile(0.975, df.clamp(1, 1000) as u32) * se;
    Interval { low: value - half, high: value + half }
}

/// Student interval of sum(numerators) / sum(denominators) over queries by the linearised standard error.
pub fn linearised(terms: &[(f64, f64)]) -> Option<Interval> {
    let used: Vec<(f64, f64)> = terms.iter().copied().filter(|t| t.1 > 0.0).collect();
    if used.len() < LEAST {
        return None;
    }
    let (x, y) = used.iter().fold((0.0, 0.0), |t, p| (t.0 + p.0, t.1 + p.1));
    let ratio = x / y;
    let squares: f64 = used.iter().map(|(a, b)| (a - ratio * b) * (a - ratio * b)).sum();
    let n = used.len() as f64;
    Some(student(ratio, (squares * n / (n - 1.0)).sqrt() / y, used.len() - 1))
}

/// Interval of a ratio of sums over queries; `terms` has one (numerator, denominator) a query, (0, 0) where it has none.
pub fn ratio(terms: &[(f64, f64)], weights: Option<&Weights>) -> Option<Interval> {
    let used = terms.iter().filter(|t| t.1 > 0.0).count();
    match weights {
        Some(weights) if used >= BOOTSTRAP_QUERIES && !weights.counts.is_empty() => {
            let one = |counts: &Vec<u16>| {
                let mut total = (0.0, 0.0);
                for (&count, term) in counts.iter().zip(terms) {
                    let w = f64::from(count);
                    total = (total.0 + w * term.0, total.1 + w * term.1);
                }
                (total.1 > 0.0).then(|| total.0 / total.1)
            };
            percentiles(weights.counts.iter().filter_map(one).collect())
        }
        _ => linearised(terms),
    }
}

/// What to say about a number that rests on few queries.
pub fn warning(queries: usize) -> Option<String> {
    match queries {
        0..LEAST => Some("fewer than 5 queries: no interval".into()),
        LEAST..10 => Some("fewer than 10 queries".into()),
        _ => None,
    }
}

/// Two-way interval: `statistic(query weights, model weights)` on resamples of both.
pub fn two_way(
    seed: u64,
    measure: &str,
    resamples: usize,
    (queries, models): (usize, usize),
    value: f64,
    statistic: impl Fn(&[u16], &[u16]) -> Option<f64> + Sync,
) -> Option<Interval> {
    if queries < LEAST || models < LEAST || resamples < 2 {
        return None;
    }
    let by_query = Stream::new(seed, &format!("{measure}/queries"));
    let by_model = Stream::new(seed, &format!("{measure}/models"));
    let values: Vec<Option<f64>> = (0..resamples)
        .into_par_iter()
        .map(|r| statistic(&draw(&by_query, r, queries), &draw(&by_model, r, models)))
        .collect();
    let values: Vec<f64> = values.into_iter().flatten().collect();
    if values.len() < 2 {
        return None;
    }
    if queries.min(models) >= BOOTSTRAP_QUERIES {
        return percentiles(values);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    Some(student(value, variance.sqrt(), queries.min(models) - 1))
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

    #[test]
    fn the_bootstrap_agrees_with_the_normal_interval() {
        let terms: Vec<(f64, f64)> = (0..400).map(|i| (f64::from(i % 10) / 10.0, 1.0)).collect();
        let ci = ratio(&terms, Some(&Weights::new(1, "test", 1000, terms.len()))).unwrap();
        let exact = linearised(&terms).unwrap();
        assert!((ci.low - exact.low).abs() < 0.005 && (ci.high - exact.high).abs() < 0.005);
    }
}
