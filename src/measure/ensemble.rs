//! Ensemble gain of order 2: what M models' answers are worth beside one model's, and beside unrelated answers.

use super::sums::{QuerySums, Sums, unit_rows};
use super::vendi::{add_second_moment, frobenius2};
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use faer::Mat;
use rayon::prelude::*;

/// Rows of a block of a second-moment matrix.
const BLOCK: usize = 2048;
/// Second-moment matrices that are computed at once.
const AT_ONCE: usize = 4;

/// Gain and unrelated gain of one query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// G.
    pub gain: f64,
    /// G with each model's responses from a different query.
    pub unrelated: Option<f64>,
}

/// Mean squared similarity of pairs of different query and different model, in closed form from second moments.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn unrelated_square(corpus: &Corpus, sums: &Sums, observer: &dyn Observer) -> Result<Option<f64>> {
    let dim = corpus.dim();
    let mut positions: Vec<Vec<usize>> = vec![Vec::new(); sums.models];
    for (p, &row) in corpus.layout.row_at.iter().enumerate() {
        positions[corpus.rows.model[row as usize] as usize].push(p);
    }
    let mut all = Mat::<f64>::zeros(dim, dim);
    let mut of_models = 0.0;
    for chunk in positions.chunks(AT_ONCE) {
        observer.check_stop()?;
        let moments: Vec<Mat<f64>> = (chunk.par_iter())
            .map(|positions| {
                let mut moment = Mat::zeros(dim, dim);
                for block in positions.chunks(BLOCK) {
                    add_second_moment(&mut moment, &unit_rows(corpus, block.iter().copied()), block.len(), dim);
                }
                moment
            })
            .collect();
        for moment in moments {
            of_models += frobenius2(&moment);
            all += &moment;
        }
    }
    let (in_cells, in_queries) = sums.same_squares;
    let n: f64 = sums.counts.iter().sum();
    let cells: f64 = (0..sums.models).map(|m| sums.same_counts[m * sums.models + m]).sum();
    let queries: f64 = sums.same_counts.iter().sum();
    let models: f64 = sums.counts.iter().map(|k| k * k).sum();
    let pairs = n * n - queries - models + cells;
    let sum = frobenius2(&all) - in_queries - of_models + in_cells;
    Ok((pairs > 0.5).then(|| (sum / pairs).clamp(0.0, 1.0)))
}

/// Means over pairs of models of the squared similarities: within (models with n >= 2) and across.
fn within_and_across(query: &QuerySums) -> (Option<f64>, Option<f64>) {
    let mean = |values: Vec<f64>| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    let cells = query.cells();
    let within = mean((0..cells).filter_map(|a| query.mean_square(a, a)).collect());
    let across =
        (0..cells).flat_map(|a| (a + 1..cells).map(move |b| (a, b))).filter_map(|(a, b)| query.mean_square(a, b));
    (within, mean(across.collect()))
}

/// Gain of one query; `None` with fewer than 2 models or an equal n under 4.
pub fn gain(query: &QuerySums, unrelated: Option<f64>) -> Option<Gain> {
    let models = query.cells();
    let least = query.counts.iter().copied().fold(f64::INFINITY, f64::min) as usize;
    if models < 2 {
        return None;
    }
    let (used, n) = if models <= least { (models, least / models * models) } else { (least, least) };
    if n < 4 {
        return None;
    }
    let (a, b) = within_and_across(query);
    let (a, b) = (a?, b?);
    let (used, n) = (used as f64, n as f64);
    let s = n / used;
    let pool = |b: f64| n * n / (n + used * s * (s - 1.0) * a + used * (used - 1.0) * s * s * b);
    let singles: Vec<f64> =
        (0..models).filter_map(|m| query.mean_square(m, m)).map(|a| n * n / (n + n * (n - 1.0) * a)).collect();
    let single = singles.iter().sum::<f64>() / singles.len() as f64;
    Some(Gain { gain: pool(b) / single, unrelated: unrelated.map(|b| pool(b) / single) })
}

/// One sample a cell: (worth of the M models' answers, worth of M unrelated answers).
pub fn worth(query: &QuerySums, unrelated: Option<f64>) -> Option<(f64, Option<f64>)> {
    let m = query.cells() as f64;
    let value = |b: f64| m * m / (m + m * (m - 1.0) * b);
    let across = within_and_across(query).1?;
    Some((value(across), unrelated.map(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_models_of_copies_that_are_orthogonal_double_the_worth() {
        let query = QuerySums {
            models: vec![0, 1],
            counts: vec![4.0, 4.0],
            squares: vec![16.0, 0.0, 0.0, 16.0],
            ..Default::default()
        };
        let gain = gain(&query, Some(0.25)).unwrap();
        assert!((gain.gain - 2.0).abs() < 1e-12);
        // n = 4, s = 2: 16 / (4 + 2*2*1 + 2*4*.25) = 1.6, singles 1
        assert!((gain.unrelated.unwrap() - 1.6).abs() < 1e-12);
    }
}
