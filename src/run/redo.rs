//! Rows whose lists overflowed, redone together: a rectangular pass of their blocks against all rows.
//!
//! Their L is known, and the product is the CPU's in f32; what its bound does not rule out is settled in f64 at once, so
//! memory does not grow with the number of near ties.

use super::copies::Copies;
use super::ranking::Ranking;
use crate::base::similarity::Similarity;
use crate::base::{Observer, Result};
use crate::compute::certificate::{SLACK, unit_half_bound, unit_row};
use crate::compute::cpu::similarity_f32::{gamma, multiply};
use crate::corpus::Corpus;
use rayon::prelude::*;
use std::ops::Range;

/// Rows that one thread multiplies at once.
const STRIP: usize = 64;

/// Bytes of the product that one thread holds, at `columns` columns.
pub const fn strip_bytes(columns: usize) -> u64 {
    (STRIP * columns * 4) as u64
}

/// A row to redo.
#[derive(Debug, Clone, Copy)]
pub struct Overflowed {
    /// Position of the representative.
    pub position: u32,
    /// Its L.
    pub lower: f32,
}

/// Unit rows.
fn unit_rows(corpus: &Corpus, positions: impl IndexedParallelIterator<Item = usize>) -> Vec<f32> {
    let (dim, embeddings) = (corpus.dim(), &corpus.embeddings);
    let mut unit = vec![0.0; positions.len() * dim];
    (unit.par_chunks_exact_mut(dim).zip(positions))
        .for_each(|(out, p)| unit_row(embeddings.row(p), embeddings.norms()[p], out));
    unit
}

/// Ranks every row of `rows`, `block` at a time against `block` at a time, and hands each ranking to `done`.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn redo(
    corpus: &Corpus,
    copies: &Copies,
    k: usize,
    rows: &[Overflowed],
    block: usize,
    observer: &dyn Observer,
    mut done: impl FnMut(Ranking<'_>),
) -> Result<()> {
    let (n, dim) = (corpus.len(), corpus.dim());
    let similarity = Similarity::new();
    let bound = 2.0 * f64::from(unit_half_bound(gamma(dim))) + SLACK;
    for rows in rows.chunks(block) {
        let unit = unit_rows(corpus, rows.par_iter().map(|row| row.position as usize));
        let mut rankings: Vec<Ranking<'_>> = (rows.par_iter())
            .map(|row| {
                let p = row.position as usize;
                Ranking::new(corpus, copies, row.position, k, corpus.embeddings.similarity(&similarity, p, p))
            })
            .collect();
        for first in (0..n).step_by(block) {
            observer.check_stop()?;
            let range = first..n.min(first + block);
            let others = unit_rows(corpus, range.clone().into_par_iter());
            let strips = rankings.par_chunks_mut(STRIP).zip(rows.par_chunks(STRIP)).zip(unit.par_chunks(STRIP * dim));
            strips.for_each_init(
                || (Vec::new(), Vec::new(), Vec::new()),
                |(product, kept, exact), ((rankings, rows), unit)| {
                    multiply(unit, &others, dim, product);
                    let products = product.chunks_exact(range.len());
                    for ((ranking, row), products) in rankings.iter_mut().zip(rows).zip(products) {
                        let least = f64::from(row.lower.max(ranking.least())) - bound;
                        keep(copies, row.position, &range, products, least, kept);
                        settle(corpus, &similarity, row.position, kept, exact);
                        kept.iter().zip(exact.iter()).for_each(|(&other, &s)| ranking.add(other, s));
                    }
                },
            );
        }
        rankings.into_iter().for_each(&mut done);
    }
    Ok(())
}

/// The representatives of `range`, other than `position`, that the bound does not rule out.
fn keep(copies: &Copies, position: u32, range: &Range<usize>, products: &[f32], least: f64, kept: &mut Vec<u32>) {
    kept.clear();
    let others = range.clone().map(|other| other as u32);
    kept.extend(
        (others.zip(products))
            .filter(|&(other, &s)| f64::from(s) >= least && other != position && copies.is_representative(other))
            .map(|(other, _)| other),
    );
}

/// True similarities of `position` with `others`.
fn settle(corpus: &Corpus, similarity: &Similarity, position: u32, others: &[u32], exact: &mut Vec<f32>) {
    let embeddings = &corpus.embeddings;
    let (row, norm) = (embeddings.row(position as usize), embeddings.norms()[position as usize]);
    let others = others.iter().map(|&other| (embeddings.row(other as usize), embeddings.norms()[other as usize]));
    exact.clear();
    similarity.one_to_many(row, norm, others, exact);
}
