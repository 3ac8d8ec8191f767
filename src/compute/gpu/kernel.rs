//! The kernels: what each multiplies, its tile, its WGSL, its gamma.

use super::format::Format;
use super::source::{Constants, expand};
use crate::compute::outcome::BINS;

/// Values that the kernels of f32 arithmetic sum in one chain before they are added to the total.
pub(super) const SLICE: usize = 64;

/// Words of the counters: survivors, then 4 relations x [`BINS`] in 4 copies that spread the atomic additions.
pub(super) const COUNTERS: usize = 1 + COPIES * 4 * BINS;

/// Copies of the histogram in the counters.
pub(super) const COPIES: usize = 4;

/// Bytes that the facts of a row or column of the tile take in workgroup memory.
const FACT_BYTES: usize = 16;

/// Bytes of one copy of the tile's counts.
const BIN_BYTES: usize = 4 * 128 * 4;

/// Threads of the subgroups of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subgroups {
    /// At least.
    pub least: usize,
    /// At most.
    pub most: usize,
}

/// One rung of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kernel {
    /// Rows in f32: `shaders/similarity_f32.wgsl`.
    F32,
    /// Rows in f16, multiplied in f32: `shaders/similarity_f16.wgsl`.
    F16,
    /// Rows in f16 on matrix units: `shaders/similarity_matrix.wgsl`.
    Matrix(Shape),
}

/// How a workgroup of the matrix kernel is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Rows, columns and depth of a cooperative matrix.
    pub side: usize,
    /// Subgroups of a workgroup, down and across.
    pub grid: (usize, usize),
    /// Matrices of a subgroup, down and across.
    pub fragments: (usize, usize),
    /// Values of a row in a slice that is staged at once.
    pub depth: usize,
    /// Values between the staged rows.
    pub padding: usize,
    /// Copies of the tile's counts.
    pub bin_copies: usize,
}

impl Shape {
    const fn new(side: usize, grid: (usize, usize), fragments: (usize, usize), depth: usize, padding: usize) -> Self {
        Self { side, grid, fragments, depth, padding, bin_copies: 4 }
    }

    /// The same in 32 KiB of workgroup memory.
    const fn small(self) -> Self {
        Self { padding: 0, bin_copies: 2, ..self }
    }

    /// Shapes for cooperative matrices of `side`, for any limits; which is fastest is measured.
    ///
    /// At 16: 128 x 128 by 4 subgroups of 64 x 64 or 8 of 64 x 32, with padding (rows in different banks) or in little memory
    /// (room for more workgroups), 256 x 128 (half the traffic to the cache), 64 x 64 twice as deep (small memory).
    pub(super) fn candidates(side: usize) -> Vec<Self> {
        match side {
            16 => vec![
                Self::new(16, (2, 2), (4, 4), 16, 8),
                Self::new(16, (2, 2), (4, 4), 16, 8).small(),
                Self::new(16, (2, 4), (4, 2), 16, 8),
                Self::new(16, (2, 4), (4, 2), 16, 8).small(),
                Self::new(16, (4, 2), (4, 4), 16, 0),
                Self::new(16, (2, 2), (2, 2), 32, 8),
            ],
            8 => vec![Self::new(8, (2, 2), (4, 4), 16, 8), Self::new(8, (2, 2), (4, 4), 32, 8)],
            _ => Vec::new(),
        }
    }

    /// Rows and columns of the tile.
    fn tile(&self) -> (usize, usize) {
        (self.grid.0 * self.fragments.0 * self.side, self.grid.1 * self.fragments.1 * self.side)
    }

    fn subgroups(&self) -> usize {
        self.grid.0 * self.grid.1
    }

    /// Values from a staged row to the next.
    fn stride(&self) -> usize {
        self.depth + self.padding
    }

    /// Whether `threads` threads load whole rounds of rows and of columns.
    fn loads_evenly(&self, threads: usize) -> bool {
        let (rows, columns) = self.tile();
        let units = self.depth / 8;
        [rows, columns].iter().all(|lines| (lines * units).is_multiple_of(threads)) && threads.is_multiple_of(units)
    }
}

impl Kernel {
    /// Its name, as `--kernel` has it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Matrix(_) => "matrix",
        }
    }

    /// Its name with what else tells it from others.
    pub(super) fn describe(&self) -> String {
        let (rows, columns) = self.tile();
        match self {
            Self::F32 | Self::F16 => format!("{}, tile {rows}x{columns}", self.name()),
            Self::Matrix(shape) => {
                let Shape { side, depth, padding, .. } = shape;
                let subgroups = shape.subgroups();
                format!("matrix {side}x{side}, tile {rows}x{columns}, depth {depth}+{padding}, {subgroups} subgroups")
            }
        }
    }

    /// Whether it is called so, in short or in full.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name() == name || self.describe() == name
    }

    /// How its rows are stored.
    pub(super) fn format(&self) -> Format {
        match self {
            Self::F32 => Format::F32,
            Self::F16 | Self::Matrix(_) => Format::F16,
        }
    }

    /// Rows and columns of the tile that one workgroup computes.
    pub(super) fn tile(&self) -> (usize, usize) {
        match self {
            Self::F32 | Self::F16 => (64, 128),
            Self::Matrix(shape) => shape.tile(),
        }
    }

    /// Threads of a workgroup: enough for its subgroups, however large they are.
    pub(super) fn threads(&self, subgroups: Subgroups) -> usize {
        match self {
            Self::F32 | Self::F16 => 128,
            Self::Matrix(shape) => shape.subgroups() * subgroups.most,
        }
    }

    /// Bytes of workgroup memory.
    pub(super) fn workgroup_bytes(&self) -> usize {
        let (rows, columns) = self.tile();
        let facts = (rows + columns) * FACT_BYTES;
        match self {
            Self::F32 | Self::F16 => 2 * 8 * (rows + columns) * 4 + facts + BIN_BYTES + 16,
            Self::Matrix(shape) => {
                let staged = 2 * (rows + columns) * shape.stride() * 2;
                staged + shape.subgroups() * shape.side * shape.side * 4 + facts + shape.bin_copies * BIN_BYTES + 16
            }
        }
    }

    /// Whether it can run with such subgroups, `memory` bytes of workgroup memory and `threads` threads.
    pub(super) fn fits(&self, subgroups: Subgroups, memory: usize, threads: usize) -> bool {
        let even = match self {
            Self::F32 | Self::F16 => true,
            Self::Matrix(shape) => {
                let whole = |lanes: usize| lanes.is_multiple_of(shape.side) && lanes <= shape.side * shape.side;
                shape.loads_evenly(self.threads(subgroups)) && whole(subgroups.least) && whole(subgroups.most)
            }
        };
        even && self.workgroup_bytes() <= memory && self.threads(subgroups) <= threads
    }

    /// Its WGSL.
    pub(super) fn source(&self, subgroups: Subgroups) -> String {
        let (rows, columns) = self.tile();
        let threads = self.threads(subgroups);
        match self {
            Self::F32 | Self::F16 => {
                let template = match self {
                    Self::F32 => include_str!("../../../shaders/similarity_f32.wgsl"),
                    _ => include_str!("../../../shaders/similarity_f16.wgsl"),
                };
                let constants: &Constants = &[
                    ("TILE_ROWS", rows),
                    ("TILE_COLUMNS", columns),
                    ("THREADS", threads),
                    ("DEPTH", 8),
                    ("SLICE", SLICE),
                    ("BIN_COPIES", 1),
                ];
                expand(template, constants)
            }
            Self::Matrix(shape) => {
                let units = shape.depth / 8;
                let fixed = subgroups.least == subgroups.most;
                let constants: &Constants = &[
                    ("SIDE", shape.side),
                    ("FRAGMENT_ROWS", shape.fragments.0),
                    ("FRAGMENT_COLUMNS", shape.fragments.1),
                    ("GRID_ROWS", shape.grid.0),
                    ("GRID_COLUMNS", shape.grid.1),
                    ("THREADS", threads),
                    ("LANES", if fixed { subgroups.most } else { 0 }),
                    ("VARIABLE", usize::from(!fixed)),
                    ("DEPTH", shape.depth),
                    ("STRIDE", shape.stride() / 4),
                    ("BIN_COPIES", shape.bin_copies),
                    ("ROW_LOADS", rows * units / threads),
                    ("COLUMN_LOADS", columns * units / threads),
                ];
                expand(include_str!("../../../shaders/similarity_matrix.wgsl"), constants)
            }
        }
    }

    /// gamma of the certificate, of rows as they are stored: |accumulated - exact| <= gamma |x'| |y'|.
    pub(super) fn gamma(&self, dim: usize) -> f64 {
        match self {
            Self::F32 | Self::F16 => gamma_f32(dim),
            Self::Matrix(_) => gamma_matrix(dim),
        }
    }

    /// What its gamma assumes of the device, for manifest.json.
    pub(super) fn assumes(&self) -> &'static str {
        match self {
            Self::F32 | Self::F16 => "f32 operations correctly rounded to either neighbour (WGSL)",
            Self::Matrix(_) => {
                "matrix units that add products exact in f32 in any order, each addition off by at most 2^-22"
            }
        }
    }
}

/// gamma of f32 arithmetic, as chain u / (1 - chain u).
///
/// u = 2^-23. WGSL (15.7.4.1) and Vulkan demand that f32 addition and multiplication are correctly rounded, which there
/// means to either neighbour, in no given direction: the error is below one unit in the last place, 2^-23 of the value
/// (IEEE round to nearest, which GPUs do, has half of that). `fma(a, b, c)` is at worst a product and a sum, both rounded
/// so; HLSL gets `mad`, which is the same.
///
/// The chain: a product is rounded once, then goes through at most [`SLICE`] additions in its slice and
/// ceil(dim / [`SLICE`]) of slices. WGSL (15.7.5) lets a compiler reassociate, and Metal compiles with fast math. Within
/// a slice that changes nothing: n terms in any order are n - 1 additions deep at most. Across slices it can't happen: each
/// slice's sum passes through an integer exclusive-or with `job.zero`, a uniform that is 0 but that no compiler knows, so
/// the sum must exist as an f32 of its own before it is added. The self-test has rows that show a chain that was not cut.
///
/// One more is for what is left: values below 2^-126 may be flushed to 0, which moves a sum of unit rows by less than
/// dim 2^-125.
pub(super) fn gamma_f32(dim: usize) -> f64 {
    relative(dim.min(SLICE) + dim.div_ceil(SLICE) + 2, 1.0 / f64::from(1u32 << 23))
}

/// gamma of matrix units, as chain u / (1 - chain u) with u = 2^-22 (DESIGN "Coarse, then certified").
///
/// An assumed model, since no specification says how they add: products of two f16 are exact in f32; each addition, in
/// whatever order and with whatever alignment, is off by at most two units in the last place of f32 (truncation after
/// alignment was seen on all cards that were taken apart: Fasi, Higham, Mikaitis, Pranesh 2021). A product then meets at
/// most dim additions. The self-test refuses a device that is off by more than a quarter of that.
pub(super) fn gamma_matrix(dim: usize) -> f64 {
    relative(dim + 2, 1.0 / f64::from(1u32 << 22))
}

/// n u / (1 - n u) of a chain of n operations that are each off by u; infinite where that says nothing.
fn relative(chain: usize, unit: f64) -> f64 {
    let sum = chain as f64 * unit;
    if sum < 1.0 { sum / (1.0 - sum) } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// To the neighbour above, the worst that "correctly rounded" allows in WGSL.
    fn up(value: f64) -> f32 {
        let rounded = value as f32;
        if f64::from(rounded) < value { rounded.next_up() } else { rounded }
    }

    /// The dot product with every operation rounded up, and summed in slices of `slice`.
    fn rounded_up(x: &[f32], y: &[f32], slice: usize) -> f32 {
        x.chunks(slice).zip(y.chunks(slice)).fold(0.0, |total, (x, y)| {
            let sum = x
                .iter()
                .zip(y)
                .fold(0.0f32, |sum, (a, b)| up(f64::from(sum) + f64::from(up(f64::from(*a) * f64::from(*b)))));
            up(f64::from(total) + f64::from(sum))
        })
    }

    #[test]
    fn gamma_bounds_rounding_to_one_side() {
        let draws = crate::base::random::Stream::new(1, "gamma");
        for dim in [17, 64, 65, 384, 1536] {
            let x: Vec<f32> = (0..dim).map(|i| draws.uniform(0, i as u64) as f32 + 0.1).collect();
            let y: Vec<f32> = (0..dim).map(|i| draws.uniform(1, i as u64) as f32 + 0.1).collect();
            let exact: f64 = x.iter().zip(&y).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            let error = |slice: usize| (f64::from(rounded_up(&x, &y, slice)) - exact).abs() / exact;
            assert!(error(SLICE) <= gamma_f32(dim), "{dim}: {:e} above {:e}", error(SLICE), gamma_f32(dim));
            assert!(error(SLICE) > gamma_f32(dim) / 8.0, "{dim}: {:e}, far below {:e}", error(SLICE), gamma_f32(dim));
            assert!(dim < 1000 || error(dim) > gamma_f32(dim), "{dim}: one chain would be within the bound too");
        }
    }

    /// Every addition loses as much as the model of matrix units allows.
    #[test]
    fn gamma_bounds_additions_that_lose_two_units_in_the_last_place() {
        for dim in [16, 384, 1536, 20_000] {
            let value = |i: usize| 1.0 + (i % 13) as f32 / 16.0;
            let exact: f64 = (0..dim).map(|i| f64::from(value(i)).powi(2)).sum();
            let lossy = (0..dim).fold(0.0f32, |sum, i| {
                let sum = f64::from(sum) + f64::from(value(i)).powi(2);
                (sum as f32).next_down().next_down()
            });
            let error = (exact - f64::from(lossy)) / exact;
            assert!(error <= gamma_matrix(dim) && error > gamma_matrix(dim) / 8.0, "{dim}: {error:e}");
        }
    }

    #[test]
    fn a_chain_without_end_has_no_bound() {
        assert_eq!((gamma_matrix(1 << 22), gamma_f32(1 << 30)), (f64::INFINITY, f64::INFINITY));
        assert!(gamma_matrix((1 << 22) - 4) > 1e6);
    }

    #[test]
    fn slicing_keeps_gamma_small() {
        assert!(gamma_f32(1536) < 1.1e-5 && gamma_f32(1536) > 1.0e-5);
        assert!(gamma_f32(17) < gamma_f32(64) && gamma_f32(64) < gamma_f32(65));
    }
}
