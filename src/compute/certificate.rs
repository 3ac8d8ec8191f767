//! How far a coarse similarity can be from the true one.
//!
//! For coarse rows x' of unit rows x, with r = |x - x'|, a kernel's S is <x', y'> within gamma |x'| |y'|, so
//! `|<x,y> - S| <= r_x + r_y + r_x r_y + gamma |x'| |y'|`, where |x'| <= 1 + r_x. It splits into halves, one a row:
//! |<x,y> - S| <= b_x + b_y. Everything is rounded up. The similarity that decides differs from <x,y> by the rounding to
//! f32 and by the f64 sums: [`SLACK`] is for that.

/// Largest |x'| of unit rows rounded to f32, which moves them by at most 2^-24, with room for the f64 norm.
pub const NORM_MAX: f64 = 1.0 + 1.0 / (1u64 << 22) as f64;

/// Slack of the keep rule: the f32-rounded similarity decides the order (DESIGN "Keep rule"), and the filter itself
/// adds once in f32.
pub const SLACK: f64 = 1.0 / (1u64 << 22) as f64 + 1.0 / (1u64 << 22) as f64;

/// Writes `row` at unit length, rounded to f32, to `out`. Both have d elements; `norm` is |row| in f64, not zero.
#[inline(always)]
pub fn unit_row(row: &[f32], norm: f64, out: &mut [f32]) {
    let inverse = 1.0 / norm;
    for (value, unit) in row.iter().zip(out) {
        *unit = (f64::from(*value) * inverse) as f32;
    }
}

/// A row in fewer bits: unit row x, stored elements q, x' = scale q.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantised {
    /// What a stored element is worth.
    pub scale: f32,
    /// |x - x'|, in f64.
    pub residual: f64,
    /// Sum of the stored elements (integers).
    pub sum: i32,
}

/// The half bound b of a quantised row whose residual r = |x - x'| is `residual`, rounded up: |<x,y> - S| <= b_x + b_y.
///
/// <x,y> - <x',y'> = <x - x', y> + <x, y - y'> - <x - x', y - y'>, so it is at most r_x + r_y + r_x r_y; and
/// |x'| <= 1 + r_x. Products of two rows split by 2ab <= a^2 + b^2. `gamma` is the kernel's.
pub fn quantised_half_bound(residual: f64, gamma: f64) -> f32 {
    // 2^-50 and 1e-9 cover the f64 rounding of the unit row and of the residual.
    let r = residual * (1.0 + 1e-9) + 1.0 / (1u64 << 50) as f64;
    let half = r + 0.5 * r * r + 0.5 * gamma * (1.0 + r) * (1.0 + r);
    (half as f32).next_up()
}

/// The half bound of a unit row that was rounded to f32, whatever the row: each element moves by at most 2^-24 of
/// itself (2^-150 where it is subnormal), so the row by 2^-24. `gamma` is the kernel's.
pub fn unit_half_bound(gamma: f64) -> f32 {
    let residual = 1.0 / (1u64 << 24) as f64 * (1.0 + 1e-6);
    ((residual * NORM_MAX + 0.5 * gamma * NORM_MAX * NORM_MAX) as f32).next_up()
}

/// The value a survivor must reach: `S + b_j >= keep_i`. `lower` is L_i, the k-th largest lower bound so far
/// (negative infinity while fewer than k candidates are known).
pub fn keep_value(lower: f64, half_bound: f32) -> f32 {
    if lower == f64::NEG_INFINITY {
        f32::NEG_INFINITY
    } else {
        ((lower - f64::from(half_bound) - SLACK) as f32).next_down()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream;
    use crate::base::similarity::Similarity;
    use proptest::prelude::*;

    proptest! {
        /// A pair whose similarity, rounded to f32, is L passes, whichever way the device rounds its one sum.
        #[test]
        fn a_pair_that_reaches_the_list_passes_the_filter(lower in -1.0f32..1.0, own in 0.0f32..1e-3, other in 0.0f32..1e-3) {
            // The least true similarity that rounds to L, and the least coarse one of that.
            let least = 0.5 * (f64::from(lower) + f64::from(lower.next_down()));
            let mut coarse = (least - f64::from(own) - f64::from(other)) as f32;
            if f64::from(coarse) < least - f64::from(own) - f64::from(other) {
                coarse = coarse.next_up();
            }
            let keep = keep_value(f64::from(lower), own);
            let sum = (coarse + other).next_down();
            prop_assert!(sum >= keep, "{coarse} + {other} is {sum}, below {keep}");
        }

        /// The bound is never violated by any order of f32 additions (here: forwards, backwards, pairwise).
        #[test]
        fn the_bound_holds(seed in 0u64..1000, dim in prop::sample::select(vec![1usize, 2, 17, 67, 384, 1536]), scale in prop::sample::select(vec![1e-30f32, 1e-6, 1.0, 1e30])) {
            let stream = Stream::new(seed, "bound");
            let make = |which: u64| -> Vec<f32> { (0..dim as u64).map(|i| (stream.normal(which, i) * if i % 7 == which { 1e3 } else { 1.0 }) as f32 * scale).collect() };
            let (x, y) = (make(0), make(1));
            let similarity = Similarity::new();
            let (nx, ny) = (similarity.norm(&x), similarity.norm(&y));
            prop_assume!(nx > 0.0 && ny > 0.0);
            let gamma = dim as f64 / ((1u64 << 24) as f64 - dim as f64);
            let (mut ux, mut uy) = (vec![0.0; dim], vec![0.0; dim]);
            unit_row(&x, nx, &mut ux);
            unit_row(&y, ny, &mut uy);
            let bound = 2.0 * f64::from(unit_half_bound(gamma));
            let exact = similarity.cosine(&x, nx, &y, ny);
            let forward = ux.iter().zip(&uy).fold(0.0f32, |s, (a, b)| s + a * b);
            let backward = ux.iter().zip(&uy).rev().fold(0.0f32, |s, (a, b)| a.mul_add(*b, s));
            for coarse in [forward, backward] {
                prop_assert!((f64::from(coarse) - exact).abs() <= bound, "{coarse} {exact} {bound}");
            }
        }
    }
}
