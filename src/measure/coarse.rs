//! Cosines in f32, fast and with a bound: which responses can be among the nearest, before the one similarity decides.
//!
//! With u = 2^-24 the rounding of a unit row's elements moves a cosine by at most 2u, the d products and additions in any
//! order, fused or not, by d u / (1 - d u) (Higham 2002, section 3.1), and the similarity that decides was rounded once
//! itself. So a coarse cosine lies within (d + 8) u / (1 - (d + 8) u) of it. The product is that of the pair pass's f32
//! kernel.

use crate::compute::cpu::similarity_f32::multiply;
use crate::corpus::Corpus;

/// Anchors that are multiplied at once.
pub const ANCHORS: usize = 64;

/// Unit rows in f32 of some responses, row-major n x d.
pub struct Coarse {
    units: Vec<f32>,
    dim: usize,
    /// How far a coarse cosine is at most from the one similarity.
    pub bound: f32,
}

impl Coarse {
    /// The rows of `positions`.
    pub fn new(corpus: &Corpus, positions: &[usize]) -> Self {
        let dim = corpus.dim();
        let mut units = Vec::with_capacity(positions.len() * dim);
        for &p in positions {
            let norm = corpus.embeddings.norms()[p];
            units.extend(corpus.embeddings.row(p).iter().map(|&x| (f64::from(x) / norm) as f32));
        }
        let most = (dim + 8) as f64 / f64::from(1u32 << 24);
        Self { units, dim, bound: (most / (1.0 - most) * 1.001) as f32 }
    }

    /// Cosines of the rows at some places (`anchors`, any) with all rows: `out` is row-major, anchors x n.
    pub fn cosines(&self, anchors: &[usize], out: &mut Vec<f32>) {
        let row = |i: usize| &self.units[i * self.dim..(i + 1) * self.dim];
        let rows: Vec<f32> = anchors.iter().flat_map(|&i| row(i)).copied().collect();
        multiply(&rows, &self.units, self.dim, out);
    }
}

/// Bytes of the rows.
pub fn bytes(rows: usize, dim: usize) -> usize {
    4 * rows * dim
}

/// Bytes of the cosines of a block of anchors.
pub fn block_bytes(rows: usize, dim: usize) -> usize {
    4 * ANCHORS * (rows + dim)
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    /// Sizes about a tile and a block, dimensions about a vector; anchors in no order.
    #[test]
    fn every_cosine_is_within_the_bound() {
        for (n, dim) in [(1, 1), (3, 17), (4, 67), (5, 8), (63, 384), (65, 31), (130, 1536)] {
            let keys = (0..n).map(|_| ("q".to_string(), "m".to_string()));
            let corpus = planted::planted(keys, dim).0;
            let positions: Vec<usize> = (0..n).rev().collect();
            let coarse = Coarse::new(&corpus, &positions);
            let similarity = crate::base::similarity::Similarity::new();
            let (mut out, mut farthest) = (vec![f32::NAN; 3], 0.0f32);
            let places: Vec<usize> = (0..n).map(|place| place * 7 % n).collect();
            for anchors in places.chunks(ANCHORS) {
                coarse.cosines(anchors, &mut out);
                assert_eq!(out.len(), anchors.len() * n);
                for (place, cosine) in out.iter().enumerate() {
                    let (a, b) = (positions[anchors[place / n]], positions[place % n]);
                    farthest = farthest.max((cosine - corpus.embeddings.similarity(&similarity, a, b)).abs());
                }
            }
            assert!(farthest <= coarse.bound / 4.0, "{n} x {dim}: {farthest} of {}", coarse.bound);
        }
    }
}
