//! Similarity of two models' answers to the same query: model_pairs.parquet.

use super::adjusted;
use super::floors;
use super::intervals::{self, BOOTSTRAP_QUERIES, QUERIES, Ratio, Studentised, WORK, Weights};
use super::sums::Sums;
use super::tables::{Interval, ModelPairRow, ModelRow};
use rayon::prelude::*;

/// Pairs of models that are taken at once.
pub const PAIRS: usize = 64;
/// Multiply-adds that take as long as what else a resample of a pair takes.
const QUANTILE: usize = 20;

/// Where each model's cell stands in each query, query after query; `u32::MAX` where it has none.
struct Places {
    models: usize,
    places: Vec<u32>,
}

impl Places {
    fn new(sums: &Sums) -> Self {
        let mut places = vec![u32::MAX; sums.queries.len() * sums.models];
        for (row, query) in places.chunks_exact_mut(sums.models.max(1)).zip(&sums.queries) {
            query.models.iter().enumerate().for_each(|(cell, &model)| row[model as usize] = cell as u32);
        }
        Self { models: sums.models, places }
    }

    /// Cells of models `a` and `b` in a query, if it has both.
    fn cells(&self, query: usize, (a, b): (usize, usize)) -> Option<(usize, usize)> {
        let at = |model: usize| self.places[query * self.models + model];
        let (a, b) = (at(a), at(b));
        (a != u32::MAX && b != u32::MAX).then_some((a as usize, b as usize))
    }
}

/// Sum of similarities and number of ordered pairs of two models in a query; (0, 0) if it has none.
fn term(sums: &Sums, places: &Places, query: usize, pair: (usize, usize)) -> (f64, f64) {
    let found = places.cells(query, pair).map(|(a, b)| sums.queries[query].pairs(a, b));
    found.filter(|t| t.1 > 0.0).unwrap_or_default()
}

/// A line without interval and adjusted mean.
fn row(sums: &Sums, places: &Places, (a, b): (usize, usize)) -> ModelPairRow {
    let (mut queries, mut of_means) = (0u64, 0.0);
    let (mut total, mut paper) = ((0.0, 0.0), (0.0, 0.0));
    for (q, query) in sums.queries.iter().enumerate() {
        let Some((ca, cb)) = places.cells(q, (a, b)) else { continue };
        paper = (paper.0 + query.gram.at(ca, cb), paper.1 + query.counts[ca] * query.counts[cb]);
        let (sum, count) = query.pairs(ca, cb);
        if count > 0.0 {
            total = (total.0 + sum, total.1 + count);
            queries += 1;
            of_means += sum / count;
        }
    }
    let (sum, count) = total;
    ModelPairRow {
        model_a: a as u32,
        model_b: b as u32,
        queries,
        pairs: if a == b { count / 2.0 } else { count } as u64,
        mean: (count > 0.0).then(|| sum / count),
        query_mean: (queries > 0).then(|| of_means / queries as f64),
        adjusted_mean: None,
        paper_mean: (paper.1 > 0.0).then(|| paper.0 / paper.1),
        ci: None,
        floor: floors::pair(sums, a, b),
    }
}

/// Bootstrap intervals of some pairs: the weighted sums of all resamples are matrix products, [`QUERIES`] queries at
/// a time.
fn bootstrap(sums: &Sums, places: &Places, pairs: &[(usize, usize)], weights: &Weights) -> Vec<Option<Interval>> {
    let of_pair = |pair| (0..sums.queries.len()).map(move |query| term(sums, places, query, pair));
    let ratios: Vec<Ratio> = pairs.iter().map(|&pair| Ratio::new(of_pair(pair).filter(|t| t.1 > 0.0))).collect();
    let mut resampled = Studentised::new(pairs.len(), weights.resamples());
    for first in (0..sums.queries.len()).step_by(QUERIES) {
        let queries = first..(first + QUERIES).min(sums.queries.len());
        let columns = intervals::columns(queries.len());
        let (mut beyond, mut counts) = (vec![0.0; pairs.len() * columns], vec![0.0; pairs.len() * columns]);
        for (i, (&pair, ratio)) in pairs.iter().zip(&ratios).enumerate() {
            for (column, query) in queries.clone().enumerate() {
                let (sum, count) = term(sums, places, query, pair);
                (beyond[i * columns + column], counts[i * columns + column]) = (sum - ratio.value * count, count);
            }
        }
        resampled.add(&beyond, &counts, &weights.block(queries, columns));
    }
    ratios.iter().enumerate().map(|(i, ratio)| resampled.interval(i, ratio)).collect()
}

/// Lines of some pairs, with intervals: by the bootstrap where `weights` are given and a pair has 10 queries.
fn rows_of(sums: &Sums, places: &Places, pairs: &[(usize, usize)], weights: Option<&Weights>) -> Vec<ModelPairRow> {
    let mut rows: Vec<ModelPairRow> = pairs.iter().map(|&pair| row(sums, places, pair)).collect();
    let many = |row: &ModelPairRow| weights.is_some() && row.queries >= BOOTSTRAP_QUERIES as u64;
    let chosen: Vec<usize> = (0..rows.len()).filter(|&i| many(&rows[i])).collect();
    if let Some(weights) = weights.filter(|_| !chosen.is_empty()) {
        let pairs: Vec<(usize, usize)> = chosen.iter().map(|&i| pairs[i]).collect();
        for (i, ci) in chosen.into_iter().zip(bootstrap(sums, places, &pairs, weights)) {
            rows[i].ci = ci;
        }
    }
    for (row, &pair) in rows.iter_mut().zip(pairs).filter(|(row, _)| !many(row)) {
        let terms: Vec<(f64, f64)> = (0..sums.queries.len()).map(|q| term(sums, places, q, pair)).collect();
        row.ci = intervals::linearised(&terms);
    }
    rows
}

/// Lines of model_pairs.parquet, a <= b. Where the bootstrap would take too long the linearised interval stands in.
pub fn rows(sums: &Sums, lines: &[ModelRow], weights: Option<&Weights>, resamples: usize) -> Vec<ModelPairRow> {
    let models = sums.models;
    // Three products, and a quantile for each resample.
    let work = (models * models / 2) as f64 * (3 * sums.queries.len() + QUANTILE) as f64 * resamples as f64;
    let weights = weights.filter(|w| work <= WORK && w.resamples() > 0 && sums.queries.len() >= BOOTSTRAP_QUERIES);
    let places = Places::new(sums);
    let pairs: Vec<(usize, usize)> = (0..models).flat_map(|a| (a..models).map(move |b| (a, b))).collect();
    let mut rows: Vec<ModelPairRow> =
        pairs.par_chunks(PAIRS).flat_map_iter(|pairs| rows_of(sums, &places, pairs, weights)).collect();
    drop(places);
    let adjusted = adjusted::means(sums.queries.len(), rows.len(), |query, visit| {
        let query = &sums.queries[query];
        for a in 0..query.cells() {
            let model = query.models[a] as usize;
            // Place of (model, model) among the pairs.
            let diagonal = model * models - model * model.saturating_sub(1) / 2;
            for b in a + 1..query.cells() {
                let (sum, pairs) = query.pairs(a, b);
                visit(diagonal + query.models[b] as usize - model, sum / pairs);
            }
        }
    });
    for (row, adjusted) in rows.iter_mut().zip(adjusted.means) {
        let same = row.model_a == row.model_b;
        row.adjusted_mean = if same { lines[row.model_a as usize].intra_adjusted } else { adjusted };
    }
    rows
}
