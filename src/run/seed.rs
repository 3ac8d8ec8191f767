//! Seeding: within-query blocks first, so that L starts near its end value.
//!
//! Only the best few of each row are taken: every pair is met again in the tiles, so a seed need not be complete, and
//! merging removes repeats.

use super::copies::Copies;
use super::lists::{Candidate, Lists, Shard};
use crate::compute::certificate::coarse_row;
use crate::compute::cpu::similarity_f32::multiply;
use crate::corpus::Corpus;
use rayon::prelude::*;
use std::ops::Range;

/// Rows of a query that are multiplied at once.
const STRIP: usize = 128;

/// Bytes that one thread needs for each row that is seeded together.
pub fn row_bytes(dim: u64) -> u64 {
    4 * dim + 4 * STRIP as u64 + 8
}

/// Puts the best same-query candidates of each row into its list, of `most` rows around it where its query has more.
/// `gamma` is at least the CPU kernel's.
pub fn seed(
    corpus: &Corpus,
    copies: &Copies,
    k: usize,
    most: usize,
    gamma: f64,
    half_bounds: &[f32],
    lists: &mut Lists,
) {
    let mut queries: Vec<_> = corpus.layout.query_positions.iter().filter(|range| range.len() > 1).cloned().collect();
    queries.sort_unstable_by_key(|range| range.start);
    lists.shards.par_iter_mut().for_each(|shard| {
        let (first, end) = (shard.first, shard.first + shard.len());
        let from = queries.partition_point(|query| query.end <= first);
        let mut work = Work { corpus, copies, k, gamma, half_bounds, unit: Vec::new(), product: Vec::new() };
        for query in queries[from..].iter().take_while(|query| query.start < end) {
            let rows = query.start.max(first)..query.end.min(end);
            for start in rows.clone().step_by(most) {
                let rows = start..rows.end.min(start + most);
                // A window of the query around the rows.
                let begin = rows.start.min(query.end.saturating_sub(most)).max(query.start);
                work.seed(shard, &rows, begin..query.end.min(begin + most));
            }
        }
    });
}

/// What one thread works with.
struct Work<'a> {
    corpus: &'a Corpus,
    copies: &'a Copies,
    k: usize,
    gamma: f64,
    half_bounds: &'a [f32],
    unit: Vec<f32>,
    product: Vec<f32>,
}

impl Work<'_> {
    /// Seeds `rows` with the best of `window`, which holds them.
    fn seed(&mut self, shard: &mut Shard, rows: &Range<usize>, window: Range<usize>) {
        let (corpus, copies, dim) = (self.corpus, self.copies, self.corpus.dim());
        self.unit.resize(window.len() * dim, 0.0);
        for (position, out) in window.clone().zip(self.unit.chunks_exact_mut(dim)) {
            coarse_row(corpus.embeddings.row(position), corpus.embeddings.norms()[position], self.gamma, out);
        }
        let mut best: Vec<Candidate> = Vec::with_capacity(window.len());
        for strip in rows.clone().step_by(STRIP) {
            let strip = strip..rows.end.min(strip + STRIP);
            let of_strip = (strip.start - window.start) * dim..(strip.end - window.start) * dim;
            multiply(&self.unit[of_strip], &self.unit, dim, &mut self.product);
            for (position, products) in strip.zip(self.product.chunks_exact(window.len())) {
                if !copies.is_representative(position as u32) {
                    continue;
                }
                best.clear();
                best.extend(products.iter().zip(window.clone()).filter_map(|(&coarse, other)| {
                    let other = copies.representative[other];
                    (other != position as u32).then_some(Candidate { position: other, coarse })
                }));
                let take = (2 * self.k).min(best.len());
                if take > 0 && take < best.len() {
                    best.select_nth_unstable_by(take - 1, |a, b| b.coarse.total_cmp(&a.coarse));
                }
                let local = position - shard.first;
                for &candidate in &best[..take] {
                    let bound = f64::from(self.half_bounds[position])
                        + f64::from(self.half_bounds[candidate.position as usize]);
                    shard.offer(local, candidate, bound, self.half_bounds);
                }
                shard.compact(local, self.half_bounds);
            }
        }
    }
}
