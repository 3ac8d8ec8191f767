//! The CPU backend: the tile of `shaders/similarity_f32.wgsl` on all cores, products by the `gemm` crate.

pub mod similarity_f32;

use super::outcome::BINS;
use super::tile::{Backend, BackendInfo, Block, Dispatch, HistogramMode, Job, Side, Stream};
use crate::base::Result;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Rows and columns of the tile that one thread works on: two operands of 512 x 384 f32 and the product stay in L2
/// and L3, and packing costs a few percent of the product.
const TILE: usize = 512;

/// The least tile that is worth its packing; tiles get this small where there would be too few for all threads.
const LEAST_TILE: usize = 128;

/// What one thread holds: the product of a tile, and what the `gemm` crate packs (operands of 256 elements in depth, a
/// slab of the size of L2).
const THREAD_BYTES: usize = 3 << 20;

/// Multiplies on the CPU.
#[derive(Debug, Default)]
pub struct CpuBackend {
    rows: Block,
    columns: Block,
}

impl CpuBackend {
    /// A backend on the current rayon pool.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Backend for CpuBackend {
    fn info(&self) -> BackendInfo {
        BackendInfo {
            backend: "cpu".into(),
            device: format!("{} threads", rayon::current_num_threads()),
            driver: String::new(),
            kernel: "f32".into(),
            block_rows: 4096,
        }
    }

    fn gamma(&self, dim: usize) -> f64 {
        similarity_f32::gamma(dim)
    }

    fn load(&mut self, side: Side, block: Block) -> Result<()> {
        match side {
            Side::Rows => self.rows = block,
            Side::Columns => self.columns = block,
        }
        Ok(())
    }

    fn unload(&mut self, side: Side) {
        match side {
            Side::Rows => self.rows = Block::default(),
            Side::Columns => self.columns = Block::default(),
        }
    }

    fn host_bytes(&self, rows: usize, columns: usize, _dim: usize) -> u64 {
        let side = tile_side(rows, columns);
        let tiles = rows.div_ceil(side) * columns.div_ceil(side);
        (rayon::current_num_threads().min(tiles) * THREAD_BYTES.min(8 * side * side + (1 << 20))) as u64
    }

    fn dispatch(&mut self, job: &Job, out: &mut Stream) -> Result<Dispatch> {
        let side = tile_side(job.rows.len(), job.columns.len());
        let tiles = tiles(job, side, self.rows.first, self.columns.first);
        let produced = AtomicUsize::new(0);
        let full = AtomicBool::new(false);
        let (rows, columns) = (&self.rows, &self.columns);
        let results: Vec<_> = tiles
            .into_par_iter()
            .map_init(similarity_f32::Scratch::default, |scratch, (row, column)| {
                if full.load(Ordering::Relaxed) {
                    return (Vec::new(), None);
                }
                let tile_rows = row..(row + side).min(job.rows.end);
                let tile_columns = column..(column + side).min(job.columns.end);
                let result = similarity_f32::tile(rows, columns, job, tile_rows, tile_columns, out.capacity, scratch);
                if produced.fetch_add(result.0.len(), Ordering::Relaxed) + result.0.len() > out.capacity {
                    full.store(true, Ordering::Relaxed);
                }
                result
            })
            .collect();
        if full.into_inner() {
            return Ok(Dispatch::StreamFull);
        }
        out.survivors.reserve_exact(produced.into_inner());
        for (survivors, histogram) in results {
            out.survivors.extend_from_slice(&survivors);
            drop(survivors);
            if let (Some(counts), false) = (histogram, job.histogram == HistogramMode::Off) {
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

/// Rows and columns of a tile: enough tiles for all threads.
fn tile_side(rows: usize, columns: usize) -> usize {
    let enough = 2 * rayon::current_num_threads();
    let mut side = TILE;
    while side > LEAST_TILE && rows.div_ceil(side) * columns.div_ceil(side) < enough {
        side /= 2;
    }
    side
}

/// Upper-left corners of the tiles of `job` that hold at least one pair (j > i).
fn tiles(job: &Job, side: usize, first_row: usize, first_column: usize) -> Vec<(usize, usize)> {
    let mut tiles = Vec::new();
    for row in job.rows.clone().step_by(side) {
        for column in job.columns.clone().step_by(side) {
            let last_column = (column + side).min(job.columns.end) - 1;
            if first_column + last_column > first_row + row {
                tiles.push((row, column));
            }
        }
    }
    tiles
}
