//! Distinct models among the nearest N of each response, ties at the boundary by expectation.

use super::cells::{BLOCK, Cells};
use super::nearest::{self, Share};
use super::products::add_products;
use super::tables::TopNRow;
use crate::base::events::Stage;
use crate::base::similarity;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use rayon::prelude::*;
use std::cmp::Reverse;

/// Queries that are computed before progress is told.
const AT_ONCE: usize = 32;
/// Responses whose similarities to all others of the query are held at once.
const ANCHORS: usize = 64;

/// P(none of `marked` among `drawn` of `total` without replacement).
pub fn none_drawn(total: u64, marked: u64, drawn: u64) -> f64 {
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
    // Models with equal counts are alike: (count, how many), largest first.
    let mut kinds: Vec<(u64, u64)> = Vec::new();
    let mut sorted = counts.to_vec();
    sorted.sort_unstable_by_key(|&count| Reverse(count));
    for count in sorted {
        match kinds.last_mut() {
            Some(last) if last.0 == count => last.1 += 1,
            _ => kinds.push((count, 1)),
        }
    }
    let (mut null, mut least) = (0.0, 0.0);
    for own in 0..kinds.len() {
        let mut others = kinds.clone();
        others[own].1 -= 1;
        others.push((kinds[own].0 - 1, 1));
        let anchors = (kinds[own].0 * kinds[own].1) as f64;
        null += anchors * others.iter().map(|&(k, of)| of as f64 * (1.0 - none_drawn(n - 1, k, top_n))).sum::<f64>();
        others.sort_unstable_by_key(|kind| Reverse(kind.0));
        let (mut left, mut models) = (top_n, 0);
        for (k, of) in others.into_iter().filter(|kind| kind.0 > 0) {
            let taken = of.min(left.div_ceil(k));
            models += taken;
            left = left.saturating_sub(taken * k);
        }
        least += anchors * models as f64;
    }
    (null / n as f64, least / n as f64)
}

/// Similarities of some anchors to all rows of a query, row-major: [`crate::base::similarity`] to the bit, as products have
/// its order and those of f32 are exact.
fn similarities(corpus: &Corpus, anchors: &[usize], positions: &[usize]) -> Vec<f32> {
    let (embeddings, norms) = (&corpus.embeddings, corpus.embeddings.norms());
    let rows = |positions: &[usize]| {
        let mut rows: Vec<f64> = Vec::with_capacity(positions.len() * corpus.dim());
        positions.iter().for_each(|&p| rows.extend(embeddings.row(p).iter().map(|&x| f64::from(x))));
        rows
    };
    let of_anchors = rows(anchors);
    let mut found = vec![0.0; anchors.len() * positions.len()];
    for (start, block) in (0..).step_by(BLOCK).zip(positions.chunks(BLOCK)) {
        let mut products = vec![0.0; anchors.len() * block.len()];
        add_products(&of_anchors, &rows(block), corpus.dim(), &mut products);
        for ((&a, products), found) in
            anchors.iter().zip(products.chunks_exact(block.len())).zip(found.chunks_exact_mut(positions.len()))
        {
            for ((&b, product), found) in block.iter().zip(products).zip(&mut found[start..]) {
                *found = similarity::round(product / (norms[a] * norms[b]));
            }
        }
    }
    found
}

/// One query: its lines of topn.parquet and its nearest share, among the models that `keep` has.
fn one_query(corpus: &Corpus, query: usize, keep: &[bool], sizes: &[usize]) -> (Vec<TopNRow>, Option<Share>) {
    let cells = Cells::new(corpus, &[query], keep);
    let n = cells.rows();
    if n < 2 {
        return (Vec::new(), None);
    }
    let label: Vec<usize> = (0..cells.len()).flat_map(|c| std::iter::repeat_n(c, cells.of(c).len())).collect();
    let sizes: Vec<usize> = sizes.iter().copied().filter(|&size| size < n).collect();
    let most = sizes.last().copied().unwrap_or(1);
    let mut distinct = vec![0.0; sizes.len()];
    let mut credit = 0.0;
    let mut sorted: Vec<(f32, usize)> = Vec::with_capacity(n);
    for (block, anchors) in cells.positions.chunks(ANCHORS).enumerate() {
        let similarities = similarities(corpus, anchors, &cells.positions);
        for (place, similarities) in similarities.chunks_exact(n).enumerate() {
            let anchor = block * ANCHORS + place;
            sorted.clear();
            sorted.extend((0..n).filter(|&o| o != anchor).map(|o| (similarities[o], label[o])));
            // Only what can be among the nearest is sorted: the last of them and those tied with it are the end.
            let (_, &mut (last, _), _) = sorted.select_nth_unstable_by(most - 1, |a, b| b.0.total_cmp(&a.0));
            sorted.retain(|one| one.0 >= last);
            sorted.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            credit += nearest::credit(&sorted, label[anchor]);
            for (total, &size) in distinct.iter_mut().zip(&sizes) {
                *total += expected_distinct(&sorted, cells.len(), size);
            }
        }
    }
    let counts: Vec<u64> = cells.counts().into_iter().map(|n| n as u64).collect();
    let rows = (sizes.iter().zip(&distinct))
        .map(|(&size, total)| {
            let (null, least) = null_and_least(&counts, size as u64);
            let distinct_models_mean = total / n as f64;
            TopNRow { query: query as u32, top_n: size as u16, distinct_models_mean, null, least }
        })
        .collect();
    (rows, Some(Share { responses: n as f64, credit, null: nearest::null_sum(&counts) }))
}

fn of_queries(
    corpus: &Corpus,
    keep: &[bool],
    sizes: &[usize],
    observer: &dyn Observer,
) -> Result<(Vec<TopNRow>, Vec<Option<Share>>)> {
    let (mut rows, mut shares) = (Vec::new(), Vec::new());
    let queries: Vec<usize> = (0..corpus.layout.query_positions.len()).collect();
    let stage = Stage::start(observer, "measures: nearest answers", "queries", queries.len() as u64);
    for chunk in queries.chunks(AT_ONCE) {
        observer.check_stop()?;
        let done: Vec<_> = chunk.par_iter().map(|&q| one_query(corpus, q, keep, sizes)).collect();
        for (lines, share) in done {
            rows.extend(lines);
            shares.push(share);
        }
        stage.advance(shares.len() as u64);
    }
    stage.finish();
    Ok((rows, shares))
}

/// Lines of topn.parquet, and the nearest share of each query.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn all(corpus: &Corpus, keep: &[bool], observer: &dyn Observer) -> Result<(Vec<TopNRow>, Vec<Option<Share>>)> {
    of_queries(corpus, keep, &(5..=50).step_by(5).collect::<Vec<_>>(), observer)
}

/// The nearest share of each query among the models that `keep` has.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn shares(corpus: &Corpus, keep: &[bool], observer: &dyn Observer) -> Result<Vec<Option<Share>>> {
    Ok(of_queries(corpus, keep, &[], observer)?.1)
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
    fn similarities_are_those_of_pairs_to_the_bit() {
        let keys = (0..300).map(|i| ("q".to_string(), format!("{}", i % 3)));
        let (corpus, _) = super::super::planted::planted(keys, 21);
        let similarity = similarity::Similarity::new();
        let (anchors, all) = ([3, 250, 17], (0..300).collect::<Vec<usize>>());
        let expected = anchors.map(|a| all.iter().map(|&b| corpus.embeddings.similarity(&similarity, a, b)).collect());
        let found: Vec<f32> = similarities(&corpus, &anchors, &all);
        assert_eq!(found, expected.map(|row: Vec<f32>| row).concat());
    }

    #[test]
    fn ties_count_by_expectation() {
        // one nearer (cell 0), four tied: two of cell 1, one each of 2 and 0; two places left
        let sorted = [(0.9, 0), (0.5, 0), (0.5, 1), (0.5, 1), (0.5, 2), (0.1, 3)];
        // cell 0 seen; cell 1: 1 - C(2,2)/C(4,2) = 5/6; cell 2: 1 - C(3,2)/C(4,2) = 1/2
        assert!((expected_distinct(&sorted, 4, 3) - (1.0 + 5.0 / 6.0 + 0.5)).abs() < 1e-12);
    }
}
