//! Distinct models among the nearest N of each response, ties at the boundary by expectation.

use super::nearest::{self, Share};
use super::tables::TopNRow;
use crate::base::similarity::Similarity;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use rayon::prelude::*;

/// P(none of `marked` among `drawn` of `total` without replacement).
fn none_drawn(total: u64, marked: u64, drawn: u64) -> f64 {
    if marked + drawn > total {
        return 0.0;
    }
    (0..drawn).map(|i| (total - marked - i) as f64 / (total - i) as f64).product()
}

/// Expected distinct models in the nearest `top_n` of (similarity, cell) sorted by similarity descending.
fn expected_distinct(sorted: &[(f32, usize)], cells: usize, top_n: usize) -> f64 {
    let boundary = sorted[top_n - 1].0;
    let nearer = sorted.partition_point(|s| s.0 > boundary);
    let tied_end = sorted.partition_point(|s| s.0 >= boundary);
    let mut seen = vec![false; cells];
    let mut tied = vec![0u64; cells];
    sorted[..nearer].iter().for_each(|s| seen[s.1] = true);
    sorted[nearer..tied_end].iter().for_each(|s| tied[s.1] += 1);
    let (total, places) = ((tied_end - nearer) as u64, (top_n - nearer) as u64);
    (0..cells)
        .map(|c| match (seen[c], tied[c]) {
            (true, _) => 1.0,
            (false, 0) => 0.0,
            (false, t) => 1.0 - none_drawn(total, t, places),
        })
        .sum()
}

/// Expected distinct models if labels were exchangeable, and the fewest that can fill the places; means over anchors.
pub fn null_and_least(counts: &[u64], top_n: u64) -> (f64, f64) {
    let n: u64 = counts.iter().sum();
    let (mut null, mut least) = (0.0, 0.0);
    for (own, &anchors) in counts.iter().enumerate() {
        let mut others: Vec<u64> = counts.iter().enumerate().map(|(c, &k)| k - u64::from(c == own)).collect();
        null += anchors as f64 * others.iter().map(|&k| 1.0 - none_drawn(n - 1, k, top_n)).sum::<f64>();
        others.sort_unstable_by(|a, b| b.cmp(a));
        let (mut filled, mut models) = (0, 0u64);
        for k in others {
            if filled >= top_n {
                break;
            }
            filled += k;
            models += 1;
        }
        least += anchors as f64 * models as f64;
    }
    (null / n as f64, least / n as f64)
}

/// One query: its lines of topn.parquet and its nearest share.
fn one_query(corpus: &Corpus, query: usize) -> (Vec<TopNRow>, Option<Share>) {
    let range = corpus.layout.query_positions[query].clone();
    let cells = &corpus.layout.cells[query];
    let n = range.len();
    if n < 2 {
        return (Vec::new(), None);
    }
    let similarity = Similarity::new();
    let (embeddings, norms) = (&corpus.embeddings, corpus.embeddings.norms());
    let label: Vec<usize> =
        cells.iter().enumerate().flat_map(|(c, cell)| std::iter::repeat_n(c, cell.positions.len())).collect();
    let sizes: Vec<usize> = (5..=50).step_by(5).filter(|&size| size < n).collect();
    let mut distinct = vec![0.0; sizes.len()];
    let mut credit = 0.0;
    let mut similarities = Vec::with_capacity(n);
    let mut sorted: Vec<(f32, usize)> = Vec::with_capacity(n);
    for anchor in 0..n {
        let p = range.start + anchor;
        similarities.clear();
        let others = range.clone().map(|o| (embeddings.row(o), norms[o]));
        similarity.one_to_many(embeddings.row(p), norms[p], others, &mut similarities);
        sorted.clear();
        sorted.extend((0..n).filter(|&o| o != anchor).map(|o| (similarities[o], label[o])));
        sorted.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        credit += nearest::credit(&sorted, label[anchor]);
        for (total, &size) in distinct.iter_mut().zip(&sizes) {
            *total += expected_distinct(&sorted, cells.len(), size);
        }
    }
    let counts: Vec<u64> = cells.iter().map(|c| c.positions.len() as u64).collect();
    let rows = (sizes.iter().zip(&distinct))
        .map(|(&size, total)| {
            let (null, least) = null_and_least(&counts, size as u64);
            let distinct_models_mean = total / n as f64;
            TopNRow { query: query as u32, top_n: size as u16, distinct_models_mean, null, least }
        })
        .collect();
    (rows, Some(Share { responses: n as f64, credit, null: nearest::null_sum(&counts) }))
}

/// Lines of topn.parquet, and the nearest share of each query.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn all(corpus: &Corpus, observer: &dyn Observer) -> Result<(Vec<TopNRow>, Vec<Option<Share>>)> {
    let (mut rows, mut shares) = (Vec::new(), Vec::new());
    let queries: Vec<usize> = (0..corpus.layout.query_positions.len()).collect();
    for chunk in queries.chunks(64) {
        observer.check_stop()?;
        let done: Vec<_> = chunk.par_iter().map(|&q| one_query(corpus, q)).collect();
        for (lines, share) in done {
            rows.extend(lines);
            shares.push(share);
        }
    }
    Ok((rows, shares))
}

/// Mean over queries by N: (N, observed, null, least).
pub fn by_size(rows: &[TopNRow]) -> Vec<(u16, f64, f64, f64)> {
    (5..=50u16)
        .step_by(5)
        .filter_map(|size| {
            let mut total = (0.0, 0.0, 0.0, 0.0);
            for row in rows.iter().filter(|r| r.top_n == size) {
                total.0 += 1.0;
                total.1 += row.distinct_models_mean;
                total.2 += row.null;
                total.3 += row.least;
            }
            (total.0 > 0.0).then(|| (size, total.1 / total.0, total.2 / total.0, total.3 / total.0))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_of_25_models_and_50_samples() {
        for (size, expected) in [(5, 4.62), (10, 8.40), (25, 16.08), (50, 21.89)] {
            let (null, _) = null_and_least(&[50; 25], size);
            assert!((null - expected).abs() < 0.005, "N = {size}: {null}");
        }
        assert_eq!(null_and_least(&[50; 25], 50).1, 1.0);
    }

    #[test]
    fn ties_count_by_expectation() {
        // one nearer (cell 0), four tied: two of cell 1, one each of 2 and 0; two places left
        let sorted = [(0.9, 0), (0.5, 0), (0.5, 1), (0.5, 1), (0.5, 2), (0.1, 3)];
        // cell 0 seen; cell 1: 1 - C(2,2)/C(4,2) = 5/6; cell 2: 1 - C(3,2)/C(4,2) = 1/2
        assert!((expected_distinct(&sorted, 4, 3) - (1.0 + 5.0 / 6.0 + 0.5)).abs() < 1e-12);
    }
}
