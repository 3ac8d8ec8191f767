//! The seam between the driver and a backend: blocks of unit rows in, survivors and histogram counts out.

use super::certificate::{unit_half_bound, unit_row};
use super::outcome::BINS;
use crate::base::Result;
use crate::corpus::Embeddings;
use rayon::prelude::*;
use serde::Serialize;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Which operand of the tile a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Held over a sweep.
    Rows,
    /// Changes from dispatch to dispatch.
    Columns,
}

/// The vectors of a block.
#[derive(Debug, Clone)]
pub enum Vectors {
    /// Rows of a corpus as they are stored, from position `start` on.
    Stored {
        /// All of the corpus.
        embeddings: Arc<Embeddings>,
        /// Position of the block's first row.
        start: usize,
    },
    /// Rows at unit length, row-major (tests).
    Unit(Vec<f32>),
}

impl Default for Vectors {
    fn default() -> Self {
        Self::Unit(Vec::new())
    }
}

/// A block of consecutive positions.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// First position.
    pub first: usize,
    /// The vectors; a backend stores them as it multiplies them.
    pub vectors: Vectors,
    /// Half bounds b_i, one a row: |true - coarse| <= b_i + b_j for what the backend reports.
    pub half_bound: Vec<f32>,
    /// Query id of each row.
    pub query: Vec<u32>,
    /// Model id of each row.
    pub model: Vec<u32>,
}

impl Block {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.half_bound.len()
    }

    /// Whether the block has no row.
    pub fn is_empty(&self) -> bool {
        self.half_bound.is_empty()
    }

    /// Dimension; 0 if there is no row.
    pub fn dim(&self) -> usize {
        match &self.vectors {
            Vectors::Stored { embeddings, .. } => embeddings.dim(),
            Vectors::Unit(unit) => unit.len().checked_div(self.len()).unwrap_or(0),
        }
    }

    /// A row as it is stored, and its norm.
    #[inline]
    pub fn row(&self, row: usize) -> (&[f32], f64) {
        match &self.vectors {
            Vectors::Stored { embeddings, start } => (embeddings.row(start + row), embeddings.norms()[start + row]),
            Vectors::Unit(unit) => (&unit[row * self.dim()..(row + 1) * self.dim()], 1.0),
        }
    }

    /// Rows of the block at unit length, rounded to f32, row-major.
    pub fn unit_rows(&self, rows: Range<usize>) -> Cow<'_, [f32]> {
        let dim = self.dim();
        match &self.vectors {
            Vectors::Unit(unit) => Cow::Borrowed(&unit[rows.start * dim..rows.end * dim]),
            Vectors::Stored { .. } => {
                let mut unit = vec![0.0; rows.len() * dim];
                unit.par_chunks_mut(dim).zip(rows).for_each(|(out, row)| {
                    let (values, norm) = self.row(row);
                    unit_row(values, norm, out);
                });
                Cow::Owned(unit)
            }
        }
    }
}

/// What to do with the histogram in a dispatch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HistogramMode {
    /// Nothing is counted.
    Off,
    /// Every pair is counted by its coarse similarity.
    Coarse,
    /// Pairs whose coarse similarity is within `width` of a bin edge are not counted but reported (`near_edge`).
    Exact {
        /// Half width around an edge, in units of similarity: at least 2 max b plus the rounding of the bin arithmetic.
        width: f32,
    },
}

/// One rectangle of pairs. A pair (i, j) is formed only where position j > position i.
#[derive(Debug, Clone)]
pub struct Job {
    /// Rows of the row block, local to it.
    pub rows: Range<usize>,
    /// Rows of the column block, local to it.
    pub columns: Range<usize>,
    /// For each row of `rows`: survivors have `S + b_j >= keep_i` or the same seen from the column.
    pub keep_rows: Vec<f32>,
    /// For each row of `columns`.
    pub keep_columns: Vec<f32>,
    /// Histogram.
    pub histogram: HistogramMode,
}

/// A pair that the filter let through, or whose bin must be settled.
#[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Survivor {
    /// Row, local to the row block.
    pub row: u32,
    /// Column, local to the column block; the top bit says that the pair was left out of the histogram because its
    /// coarse similarity is near a bin edge.
    pub column_and_flag: u32,
    /// Coarse similarity S.
    pub coarse: f32,
}

impl Survivor {
    /// Top bit of [`Self::column_and_flag`].
    pub const NEAR_EDGE: u32 = 1 << 31;

    /// The pair of two rows, local to their blocks.
    pub fn new(row: usize, column: usize, near_edge: bool, coarse: f32) -> Self {
        let flag = if near_edge { Self::NEAR_EDGE } else { 0 };
        Self { row: row as u32, column_and_flag: column as u32 | flag, coarse }
    }

    /// Column, local to the column block.
    pub fn column(self) -> u32 {
        self.column_and_flag & !Self::NEAR_EDGE
    }

    /// Whether the histogram still lacks this pair.
    pub fn near_edge(self) -> bool {
        self.column_and_flag & Self::NEAR_EDGE != 0
    }
}

/// The one bounded stream that a dispatch appends to, and its histogram.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Survivors, in no particular order.
    pub survivors: Vec<Survivor>,
    /// Most survivors it takes.
    pub capacity: usize,
    /// `histogram[relation][bin]`.
    pub histogram: Box<[[u64; BINS]; 4]>,
    /// Pairs that a coarser product let through and a finer one looked at again.
    pub refined: u64,
    /// Seconds that the device computed, by its own clock; 0 if it does not say.
    pub device_seconds: f64,
}

impl Stream {
    /// An empty stream.
    pub fn new(capacity: usize) -> Self {
        Self { survivors: Vec::new(), capacity, histogram: Box::new([[0; BINS]; 4]), refined: 0, device_seconds: 0.0 }
    }

    /// Empties it for the next dispatch.
    pub fn clear(&mut self) {
        self.survivors.clear();
        (self.refined, self.device_seconds) = (0, 0.0);
        *self.histogram = [[0; BINS]; 4];
    }
}

/// How a dispatch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dispatch {
    /// All pairs are accounted for.
    Done,
    /// The stream was too small: its contents are meaningless; repeat in halves.
    StreamFull,
}

/// What a backend says of itself, for `devices` and manifest.json.
#[derive(Debug, Clone, Serialize)]
pub struct BackendInfo {
    /// `cpu` or `gpu`.
    pub backend: String,
    /// Device name.
    pub device: String,
    /// Driver, if any.
    pub driver: String,
    /// Kernel, e.g. `f32`.
    pub kernel: String,
    /// What its certificate assumes of the device.
    pub assumes: String,
}

/// Multiplies blocks. Knows nothing of lists, files or measures. It may report a pair twice, but counts it once.
///
/// Dispatches are submitted and collected in order, up to [`Self::in_flight`] at a time; each is of the blocks that were
/// loaded when it was submitted, and a backend that takes several leaves those alone until they are collected.
pub trait Backend: Send {
    /// What it is.
    fn info(&self) -> BackendInfo;

    /// gamma of the certificate at dimension `dim`: |accumulated - exact| <= gamma |x'| |y'|.
    fn gamma(&self, dim: usize) -> f64;

    /// b of every row by position: |true - coarse| <= b_i + b_j for what it reports. If it does not say: that of unit
    /// rows in f32.
    fn half_bounds(&self, embeddings: &Embeddings) -> Vec<f32> {
        vec![unit_half_bound(self.gamma(embeddings.dim())); embeddings.len()]
    }

    /// Rows a block should have at most, at dimension `dim`.
    fn block_rows(&self, dim: usize) -> usize;

    /// Rows and columns that a dispatch should have at most, at dimension `dim`.
    fn dispatch_rows(&self, dim: usize) -> usize;

    /// Takes a block as one operand of the dispatches that follow.
    ///
    /// # Errors
    /// [`crate::base::Error::Device`] if the device can't take it.
    fn load(&mut self, side: Side, block: Arc<Block>) -> Result<()>;

    /// Lets go of a block that is not needed any more. Until the next [`Self::load`] of that side nothing is dispatched.
    fn unload(&mut self, side: Side) {
        let _ = side;
    }

    /// Bytes of anonymous host memory that a loaded row takes, beside what the driver holds of it. If it does not say:
    /// its f32 values, which wait to be uploaded.
    fn row_bytes(&self, dim: usize) -> u64 {
        4 * dim as u64
    }

    /// Bytes of anonymous host memory that it works with beside loaded rows and the stream, on blocks of so many rows and
    /// columns.
    fn working_bytes(&self, rows: usize, columns: usize) -> u64 {
        let _ = (rows, columns);
        0
    }

    /// How far a similarity that [`HistogramMode::Coarse`] counted can be from the true one, for the blocks loaded so
    /// far, if that is more than their half bounds say.
    fn histogram_bound(&self) -> f64 {
        0.0
    }

    /// Dispatches that may be under way at once, so that the device works while the host merges.
    fn in_flight(&self) -> usize {
        1
    }

    /// Starts to form the pairs of `job` between the loaded blocks; at most `capacity` of them may survive.
    ///
    /// # Errors
    /// [`crate::base::Error::Device`] if the device fails.
    fn submit(&mut self, job: Job, capacity: usize) -> Result<()>;

    /// Waits for the oldest dispatch that was not collected and appends to `out`, which is empty and has the capacity that
    /// was submitted.
    ///
    /// # Errors
    /// [`crate::base::Error::Device`] if the device fails.
    fn collect(&mut self, out: &mut Stream) -> Result<Dispatch>;

    /// After an error: whether smaller blocks may do. If so, it holds no block and no dispatch any more and is ready for
    /// [`Self::load`].
    fn recover(&mut self) -> bool {
        false
    }

    /// One dispatch, waited for; none may be under way.
    ///
    /// # Errors
    /// [`crate::base::Error::Device`] if the device fails.
    fn dispatch(&mut self, job: &Job, out: &mut Stream) -> Result<Dispatch> {
        self.submit(job.clone(), out.capacity)?;
        self.collect(out)
    }
}
