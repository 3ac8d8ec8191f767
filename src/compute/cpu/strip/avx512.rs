//! Strips in AVX-512: one panel of columns is one register.
//!
//! 8 rows by 3 panels are 24 sums; with three columns and one broadcast 28 of the 32 registers are in use, and 11 loads
//! feed 24 multiplications.

use super::super::panels::{Line, PANEL};
use super::super::quantise::SLICE;
use super::{ROWS, Strip, WHOLE, panels};
use std::arch::x86_64::*;

/// Whether this CPU has the integer dot products.
pub fn has_vnni() -> bool {
    has_avx512() && is_x86_feature_detected!("avx512vnni")
}

/// Whether this CPU has 512-bit vectors.
pub fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
}

/// Whether this CPU has the bf16 dot product.
pub fn has_bf16() -> bool {
    has_vnni() && is_x86_feature_detected!("avx512bf16")
}

/// A line in a register.
#[inline]
#[target_feature(enable = "avx512f")]
fn load(line: &Line) -> __m512i {
    // SAFETY: a line is 64 bytes, and aligned to as many.
    unsafe { _mm512_load_si512(std::ptr::from_ref(line).cast()) }
}

/// The same bits as bf16.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn as_bf16(bits: __m512i) -> __m512bh {
    // SAFETY: both are 64 bytes, and any bits are bf16 values.
    unsafe { std::mem::transmute::<__m512i, __m512bh>(bits) }
}

/// Defines one kernel. Slices of `$slice` groups are summed and added as f32: `$start` is what a slice's sum begins with,
/// `$prepare` is applied to a register of columns once, `$dot` adds to a sum, `$finish` makes f32 of it.
macro_rules! kernel {
    ($name:ident, $features:literal, $slice:expr, $sums:ty, $start:expr, $prepare:expr, $dot:expr, $finish:expr) => {
        #[target_feature(enable = $features)]
        pub fn $name(strip: &Strip<'_>, similarities: &mut [f32]) {
            /// The columns of `P` panels from `panel` on.
            #[target_feature(enable = $features)]
            fn columns<const P: usize>(strip: &Strip<'_>, panel: usize, width: usize, similarities: &mut [f32]) {
                let groups = strip.groups;
                let lines: [&[Line]; P] = std::array::from_fn(|p| &strip.columns[(panel + p) * groups..][..groups]);
                let mut totals = [[_mm512_setzero_ps(); P]; ROWS];
                for start in (0..groups).step_by($slice) {
                    let mut sums: [[$sums; P]; ROWS] = std::array::from_fn(|row| [$start(strip.correction[row]); P]);
                    for group in start..groups.min(start.saturating_add($slice)) {
                        let columns: [__m512i; P] = std::array::from_fn(|p| $prepare(load(&lines[p][group])));
                        let rows = strip.rows[group].half(strip.first);
                        for row in 0..ROWS {
                            let four = _mm512_set1_epi32(i32::from_ne_bytes(rows[row]));
                            for p in 0..P {
                                sums[row][p] = $dot(sums[row][p], columns[p], four);
                            }
                        }
                    }
                    for (totals, sums) in totals.iter_mut().zip(&sums) {
                        for p in 0..P {
                            totals[p] = _mm512_add_ps(totals[p], $finish(sums[p]));
                        }
                    }
                }
                for row in 0..ROWS {
                    let row_scale = _mm512_set1_ps(strip.row_scale[row]);
                    for p in 0..P {
                        let column = (panel + p) * PANEL;
                        let scale: &[f32] = &strip.column_scale[column..column + PANEL];
                        let place: &mut [f32] = &mut similarities[row * width + column..][..PANEL];
                        // SAFETY: both slices have PANEL elements.
                        unsafe {
                            let scaled = _mm512_mul_ps(totals[row][p], _mm512_loadu_ps(scale.as_ptr()));
                            _mm512_storeu_ps(place.as_mut_ptr(), _mm512_mul_ps(scaled, row_scale));
                        }
                    }
                }
            }
            let count = panels(strip, similarities);
            let width = count * PANEL;
            let mut panel = 0;
            while panel + 3 <= count {
                columns::<3>(strip, panel, width, similarities);
                panel += 3;
            }
            match count - panel {
                2 => columns::<2>(strip, panel, width, similarities),
                1 => columns::<1>(strip, panel, width, similarities),
                _ => {}
            }
        }
    };
}

kernel!(
    int8,
    "avx512f,avx512bw,avx512vnni",
    WHOLE,
    __m512i,
    |correction| _mm512_set1_epi32(correction),
    // The instruction takes its first operand as unsigned: q + 128.
    |columns| _mm512_xor_si512(columns, _mm512_set1_epi8(-128)),
    |sum, columns, row| _mm512_dpbusd_epi32(sum, columns, row),
    |sum| _mm512_cvtepi32_ps(sum)
);

kernel!(
    int16,
    "avx512f,avx512bw,avx512vnni",
    SLICE / 2,
    __m512i,
    |_| _mm512_setzero_si512(),
    |columns| columns,
    |sum, columns, row| _mm512_dpwssd_epi32(sum, columns, row),
    |sum| _mm512_cvtepi32_ps(sum)
);

kernel!(
    bf16,
    "avx512f,avx512bw,avx512bf16",
    SLICE / 2,
    __m512,
    |_| _mm512_setzero_ps(),
    |columns| columns,
    |sum, columns, row| _mm512_dpbf16_ps(sum, as_bf16(columns), as_bf16(row)),
    |sum| sum
);

kernel!(
    f32,
    "avx512f,avx512bw",
    SLICE,
    __m512,
    |_| _mm512_setzero_ps(),
    |columns| columns,
    |sum, columns, row| _mm512_fmadd_ps(_mm512_castsi512_ps(columns), _mm512_castsi512_ps(row), sum),
    |sum| sum
);
