//! Similarity of one model's answers to one query, and models.parquet.

use super::adjusted::{self, Method};
use super::effective::Effects;
use super::floors;
use super::intervals::{self, Weights};
use super::sums::Sums;
use super::tables::{IntraRow, ModelRow};
use rayon::prelude::*;

/// Lines of intra.parquet, by query then model.
pub fn rows(sums: &Sums) -> Vec<IntraRow> {
    let mut rows = Vec::new();
    for (query, one) in sums.queries.iter().enumerate() {
        for a in 0..one.cells() {
            let (sum, pairs) = one.pairs(a, a);
            if pairs > 0.0 {
                let n = one.counts[a] as u32;
                rows.push(IntraRow { query: query as u32, model: one.models[a], n, mean: sum / pairs });
            }
        }
    }
    rows
}

/// Percent of values in each bin given the lower edges; the last bin is closed at 1; others count in the denominator.
fn percent(values: &[f64], edge: impl Fn(usize) -> f64) -> [f64; 10] {
    let mut counts = [0u64; 10];
    for &x in values {
        if (0.0..=1.0).contains(&x) {
            let bin = (1..10).filter(|&i| x >= edge(i)).count();
            counts[bin] += 1;
        }
    }
    counts.map(|c| 100.0 * c as f64 / values.len() as f64)
}

/// The bins of `numpy.histogram(bins=10, range=(0, 1))`: edges i * 0.1 in f64.
pub fn paper_bins(values: &[f64]) -> [f64; 10] {
    percent(values, |i| i as f64 * 0.1)
}

/// Ten bins with edges i / 10; what is within 1e-9 of 1 counts as 1.
pub fn plain_bins(values: &[f64]) -> [f64; 10] {
    let clamped: Vec<f64> = values.iter().map(|&x| if (x - 1.0).abs() <= 1e-9 { 1.0 } else { x }).collect();
    percent(&clamped, |i| i as f64 / 10.0)
}

/// Percent of values below 0: what [`plain_bins`] has no bin for.
pub fn underflow(values: &[f64]) -> f64 {
    100.0 * values.iter().filter(|&&x| x < 0.0).count() as f64 / values.len() as f64
}

/// Lines of models.parquet, and how `intra_adjusted` was made comparable.
pub fn models(
    sums: &Sums,
    effects: &Effects,
    intra: &[IntraRow],
    regardless: &[bool],
    weights: Option<&Weights>,
) -> (Vec<ModelRow>, Method) {
    let all = sums.queries.iter().filter(|q| q.cells() == sums.models).count() as u64;
    let mut cells: Vec<Vec<(usize, f64)>> = vec![Vec::new(); sums.models];
    for row in intra {
        cells[row.model as usize].push((row.query as usize, row.mean));
    }
    let mut answered = vec![0u64; sums.models];
    sums.queries.iter().flat_map(|query| &query.models).for_each(|&model| answered[model as usize] += 1);
    let adjusted = adjusted::means(sums.queries.len(), sums.models, |query, visit| {
        let first = intra.partition_point(|row| (row.query as usize) < query);
        let lines = intra[first..].iter().take_while(|row| row.query as usize == query);
        lines.for_each(|row| visit(row.model as usize, row.mean));
    });
    let rows = (0..sums.models)
        .into_par_iter()
        .map(|model| {
            let means: Vec<f64> = cells[model].iter().map(|c| c.1).collect();
            let mut terms = vec![(0.0, 0.0); sums.queries.len()];
            for &(query, mean) in &cells[model] {
                terms[query] = (mean, 1.0);
            }
            let some = !means.is_empty();
            let n = means.len() as f64;
            let floor = floors::pair(sums, model, model);
            let (one, two, count) = effects.models[model];
            ModelRow {
                model: model as u32,
                n: sums.counts[model] as u64,
                queries: answered[model],
                common_queries: all,
                intra_mean: some.then(|| means.iter().sum::<f64>() / n),
                intra_adjusted: adjusted.means[model],
                intra_ci: intervals::ratio(&terms, weights),
                share_ge_0_8: some.then(|| 100.0 * means.iter().filter(|&&x| x >= 0.8).count() as f64 / n),
                bins: some.then(|| plain_bins(&means)),
                bins_underflow: some.then(|| underflow(&means)),
                paper_bins: some.then(|| paper_bins(&means)),
                floor,
                answers_regardless: regardless[model],
                vendi_1: (count > 0.0).then(|| one / count),
                vendi_2: (count > 0.0).then(|| two / count),
                ..ModelRow::default()
            }
        })
        .collect();
    (rows, adjusted.method)
}

/// Unweighted mean over models of a histogram or a share.
pub fn mean_bins<const N: usize>(bins: impl Iterator<Item = [f64; N]>) -> Option<[f64; N]> {
    let mut total = [0.0; N];
    let mut count = 0.0;
    for one in bins {
        total.iter_mut().zip(one).for_each(|(t, x)| *t += x);
        count += 1.0;
    }
    (count > 0.0).then(|| total.map(|t| t / count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paper_bins_have_the_edges_of_numpy() {
        let values = [0.3, 0.6, 0.7, 0.8, 1.0, 1.0 + 1e-12, -0.1, 0.0];
        assert_eq!(paper_bins(&values), [12.5, 0.0, 12.5, 0.0, 0.0, 12.5, 12.5, 0.0, 12.5, 12.5]);
        assert_eq!(underflow(&values), 12.5);
        assert_eq!(plain_bins(&values), [12.5, 0.0, 0.0, 12.5, 0.0, 0.0, 12.5, 12.5, 12.5, 25.0]);
    }
}
