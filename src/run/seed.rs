//! Seeding: L starts near its end value, so that the first tiles let few pairs through.
//!
//! A row's seed is a lower bound of the k-th largest similarity among some rows around it: those of its own query, and
//! of the queries beside where that has few. Only the bound is kept, since every pair is met again in the tiles.

use super::copies::Copies;
use super::lists::{Lists, Shard};
use crate::compute::certificate::{SLACK, unit_half_bound, unit_row};
use crate::compute::cpu::similarity_f32::{gamma, multiply};
use crate::corpus::Corpus;
use rayon::prelude::*;
use std::ops::Range;

/// Rows that are multiplied at once.
const STRIP: usize = 128;

/// Rows around a row that are looked at, at least, where its query has fewer than twice k.
const FEW: usize = 512;

/// Bytes that one thread needs for each row that is seeded together.
pub fn row_bytes(dim: u64) -> u64 {
    4 * dim + 4 * STRIP as u64 + 8
}

/// Rows around a row that are looked at, at most.
pub fn most(k: usize) -> usize {
    (4 * k).max(FEW)
}

/// Raises L of every row to the k-th largest similarity among at most `most` rows around it.
pub fn seed(corpus: &Corpus, copies: &Copies, k: usize, most: usize, lists: &mut Lists) {
    let n = corpus.len();
    let mut queries = corpus.layout.query_positions.clone();
    queries.sort_unstable_by_key(|range| range.start);
    lists.shards.par_iter_mut().for_each(|shard| {
        let (first, end) = (shard.first, shard.first + shard.len());
        let from = queries.partition_point(|query| query.end <= first);
        let mut work =
            Work { corpus, copies, k, unit: Vec::new(), window: 0..0, product: Vec::new(), others: Vec::new() };
        for query in queries[from..].iter().take_while(|query| query.start < end) {
            let rows = query.start.max(first)..query.end.min(end);
            for start in rows.clone().step_by(STRIP) {
                let rows = start..rows.end.min(start + STRIP);
                let within = if query.len() < 2 * k { 0..n } else { query.clone() };
                let begin = rows.start.saturating_sub(most / 2).min(within.end.saturating_sub(most)).max(within.start);
                work.seed(shard, &rows, begin..within.end.min(begin + most));
            }
        }
    });
}

/// What one thread works with.
struct Work<'a> {
    corpus: &'a Corpus,
    copies: &'a Copies,
    k: usize,
    /// Unit rows of `window`.
    unit: Vec<f32>,
    window: Range<usize>,
    product: Vec<f32>,
    others: Vec<f32>,
}

impl Work<'_> {
    /// Seeds `rows` by the rows of `window`.
    fn seed(&mut self, shard: &mut Shard, rows: &Range<usize>, window: Range<usize>) {
        let (embeddings, copies, dim) = (&self.corpus.embeddings, self.copies, self.corpus.dim());
        if window.len() <= self.k {
            return;
        }
        let unit =
            |position: usize, out: &mut [f32]| unit_row(embeddings.row(position), embeddings.norms()[position], out);
        if self.window != window {
            self.unit.resize(window.len() * dim, 0.0);
            window.clone().zip(self.unit.chunks_exact_mut(dim)).for_each(|(position, out)| unit(position, out));
            self.window = window.clone();
        }
        let mut own = vec![0.0; rows.len() * dim];
        rows.clone().zip(own.chunks_exact_mut(dim)).for_each(|(position, out)| unit(position, out));
        multiply(&own, &self.unit, dim, &mut self.product);
        // The similarity that decides is rounded to f32: SLACK covers it.
        let bound = 2.0 * f64::from(unit_half_bound(gamma(dim))) + SLACK;
        for (position, products) in rows.clone().zip(self.product.chunks_exact(window.len())) {
            let distinct = window.clone().map(|other| other != position && copies.is_representative(other as u32));
            self.others.clear();
            self.others.extend(products.iter().zip(distinct).filter_map(|(&s, distinct)| distinct.then_some(s)));
            // A copy's own group is one of those that were counted.
            if copies.is_representative(position as u32) && self.others.len() >= self.k {
                let (_, kth, _) = self.others.select_nth_unstable_by(self.k - 1, |a, b| b.total_cmp(a));
                shard.raise(position - shard.first, ((f64::from(*kth) - bound) as f32).next_down());
            }
        }
    }
}
