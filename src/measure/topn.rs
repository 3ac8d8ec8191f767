//! Distinct models among the nearest N of each response, ties at the boundary by expectation.
//!
//! Of a query of more than 8,192 responses as many are drawn whose nearest are looked for among all: what is counted grows
//! with the number of responses and not with its square.

use super::cells::{Cells, drawn};
use super::coarse::{self, ANCHORS, Coarse};
use super::nearest::{self, Share};
use super::tables::TopNRow;
use crate::base::events::Stage;
use crate::base::random::Stream;
use crate::base::similarity::Similarity;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use rayon::prelude::*;
use std::cmp::Reverse;

/// Queries that are computed before progress is told.
const AT_ONCE: usize = 32;
/// Responses from which on threads share a query.
pub const LARGE: usize = 4096;
/// Most responses of a query whose nearest are looked for.
pub const MOST: usize = 8192;

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

/// A query's responses, and who is nearest to whom.
struct Near<'a> {
    corpus: &'a Corpus,
    positions: &'a [usize],
    /// How many of the nearest are asked for.
    most: usize,
    similarity: Similarity,
    coarse: Coarse,
}

/// What a block of anchors needs, kept from one block to the next.
#[derive(Default)]
struct Scratch {
    cosines: Vec<f32>,
    others: Vec<(f32, u32)>,
    values: Vec<f32>,
    sorted: Vec<(f32, usize)>,
}

/// Places in `cosines` of all but `anchor` that can be among its `most` nearest: with the last of the `most` coarsely
/// nearest, everyone that is at most `slack` farther.
fn candidates(cosines: &[f32], anchor: usize, most: usize, slack: f32, others: &mut Vec<(f32, u32)>) {
    let most = most.min(cosines.len() - 1);
    let last = |others: &mut Vec<(f32, u32)>| others.select_nth_unstable_by(most - 1, |a, b| b.0.total_cmp(&a.0)).1.0;
    // As many are at least as near as `least` + `slack`, so nobody farther than `least` can be among them.
    let (mut least, mut full) = (f32::NEG_INFINITY, (4 * most).max(256));
    others.clear();
    for (other, &cosine) in cosines.iter().enumerate() {
        if cosine >= least && other != anchor {
            others.push((cosine, other as u32));
            if others.len() == full {
                least = last(others) - slack;
                others.retain(|one| one.0 >= least);
                full = full.max(2 * others.len());
            }
        }
    }
    least = last(others) - slack;
    others.retain(|one| one.0 >= least);
}

impl<'a> Near<'a> {
    fn new(corpus: &'a Corpus, positions: &'a [usize], most: usize) -> Self {
        Self { corpus, positions, most, similarity: Similarity::new(), coarse: Coarse::new(corpus, positions) }
    }

    /// Calls `see(anchor, sorted)` for each of a block of anchors, places in `positions`: (similarity, label) of its nearest
    /// others, descending, at least the `most` nearest and all that are as near as any of these.
    fn block(
        &self,
        anchors: &[usize],
        label: &[usize],
        scratch: &mut Scratch,
        mut see: impl FnMut(usize, &[(f32, usize)]),
    ) {
        let Scratch { cosines, others, values, sorted } = scratch;
        let (n, embeddings) = (self.positions.len(), &self.corpus.embeddings);
        let row = |place: usize| (embeddings.row(self.positions[place]), embeddings.norms()[self.positions[place]]);
        self.coarse.cosines(anchors, cosines);
        for (&anchor, cosines) in anchors.iter().zip(cosines.chunks_exact(n)) {
            candidates(cosines, anchor, self.most, 2.0 * self.coarse.bound, others);
            let (x, norm) = row(anchor);
            values.clear();
            self.similarity.one_to_many(x, norm, others.iter().map(|one| row(one.1 as usize)), values);
            sorted.clear();
            sorted.extend(values.iter().zip(others.iter()).map(|(&value, one)| (value, label[one.1 as usize])));
            sorted.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            see(anchor, sorted);
        }
    }
}

/// Bytes held while the largest query is worked: by each thread, or of a large one by all of them.
pub fn bytes(rows: usize, dim: usize, threads: usize) -> usize {
    let blocks = threads * (coarse::block_bytes(rows, dim) + 8 * rows);
    blocks + coarse::bytes(rows, dim) * if rows > LARGE { 1 } else { threads }
}

/// What is counted.
struct Pass<'a> {
    corpus: &'a Corpus,
    keep: &'a [bool],
    sizes: &'a [usize],
    /// Most anchors of a query.
    most: usize,
    draw: Stream,
}

impl Pass<'_> {
    /// One query: its lines of topn.parquet and its nearest share, among the models that `keep` has.
    fn one_query(&self, query: usize) -> (Vec<TopNRow>, Option<Share>) {
        let cells = Cells::new(self.corpus, &[query], self.keep);
        let n = cells.rows();
        if n < 2 {
            return (Vec::new(), None);
        }
        let label: Vec<usize> = (0..cells.len()).flat_map(|c| std::iter::repeat_n(c, cells.of(c).len())).collect();
        let sizes: Vec<usize> = self.sizes.iter().copied().filter(|&size| size < n).collect();
        let near = Near::new(self.corpus, &cells.positions, sizes.last().map_or(1, |&size| size));
        let row = |&place: &usize| self.corpus.layout.row_at[cells.positions[place]];
        let anchors = drawn((0..n).collect(), self.most, &self.draw, row);
        // Credit, and the sum of distinct models by N.
        let one_block = |scratch: &mut Scratch, anchors: &[usize]| {
            let (mut credit, mut distinct) = (0.0, vec![0.0; sizes.len()]);
            near.block(anchors, &label, scratch, |anchor, sorted| {
                credit += nearest::credit(sorted, label[anchor]);
                for (total, &size) in distinct.iter_mut().zip(&sizes) {
                    *total += expected_distinct(sorted, cells.len(), size);
                }
            });
            (credit, distinct)
        };
        let blocks: Vec<(f64, Vec<f64>)> = if n > LARGE {
            anchors.par_chunks(ANCHORS).map_init(Scratch::default, one_block).collect()
        } else {
            let mut scratch = Scratch::default();
            anchors.chunks(ANCHORS).map(|anchors| one_block(&mut scratch, anchors)).collect()
        };
        let of = anchors.len() as f64;
        let counts: Vec<u64> = cells.counts().into_iter().map(|n| n as u64).collect();
        let rows = (sizes.iter().enumerate())
            .map(|(at, &size)| {
                let (null, least) = null_and_least(&counts, size as u64);
                let distinct_models_mean = blocks.iter().map(|block| block.1[at]).sum::<f64>() / of;
                TopNRow { query: query as u32, top_n: size as u16, distinct_models_mean, null, least }
            })
            .collect();
        let credit = blocks.iter().map(|block| block.0).sum::<f64>() * (n as f64 / of);
        (rows, Some(Share { responses: n as f64, credit, null: nearest::null_sum(&counts) }))
    }

    fn of_queries(&self, observer: &dyn Observer) -> Result<(Vec<TopNRow>, Vec<Option<Share>>)> {
        let (mut rows, mut shares) = (Vec::new(), Vec::new());
        let queries: Vec<usize> = (0..self.corpus.layout.query_positions.len()).collect();
        let stage = Stage::start(observer, "measures: nearest answers", "queries", queries.len() as u64);
        let large = |query: &usize| self.corpus.layout.query_positions[*query].len() > LARGE;
        for chunk in queries.chunks(AT_ONCE) {
            observer.check_stop()?;
            // Threads share a large query, and take one each of others.
            let of_large = chunk.iter().filter(|query| large(query)).map(|&query| self.one_query(query));
            let mut of_large = of_large.collect::<Vec<_>>().into_iter();
            let others: Vec<_> =
                chunk.par_iter().map(|query| (!large(query)).then(|| self.one_query(*query))).collect();
            for (lines, share) in others.into_iter().filter_map(|one| one.or_else(|| of_large.next())) {
                rows.extend(lines);
                shares.push(share);
            }
            stage.advance(shares.len() as u64);
        }
        stage.finish();
        Ok((rows, shares))
    }
}

/// Lines of topn.parquet, and the nearest share of each query.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn all(
    corpus: &Corpus,
    keep: &[bool],
    seed: u64,
    observer: &dyn Observer,
) -> Result<(Vec<TopNRow>, Vec<Option<Share>>)> {
    let sizes: Vec<usize> = (5..=50).step_by(5).collect();
    Pass { corpus, keep, sizes: &sizes, most: MOST, draw: Stream::new(seed, "nearest") }.of_queries(observer)
}

/// The nearest share of each query among the models that `keep` has.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn shares(corpus: &Corpus, keep: &[bool], seed: u64, observer: &dyn Observer) -> Result<Vec<Option<Share>>> {
    Ok(Pass { corpus, keep, sizes: &[], most: MOST, draw: Stream::new(seed, "nearest") }.of_queries(observer)?.1)
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
    use super::super::planted;
    use super::*;
    use crate::base::events::Silent;

    #[test]
    fn null_of_25_models_and_50_samples() {
        for (size, expected) in [(5, 4.62), (10, 8.40), (25, 16.08), (50, 21.89)] {
            let (null, _) = null_and_least(&[50; 25], size);
            assert!((null - expected).abs() < 0.005, "N = {size}: {null}");
        }
        assert_eq!(null_and_least(&[50; 25], 50).1, 1.0);
    }

    /// Near copies, exact copies and far rows: as many as are asked for, and whoever is as near as the last.
    #[test]
    fn the_nearest_are_those_of_all_pairs() {
        let keys = (0..150).map(|_| ("q".to_string(), "m".to_string()));
        let stream = Stream::new(4, "near");
        let element = |row: usize, i: usize| {
            let (copy, group) = (row.is_multiple_of(3), row % 10);
            let noise = if copy { 0.0 } else { 1e-6 * stream.normal(row as u64, i as u64) };
            (stream.normal(1000 + group as u64, i as u64) + noise) as f32
        };
        let corpus = planted::corpus(keys, 67, element);
        let positions: Vec<usize> = (0..corpus.len()).collect();
        let label: Vec<usize> = positions.iter().map(|p| p % 7).collect();
        for most in [1, 5, 50, 149] {
            let near = Near::new(&corpus, &positions, most);
            let mut seen = 0;
            for anchors in positions.chunks(ANCHORS) {
                near.block(anchors, &label, &mut Scratch::default(), |anchor, sorted| {
                    let mut all: Vec<(f32, usize)> = (0..positions.len())
                        .filter(|&o| o != anchor)
                        .map(|o| (corpus.embeddings.similarity(&Similarity::new(), anchor, o), label[o]))
                        .collect();
                    all.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                    let until = all.partition_point(|one| one.0 >= all[most - 1].0);
                    assert!(sorted.len() >= until && sorted[..until] == all[..until], "{most} of {anchor}");
                    seen += 1;
                });
            }
            assert_eq!(seen, positions.len());
        }
    }

    /// Against sorting all, where values rise, fall, repeat and are more alike than the slack.
    #[test]
    fn candidates_are_all_that_can_be_among_the_nearest() {
        let stream = Stream::new(9, "candidates");
        let kinds: [fn(&Stream, usize) -> f32; 4] = [
            |_, i| i as f32 * 1e-3,
            |_, i| -(i as f32) * 1e-3,
            |stream, i| stream.uniform(i as u64, 0) as f32,
            |stream, i| (stream.uniform(i as u64, 0) * 3.0).floor() as f32,
        ];
        for (kind, value) in kinds.iter().enumerate() {
            for (n, most) in [(2, 1), (3, 50), (255, 50), (256, 1), (3000, 1), (3000, 50), (3000, 700)] {
                let cosines: Vec<f32> = (0..n).map(|i| value(&stream, i)).collect();
                let mut others = vec![(0.0, 7)];
                candidates(&cosines, n / 2, most, 0.01, &mut others);
                let mut all: Vec<f32> = (0..n).filter(|&i| i != n / 2).map(|i| cosines[i]).collect();
                all.sort_by(|a, b| b.total_cmp(a));
                let least = all[most.min(n - 1) - 1] - 0.01;
                let mut found: Vec<u32> = others.iter().map(|one| one.1).collect();
                found.sort_unstable();
                let want: Vec<u32> =
                    (0..n as u32).filter(|&i| i as usize != n / 2 && cosines[i as usize] >= least).collect();
                assert_eq!(found, want, "kind {kind}, {most} of {n}");
            }
        }
    }

    /// Anchors that are drawn have their nearest among all; the mean over draws is that of all anchors.
    #[test]
    fn drawn_anchors_are_asked_for_all_their_nearest() {
        let keys = (0..300).map(|i| ("q".to_string(), (i % 5).to_string()));
        let corpus = planted::planted(keys, 24).0;
        let pass = |most: usize, seed: u64| {
            let draw = Stream::new(seed, "nearest");
            let sizes = [5, 10];
            let (rows, shares) =
                Pass { corpus: &corpus, keep: &[true; 5], sizes: &sizes, most, draw }.of_queries(&Silent).unwrap();
            let share = shares[0].unwrap();
            [rows[0].distinct_models_mean, rows[1].distinct_models_mean, share.credit / share.responses]
        };
        let whole = pass(300, 0);
        assert_eq!(whole, pass(1000, 1));
        let draws: Vec<[f64; 3]> = (0..400).map(|seed| pass(60, seed)).collect();
        for (which, whole) in whole.into_iter().enumerate() {
            let mean = draws.iter().map(|draw| draw[which]).sum::<f64>() / 400.0;
            let spread = (draws.iter().map(|draw| (draw[which] - mean).powi(2)).sum::<f64>() / 400.0).sqrt();
            assert!(spread > 0.0 && (mean - whole).abs() < 4.0 * spread / 20.0, "{which}: {mean} {whole} {spread}");
        }
    }

    #[test]
    fn ties_count_by_expectation() {
        // one nearer (cell 0), four tied: two of cell 1, one each of 2 and 0; two places left
        let sorted = [(0.9, 0), (0.5, 0), (0.5, 1), (0.5, 1), (0.5, 2), (0.1, 3)];
        // cell 0 seen; cell 1: 1 - C(2,2)/C(4,2) = 5/6; cell 2: 1 - C(3,2)/C(4,2) = 1/2
        assert!((expected_distinct(&sorted, 4, 3) - (1.0 + 5.0 / 6.0 + 0.5)).abs() < 1e-12);
    }
}
