//! Strips in NEON: a panel of columns is four registers, and 4 rows by one panel are 16 sums.
//!
//! The instruction takes one row's four elements out of a register that holds those of four rows: with four columns 21
//! of the 32 registers are in use, and 5 loads feed 16 multiplications.

use super::super::panels::{Line, PANEL};
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

/// A line in four registers.
#[inline]
#[target_feature(enable = "neon")]
fn load(line: &Line) -> [int8x16_t; WIDE] {
    let line: *const i8 = std::ptr::from_ref(line).cast();
    // SAFETY: a line is 64 bytes.
    unsafe { std::array::from_fn(|p| vld1q_s8(line.add(16 * p))) }
}

/// Four bytes of four rows in a register.
#[inline]
#[target_feature(enable = "neon")]
fn load_rows(rows: &[[u8; 4]; HELD]) -> int8x16_t {
    // SAFETY: they are 16 bytes.
    unsafe { vld1q_s8(rows.as_ptr().cast()) }
}

/// `sum[lane] +=` the four products of lane `lane` of `columns` with lane `LANE` of `rows`.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn dot<const LANE: i32>(mut sum: int32x4_t, columns: int8x16_t, rows: int8x16_t) -> int32x4_t {
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
        let lines = &strip.columns[panel * groups..][..groups];
        for first in (0..ROWS).step_by(HELD) {
            let mut sums = [[vdupq_n_s32(0); WIDE]; HELD];
            for (line, rows) in lines.iter().zip(strip.rows) {
                let columns = load(line);
                let rows = load_rows(&rows.half(strip.first).as_chunks().0[first / HELD]);
                for p in 0..WIDE {
                    sums[0][p] = dot::<0>(sums[0][p], columns[p], rows);
                    sums[1][p] = dot::<1>(sums[1][p], columns[p], rows);
                    sums[2][p] = dot::<2>(sums[2][p], columns[p], rows);
                    sums[3][p] = dot::<3>(sums[3][p], columns[p], rows);
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                let row_scale = strip.row_scale[first + row];
                let scale: &[f32] = &strip.column_scale[panel * PANEL..][..PANEL];
                let place: &mut [f32] = &mut similarities[(first + row) * width + panel * PANEL..][..PANEL];
                for (p, &sum) in sums.iter().enumerate() {
                    // SAFETY: both slices have PANEL elements, of which four begin at 4 p.
                    unsafe {
                        let scaled = vmulq_f32(vcvtq_f32_s32(sum), vld1q_f32(scale.as_ptr().add(4 * p)));
                        vst1q_f32(place.as_mut_ptr().add(4 * p), vmulq_n_f32(scaled, row_scale));
                    }
                }
            }
        }
    }
}
