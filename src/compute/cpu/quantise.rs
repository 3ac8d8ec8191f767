//! Rows in fewer bits: how an element is stored, how a row is rounded to it, and by how much that moves it.

use crate::base::simd::widest;
use crate::compute::certificate::Quantised;
use pulp::Arch;

/// Elements of a slice: the sum of so many products is formed in 32 bits (int16) or in one chain (bf16, f32).
pub const SLICE: usize = 64;

/// How an element is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// A scale a row, 127 steps to each side; fewer from a dimension of 133,145 on, so that no sum of products leaves 32
    /// bits.
    Int8,
    /// A scale a row, chosen so that no sum of products over a slice leaves 32 bits.
    Int16,
    /// The upper half of an f32.
    Bf16,
    /// All of it.
    F32,
}

impl Precision {
    /// Bytes of an element.
    pub fn bytes(self) -> usize {
        match self {
            Self::Int8 => 1,
            Self::Int16 | Self::Bf16 => 2,
            Self::F32 => 4,
        }
    }

    /// Lines of a panel at dimension `dim`.
    pub fn groups(self, dim: usize) -> usize {
        (dim * self.bytes()).div_ceil(4)
    }

    /// Bytes that a row of dimension `dim` takes in [`super::panels::Panels`].
    pub fn row_bytes(self, dim: usize) -> usize {
        4 * self.groups(dim) + 12
    }

    /// Relative error of the sum, for |x'| |y'| (DESIGN "Coarse, then certified").
    ///
    /// Integer sums are exact: each slice is rounded to f32, the slices are added, and two scales multiplied (|sum of a
    /// slice| <= |x'| |y'| over it). bf16 products are exact in f32, and each addition may be rounded either way
    /// (`vdpbf16ps` does not say how it rounds inside a pair). f32: the longest chain of additions.
    pub fn gamma(self, dim: usize) -> f64 {
        let unit = 1.0 / (1u64 << 24) as f64;
        match self {
            Self::Int8 => 4.1 * unit,
            Self::Int16 => (dim.div_ceil(SLICE) as f64 + 3.1) * unit,
            Self::F32 => {
                let chain = (SLICE.min(dim) + dim.div_ceil(SLICE) + 3) as f64 * unit;
                chain / (1.0 - chain)
            }
            Self::Bf16 => {
                let chain = (2 * SLICE + dim.div_ceil(SLICE) + 4) as f64 * unit;
                chain / (1.0 - chain)
            }
        }
    }
}

/// Writes the elements of one row, zeros after them, and returns what they are worth.
pub fn quantise(values: &[f32], norm: f64, precision: Precision, bytes: &mut [u8]) -> Quantised {
    let inverse = 1.0 / norm;
    let largest = f64::from(largest(values)) * inverse;
    let arch = Arch::new();
    match precision {
        Precision::Int8 => {
            // No sum of products leaves 32 bits: most^2 d < 2^31.
            let most = (f64::from(i32::MAX) / values.len() as f64).sqrt().floor().min(127.0);
            let scale = ((largest / most) as f32).next_up();
            let elements = bytemuck::cast_slice_mut::<u8, i8>(bytes);
            widest(
                arch,
                #[inline(always)]
                || round_to_steps(values, inverse, scale, elements, |q| q as i8, f64::from),
            )
        }
        Precision::Int16 => {
            // No sum of products over a slice leaves 32 bits: |q_x| |q_y| < 2^31, where |q| <= |x|/scale + sqrt(64)/2
            // over the slice.
            let most = 46_339.0 - 0.5 * (SLICE as f64).sqrt();
            let square = |slice: &[f32]| slice.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>();
            let slice = values.chunks(SLICE).map(square).fold(0.0, f64::max).sqrt() * inverse * (1.0 + 1e-9);
            let scale = ((slice / most).max(largest / 32_767.0) as f32).next_up();
            let elements = bytemuck::cast_slice_mut::<u8, i16>(bytes);
            widest(
                arch,
                #[inline(always)]
                || round_to_steps(values, inverse, scale, elements, |q| q as i16, f64::from),
            )
        }
        Precision::F32 => {
            let elements = bytemuck::cast_slice_mut::<u8, f32>(bytes);
            widest(
                arch,
                #[inline(always)]
                || round_to_f32(values, inverse, elements),
            )
        }
        Precision::Bf16 => {
            let elements = bytemuck::cast_slice_mut::<u8, u16>(bytes);
            widest(
                arch,
                #[inline(always)]
                || round_to_bf16(values, inverse, elements),
            )
        }
    }
}

/// Rounds `values * inverse` to f32.
#[inline(always)]
fn round_to_f32(values: &[f32], inverse: f64, elements: &mut [f32]) -> Quantised {
    let mut square = [0.0f64; 8];
    for (values, elements) in values.chunks(8).zip(elements.chunks_mut(8)) {
        for (lane, (&value, element)) in values.iter().zip(elements).enumerate() {
            let unit = f64::from(value) * inverse;
            *element = unit as f32;
            let residual = unit - f64::from(*element);
            square[lane] += residual * residual;
        }
    }
    Quantised { scale: 1.0, residual: square.iter().sum::<f64>().sqrt(), sum: 0 }
}

#[inline(always)]
fn largest(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut most = [0.0f32; 16];
    for chunk in chunks {
        for (most, value) in most.iter_mut().zip(chunk) {
            let size = value.abs();
            *most = if size > *most { size } else { *most };
        }
    }
    most.iter().chain(rest).fold(0.0, |most, value| most.max(value.abs()))
}

/// Rounds `values * inverse / scale` to whole steps.
#[inline(always)]
fn round_to_steps<T: Copy + Default>(
    values: &[f32],
    inverse: f64,
    scale: f32,
    elements: &mut [T],
    narrow: impl Fn(i32) -> T,
    widen: impl Fn(T) -> f64,
) -> Quantised {
    /// Adding it to a small f64 rounds that to the nearest integer, which then stands in the low mantissa bits.
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    let scale = f64::from(scale);
    let steps = inverse / scale;
    let mut square = [0.0f64; 8];
    let mut sum = [0i32; 8];
    let mut eight = |values: &[f32; 8], elements: &mut [T; 8]| {
        for lane in 0..8 {
            let value = f64::from(values[lane]);
            let step = (value * steps + ROUNDER).to_bits() as u32 as i32;
            elements[lane] = narrow(step);
            sum[lane] = sum[lane].wrapping_add(step);
            let residual = value * inverse - widen(elements[lane]) * scale;
            square[lane] += residual * residual;
        }
    };
    let (chunks, rest) = values.as_chunks::<8>();
    let (places, last) = elements.as_chunks_mut::<8>();
    for (values, elements) in chunks.iter().zip(&mut *places) {
        eight(values, elements);
    }
    if !rest.is_empty() {
        let (mut padded, mut rounded) = ([0.0; 8], [T::default(); 8]);
        padded[..rest.len()].copy_from_slice(rest);
        eight(&padded, &mut rounded);
        let places = places.get_mut(chunks.len()).map_or(last, |place| &mut place[..]);
        places[..rest.len()].copy_from_slice(&rounded[..rest.len()]);
    }
    Quantised { scale: scale as f32, residual: square.iter().sum::<f64>().sqrt(), sum: sum.iter().sum() }
}

/// Rounds `values * inverse` to bf16; what would be subnormal becomes zero, since the instruction takes it so.
#[inline(always)]
fn round_to_bf16(values: &[f32], inverse: f64, elements: &mut [u16]) -> Quantised {
    let mut square = [0.0f64; 8];
    for (values, elements) in values.chunks(8).zip(elements.chunks_mut(8)) {
        for (lane, (&value, element)) in values.iter().zip(elements).enumerate() {
            let unit = f64::from(value) * inverse;
            let bits = (unit as f32).to_bits();
            let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000;
            let rounded = if rounded & 0x7f80_0000 == 0 { 0 } else { rounded };
            *element = (rounded >> 16) as u16;
            let residual = unit - f64::from(f32::from_bits(rounded));
            square[lane] += residual * residual;
        }
    }
    Quantised { scale: 1.0, residual: square.iter().sum::<f64>().sqrt(), sum: 0 }
}
