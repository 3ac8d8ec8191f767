//! The vectors of a corpus, in position order, as f32 rows of one length, with their f64 norms.
//!
//! They live in memory, or in an unlinked scratch file that is mapped: rescoring needs random rows, and pages of a
//! mapped file are page cache, which the memory budget does not count.

use crate::base::similarity::{Similarity, round};
use crate::base::{Error, Result};
use std::path::Path;

#[derive(Debug)]
enum Storage {
    Memory(Vec<f32>),
    Scratch(memmap2::MmapMut),
}

/// N rows of d f32 values and their norms.
#[derive(Debug)]
pub struct Embeddings {
    dim: usize,
    storage: Storage,
    norms: Vec<f64>,
}

impl Embeddings {
    /// Room for `rows` x `dim` zeros: in memory, or with `scratch` in an unlinked file in that directory.
    ///
    /// # Errors
    /// [`Error::Io`] if the scratch file can't be made or mapped.
    pub fn zeroed(rows: usize, dim: usize, scratch: Option<&Path>) -> Result<Self> {
        let storage = match scratch {
            None => Storage::Memory(vec![0.0; rows * dim]),
            Some(directory) => {
                let file = tempfile::tempfile_in(directory).map_err(|e| Error::io(directory, e))?;
                file.set_len((rows * dim * 4) as u64).map_err(|e| Error::io(directory, e))?;
                // SAFETY: the file is ours alone: it has no name, so no other process can shorten or change it.
                let map = unsafe { memmap2::MmapMut::map_mut(&file) }.map_err(|e| Error::io(directory, e))?;
                Storage::Scratch(map)
            }
        };
        Ok(Self { dim, storage, norms: vec![0.0; rows] })
    }

    /// Embeddings from rows already in position order (tests, planted corpora). Norms are computed.
    pub fn from_rows(values: Vec<f32>, dim: usize) -> Self {
        let rows = values.len() / dim;
        let mut embeddings = Self { dim, storage: Storage::Memory(values), norms: vec![0.0; rows] };
        let similarity = Similarity::new();
        embeddings.norms = (0..rows).map(|p| similarity.norm(embeddings.row(p))).collect();
        embeddings
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.norms.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.norms.is_empty()
    }

    /// Dimension d.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// All values, position after position.
    pub fn values(&self) -> &[f32] {
        match &self.storage {
            Storage::Memory(values) => values,
            Storage::Scratch(map) => bytemuck::cast_slice(map),
        }
    }

    /// All values, to be filled by the reader.
    pub fn values_mut(&mut self) -> &mut [f32] {
        match &mut self.storage {
            Storage::Memory(values) => values,
            Storage::Scratch(map) => bytemuck::cast_slice_mut(map),
        }
    }

    /// The row at `position`.
    #[inline]
    pub fn row(&self, position: usize) -> &[f32] {
        &self.values()[position * self.dim..(position + 1) * self.dim]
    }

    /// Norms |x| in f64, one a position.
    pub fn norms(&self) -> &[f64] {
        &self.norms
    }

    /// Sets the norm of the row at `position` (the reader computes it while it checks the row).
    pub fn set_norm(&mut self, position: usize, norm: f64) {
        self.norms[position] = norm;
    }

    /// The one similarity of two rows, rounded to f32.
    #[inline]
    pub fn similarity(&self, similarity: &Similarity, a: usize, b: usize) -> f32 {
        round(similarity.cosine(self.row(a), self.norms[a], self.row(b), self.norms[b]))
    }
}
