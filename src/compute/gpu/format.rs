//! How rows stand in the memory of the device.

use crate::base::simd::widest;
use crate::compute::certificate::{quantised_half_bound, unit_half_bound, unit_row};
use crate::corpus::Embeddings;
use half::f16;
use half::slice::HalfFloatSliceExt;
use pulp::Arch;
use rayon::prelude::*;

/// Unit rows are multiplied by this before they are rounded to f16: their elements are small.
const SCALE: f32 = 256.0;

/// Elements below the least normal f16 are set to 0 by the host, so that a device that flushes them changes nothing.
const LEAST: f32 = 1.0 / 16_384.0 / SCALE;

/// How an element is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Unit rows.
    F32,
    /// Unit rows times 2^8, without subnormals.
    F16,
}

impl Format {
    /// Values of a row with its zeros behind.
    pub(super) fn padded(self, dim: usize) -> usize {
        let multiple = match self {
            Self::F32 => 8,
            Self::F16 => 32,
        };
        dim.next_multiple_of(multiple).max(multiple)
    }

    /// Bytes of a row of dimension `dim`.
    pub(super) fn row_bytes(self, dim: usize) -> usize {
        self.padded(dim) * if self == Self::F32 { 4 } else { 2 }
    }

    /// Writes one unit row; `out` is [`Self::row_bytes`] long.
    pub(super) fn write(self, unit: &[f32], scratch: &mut Vec<f32>, out: &mut [u8]) {
        match self {
            Self::F32 => {
                let (values, zeros) = out.split_at_mut(unit.len() * 4);
                values.copy_from_slice(bytemuck::cast_slice(unit));
                zeros.fill(0);
            }
            Self::F16 => {
                let values: &mut [f16] = bytemuck::cast_slice_mut(out);
                let (values, zeros) = values.split_at_mut(unit.len());
                round_to_f16(unit, scratch, values);
                zeros.fill(f16::ZERO);
            }
        }
    }

    /// What a unit row is once it is stored, x'.
    pub(super) fn stored(self, unit: &[f32]) -> Vec<f32> {
        match self {
            Self::F32 => unit.to_vec(),
            Self::F16 => {
                let mut values = vec![f16::ZERO; unit.len()];
                round_to_f16(unit, &mut Vec::new(), &mut values);
                values.iter().map(|value| value.to_f32() / SCALE).collect()
            }
        }
    }

    /// b of every row by position; `gamma` is the kernel's.
    pub(super) fn half_bounds(self, embeddings: &Embeddings, gamma: f64) -> Vec<f32> {
        let mut bounds = vec![unit_half_bound(gamma); embeddings.len()];
        if self == Self::F16 {
            let dim = embeddings.dim();
            let buffers = || (vec![0.0f32; dim], Vec::new(), vec![f16::ZERO; dim], vec![0.0f32; dim]);
            (bounds.par_iter_mut().enumerate()).for_each_init(buffers, |(unit, scratch, values, back), (i, bound)| {
                let (row, norm) = (embeddings.row(i), embeddings.norms()[i]);
                unit_row(row, norm, unit);
                round_to_f16(unit, scratch, values);
                values.convert_to_f32_slice(back);
                *bound = quantised_half_bound(residual(row, norm, back), gamma);
            });
        }
        bounds
    }
}

/// Rounds `unit` times [`SCALE`].
fn round_to_f16(unit: &[f32], scratch: &mut Vec<f32>, values: &mut [f16]) {
    scratch.clear();
    scratch.extend(unit.iter().map(|&v| if v.abs() < LEAST { 0.0 } else { v * SCALE }));
    values.convert_from_f32_slice(scratch);
}

/// |x - x'| in f64: x is `row` over its norm, x' is `scaled` over [`SCALE`].
fn residual(row: &[f32], norm: f64, scaled: &[f32]) -> f64 {
    let inverse = 1.0 / norm;
    widest(
        Arch::new(),
        #[inline(always)]
        || {
            let mut sums = [0.0f64; 8];
            let (rows, row_rest) = row.as_chunks::<8>();
            let (stored, stored_rest) = scaled.as_chunks::<8>();
            for (x, y) in rows.iter().zip(stored) {
                for lane in 0..8 {
                    let difference = f64::from(x[lane]) * inverse - f64::from(y[lane]) * (1.0 / f64::from(SCALE));
                    sums[lane] += difference * difference;
                }
            }
            for (x, y) in row_rest.iter().zip(stored_rest) {
                let difference = f64::from(*x) * inverse - f64::from(*y) * (1.0 / f64::from(SCALE));
                sums[0] += difference * difference;
            }
            sums.iter().sum::<f64>().sqrt()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream;
    use crate::base::similarity::Similarity;

    /// Rows of every kind: normal, one-hot, wide-ranging, tiny and huge.
    fn rows(dim: usize) -> Vec<f32> {
        let draws = Stream::new(3, "f16");
        let value = |row: u64, i: u64| match row % 5 {
            0 => draws.normal(row, i) as f32,
            1 => f32::from(u8::from(i == row % dim as u64)),
            2 => (draws.normal(row, i) * f64::from(-((i % 60) as i32)).exp2()) as f32,
            3 => draws.normal(row, i) as f32 * 1e-30,
            _ => draws.normal(row, i) as f32 * 1e30,
        };
        (0..40).flat_map(|row| (0..dim as u64).map(move |i| (row, i))).map(|(row, i)| value(row, i)).collect()
    }

    #[test]
    fn the_bound_of_rows_in_f16_holds_and_is_not_far_above() {
        for dim in [1, 17, 67, 384, 1536] {
            let embeddings = Embeddings::from_rows(rows(dim), dim);
            let bounds = Format::F16.half_bounds(&embeddings, 0.0);
            let similarity = Similarity::new();
            let stored: Vec<Vec<f32>> = (0..40)
                .map(|i| {
                    let mut unit = vec![0.0; dim];
                    unit_row(embeddings.row(i), embeddings.norms()[i], &mut unit);
                    Format::F16.stored(&unit)
                })
                .collect();
            let mut nearest = f64::MAX;
            for i in 0..40 {
                for j in 0..i {
                    let (norms, row) = (embeddings.norms(), |i| embeddings.row(i));
                    let exact = similarity.cosine(row(i), norms[i], row(j), norms[j]);
                    let coarse: f64 =
                        stored[i].iter().zip(&stored[j]).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                    let bound = f64::from(bounds[i]) + f64::from(bounds[j]);
                    assert!((coarse - exact).abs() <= bound, "{dim}: {i}, {j}");
                    nearest = nearest.min(bound / (coarse - exact).abs().max(1e-12));
                }
            }
            assert!(dim > 20 || nearest < 50.0, "{dim}: {nearest} times too wide");
            assert!(bounds.iter().all(|&b| b < 5e-4), "{dim}: {:?}", bounds.iter().fold(0.0f32, |m, &b| m.max(b)));
        }
    }

    #[test]
    fn nothing_stored_is_subnormal() {
        let unit = [0.0, LEAST, LEAST / 2.0, -LEAST / 1.001, -LEAST, 1.0, 0.1, 1e-30];
        let mut values = [f16::ONE; 32];
        Format::F16.write(&unit, &mut Vec::new(), bytemuck::cast_slice_mut(&mut values));
        assert!(values.iter().all(|v| v.is_normal() || *v == f16::ZERO), "{values:?}");
        assert_eq!(values.iter().filter(|v| **v != f16::ZERO).count(), 4, "{values:?}");
        assert_eq!(Format::F16.stored(&unit)[5], 1.0);
    }
}
