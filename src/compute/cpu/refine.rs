//! The second, finer look at a pair that a product of quantised rows let through: f32 on the rows as they are stored.

use crate::base::similarity::Similarity;
use crate::compute::tile::Block;
use pulp::{Arch, Simd, WithSimd};

/// Norms between which products of rows stay clear of overflow and of subnormal numbers.
const SAFE: std::ops::RangeInclusive<f64> = 1.0 / (1u64 << 40) as f64..=(1u64 << 40) as f64;

/// Registers that sums are spread over.
const SUMS: usize = 4;

/// Sums that the lanes of a register are added to.
const LANES: usize = 4;

/// gamma of the certificate (u = 2^-24): the longest chain is one addition a step of SUMS registers and one for what is
/// left, two to add the registers, at most five to add their lanes; then the roundings of a product and of the scaled sum.
pub fn gamma(dim: usize) -> f64 {
    // One lane where pulp finds no vectors that it knows, even if a product does.
    let lanes = Arch::new().dispatch(Lanes).min(LANES);
    let chain = (dim / (SUMS * lanes) + 11) as f64;
    let unit = 1.0 / (1u64 << 24) as f64;
    chain * unit / (1.0 - chain * unit)
}

/// Lanes of a register.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// <x, y> and <x, z> in f32. All have one length. No closures here: they would be compiled for the oldest CPU.
#[inline(always)]
fn dots<S: Simd>(simd: S, x: &[f32], y: &[f32], z: &[f32]) -> [f32; 2] {
    let (x, x_rest) = S::as_simd_f32s(x);
    let (y, y_rest) = S::as_simd_f32s(y);
    let (z, z_rest) = S::as_simd_f32s(z);
    let zero = simd.splat_f32s(0.0);
    let (mut y_sums, mut z_sums) = ([zero; SUMS], [zero; SUMS]);
    let (x_steps, x_left) = x.as_chunks::<SUMS>();
    let (y_steps, y_left) = y.as_chunks::<SUMS>();
    let (z_steps, z_left) = z.as_chunks::<SUMS>();
    for ((x, y), z) in x_steps.iter().zip(y_steps).zip(z_steps) {
        for part in 0..SUMS {
            y_sums[part] = simd.mul_add_f32s(x[part], y[part], y_sums[part]);
            z_sums[part] = simd.mul_add_f32s(x[part], z[part], z_sums[part]);
        }
    }
    for (part, ((x, y), z)) in x_left.iter().zip(y_left).zip(z_left).enumerate() {
        y_sums[part] = simd.mul_add_f32s(*x, *y, y_sums[part]);
        z_sums[part] = simd.mul_add_f32s(*x, *z, z_sums[part]);
    }
    if !x_rest.is_empty() {
        let x = simd.partial_load_f32s(x_rest);
        y_sums[SUMS - 1] = simd.mul_add_f32s(x, simd.partial_load_f32s(y_rest), y_sums[SUMS - 1]);
        z_sums[SUMS - 1] = simd.mul_add_f32s(x, simd.partial_load_f32s(z_rest), z_sums[SUMS - 1]);
    }
    [total(simd, y_sums), total(simd, z_sums)]
}

#[inline(always)]
fn total<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; SUMS]) -> f32 {
    let sum = simd.add_f32s(simd.add_f32s(a, b), simd.add_f32s(c, d));
    // Lanes in memory: a sum over registers is compiled for the oldest CPU.
    let lanes: &[f32] = bytemuck::cast_slice(std::slice::from_ref(&sum));
    let mut sums = [0.0f32; LANES];
    for chunk in lanes.chunks(LANES) {
        for (sum, lane) in sums.iter_mut().zip(chunk) {
            *sum += lane;
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

/// Similarities of row `row` of `rows` with the rows `others` of `columns`.
struct Refine<'a> {
    rows: &'a Block,
    row: usize,
    columns: &'a Block,
    others: &'a [u32],
    out: &'a mut Vec<f32>,
}

impl WithSimd for Refine<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (x, norm) = self.rows.row(self.row);
        let safe = SAFE.contains(&norm);
        for (at, two) in self.others.chunks(2).enumerate() {
            for &next in self.others.iter().skip(2 * at + 2).take(2) {
                prefetch(self.columns.row(next as usize).0);
            }
            // An odd one out stands for two.
            let (a, b) = (two[0], two[two.len() - 1]);
            let ((y, norm_y), (z, norm_z)) = (self.columns.row(a as usize), self.columns.row(b as usize));
            let similarities = if safe && SAFE.contains(&norm_y) && SAFE.contains(&norm_z) {
                let [dot_y, dot_z] = dots(simd, x, y, z);
                [(f64::from(dot_y) / (norm * norm_y)) as f32, (f64::from(dot_z) / (norm * norm_z)) as f32]
            } else {
                [wide(x, norm, y, norm_y), wide(x, norm, z, norm_z)]
            };
            self.out.extend_from_slice(&similarities[..two.len()]);
        }
    }
}

/// Asks for a row that comes next: rows are short, and the CPU does not guess where the next one begins.
#[inline(always)]
fn prefetch(row: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in row.chunks(16) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing, and every x86-64 has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

/// The similarity of rows whose products would leave the range of f32.
#[cold]
fn wide(x: &[f32], norm_x: f64, y: &[f32], norm_y: f64) -> f32 {
    Similarity::new().cosine(x, norm_x, y, norm_y) as f32
}

/// Appends the similarities of row `row` of `rows` with the rows `others` of `columns` to `out`, in f32: each within
/// [`gamma`] of the true one.
pub fn refine(arch: Arch, (rows, row): (&Block, usize), columns: &Block, others: &[u32], out: &mut Vec<f32>) {
    arch.dispatch(Refine { rows, row, columns, others, out });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream as Draws;
    use crate::compute::tile::Vectors;
    use crate::corpus::Embeddings;
    use std::sync::Arc;

    #[test]
    fn a_second_look_is_within_its_bound_for_rows_of_any_size() {
        let draws = Draws::new(3, "refine");
        for dim in [1usize, 15, 16, 17, 63, 64, 67, 129, 384, 1536] {
            let scale = |row: usize| [1.0, 1e-30, 1e30, 1e-18][row % 4];
            let values: Vec<f32> = (0..9 * dim).map(|i| (draws.normal(0, i as u64) * scale(i / dim)) as f32).collect();
            let embeddings = Arc::new(Embeddings::from_rows(values, dim));
            let block = Block {
                vectors: Vectors::Stored { embeddings: Arc::clone(&embeddings), start: 0 },
                half_bound: vec![0.0; 9],
                ..Block::default()
            };
            let similarity = Similarity::new();
            let others: Vec<u32> = (0..9).collect();
            for row in 0..9 {
                let mut out = Vec::new();
                refine(Arch::new(), (&block, row), &block, &others, &mut out);
                for (other, s) in out.into_iter().enumerate() {
                    let (x, y) = (embeddings.row(row), embeddings.row(other));
                    let exact = similarity.cosine(x, embeddings.norms()[row], y, embeddings.norms()[other]);
                    assert!((f64::from(s) - exact).abs() <= gamma(dim), "{dim}: {row} {other} {s} {exact}");
                }
            }
        }
    }
}
