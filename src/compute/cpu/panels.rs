//! Rows of a block as the dot-product instructions want them: quantised, sixteen rows side by side.
//!
//! A *panel* holds [`PANEL`] rows. Its line g has four bytes of each: four int8, two int16 or bf16, one f32. So one
//! load gives the same four bytes of sixteen columns, and one broadcast those of a row: the one copy serves both sides.

use super::quantise::{Precision, quantise};
use crate::compute::certificate::quantised_half_bound;
use rayon::prelude::*;

/// Rows of a panel.
pub const PANEL: usize = 16;

/// Four bytes of each row of a panel.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
pub struct Line(pub [[u8; 4]; PANEL]);

impl Line {
    /// The eight rows from `first` (0 or 8) on.
    #[inline(always)]
    pub fn half(&self, first: usize) -> &[[u8; 4]; PANEL / 2] {
        &self.0.as_chunks().0[first / (PANEL / 2)]
    }
}

/// Quantised rows of a block. The rows that fill the last panel up are zeros with a half bound of minus infinity.
#[derive(Debug, Default)]
pub struct Panels {
    /// Lines of a panel.
    pub groups: usize,
    /// Panel after panel.
    pub lines: Vec<Line>,
    /// What a stored element is worth, one a row.
    pub scale: Vec<f32>,
    /// Half bounds of the quantised product, one a row.
    pub half_bound: Vec<f32>,
    /// -128 times the sum of a row's elements modulo 2^32, one a row (int8): see `strip`.
    pub correction: Vec<i32>,
    /// Largest half bound.
    pub half_bound_max: f32,
}

impl Panels {
    /// Quantises rows of `dim` elements: `row(i)` gives row i of `rows` and its norm, which is not zero.
    pub fn pack<'a>(
        rows: usize,
        dim: usize,
        precision: Precision,
        row: impl Fn(usize) -> (&'a [f32], f64) + Sync,
    ) -> Self {
        let groups = precision.groups(dim);
        let panels = rows.div_ceil(PANEL);
        let padded = panels * PANEL;
        let mut packed = Self {
            groups,
            lines: vec![Line::default(); panels * groups],
            scale: vec![0.0; padded],
            half_bound: vec![f32::NEG_INFINITY; padded],
            correction: vec![0; padded],
            half_bound_max: 0.0,
        };
        let facts = (packed.scale.par_chunks_mut(PANEL).zip(packed.half_bound.par_chunks_mut(PANEL)))
            .zip(packed.correction.par_chunks_mut(PANEL));
        let lines = packed.lines.par_chunks_mut(groups.max(1));
        lines.zip(facts).enumerate().for_each_init(
            || vec![0u32; groups],
            |four_bytes, (panel, (lines, ((scale, half_bound), correction)))| {
                for place in 0..PANEL.min(rows - panel * PANEL) {
                    let (values, norm) = row(panel * PANEL + place);
                    let bytes = bytemuck::cast_slice_mut::<u32, u8>(four_bytes);
                    let quantised = quantise(values, norm, precision, bytes);
                    scale[place] = quantised.scale;
                    half_bound[place] = quantised_half_bound(quantised.residual, precision.gamma(dim));
                    correction[place] = quantised.sum.wrapping_mul(-128);
                    for (line, four) in lines.iter_mut().zip(bytes.as_chunks::<4>().0) {
                        line.0[place] = *four;
                    }
                }
            },
        );
        packed.half_bound_max = packed.half_bound.iter().fold(0.0, |most, &b| most.max(b));
        packed
    }

    /// The lines of the panels `first..first + count`.
    pub fn lines(&self, first: usize, count: usize) -> &[Line] {
        &self.lines[first * self.groups..(first + count) * self.groups]
    }
}
