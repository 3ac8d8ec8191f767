//! Intervals for models in general: queries and models are resampled, both of them.

use super::super::tables::Interval;
use super::{LEAST, PERCENTILE_QUERIES, Weights, percentiles, student};

/// Queries of a two-way bootstrap that are resampled before they are added up.
pub const TWO_WAY_QUERIES: usize = 64;
/// Rows of a Gram matrix that are multiplied with the weights of the models at once.
pub const TWO_WAY_ROWS: usize = 32;

/// Weights of queries and of models in all resamples of a two-way bootstrap.
pub struct TwoWay {
    /// By query.
    pub queries: Weights,
    /// By model.
    pub models: Weights,
}

impl TwoWay {
    /// `None` with fewer than 5 queries or models.
    pub fn new(seed: u64, measure: &str, resamples: usize, queries: usize, models: usize) -> Option<Self> {
        let weights = |what: &str, n: usize| Weights::new(seed, &format!("{measure}/{what}"), resamples, n);
        (queries >= LEAST && models >= LEAST && resamples >= 2)
            .then(|| Self { queries: weights("queries", queries), models: weights("models", models) })
    }

    /// Weight of query `q` in each resample.
    pub fn query(&self, q: usize) -> impl Iterator<Item = f64> {
        (0..self.queries.resamples()).map(move |r| f64::from(self.queries.of(r)[q]))
    }

    /// Weights of models in each resample, row-major: resamples x `columns`; `models` may be fewer than `columns`.
    pub fn block(&self, models: &[usize], columns: usize) -> Vec<f64> {
        let mut block = vec![0.0; self.models.resamples() * columns];
        for (resample, row) in block.chunks_exact_mut(columns).enumerate() {
            let counts = self.models.of(resample);
            row.iter_mut().zip(models).for_each(|(w, &m)| *w = f64::from(counts[m]));
        }
        block
    }

    /// Interval around `value` from the (numerator, denominator) of each resample.
    pub fn interval(&self, value: f64, resampled: &[(f64, f64)]) -> Option<Interval> {
        let mut values: Vec<f64> = resampled.iter().filter(|t| t.1 > 0.0).map(|t| t.0 / t.1).collect();
        if values.len() < 2 {
            return None;
        }
        let least = self.queries.queries().min(self.models.queries());
        if least >= PERCENTILE_QUERIES {
            return percentiles(&mut values, least);
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
        Some(student(value, variance.sqrt(), least))
    }
}
