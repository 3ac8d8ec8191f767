//! A block on the device, cut into pieces that fit a binding; and which blocks stay there.

use super::cut::Limits;
use super::device::{Device, Pooled};
use super::format::Format;
use crate::base::Result;
use crate::compute::tile::{Block, Vectors};
use rayon::prelude::*;
use std::sync::Arc;

/// Bytes that are converted and uploaded at once.
pub(super) const UPLOAD_BYTES: usize = 16 << 20;

/// Bytes of the facts of a row: half bound, query, model, nothing.
pub(super) const FACT_BYTES: usize = 16;

/// Rows that stand together in one buffer.
#[derive(Default)]
pub(super) struct Piece {
    /// First row, local to the block.
    pub first: usize,
    /// Number of rows.
    pub rows: usize,
    /// Unit rows as the format stores them.
    pub unit: Pooled,
    /// Half bound, query and model of each row.
    pub facts: Pooled,
}

/// A block on the device.
#[derive(Default)]
pub(super) struct Operand {
    block: Arc<Block>,
    /// Values of a row with its zeros behind.
    padded: usize,
    /// Rows of every piece but the last.
    piece_rows: usize,
    pieces: Vec<Piece>,
    bytes: u64,
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

    /// Values of a row with its zeros behind; 0 before the first block.
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

    /// Uploads `block`; its buffers are used again where they are large enough.
    ///
    /// # Errors
    /// [`crate::base::Error::Device`] if a row is longer than a binding, or the device fails; then it holds no block.
    fn load(&mut self, device: &Device, limits: Limits, format: Format, block: Arc<Block>) -> Result<()> {
        let (len, dim) = (block.len(), block.dim());
        let row_bytes = format.row_bytes(dim);
        let piece_rows = limits.piece_rows(row_bytes);
        if piece_rows == 0 {
            return Err(device.error(format!(
                "a row of {dim} values takes {row_bytes} bytes, and a storage binding of this device holds {}",
                limits.binding
            )));
        }
        self.block = Arc::default();
        self.pieces.resize_with(len.div_ceil(piece_rows), Piece::default);
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let at_once = (UPLOAD_BYTES / row_bytes).max(1);
        for (piece, first) in self.pieces.iter_mut().zip((0..len).step_by(piece_rows)) {
            (piece.first, piece.rows) = (first, piece_rows.min(len - first));
            let facts = device.at_least(&mut piece.facts, "facts", (piece.rows * FACT_BYTES) as u64, usage)?;
            device.upload(facts, 0, bytemuck::cast_slice(&facts_of(&block, first..first + piece.rows)))?;
            let unit = device.at_least(&mut piece.unit, "unit rows", (piece.rows * row_bytes) as u64, usage)?;
            let mut bytes = vec![0u8; at_once.min(piece.rows) * row_bytes];
            for start in (first..first + piece.rows).step_by(at_once) {
                let rows = start..(start + at_once).min(first + piece.rows);
                let bytes = &mut bytes[..rows.len() * row_bytes];
                let unit_rows = block.unit_rows(rows);
                (bytes.par_chunks_mut(row_bytes).zip(unit_rows.par_chunks(dim)))
                    .for_each_init(Vec::new, |scratch, (out, unit)| format.write(unit, scratch, out));
                device.upload(unit, ((start - first) * row_bytes) as u64, bytes)?;
            }
        }
        // Of buffers that were there before, all that they take.
        let buffers = self.pieces.iter().flat_map(|piece| [piece.unit.get(), piece.facts.get()]).flatten();
        self.bytes = buffers.map(wgpu::Buffer::size).sum();
        (self.block, self.padded, self.piece_rows) = (block, format.padded(dim), piece_rows);
        Ok(())
    }

    /// Fills every buffer with ones, as if another program had left them.
    #[cfg(test)]
    pub(super) fn poison(&self, device: &Device) {
        for buffer in self.pieces.iter().flat_map(|piece| [piece.unit.get(), piece.facts.get()]).flatten() {
            device.poison(buffer);
        }
    }
}

/// Bytes that `block` takes on the device.
fn bytes_of(block: &Block, format: Format) -> u64 {
    (block.len() * (format.row_bytes(block.dim()) + FACT_BYTES)) as u64
}

/// Half bound, query and model of some rows.
fn facts_of(block: &Block, rows: std::ops::Range<usize>) -> Vec<[u32; 4]> {
    rows.map(|i| [block.half_bound[i].to_bits(), block.query[i], block.model[i], 0]).collect()
}

/// Whether two blocks are the same rows with the same facts.
fn same(a: &Arc<Block>, b: &Arc<Block>) -> bool {
    let rows = match (&a.vectors, &b.vectors) {
        (Vectors::Stored { embeddings, start }, Vectors::Stored { embeddings: others, start: other }) => {
            Arc::ptr_eq(embeddings, others) && start == other
        }
        _ => Arc::ptr_eq(a, b),
    };
    rows && a.first == b.first && a.half_bound == b.half_bound && a.query == b.query && a.model == b.model
}

/// The blocks that are on the device: as many as its budget has room for, those used last.
pub(super) struct Resident {
    /// The one used last is at the end.
    operands: Vec<Arc<Operand>>,
    budget: u64,
    /// Blocks that were uploaded so far.
    uploads: u64,
}

impl Resident {
    /// None yet; at most `budget` bytes of them, or two blocks.
    pub(super) fn new(budget: u64) -> Self {
        Self { operands: Vec::new(), budget, uploads: 0 }
    }

    /// Bytes that blocks may take together.
    pub(super) fn budget(&self) -> u64 {
        self.budget
    }

    /// Blocks that were uploaded so far.
    #[cfg(test)]
    pub(super) fn uploads(&self) -> u64 {
        self.uploads
    }

    /// Lets go of every block, and has room for half as much from now on.
    pub(super) fn shrink(&mut self) {
        self.operands.clear();
        self.budget /= 2;
    }

    /// Lets go of every block.
    pub(super) fn clear(&mut self) {
        self.operands.clear();
    }

    /// `block` on the device: as it is there already, or uploaded in the place of those that were not used for longest.
    ///
    /// # Errors
    /// See [`Operand::load`].
    pub(super) fn load(
        &mut self,
        device: &Device,
        limits: Limits,
        format: Format,
        block: Arc<Block>,
    ) -> Result<Arc<Operand>> {
        if let Some(at) = self.operands.iter().position(|operand| same(&operand.block, &block)) {
            let operand = self.operands.remove(at);
            self.operands.push(Arc::clone(&operand));
            return Ok(operand);
        }
        let wanted = bytes_of(&block, format);
        let mut operand = self.make_room(wanted);
        if let Err(error) = operand.load(device, limits, format, Arc::clone(&block)) {
            // Blocks that only might be used again go first.
            let before = self.operands.len();
            self.operands.retain(|operand| Arc::strong_count(operand) > 1);
            let memory = device.fault() == Some(super::device::Fault::OutOfMemory);
            if !memory || self.operands.len() == before {
                return Err(error);
            }
            // What computes may still have the buffers of blocks that went: they are free once it is done.
            device.wait();
            device.forgive();
            operand = Operand::default();
            operand.load(device, limits, format, block)?;
        }
        self.uploads += 1;
        let operand = Arc::new(operand);
        self.operands.push(Arc::clone(&operand));
        Ok(operand)
    }

    /// Drops blocks until `wanted` more bytes fit the budget; the buffers of the last one dropped can be used again.
    fn make_room(&mut self, wanted: u64) -> Operand {
        let mut free = Operand::default();
        let held = |operands: &[Arc<Operand>]| operands.iter().map(|operand| operand.bytes).sum::<u64>();
        while held(&self.operands) + wanted > self.budget {
            let Some(at) = self.operands.iter().position(|operand| Arc::strong_count(operand) == 1) else { break };
            free = Arc::into_inner(self.operands.remove(at)).unwrap_or_default();
        }
        free
    }
}
