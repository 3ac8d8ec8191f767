//! Every kernel that this CPU has against sums in f64, element by element.

use super::super::panels::{PANEL, Panels};
use super::super::quantise::{Precision, SLICE};
use super::*;
use crate::base::random::Stream as Draws;
use crate::base::similarity::Similarity;
use proptest::prelude::*;

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

/// The similarities of all rows with all rows, those that fill up included, row-major.
fn multiply(kernel: &Kernel, packed: &Panels) -> Vec<f32> {
    let width = packed.scale.len();
    let mut products = vec![f32::NAN; width * width];
    for (strip, products) in products.chunks_exact_mut(ROWS * width).enumerate() {
        let first = strip * ROWS;
        let strip = Strip {
            groups: packed.groups,
            rows: packed.lines(first / PANEL, 1),
            first: first % PANEL,
            row_scale: packed.scale[first..first + ROWS].try_into().expect("eight"),
            correction: packed.correction[first..first + ROWS].try_into().expect("eight"),
            columns: &packed.lines,
            column_scale: &packed.scale,
        };
        // SAFETY: the tests ask for kernels that are available.
        unsafe { (kernel.multiply)(&strip, products) };
    }
    products
}

/// The largest |S - true| / (b_x + b_y) of any two rows.
fn worst(kernel: &Kernel, rows: &[Vec<f32>]) -> f64 {
    let similarity = Similarity::new();
    let norms: Vec<f64> = rows.iter().map(|row| similarity.norm(row)).collect();
    let packed = Panels::pack(rows.len(), rows[0].len(), kernel.precision, |row| (&rows[row], norms[row]));
    let (products, width) = (multiply(kernel, &packed), packed.scale.len());
    let ratio = |x: usize, y: usize| {
        let cosine = similarity.cosine(&rows[x], norms[x], &rows[y], norms[y]);
        let bound = f64::from(packed.half_bound[x]) + f64::from(packed.half_bound[y]);
        (f64::from(products[x * width + y]) - cosine).abs() / bound
    };
    (0..rows.len()).flat_map(|x| (0..rows.len()).map(move |y| (x, y))).map(|(x, y)| ratio(x, y)).fold(0.0, f64::max)
}

fn available() -> impl Iterator<Item = &'static Kernel> {
    KERNELS.iter().filter(|kernel| (kernel.available)())
}

/// What rounding takes from each row lies along the other: the bound can't be smaller.
#[test]
fn the_bound_of_integers_is_reached() {
    for kernel in available() {
        let steps = match kernel.precision {
            Precision::Int8 => 127.0,
            Precision::Int16 => 32_767.0,
            Precision::Bf16 | Precision::F32 => continue,
        };
        let worst = worst(kernel, &[vec![steps, 0.49], vec![0.49, steps]]);
        assert!((0.95..=1.0).contains(&worst), "{} {worst}", kernel.name);
    }
}

/// Sums of products that would leave 32 bits, were all steps of int8 used.
#[test]
fn no_sum_leaves_its_integers_at_a_large_dimension() {
    let rows: Vec<Vec<f32>> = [1.0, 2.0, -3.0].iter().map(|&value| vec![value; 300_000]).collect();
    for kernel in available() {
        let worst = worst(kernel, &rows);
        assert!(worst <= 1.0, "{} {worst}", kernel.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Elements of any size in any mixture.
    #[test]
    fn no_rows_break_the_bound(
        dim in prop::sample::select(vec![1usize, 2, 3, 5, 16, 31, 63, 64, 65, 127, 128, 129, 500]),
        scale in prop::sample::select(vec![1e-44f32, 1e-38, 1e-20, 1.0, 1e20, 1e33]),
        decades in 0.0..8.0f64,
        zeros in 0.0..0.9f64,
        seed in any::<u64>(),
    ) {
        let draws = Draws::new(seed, "hostile");
        let value = |row: u64, i: u64| {
            let size = 10f64.powf(-decades * draws.uniform(row, 4 * i)) * f64::from(scale);
            let sign = if draws.uniform(row, 4 * i + 1) < 0.5 { -1.0 } else { 1.0 };
            if i > 0 && draws.uniform(row, 4 * i + 2) < zeros { 0.0 } else { (sign * size) as f32 }
        };
        let mut rows: Vec<Vec<f32>> = (0..20).map(|row| (0..dim as u64).map(|i| value(row, i)).collect()).collect();
        rows.iter_mut().filter(|row| row.iter().all(|&v| v == 0.0)).for_each(|row| row[0] = scale);
        // Nearly parallel ones.
        let near = rows[0].iter().map(|v| v * (1.0 + 1e-7)).collect();
        rows.extend([near, rows[1].iter().map(|v| -v).collect()]);
        for kernel in available() {
            let worst = worst(kernel, &rows);
            prop_assert!(worst <= 1.0, "{} {worst}", kernel.name);
        }
    }
}

#[test]
fn every_kernel_multiplies_what_is_stored_and_stays_within_the_bound() {
    let similarity = Similarity::new();
    let mut tried = 0;
    for kernel in available() {
        for (n, dim) in [(1, 1), (16, 3), (17, 17), (70, 67), (33, 384), (49, 1536)] {
            let rows = rows(n, dim, dim as u64);
            let norms: Vec<f64> = rows.iter().map(|row| similarity.norm(row)).collect();
            let packed = Panels::pack(n, dim, kernel.precision, |row| (&rows[row], norms[row]));
            let width = packed.scale.len();
            let all = multiply(kernel, &packed);
            for (first, products) in (0..n).step_by(ROWS).zip(all.chunks_exact(ROWS * width)) {
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
