//! The uniform of the kernel.

/// Mirrors `Job` of shaders/shared/job.wgsl; a test compares the two by offset.
#[derive(Debug, Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct Params {
    /// First row of the rectangle, local to its piece.
    pub row_start: u32,
    /// Rows of the rectangle.
    pub row_count: u32,
    /// First column of the rectangle, local to its piece.
    pub column_start: u32,
    /// Columns of the rectangle.
    pub column_count: u32,
    /// First row of the piece, local to the block: survivors are.
    pub row_offset: u32,
    /// First column of the piece, local to the block.
    pub column_offset: u32,
    /// Position in the corpus of the piece's first row.
    pub first_row: u32,
    /// Position in the corpus of the piece's first column.
    pub first_column: u32,
    /// Padded values of a row, in vectors of 4.
    pub depth: u32,
    /// Survivors that the stream holds.
    pub capacity: u32,
    /// Histogram: 0 off, 1 coarse, 2 exact.
    pub mode: u32,
    /// Half width around an edge in units of bins.
    pub width: f32,
    /// Place of the rectangle's first row among the job's keep values.
    pub row_keep: u32,
    /// Place of its first column.
    pub column_keep: u32,
    /// 0, which the compiler must not know.
    pub zero: u32,
    /// Fills up to a multiple of 16 bytes.
    pub pad: u32,
}
