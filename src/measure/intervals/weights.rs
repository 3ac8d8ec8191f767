//! How often each resample draws each query, and sums weighted by that.

use super::super::products::add_products;
use crate::base::random::Stream;
use rayon::prelude::*;
use std::ops::Range;

/// Queries whose weights are multiplied at once.
pub const QUERIES: usize = 256;

/// Weights of all resamples: how often each query was drawn. 2 bytes a resample and query.
#[derive(Debug, Clone)]
pub struct Weights {
    queries: usize,
    counts: Vec<u16>,
}

fn draw(stream: &Stream, resample: usize, counts: &mut [u16]) {
    counts.fill(0);
    let n = counts.len() as u64;
    for i in 0..n {
        let place = stream.below(resample as u64, i, n) as usize;
        counts[place] = counts[place].saturating_add(1);
    }
}

impl Weights {
    /// `resamples` resamples of `queries` queries under (seed, measure).
    pub fn new(seed: u64, measure: &str, resamples: usize, queries: usize) -> Self {
        let stream = Stream::new(seed, measure);
        let mut counts = vec![0; resamples * queries];
        let each = counts.par_chunks_exact_mut(queries.max(1)).enumerate();
        each.for_each(|(resample, counts)| draw(&stream, resample, counts));
        Self { queries, counts }
    }

    /// Number of resamples.
    pub fn resamples(&self) -> usize {
        self.counts.len() / self.queries.max(1)
    }

    /// Weights of one resample.
    pub fn of(&self, resample: usize) -> &[u16] {
        &self.counts[resample * self.queries..(resample + 1) * self.queries]
    }

    /// Weights of some queries, row-major: all resamples x `columns`, 0 past the range's end.
    pub fn block(&self, queries: Range<usize>, columns: usize) -> Vec<f64> {
        let mut block = vec![0.0; self.resamples() * columns];
        for (resample, row) in block.chunks_exact_mut(columns).enumerate() {
            row.iter_mut().zip(&self.of(resample)[queries.clone()]).for_each(|(w, &count)| *w = f64::from(count));
        }
        block
    }
}

/// Columns of a block of queries: a multiple of the eight lanes of a product, so that none has a rest.
pub fn columns(queries: usize) -> usize {
    queries.min(QUERIES).next_multiple_of(8)
}

/// Weighted sums over queries of many terms, in all resamples.
pub struct Resampled {
    rows: usize,
    resamples: usize,
    sums: Vec<f64>,
}

impl Resampled {
    /// Zeros for `rows` terms.
    pub fn new(rows: usize, resamples: usize) -> Self {
        Self { rows, resamples, sums: vec![0.0; rows * resamples] }
    }

    /// Adds the terms of some queries, rows x columns, weighted by [`Weights::block`] of those queries.
    pub fn add(&mut self, terms: &[f64], weights: &[f64]) {
        add_products(terms, weights, weights.len() / self.resamples, &mut self.sums);
    }

    /// The same where many rows have equal terms: each is multiplied once.
    pub fn add_repeated(&mut self, terms: &[f64], weights: &[f64]) {
        let columns = weights.len() / self.resamples;
        let mut distinct: Vec<f64> = Vec::new();
        let mut kinds = Vec::with_capacity(self.rows);
        for row in terms.chunks_exact(columns) {
            let found = distinct.chunks_exact(columns).position(|other| other == row);
            kinds.push(found.unwrap_or(distinct.len() / columns));
            if found.is_none() {
                distinct.extend(row);
            }
        }
        let mut sums = vec![0.0; distinct.len() / columns * self.resamples];
        add_products(&distinct, weights, columns, &mut sums);
        for (target, kind) in self.sums.chunks_exact_mut(self.resamples).zip(kinds) {
            target.iter_mut().zip(&sums[kind * self.resamples..]).for_each(|(s, x)| *s += x);
        }
    }

    /// Sums of row `i`, by resample.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.sums[i * self.resamples..(i + 1) * self.resamples]
    }
}
