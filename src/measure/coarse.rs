//! Cosines in f32, fast and with a bound: which responses can be among the nearest, before the one similarity decides.
//!
//! With u = 2^-24 the rounding of a unit row's elements moves a cosine by at most 2u, the d products and additions in any
//! order, fused or not, by d u / (1 - d u) (Higham 2002, section 3.1), and the similarity that decides was rounded once
//! itself. So a coarse cosine lies within (d + 8) u / (1 - (d + 8) u) of it.

use crate::corpus::Corpus;
use pulp::{Arch, Simd, WithSimd};

/// Anchors that stay in the second-level cache while all rows pass by.
pub const ANCHORS: usize = 64;
/// Rows that stay in the first while the anchors pass by.
const ROWS: usize = 8;
/// Anchors and rows multiplied at once, while their sums are in registers.
const TILE: (usize, usize) = (4, 2);

/// Unit rows in f32 of some responses, row-major n x d.
pub struct Coarse {
    units: Vec<f32>,
    dim: usize,
    rows: usize,
    /// How far a coarse cosine is at most from the one similarity.
    pub bound: f32,
}

impl Coarse {
    /// The rows of `positions`.
    pub fn new(corpus: &Corpus, positions: &[usize]) -> Self {
        let (dim, rows) = (corpus.dim(), positions.len());
        let mut units = Vec::with_capacity(bytes(rows, dim) / 4);
        for &p in positions {
            let norm = corpus.embeddings.norms()[p];
            units.extend(corpus.embeddings.row(p).iter().map(|&x| (f64::from(x) / norm) as f32));
        }
        // Zeros fill the last tile.
        units.resize(rows.next_multiple_of(TILE.0) * dim, 0.0);
        let most = (dim + 8) as f64 / f64::from(1u32 << 24);
        Self { units, dim, rows, bound: (most / (1.0 - most) * 1.001) as f32 }
    }

    /// Cosines of the rows `first..last`, at most [`ANCHORS`], with all rows: `out` is row-major, (last - first) x n.
    pub fn cosines(&self, first: usize, last: usize, out: &mut Vec<f32>) {
        debug_assert!(first.is_multiple_of(TILE.0) && last <= self.rows && last - first <= ANCHORS);
        out.clear();
        out.resize((last - first) * self.rows, 0.0);
        Arch::new().dispatch(Block { coarse: self, first, last, out });
    }
}

/// Bytes of the rows.
pub fn bytes(rows: usize, dim: usize) -> usize {
    4 * rows.next_multiple_of(TILE.0) * dim
}

struct Block<'a> {
    coarse: &'a Coarse,
    first: usize,
    last: usize,
    out: &'a mut [f32],
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { coarse: &Coarse { ref units, dim, rows, .. }, first, last, out } = self;
        let row = |i: usize| &units[i * dim..(i + 1) * dim];
        for start in (0..rows).step_by(ROWS) {
            for anchor in (first..last).step_by(TILE.0) {
                for other in (start..(start + ROWS).min(rows)).step_by(TILE.1) {
                    let anchors: [&[f32]; TILE.0] = std::array::from_fn(|i| row(anchor + i));
                    let others: [&[f32]; TILE.1] = std::array::from_fn(|j| row(other + j));
                    for (i, products) in tile(simd, anchors, others).into_iter().enumerate() {
                        for (j, product) in products.into_iter().enumerate() {
                            if anchor + i < last && other + j < rows {
                                out[(anchor + i - first) * rows + other + j] = product;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Products of `M` rows with `N` rows; all rows have one length.
#[inline(always)]
fn tile<S: Simd, const M: usize, const N: usize>(simd: S, x: [&[f32]; M], y: [&[f32]; N]) -> [[f32; N]; M] {
    let mut sums = [[simd.splat_f32s(0.0); N]; M];
    let (xs, ys) = (x.map(|row| S::as_simd_f32s(row)), y.map(|row| S::as_simd_f32s(row)));
    for chunk in 0..xs[0].0.len() {
        let (x, y) = (xs.map(|row| row.0[chunk]), ys.map(|row| row.0[chunk]));
        for i in 0..M {
            for j in 0..N {
                sums[i][j] = simd.mul_add_f32s(x[i], y[j], sums[i][j]);
            }
        }
    }
    let rest = |i: usize, j: usize| xs[i].1.iter().zip(ys[j].1).map(|(a, b)| a * b).sum::<f32>();
    std::array::from_fn(|i| std::array::from_fn(|j| simd.reduce_sum_f32s(sums[i][j]) + rest(i, j)))
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    /// Sizes about a tile and a block, dimensions about a vector.
    #[test]
    fn every_cosine_is_within_the_bound() {
        for (n, dim) in [(1, 1), (3, 17), (4, 67), (5, 8), (63, 384), (65, 31), (130, 1536)] {
            let keys = (0..n).map(|_| ("q".to_string(), "m".to_string()));
            let corpus = planted::planted(keys, dim).0;
            let positions: Vec<usize> = (0..n).rev().collect();
            let coarse = Coarse::new(&corpus, &positions);
            let similarity = crate::base::similarity::Similarity::new();
            let (mut out, mut farthest) = (vec![f32::NAN; 3], 0.0f32);
            for first in (0..n).step_by(ANCHORS) {
                let last = (first + ANCHORS).min(n);
                coarse.cosines(first, last, &mut out);
                assert_eq!(out.len(), (last - first) * n);
                for (place, cosine) in out.iter().enumerate() {
                    let (a, b) = (positions[first + place / n], positions[place % n]);
                    farthest = farthest.max((cosine - corpus.embeddings.similarity(&similarity, a, b)).abs());
                }
            }
            assert!(farthest <= coarse.bound / 4.0, "{n} x {dim}: {farthest} of {}", coarse.bound);
        }
    }
}
