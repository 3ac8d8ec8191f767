//! The vectors of a corpus, in position order, as f32 rows of one length, with their f64 norms.
//!
//! They live in memory, or in an unlinked scratch file that is mapped: rescoring needs random rows, and pages of a
//! mapped file are page cache, which the memory budget does not count.

use crate::base::similarity::{Similarity, round};
use crate::base::{Error, Result};
use std::marker::PhantomData;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

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

    /// Lets several threads fill the rows, each at its own position.
    pub fn filling(&mut self) -> Filling<'_> {
        let values: &mut [f32] = match &mut self.storage {
            Storage::Memory(values) => values,
            Storage::Scratch(map) => bytemuck::cast_slice_mut(map),
        };
        Filling {
            dim: self.dim,
            values: values.as_mut_ptr(),
            norms: self.norms.as_mut_ptr(),
            states: (0..self.norms.len()).map(|_| AtomicU8::new(EMPTY)).collect(),
            embeddings: PhantomData,
        }
    }

    /// Bytes of anonymous memory held: norms, and vectors unless they are in a scratch file.
    pub fn memory(&self) -> u64 {
        let vectors = match &self.storage {
            Storage::Memory(values) => size_of_val(values.as_slice()),
            Storage::Scratch(_) => 0,
        };
        (vectors + size_of_val(self.norms.as_slice())) as u64
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

    /// The one similarity of two rows, rounded to f32.
    #[inline]
    pub fn similarity(&self, similarity: &Similarity, a: usize, b: usize) -> f32 {
        round(similarity.cosine(self.row(a), self.norms[a], self.row(b), self.norms[b]))
    }
}

const EMPTY: u8 = 0;
const BUSY: u8 = 1;
const FILLED: u8 = 2;

/// The rows of an [`Embeddings`] while they are written from several threads, in any order.
#[derive(Debug)]
pub struct Filling<'a> {
    dim: usize,
    values: *mut f32,
    norms: *mut f64,
    /// One a row. A row that is `BUSY` belongs to the one thread that made it so.
    states: Vec<AtomicU8>,
    embeddings: PhantomData<&'a mut Embeddings>,
}

// SAFETY: the pointers are those of an `Embeddings` that is mutably borrowed for 'a, and a row is touched only by the
// thread that moved its state to `BUSY` (see `row`).
unsafe impl Send for Filling<'_> {}
// SAFETY: as above.
unsafe impl Sync for Filling<'_> {}

impl Filling<'_> {
    /// Writes the row at `position`: `write` gets its `dim` values and returns their norm. A row may be written again,
    /// but not by two threads at once.
    ///
    /// # Panics
    /// If another thread is writing this row, or `position` is none.
    #[inline]
    pub fn row(&self, position: usize, write: impl FnOnce(&mut [f32]) -> f64) {
        let state = &self.states[position];
        assert!(state.swap(BUSY, Ordering::Acquire) != BUSY, "row {position} is written by two threads at once");
        // SAFETY: `position` is below the number of rows (the index above), so the `dim` values and the norm lie within
        // the borrowed `Embeddings`; the swap made this thread the only one that holds them until the store below.
        unsafe {
            let row = std::slice::from_raw_parts_mut(self.values.add(position * self.dim), self.dim);
            *self.norms.add(position) = write(row);
        }
        state.store(FILLED, Ordering::Release);
    }

    /// Whether every row has been written.
    pub fn complete(&self) -> bool {
        self.states.iter().all(|state| state.load(Ordering::Acquire) == FILLED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_fill_rows_in_any_order_in_memory_and_in_a_scratch_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for scratch in [None, Some(directory.path())] {
            let (rows, dim) = (1000, 17);
            let mut embeddings = Embeddings::zeroed(rows, dim, scratch).expect("room");
            assert_eq!(embeddings.memory(), (rows * 8 + if scratch.is_none() { rows * dim * 4 } else { 0 }) as u64);
            let filling = embeddings.filling();
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let filling = &filling;
                    scope.spawn(move || {
                        for position in (0..rows).rev().filter(|position| position % 4 == thread) {
                            assert!(!filling.complete());
                            filling.row(position, |row| {
                                row.fill(position as f32);
                                position as f64
                            });
                        }
                    });
                }
            });
            assert!(filling.complete());
            for position in 0..rows {
                assert!(embeddings.row(position).iter().all(|&v| v == position as f32));
                assert_eq!(embeddings.norms()[position], position as f64);
            }
        }
    }

    #[test]
    #[should_panic(expected = "two threads")]
    fn a_row_that_is_being_written_is_refused() {
        let mut embeddings = Embeddings::zeroed(2, 3, None).expect("room");
        let filling = embeddings.filling();
        filling.row(1, |_| {
            filling.row(1, |_| 0.0);
            0.0
        });
    }
}
