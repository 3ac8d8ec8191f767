//! Similarity of two models' answers to the same query: model_pairs.parquet.

use super::floors;
use super::intervals::{self, BOOTSTRAP_QUERIES, WORK, Weights};
use super::sums::Sums;
use super::tables::ModelPairRow;
use rayon::prelude::*;

/// Lines of model_pairs.parquet, a <= b. Where the bootstrap would take too long the linearised interval stands in.
pub fn rows(sums: &Sums, weights: Option<&Weights>, resamples: usize) -> Vec<ModelPairRow> {
    let models = sums.models;
    let place: Vec<Vec<u32>> = (sums.queries.par_iter())
        .map(|query| {
            let mut place = vec![u32::MAX; models];
            query.models.iter().enumerate().for_each(|(c, &m)| place[m as usize] = c as u32);
            place
        })
        .collect();
    let work = (models * models / 2) as f64 * sums.queries.len() as f64 * resamples as f64;
    let weights = weights.filter(|_| work <= WORK && sums.queries.len() >= BOOTSTRAP_QUERIES);
    let pairs: Vec<(usize, usize)> = (0..models).flat_map(|a| (a..models).map(move |b| (a, b))).collect();
    pairs
        .into_par_iter()
        .map(|(a, b)| {
            let mut terms = vec![(0.0, 0.0); sums.queries.len()];
            let (mut queries, mut of_means) = (0u64, 0.0);
            let mut paper = (0.0, 0.0);
            for ((query, place), term) in sums.queries.iter().zip(&place).zip(&mut terms) {
                let (Some(&ca), Some(&cb)) = (place.get(a), place.get(b)) else { continue };
                if ca == u32::MAX || cb == u32::MAX {
                    continue;
                }
                let (ca, cb) = (ca as usize, cb as usize);
                paper.0 += query.gram[ca * query.cells() + cb];
                paper.1 += query.counts[ca] * query.counts[cb];
                let (sum, count) = query.pairs(ca, cb);
                if count > 0.0 {
                    *term = (sum, count);
                    queries += 1;
                    of_means += sum / count;
                }
            }
            let (sum, count) = terms.iter().fold((0.0, 0.0), |t, p| (t.0 + p.0, t.1 + p.1));
            ModelPairRow {
                model_a: a as u32,
                model_b: b as u32,
                queries,
                pairs: if a == b { count / 2.0 } else { count } as u64,
                mean: (count > 0.0).then(|| sum / count),
                query_mean: (queries > 0).then(|| of_means / queries as f64),
                paper_mean: (paper.1 > 0.0).then(|| paper.0 / paper.1),
                ci: intervals::ratio(&terms, weights),
                floor: floors::pair(sums, a, b),
            }
        })
        .collect()
}
