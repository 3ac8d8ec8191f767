//! Strips in NEON: a panel of columns is four registers, and 4 rows by one panel are 16 sums.

use super::super::panels::PANEL;
use super::{ROWS, Strip, panels};
use std::arch::aarch64::*;
use std::arch::asm;

/// Rows whose sums are held at once.
const HELD: usize = 4;

/// Registers of a panel.
const WIDE: usize = PANEL / 4;

/// Whether this CPU has the integer dot product.
pub fn has_dot() -> bool {
    std::arch::is_aarch64_feature_detected!("dotprod")
}

/// `sum[lane] +=` the four products of lane `lane` of `columns` with lane `LANE` of `rows`.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn dot<const LANE: i32>(sum: int32x4_t, columns: int8x16_t, rows: int8x16_t) -> int32x4_t {
    let mut sum = sum;
    // The intrinsic (`vdotq_laneq_s32`) is not stable yet.
    // SAFETY: registers only; the function's features have the instruction.
    unsafe {
        asm!("sdot {sum:v}.4s, {columns:v}.16b, {rows:v}.4b[{lane}]", sum = inout(vreg) sum, columns = in(vreg) columns,
            rows = in(vreg) rows, lane = const LANE, options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

/// int8, both operands signed: no correction.
#[target_feature(enable = "neon,dotprod")]
pub fn int8(strip: &Strip<'_>, similarities: &mut [f32]) {
    let groups = strip.groups;
    let count = panels(strip, similarities);
    let width = count * PANEL;
    for panel in 0..count {
        let lines = strip.columns[panel * groups..(panel + 1) * groups].as_ptr().cast::<i8>();
        for first in (0..ROWS).step_by(HELD) {
            let rows = strip.rows.as_ptr().cast::<i8>();
            // SAFETY: (all blocks of this function) `panels` has checked that there are `groups` lines of 64 bytes in
            // the rows' panel and in each of the columns', and that `first` + ROWS is within a line.
            let mut sums = [[unsafe { vdupq_n_s32(0) }; WIDE]; HELD];
            for group in 0..groups {
                let columns: [int8x16_t; WIDE] =
                    std::array::from_fn(|p| unsafe { vld1q_s8(lines.add(64 * group + 16 * p)) });
                let four = unsafe { vld1q_s8(rows.add(64 * group + 4 * (strip.first + first))) };
                for p in 0..WIDE {
                    sums[0][p] = dot::<0>(sums[0][p], columns[p], four);
                    sums[1][p] = dot::<1>(sums[1][p], columns[p], four);
                    sums[2][p] = dot::<2>(sums[2][p], columns[p], four);
                    sums[3][p] = dot::<3>(sums[3][p], columns[p], four);
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                let row_scale = strip.row_scale[first + row];
                for (p, &sum) in sums.iter().enumerate() {
                    let column = panel * PANEL + 4 * p;
                    let scale: &[f32] = &strip.column_scale[column..column + 4];
                    let place: &mut [f32] = &mut similarities[(first + row) * width + column..][..4];
                    // SAFETY: both slices have four elements.
                    unsafe {
                        let scaled = vmulq_f32(vcvtq_f32_s32(sum), vld1q_f32(scale.as_ptr()));
                        vst1q_f32(place.as_mut_ptr(), vmulq_n_f32(scaled, row_scale));
                    }
                }
            }
        }
    }
}
