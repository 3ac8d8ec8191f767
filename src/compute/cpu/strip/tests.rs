//! Every kernel that this CPU has against sums in f64, element by element.

use super::super::panels::{PANEL, Panels, Precision, SLICE};
use super::*;
use crate::base::random::Stream as Draws;
use crate::base::similarity::Similarity;

/// Rows with a few elements far out, so that all steps of a scale occur, and one-hot ones.
fn rows(n: usize, dim: usize, seed: u64) -> Vec<Vec<f32>> {
    let draws = Draws::new(seed, "strip");
    (0..n)
        .map(|row| {
            let value = |i: usize| {
                let value = draws.normal(row as u64, i as u64) as f32;
                if (row + i).is_multiple_of(29) { 6.0 * value } else { value }
            };
            if row % 7 == 6 {
                (0..dim)
                    .map(|i| f32::from(u8::from(i == row % dim)) - 2.0 * f32::from(u8::from(i + 1 == dim)))
                    .collect()
            } else {
                (0..dim).map(value).collect()
            }
        })
        .collect()
}

/// The stored element `i` of row `row`.
fn element(panels: &Panels, precision: Precision, row: usize, i: usize) -> f64 {
    let at = |byte: usize| panels.lines[row / PANEL * panels.groups + byte / 4].0[row % PANEL][byte % 4];
    match precision {
        Precision::Int8 => f64::from(at(i) as i8),
        Precision::Int16 => f64::from(i16::from_le_bytes([at(2 * i), at(2 * i + 1)])),
        Precision::F32 => f64::from(f32::from_bits(u32::from_le_bytes(std::array::from_fn(|byte| at(4 * i + byte))))),
        Precision::Bf16 => f64::from(f32::from_bits(u32::from(u16::from_le_bytes([at(2 * i), at(2 * i + 1)])) << 16)),
    }
}

/// Whether this CPU has the instructions of some kernel.
fn expected() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("dotprod");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    false
}

#[test]
fn every_kernel_multiplies_what_is_stored_and_stays_within_the_bound() {
    let similarity = Similarity::new();
    let mut tried = 0;
    for kernel in KERNELS.iter().filter(|kernel| (kernel.available)()) {
        for (n, dim) in [(1, 1), (16, 3), (17, 17), (70, 67), (33, 384), (49, 1536)] {
            let rows = rows(n, dim, dim as u64);
            let norms: Vec<f64> = rows.iter().map(|row| similarity.norm(row)).collect();
            let packed = Panels::pack(n, dim, kernel.precision, |row| (&rows[row], norms[row]));
            let width = packed.scale.len();
            let mut products = vec![f32::NAN; ROWS * width];
            for first in (0..n.next_multiple_of(ROWS)).step_by(ROWS) {
                let strip = Strip {
                    groups: packed.groups,
                    rows: packed.lines(first / PANEL, 1),
                    first: first % PANEL,
                    row_scale: packed.scale[first..first + ROWS].try_into().expect("eight"),
                    correction: packed.correction[first..first + ROWS].try_into().expect("eight"),
                    columns: &packed.lines,
                    column_scale: &packed.scale,
                };
                products.fill(f32::NAN);
                // SAFETY: the kernel is available.
                unsafe { (kernel.multiply)(&strip, &mut products) };
                for (row, products) in (first..n).zip(products.chunks_exact(width)) {
                    for column in 0..n {
                        let what = format!("{} {n} x {dim}, {row} {column}", kernel.name);
                        let integers = matches!(kernel.precision, Precision::Int8 | Precision::Int16);
                        let slice = if kernel.precision == Precision::Int8 { dim } else { SLICE };
                        let product = |i: usize| {
                            element(&packed, kernel.precision, row, i) * element(&packed, kernel.precision, column, i)
                        };
                        let slices = (0..dim)
                            .step_by(slice)
                            .map(|start| (start..dim.min(start + slice)).map(product).sum::<f64>());
                        let sum = slices.fold(0.0f32, |sum, slice| {
                            assert!(!integers || slice.abs() < 2f64.powi(31), "{what}");
                            sum + slice as f32
                        });
                        let s = products[column];
                        if !integers {
                            assert!((s - sum).abs() <= 1e-5, "{what}: {s} {sum}");
                        } else {
                            let expected = sum * packed.scale[column] * packed.scale[row];
                            assert_eq!(s, expected, "{what}");
                        }
                        let cosine = similarity.cosine(&rows[row], norms[row], &rows[column], norms[column]);
                        let bound = f64::from(packed.half_bound[row]) + f64::from(packed.half_bound[column]);
                        assert!(
                            (f64::from(s) - cosine).abs() <= bound,
                            "{what}: {s} is not within {bound} of {cosine}"
                        );
                    }
                    assert!(products[n..].iter().all(|&s| s == 0.0), "{}: rows that fill up are zero", kernel.name);
                }
            }
            tried += 1;
        }
    }
    assert_eq!(tried > 0, expected(), "no kernel was tried, or one that this CPU lacks");
}
