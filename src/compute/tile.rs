//! The seam between the driver and a backend: blocks of unit rows in, survivors and histogram counts out.

use super::outcome::BINS;
use crate::base::Result;
use serde::Serialize;
use std::ops::Range;

/// Which operand of the tile a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Held over a sweep.
    Rows,
    /// Changes from dispatch to dispatch.
    Columns,
}

/// A block of consecutive positions, ready to multiply.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// First position.
    pub first: usize,
    /// Coarse unit rows, `len x dim`, row-major.
    pub unit: Vec<f32>,
    /// Half bounds b_i, one a row: |true - coarse| <= b_i + b_j.
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
}

impl Stream {
    /// An empty stream.
    pub fn new(capacity: usize) -> Self {
        Self { survivors: Vec::new(), capacity, histogram: Box::new([[0; BINS]; 4]) }
    }

    /// Empties it for the next dispatch.
    pub fn clear(&mut self) {
        self.survivors.clear();
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
    /// Rows a block should have.
    pub block_rows: usize,
}

/// Multiplies blocks. Knows nothing of lists, files or measures. It may report a pair twice, but counts it once.
pub trait Backend: Send {
    /// What it is.
    fn info(&self) -> BackendInfo;

    /// gamma of the certificate at dimension `dim`: |accumulated - exact| <= gamma |x'| |y'|.
    fn gamma(&self, dim: usize) -> f64;

    /// Takes a block as one operand of the dispatches that follow.
    ///
    /// # Errors
    /// [`crate::base::Error::Device`] if the device can't take it.
    fn load(&mut self, side: Side, block: Block) -> Result<()>;

    /// Lets go of a block that is not needed any more. Until the next [`Self::load`] of that side nothing is dispatched.
    fn unload(&mut self, side: Side) {
        let _ = side;
    }

    /// Bytes of anonymous host memory that it holds while it works on blocks of so many rows and columns, beside these
    /// blocks and the stream. If it does not say: one block more, the copy that is uploaded.
    fn host_bytes(&self, rows: usize, columns: usize, dim: usize) -> u64 {
        (rows.max(columns) * dim * 4) as u64
    }

    /// Forms the pairs of `job` between the loaded blocks and appends to `out`, which is empty.
    ///
    /// # Errors
    /// [`crate::base::Error::Device`] if the device fails.
    fn dispatch(&mut self, job: &Job, out: &mut Stream) -> Result<Dispatch>;
}
