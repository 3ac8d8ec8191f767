//! Seeding: within-query blocks first, so that L starts near its end value.
//!
//! Only the best few of each row are taken: every pair is met again in the tiles, so a seed need not be complete, and
//! merging removes repeats.

use super::copies::Copies;
use super::lists::{Candidate, List, Rule};
use crate::compute::certificate::coarse_row;
use crate::compute::cpu::similarity_f32::multiply;
use crate::corpus::Corpus;
use rayon::prelude::*;

/// Rows of a query that are multiplied at once.
const STRIP: usize = 256;

/// Puts the best same-query candidates of each row into its list. `gamma` is at least the CPU kernel's.
pub fn seed(corpus: &Corpus, copies: &Copies, rule: Rule, gamma: f64, half_bounds: &[f32], lists: &mut [List]) {
    let dim = corpus.dim();
    let mut ranges: Vec<_> = corpus.layout.query_positions.iter().filter(|range| range.len() > 1).cloned().collect();
    ranges.sort_unstable_by_key(|range| range.start);
    let mut parts = Vec::with_capacity(ranges.len());
    let (mut rest, mut at) = (lists, 0);
    for range in ranges {
        let (_, tail) = rest.split_at_mut(range.start - at);
        let (part, tail) = tail.split_at_mut(range.len());
        at = range.end;
        rest = tail;
        parts.push((range, part));
    }
    parts.into_par_iter().for_each(|(range, lists)| {
        let mut unit = vec![0.0; range.len() * dim];
        for (place, out) in unit.chunks_exact_mut(dim).enumerate() {
            let position = range.start + place;
            coarse_row(corpus.embeddings.row(position), corpus.embeddings.norms()[position], gamma, out);
        }
        let mut product = Vec::new();
        let mut best: Vec<Candidate> = Vec::with_capacity(range.len());
        for strip in (0..range.len()).step_by(STRIP) {
            let end = (strip + STRIP).min(range.len());
            multiply(&unit[strip * dim..end * dim], &unit, dim, &mut product);
            for row in strip..end {
                let position = (range.start + row) as u32;
                if !copies.is_representative(position) {
                    continue;
                }
                best.clear();
                let products = &product[(row - strip) * range.len()..(row - strip + 1) * range.len()];
                best.extend(products.iter().zip(range.clone()).filter_map(|(&coarse, other)| {
                    let other = copies.representative[other];
                    (other != position).then_some(Candidate { position: other, coarse })
                }));
                let take = (2 * rule.k).min(best.len());
                if take > 0 && take < best.len() {
                    best.select_nth_unstable_by(take - 1, |a, b| b.coarse.total_cmp(&a.coarse));
                }
                let list = &mut lists[row];
                list.candidates.extend_from_slice(&best[..take]);
                list.compact(rule, half_bounds[position as usize], half_bounds);
            }
        }
    });
}
