//! One operand of the tile on the device: a block, cut into pieces that fit a binding.

use super::cut::Limits;
use super::device::{Device, Pooled};
use super::kernel::DEPTH;
use crate::base::Result;
use crate::compute::tile::Block;
use std::ops::Range;
use std::sync::Arc;

/// Rows that stand together in one buffer.
#[derive(Default)]
pub(super) struct Piece {
    /// First row, local to the block.
    pub first: usize,
    /// Number of rows.
    pub rows: usize,
    /// Unit rows, padded.
    pub unit: Pooled,
    /// Half bound, query, model and keep value of each row.
    pub facts: Pooled,
}

/// A block on the device. Buffers outlive the block and are used again for the next.
#[derive(Default)]
pub(super) struct Operand {
    /// Facts of the rows; its unit rows are on the device.
    block: Arc<Block>,
    /// Values of a row after padding.
    padded: usize,
    /// Rows of every piece but the last.
    piece_rows: usize,
    pieces: Vec<Piece>,
}

impl Operand {
    /// Position of the block's first row.
    pub(super) fn first(&self) -> usize {
        self.block.first
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.block.len()
    }

    /// Values of a row after padding; 0 before the first block.
    pub(super) fn padded(&self) -> usize {
        self.padded
    }

    /// Rows of every piece but the last.
    pub(super) fn piece_rows(&self) -> usize {
        self.piece_rows
    }

    /// The piece that holds `row`, local to the block.
    pub(super) fn piece(&self, row: usize) -> Option<&Piece> {
        self.pieces.get(row / self.piece_rows.max(1))
    }

    /// Uploads `block`.
    ///
    /// # Errors
    /// [`crate::base::Error::Device`] if a row is longer than a binding, or the device fails.
    pub(super) fn load(&mut self, device: &Device, limits: Limits, block: Arc<Block>) -> Result<()> {
        let len = block.len();
        let dim = block.dim();
        let padded = dim.next_multiple_of(DEPTH).max(DEPTH);
        let piece_rows = limits.piece_rows(padded);
        if piece_rows == 0 {
            return Err(device.error(format!(
                "a row of {dim} values takes {} bytes, and a storage binding of this device holds {}",
                padded * 4,
                limits.binding
            )));
        }
        // Until the end there is no block: an error must not leave half of one.
        self.block = Arc::default();
        self.pieces.resize_with(len.div_ceil(piece_rows), Piece::default);
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        for (piece, first) in self.pieces.iter_mut().zip((0..len).step_by(piece_rows)) {
            piece.first = first;
            piece.rows = piece_rows.min(len - first);
            device.at_least(&mut piece.facts, "facts", piece.rows as u64 * 16, usage)?;
            let unit = device.at_least(&mut piece.unit, "unit rows", (piece.rows * padded * 4) as u64, usage)?;
            device.write_rows(unit, &block.unit_rows(first..first + piece.rows), dim, padded)?;
        }
        (self.block, self.padded, self.piece_rows) = (block, padded, piece_rows);
        Ok(())
    }

    /// Uploads the facts of the rows `range`, whose keep values are `keep`.
    pub(super) fn write_facts(&self, device: &Device, range: &Range<usize>, keep: &[f32]) {
        let block = &self.block;
        for piece in &self.pieces {
            let (start, end) = (range.start.max(piece.first), range.end.min(piece.first + piece.rows));
            if start >= end {
                continue;
            }
            let facts: Vec<[u32; 4]> = (start..end)
                .map(|i| {
                    // A shader compiler may assume that there are no infinities; 3e38 stands for them.
                    let keep = keep[i - range.start].clamp(-3e38, 3e38);
                    [block.half_bound[i].to_bits(), block.query[i], block.model[i], keep.to_bits()]
                })
                .collect();
            if let Some(buffer) = piece.facts.get() {
                device.write(buffer, (start - piece.first) as u64 * 16, bytemuck::cast_slice(&facts));
            }
        }
    }

    /// Fills every buffer with ones, as if another program had left them.
    #[cfg(test)]
    pub(super) fn poison(&self, device: &Device) {
        for buffer in self.pieces.iter().flat_map(|piece| [piece.unit.get(), piece.facts.get()]).flatten() {
            device.poison(buffer);
        }
    }
}
