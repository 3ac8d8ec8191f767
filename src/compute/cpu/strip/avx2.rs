//! Strips in 256-bit registers: a panel of columns is two of them, and 4 rows by one panel are 8 sums.

use super::super::panels::{Line, PANEL};
use super::super::quantise::SLICE;
use super::{ROWS, Strip, WHOLE, panels};
use std::arch::x86_64::*;

/// Rows whose sums are held at once.
const HELD: usize = 4;

/// Whether this CPU has 256-bit integer vectors.
pub fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
}

/// Whether this CPU has 256-bit vectors and fused multiplication and addition.
pub fn has_fma() -> bool {
    has_avx2() && is_x86_feature_detected!("fma")
}

/// Whether this CPU has the integer dot products on 256 bits.
pub fn has_vnni() -> bool {
    has_avx2() && is_x86_feature_detected!("avxvnni")
}

/// A line in two registers.
#[inline]
#[target_feature(enable = "avx2")]
fn load(line: &Line) -> [__m256i; 2] {
    let line: *const __m256i = std::ptr::from_ref(line).cast();
    // SAFETY: a line is 64 bytes, and aligned to as many.
    unsafe { [_mm256_load_si256(line), _mm256_load_si256(line.add(1))] }
}

/// Defines one kernel, as in `avx512`.
macro_rules! kernel {
    ($name:ident, $features:literal, $slice:expr, $sums:ty, $start:expr, $prepare:expr, $dot:expr, $finish:expr) => {
        #[target_feature(enable = $features)]
        pub fn $name(strip: &Strip<'_>, similarities: &mut [f32]) {
            let groups = strip.groups;
            let count = panels(strip, similarities);
            let width = count * PANEL;
            for panel in 0..count {
                let lines = &strip.columns[panel * groups..][..groups];
                for first in (0..ROWS).step_by(HELD) {
                    let mut totals = [[_mm256_setzero_ps(); 2]; HELD];
                    for start in (0..groups).step_by($slice) {
                        let mut sums: [[$sums; 2]; HELD] =
                            std::array::from_fn(|row| [$start(strip.correction[first + row]); 2]);
                        for group in start..groups.min(start.saturating_add($slice)) {
                            let columns: [__m256i; 2] = {
                                let [low, high] = load(&lines[group]);
                                [$prepare(low), $prepare(high)]
                            };
                            let rows = strip.rows[group].half(strip.first);
                            for row in 0..HELD {
                                let four = _mm256_set1_epi32(i32::from_ne_bytes(rows[first + row]));
                                for p in 0..2 {
                                    sums[row][p] = $dot(sums[row][p], columns[p], four);
                                }
                            }
                        }
                        for (totals, sums) in totals.iter_mut().zip(&sums) {
                            for p in 0..2 {
                                totals[p] = _mm256_add_ps(totals[p], $finish(sums[p]));
                            }
                        }
                    }
                    for row in 0..HELD {
                        let row_scale = _mm256_set1_ps(strip.row_scale[first + row]);
                        for p in 0..2 {
                            let column = panel * PANEL + 8 * p;
                            let scale: &[f32] = &strip.column_scale[column..column + 8];
                            let place: &mut [f32] = &mut similarities[(first + row) * width + column..][..8];
                            // SAFETY: both slices have 8 elements.
                            unsafe {
                                let scaled = _mm256_mul_ps(totals[row][p], _mm256_loadu_ps(scale.as_ptr()));
                                _mm256_storeu_ps(place.as_mut_ptr(), _mm256_mul_ps(scaled, row_scale));
                            }
                        }
                    }
                }
            }
        }
    };
}

kernel!(
    int8_vnni,
    "avx2,avxvnni",
    WHOLE,
    __m256i,
    |correction| _mm256_set1_epi32(correction),
    // The instruction takes its first operand as unsigned: q + 128.
    |columns| _mm256_xor_si256(columns, _mm256_set1_epi8(-128)),
    |sum, columns, row| _mm256_dpbusd_avx_epi32(sum, columns, row),
    |sum| _mm256_cvtepi32_ps(sum)
);

kernel!(
    int16_vnni,
    "avx2,avxvnni",
    SLICE / 2,
    __m256i,
    |_| _mm256_setzero_si256(),
    |columns| columns,
    |sum, columns, row| _mm256_dpwssd_avx_epi32(sum, columns, row),
    |sum| _mm256_cvtepi32_ps(sum)
);

kernel!(
    int16,
    "avx2",
    SLICE / 2,
    __m256i,
    |_| _mm256_setzero_si256(),
    |columns| columns,
    |sum, columns, row| _mm256_add_epi32(sum, _mm256_madd_epi16(columns, row)),
    |sum| _mm256_cvtepi32_ps(sum)
);

kernel!(
    int8,
    "avx2",
    WHOLE,
    __m256i,
    |_| _mm256_setzero_si256(),
    |columns| columns,
    // |row| times the columns with the row's signs: no pair of products leaves 16 bits, since no element is -128.
    |sum, columns, row| {
        let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(row), _mm256_sign_epi8(columns, row));
        _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
    },
    |sum| _mm256_cvtepi32_ps(sum)
);

kernel!(
    f32,
    "avx2,fma",
    SLICE,
    __m256,
    |_| _mm256_setzero_ps(),
    |columns| columns,
    |sum, columns, row| _mm256_fmadd_ps(_mm256_castsi256_ps(columns), _mm256_castsi256_ps(row), sum),
    |sum| sum
);
