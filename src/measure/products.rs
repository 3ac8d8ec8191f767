//! Inner products of many rows in f64, in one fixed order of summation.
//!
//! `<x, y>` is eight accumulators, element i to lane i mod 8, products rounded before they are added (no fused
//! multiply-add), lanes added ((0+4)+(2+6))+((1+5)+(3+7)): the order of [`crate::base::similarity`]. So a product has
//! the same bits whatever block it is computed in, on every CPU. Speed comes from computing 2 x 2 products at a time
//! while their rows are in registers, and from blocks of rows that stay in the second-level cache.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Rows of a band of a triangle.
const BAND: usize = 32;
/// Bytes of the block of `y` rows that is multiplied with all `x` rows before the next.
const CACHED: usize = 128 << 10;

/// Products of `M` rows with `N` rows; all rows have one length. Eight lanes are 8 / `S::F64_LANES` registers.
#[inline(always)]
fn tile<S: Simd, const M: usize, const N: usize>(simd: S, x: [&[f64]; M], y: [&[f64]; N]) -> [[f64; N]; M] {
    let parts = const { 8 / S::F64_LANES };
    let whole = x[0].len() / 8 * parts;
    let mut sums = [[[simd.splat_f64s(0.0); 8]; N]; M];
    let (xs, ys) = (x.map(|row| &S::as_simd_f64s(row).0[..whole]), y.map(|row| &S::as_simd_f64s(row).0[..whole]));
    for chunk in (0..whole).step_by(parts) {
        for part in 0..parts {
            let (x, y) = (xs.map(|row| row[chunk + part]), ys.map(|row| row[chunk + part]));
            for i in 0..M {
                for j in 0..N {
                    sums[i][j][part] = simd.add_f64s(sums[i][j][part], simd.mul_f64s(x[i], y[j]));
                }
            }
        }
    }
    let rest = x[0].len() / 8 * 8;
    let mut out = [[0.0; N]; M];
    for i in 0..M {
        for j in 0..N {
            let mut lanes = [0.0; 8];
            for part in 0..parts {
                lanes[part * S::F64_LANES..(part + 1) * S::F64_LANES]
                    .copy_from_slice(bytemuck::cast_slice(&sums[i][j][part..=part]));
            }
            for (lane, (a, b)) in x[i][rest..].iter().zip(&y[j][rest..]).enumerate() {
                lanes[lane] += a * b;
            }
            out[i][j] =
                ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
        }
    }
    out
}

/// Calls `put(i, j, <x_i, y_j>)` for the rows `i` of `x` and `j` of `y` (row-major, rows of length `dim`); with `upper`
/// at least for those with i <= j.
struct Blocks<'a, F> {
    x: &'a [f64],
    y: &'a [f64],
    dim: usize,
    upper: bool,
    put: F,
}

impl<F: FnMut(usize, usize, f64)> WithSimd for Blocks<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, y, dim, upper, mut put } = self;
        let (m, n) = (x.len() / dim, y.len() / dim);
        let (x_row, y_row) = (|i: usize| &x[i * dim..(i + 1) * dim], |j: usize| &y[j * dim..(j + 1) * dim]);
        let block = (CACHED / (8 * dim)).next_multiple_of(2).clamp(2, 1024);
        for start in (0..n).step_by(block) {
            let end = (start + block).min(n);
            for i in (0..if upper { m.min(end) } else { m }).step_by(2) {
                let first = if upper && i > start { i } else { start };
                for j in (first..end).step_by(2) {
                    match (i + 1 < m, j + 1 < end) {
                        (true, true) => {
                            let [[a, b], [c, d]] = tile(simd, [x_row(i), x_row(i + 1)], [y_row(j), y_row(j + 1)]);
                            put(i, j, a);
                            put(i, j + 1, b);
                            put(i + 1, j, c);
                            put(i + 1, j + 1, d);
                        }
                        (true, false) => {
                            let [[a], [b]] = tile(simd, [x_row(i), x_row(i + 1)], [y_row(j)]);
                            put(i, j, a);
                            put(i + 1, j, b);
                        }
                        (false, true) => {
                            let [[a, b]] = tile(simd, [x_row(i)], [y_row(j), y_row(j + 1)]);
                            put(i, j, a);
                            put(i, j + 1, b);
                        }
                        (false, false) => put(i, j, tile(simd, [x_row(i)], [y_row(j)])[0][0]),
                    }
                }
            }
        }
    }
}

/// Runs [`Blocks`] with the widest instructions of this CPU.
fn blocks((x, y, dim, upper): (&[f64], &[f64], usize, bool), put: impl FnMut(usize, usize, f64)) {
    Arch::new().dispatch(Blocks { x, y, dim, upper, put });
}

/// Adds `<x_i, y_j>` to `out[i * n + j]`; `x` has m rows and `y` n rows of length `dim`, row-major, `out` is m x n.
pub fn add_products(x: &[f64], y: &[f64], dim: usize, out: &mut [f64]) {
    let n = y.len() / dim;
    blocks(
        (x, y, dim, false),
        #[inline(always)]
        |i, j, value| out[i * n + j] += value,
    );
}

/// Upper triangle of a symmetric matrix, row after row from the diagonal on: n (n + 1) / 2 values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Triangle {
    n: usize,
    values: Vec<f64>,
}

impl Triangle {
    /// Zeros, n x n.
    pub fn zeros(n: usize) -> Self {
        Self { n, values: vec![0.0; Self::len(n)] }
    }

    /// Values of an n x n triangle.
    pub fn len(n: usize) -> usize {
        n * (n + 1) / 2
    }

    /// Gram matrix of the row-major rows `x` of length `dim`.
    pub fn gram(x: &[f64], dim: usize) -> Self {
        let mut gram = Self::zeros(x.len() / dim.max(1));
        gram.add_gram(x, dim);
        gram
    }

    /// Adds the Gram matrix of the row-major rows `x` of length `dim`, as many as the triangle has.
    pub fn add_gram(&mut self, x: &[f64], dim: usize) {
        self.bands().into_iter().for_each(|(first, values)| add_band(&x[first * dim..], dim, values));
    }

    /// The same on all threads, to the same bits.
    pub fn add_gram_parallel(&mut self, x: &[f64], dim: usize) {
        self.bands().into_par_iter().for_each(|(first, values)| add_band(&x[first * dim..], dim, values));
    }

    /// The rows in bands of [`BAND`]: first row and values.
    fn bands(&mut self) -> Vec<(usize, &mut [f64])> {
        let n = self.n;
        let mut rest = self.values.as_mut_slice();
        let mut bands = Vec::with_capacity(n.div_ceil(BAND));
        for first in (0..n).step_by(BAND) {
            let (band, after) = rest.split_at_mut(start(n, (first + BAND).min(n)) - start(n, first));
            bands.push((first, band));
            rest = after;
        }
        bands
    }

    /// Rows n.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Row `a` from the diagonal on: values (a, a), (a, a + 1), ...
    pub fn row(&self, a: usize) -> &[f64] {
        let from = start(self.n, a);
        &self.values[from..from + self.n - a]
    }

    /// Value (a, b) = (b, a).
    pub fn at(&self, a: usize, b: usize) -> f64 {
        let (a, b) = (a.min(b), a.max(b));
        self.values[start(self.n, a) + b - a]
    }

    /// `x^T A x`.
    pub fn form(&self, x: &[f64]) -> f64 {
        let of_row = |a: usize| {
            let row = self.row(a);
            let beside: f64 = row[1..].iter().zip(&x[a + 1..]).map(|(value, x)| value * x).sum();
            x[a] * (row[0] * x[a] + 2.0 * beside)
        };
        (0..self.n).map(of_row).sum()
    }

    /// Adds to value (a, b) = (b, a).
    pub fn add(&mut self, a: usize, b: usize, value: f64) {
        let (a, b) = (a.min(b), a.max(b));
        self.values[start(self.n, a) + b - a] += value;
    }

    /// Adds `scale` times another triangle of the same size.
    pub fn add_scaled(&mut self, other: &Self, scale: f64) {
        self.values.iter_mut().zip(&other.values).for_each(|(s, x)| *s += scale * x);
    }

    /// Squared Frobenius norm of the whole matrix, row after row.
    pub fn frobenius2(&self) -> f64 {
        (0..self.n)
            .map(|a| {
                let row = self.row(a);
                2.0 * row[1..].iter().map(|x| x * x).sum::<f64>() + row[0] * row[0]
            })
            .sum()
    }

    /// Sets every value to 0.
    pub fn clear(&mut self) {
        self.values.fill(0.0);
    }

    /// The values of some rows and columns, ascending.
    pub fn select(&self, kept: &[usize]) -> Self {
        let values = kept.iter().enumerate().flat_map(|(i, &a)| kept[i..].iter().map(move |&b| self.at(a, b)));
        Self { n: kept.len(), values: values.collect() }
    }

    /// One minus what lies above the diagonal, row after row: the condensed matrix of distances of n rows.
    pub fn into_distances(self) -> Vec<f64> {
        let Self { n, mut values } = self;
        let mut end = 0;
        for a in 0..n {
            for from in start(n, a) + 1..start(n, a + 1) {
                values[end] = 1.0 - values[from];
                end += 1;
            }
        }
        values.truncate(end);
        values
    }

    /// The values from (first, first) on, `n` x `n`.
    pub fn part(&self, first: usize, n: usize) -> Self {
        Self { n, values: (first..first + n).flat_map(|a| &self.row(a)[..first + n - a]).copied().collect() }
    }
}

/// Place of (a, a); of the end for a = n.
fn start(n: usize, a: usize) -> usize {
    a * n - a * a.saturating_sub(1) / 2
}

/// Adds products of the first [`BAND`] rows (or fewer) of `x` with all of `x` to a band of a triangle.
fn add_band(x: &[f64], dim: usize, values: &mut [f64]) {
    let n = x.len() / dim;
    blocks(
        (&x[..BAND.min(n) * dim], x, dim, true),
        #[inline(always)]
        |i, j, value| {
            if i <= j {
                values[start(n, i) + j - i] += value;
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream;
    use crate::base::similarity::Similarity;

    fn rows(n: usize, dim: usize, name: &str) -> Vec<f64> {
        let stream = Stream::new(5, name);
        (0..n * dim).map(|i| f64::from(stream.normal(i as u64, 0) as f32)).collect()
    }

    /// Sizes around the tile of 2, the lanes of 8, the band of 32 and the block of cached rows (16 at dim 1024).
    #[test]
    fn every_block_gives_the_bits_of_the_one_order_of_summation() {
        let similarity = Similarity::new();
        for (m, n, dim) in
            [(1, 1, 1), (2, 3, 7), (3, 2, 8), (5, 4, 19), (17, 16, 1024), (3, 35, 1024), (33, 31, 1030), (65, 2, 9)]
        {
            let (x, y) = (rows(m, dim, "x"), rows(n, dim, "y"));
            let f32_row = |rows: &[f64], i: usize| -> Vec<f32> {
                rows[i * dim..(i + 1) * dim].iter().map(|&v| v as f32).collect()
            };
            let mut out = vec![0.0; m * n];
            add_products(&x, &y, dim, &mut out);
            let gram = Triangle::gram(&x, dim);
            let mut parallel = Triangle::zeros(m);
            parallel.add_gram_parallel(&x, dim);
            assert_eq!(gram, parallel);
            for i in 0..m {
                for j in 0..n {
                    let expected = similarity.dot(&f32_row(&x, i), &f32_row(&y, j));
                    assert_eq!(out[i * n + j].to_bits(), expected.to_bits(), "{m} x {n} x {dim}: ({i}, {j})");
                }
                for j in 0..m {
                    let expected = similarity.dot(&f32_row(&x, i), &f32_row(&x, j));
                    assert_eq!(gram.at(i, j).to_bits(), expected.to_bits(), "gram {m} x {dim}: ({i}, {j})");
                }
            }
        }
    }

    #[test]
    fn parts_of_a_triangle() {
        let gram = Triangle::gram(&rows(6, 5, "t"), 5);
        let (selected, part) = (gram.select(&[0, 2, 5]), gram.part(2, 3));
        assert_eq!((selected.at(1, 2), selected.at(0, 1)), (gram.at(2, 5), gram.at(2, 0)));
        assert_eq!(part.at(2, 0), gram.at(4, 2));
        let above = (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b))).map(|(a, b)| 1.0 - gram.at(a, b));
        assert_eq!(gram.clone().into_distances(), above.collect::<Vec<f64>>());
        let whole: f64 = (0..6).flat_map(|a| (0..6).map(move |b| (a, b))).map(|(a, b)| gram.at(a, b).powi(2)).sum();
        assert!((gram.frobenius2() - whole).abs() < 1e-12 * whole);
    }
}
