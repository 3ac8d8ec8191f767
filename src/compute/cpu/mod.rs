//! The CPU backend: tiles on all cores.
//!
//! [`kernel`] says which product there is and which is taken. f32 tiles ([`similarity_f32`], the mirror of
//! `shaders/similarity_f32.wgsl`) use the `gemm` crate; [`packed`] tiles multiply quantised rows ([`quantise`], [`panels`]) by
//! strips ([`strip`], one file per instruction set) and look at what passes again in f32 ([`refine`]). [`scan`] filters and
//! counts for both.

pub mod kernel;
pub mod packed;
pub mod panels;
pub mod quantise;
pub mod refine;
pub mod scan;
pub mod similarity_f32;
pub mod strip;

pub use kernel::CpuKernel;

use super::outcome::BINS;
use super::tile::{Backend, BackendInfo, Block, Dispatch, HistogramMode, Job, Side, Stream, Survivor};
use crate::base::{Error, Result};
use packed::{Operand, PackedJob};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Rows and columns of the f32 tile that one thread works on: two operands of 512 x 384 f32 and the product stay in L2
/// and L3, and packing costs a few percent of the product.
const TILE: usize = 512;

/// The least tile that is worth its packing; tiles get this small where there would be too few for all threads.
const LEAST_TILE: usize = 128;

/// Rows and columns of a dispatch: a fraction of a second, after which L is known better.
const DISPATCH_ROWS: usize = 4096;

/// As many rows as a corpus can have.
const MOST_ROWS: usize = 1 << 31;

/// What one thread holds: the product of a tile, and what the `gemm` crate packs (operands of 256 elements in depth, a
/// slab of the size of L2).
const THREAD_BYTES: usize = 3 << 20;

/// What a thread found in a tile.
#[derive(Debug, Default)]
pub struct Found {
    survivors: Vec<Survivor>,
    histogram: Option<scan::Counts>,
    /// Pairs that got a second look.
    refined: u64,
}

/// A loaded block.
#[derive(Debug)]
enum Loaded {
    Unit(Arc<Block>, Vec<f32>),
    Packed(Operand),
}

impl Loaded {
    fn block(&self) -> &Arc<Block> {
        match self {
            Self::Unit(block, _) | Self::Packed(Operand { block, .. }) => block,
        }
    }
}

/// What the tiles of a dispatch multiply.
enum Product<'a> {
    Unit(&'a [f32], &'a [f32]),
    Packed(strip::Kernel, &'a Operand, &'a Operand, PackedJob<'a>),
}

/// Multiplies on the CPU, on the current rayon pool.
#[derive(Debug, Default)]
pub struct CpuBackend {
    kernel: CpuKernel,
    rows: Option<Arc<Loaded>>,
    columns: Option<Arc<Loaded>>,
    histogram_bound: f64,
    /// Computed when it is collected.
    job: Option<Job>,
}

impl CpuBackend {
    /// A backend that multiplies by `kernel`.
    ///
    /// # Panics
    /// If this CPU does not have the kernel.
    pub fn new(kernel: CpuKernel) -> Self {
        assert!(kernel.is_available(), "this CPU does not have {}", kernel.name());
        Self { kernel, ..Self::default() }
    }

    fn side(&mut self, side: Side) -> &mut Option<Arc<Loaded>> {
        match side {
            Side::Rows => &mut self.rows,
            Side::Columns => &mut self.columns,
        }
    }

    /// Rows and columns of a tile.
    fn tile(&self, job: &Job, dim: usize) -> (usize, usize) {
        match self.kernel {
            CpuKernel::Gemm => [tile_side(job.rows.len(), job.columns.len()); 2].into(),
            CpuKernel::Packed(kernel) => {
                (packed::TILE_ROWS, packed::tile_columns(kernel.precision, dim, job.histogram))
            }
        }
    }
}

impl Backend for CpuBackend {
    fn info(&self) -> BackendInfo {
        BackendInfo {
            backend: "cpu".into(),
            device: format!("{} threads", rayon::current_num_threads()),
            driver: String::new(),
            kernel: self.kernel.name().into(),
            assumes: "IEEE 754 arithmetic".into(),
        }
    }

    fn block_rows(&self, _dim: usize) -> usize {
        match self.kernel {
            CpuKernel::Gemm => DISPATCH_ROWS,
            // Packed rows are few bytes, and packing them again and again would cost more than the product.
            CpuKernel::Packed(_) => MOST_ROWS,
        }
    }

    fn dispatch_rows(&self, _dim: usize) -> usize {
        DISPATCH_ROWS
    }

    fn gamma(&self, dim: usize) -> f64 {
        match self.kernel {
            CpuKernel::Gemm => similarity_f32::gamma(dim),
            CpuKernel::Packed(_) => refine::gamma(dim),
        }
    }

    fn load(&mut self, side: Side, block: Arc<Block>) -> Result<()> {
        let other = match side {
            Side::Rows => &self.columns,
            Side::Columns => &self.rows,
        };
        let loaded = match (other, self.kernel) {
            (Some(other), _) if Arc::ptr_eq(other.block(), &block) => Arc::clone(other),
            (_, CpuKernel::Gemm) => {
                let unit = block.unit_rows(0..block.len()).into_owned();
                Arc::new(Loaded::Unit(block, unit))
            }
            (_, CpuKernel::Packed(kernel)) => {
                let operand = Operand::new(block, kernel.precision);
                self.histogram_bound = self.histogram_bound.max(2.0 * f64::from(operand.panels.half_bound_max));
                Arc::new(Loaded::Packed(operand))
            }
        };
        *self.side(side) = Some(loaded);
        Ok(())
    }

    fn unload(&mut self, side: Side) {
        *self.side(side) = None;
    }

    fn row_bytes(&self, dim: usize) -> u64 {
        self.kernel.precision().map_or(4 * dim, |precision| precision.row_bytes(dim)) as u64
    }

    fn working_bytes(&self, rows: usize, columns: usize) -> u64 {
        let threads = rayon::current_num_threads();
        match self.kernel {
            CpuKernel::Gemm => {
                let side = tile_side(rows, columns);
                let tiles = rows.div_ceil(side) * columns.div_ceil(side);
                (threads.min(tiles) * THREAD_BYTES.min(8 * side * side + (1 << 20))) as u64
            }
            // Similarities of a strip and counters a thread; keep values and the tiles' histograms of a dispatch.
            CpuKernel::Packed(_) => {
                let (rows, columns) = (rows.min(DISPATCH_ROWS), columns.min(DISPATCH_ROWS));
                let tiles = rows.div_ceil(packed::TILE_ROWS) * columns.div_ceil(packed::LEAST_COLUMNS);
                (threads * (96 << 10) + 4 * (rows + columns) + tiles * 16 * BINS) as u64
            }
        }
    }

    fn histogram_bound(&self) -> f64 {
        self.histogram_bound
    }

    fn submit(&mut self, job: Job, _capacity: usize) -> Result<()> {
        self.job = Some(job);
        Ok(())
    }

    fn collect(&mut self, out: &mut Stream) -> Result<Dispatch> {
        let Some(job) = &self.job.take() else { return Err(Error::Run("no dispatch was submitted".into())) };
        let (Some(rows), Some(columns)) = (&self.rows, &self.columns) else {
            return Err(Error::Run("no block is loaded".into()));
        };
        let blocks = (&**rows.block(), &**columns.block());
        let sides = self.tile(job, blocks.0.dim());
        let tiles = tiles(job, sides, blocks.0.first, blocks.1.first);
        let product = match (&**rows, &**columns, self.kernel) {
            (Loaded::Unit(_, rows), Loaded::Unit(_, columns), _) => Product::Unit(rows, columns),
            (Loaded::Packed(rows), Loaded::Packed(columns), CpuKernel::Packed(kernel)) => {
                Product::Packed(kernel, rows, columns, PackedJob::new(job, rows, columns))
            }
            _ => return Err(Error::Run("the loaded blocks are not of one kernel".into())),
        };
        let produced = AtomicUsize::new(0);
        let full = AtomicBool::new(false);
        let results: Vec<Found> = tiles
            .into_par_iter()
            .map_init(
                || (similarity_f32::Scratch::default(), packed::Scratch::default()),
                |(scratch, packed_scratch), tile| {
                    if full.load(Ordering::Relaxed) {
                        return Found::default();
                    }
                    let found = match &product {
                        Product::Unit(rows, columns) => {
                            similarity_f32::tile(blocks, (rows, columns), job, tile, out.capacity, scratch)
                        }
                        Product::Packed(kernel, rows, columns, job) => {
                            packed::tile(kernel, (rows, columns), job, tile, out.capacity, packed_scratch)
                        }
                    };
                    let all = produced.fetch_add(found.survivors.len(), Ordering::Relaxed) + found.survivors.len();
                    if all > out.capacity {
                        full.store(true, Ordering::Relaxed);
                    }
                    found
                },
            )
            .collect();
        if full.into_inner() {
            return Ok(Dispatch::StreamFull);
        }
        out.survivors.reserve_exact(produced.into_inner());
        for found in results {
            out.survivors.extend_from_slice(&found.survivors);
            out.refined += found.refined;
            if let (Some(counts), false) = (found.histogram, job.histogram == HistogramMode::Off) {
                for (total, part) in out.histogram.iter_mut().zip(counts.iter()) {
                    for bin in 0..BINS {
                        total[bin] += u64::from(part[bin]);
                    }
                }
            }
        }
        Ok(Dispatch::Done)
    }
}

/// Rows and columns of an f32 tile: enough tiles for all threads.
fn tile_side(rows: usize, columns: usize) -> usize {
    let enough = 2 * rayon::current_num_threads();
    let mut side = TILE;
    while side > LEAST_TILE && rows.div_ceil(side) * columns.div_ceil(side) < enough {
        side /= 2;
    }
    side
}

/// The tiles of `job`, of so many rows and columns, that hold at least one pair (j > i).
fn tiles(job: &Job, sides: (usize, usize), first_row: usize, first_column: usize) -> Vec<(Range<usize>, Range<usize>)> {
    let mut tiles = Vec::new();
    for row in job.rows.clone().step_by(sides.0) {
        for column in job.columns.clone().step_by(sides.1) {
            let end = (column + sides.1).min(job.columns.end);
            if first_column + end - 1 > first_row + row {
                tiles.push((row..(row + sides.0).min(job.rows.end), column..end));
            }
        }
    }
    tiles
}
