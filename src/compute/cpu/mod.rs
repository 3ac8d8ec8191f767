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

    fn dispatch(&mut self, job: &Job, out: &mut Stream) -> Result<Dispatch> {
        let tiles = tiles(job, self.rows.first, self.columns.first);
        let produced = AtomicUsize::new(0);
        let full = AtomicBool::new(false);
        let (rows, columns) = (&self.rows, &self.columns);
        let results: Vec<_> = tiles
            .into_par_iter()
            .map_init(similarity_f32::Scratch::default, |scratch, (row, column)| {
                if full.load(Ordering::Relaxed) {
                    return (Vec::new(), None);
                }
                let tile_rows = row..(row + TILE).min(job.rows.end);
                let tile_columns = column..(column + TILE).min(job.columns.end);
                let result = similarity_f32::tile(rows, columns, job, tile_rows, tile_columns, scratch);
                if produced.fetch_add(result.0.len(), Ordering::Relaxed) + result.0.len() > out.capacity {
                    full.store(true, Ordering::Relaxed);
                }
                result
            })
            .collect();
        if full.into_inner() {
            return Ok(Dispatch::StreamFull);
        }
        for (survivors, histogram) in results {
            out.survivors.extend_from_slice(&survivors);
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

/// Upper-left corners of the tiles of `job` that hold at least one pair (j > i).
fn tiles(job: &Job, first_row: usize, first_column: usize) -> Vec<(usize, usize)> {
    let mut tiles = Vec::new();
    for row in job.rows.clone().step_by(TILE) {
        for column in job.columns.clone().step_by(TILE) {
            let last_column = (column + TILE).min(job.columns.end) - 1;
            if first_column + last_column > first_row + row {
                tiles.push((row, column));
            }
        }
    }
    tiles
}
