//! The vectors of a corpus, in position order, as f32 rows of one length, with their f64 norms.
//!
//! They live in memory, or in an unlinked scratch file that is mapped: pairs that are computed again need random rows, and pages of a
//! mapped file are page cache, which the memory budget does not count.

use crate::base::similarity::{Similarity, round};
use crate::base::units::show_bytes;
use crate::base::{Error, Result};
use std::marker::PhantomData;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

/// A mapping: anonymous, or of an unlinked scratch file.
#[derive(Debug)]
struct Storage {
    map: memmap2::MmapMut,
    anonymous: bool,
}

impl Storage {
    /// Room for `bytes` zero bytes of anonymous memory.
    ///
    /// Filling it is bound by page faults (measured: 2 GB/s against 6 with large pages), so large pages are asked for.
    fn anonymous(bytes: usize) -> std::io::Result<Self> {
        let map = memmap2::MmapMut::map_anon(bytes)?;
        #[cfg(target_os = "linux")]
        // A kernel without large pages refuses, and the mapping works all the same.
        drop(map.advise(memmap2::Advice::HugePage));
        Ok(Self { map, anonymous: true })
    }

    /// Room for `bytes` zero bytes in an unlinked file in `directory`.
    fn scratch(bytes: usize, directory: &Path) -> std::io::Result<Self> {
        let file = tempfile::tempfile_in(directory)?;
        file.set_len(bytes as u64)?;
        // Without its disk space a full disk would end the process by a signal when a page is first written.
        fs4::FileExt::allocate(&file, bytes as u64)?;
        // SAFETY: the file is ours alone: it has no name, so no other process can shorten or change it.
        let map = unsafe { memmap2::MmapMut::map_mut(&file) }?;
        Ok(Self { map, anonymous: false })
    }
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
    /// [`Error::Io`] if the scratch file can't be made or mapped, [`Error::Run`] if there is not enough memory.
    pub fn zeroed(rows: usize, dim: usize, scratch: Option<&Path>) -> Result<Self> {
        let bytes = rows * dim * 4;
        let storage = match scratch {
            None => Storage::anonymous(bytes).map_err(|e| {
                Error::Run(format!(
                    "{} of memory for the embeddings: {e}; a smaller --memory uses a file",
                    show_bytes(bytes as u64)
                ))
            })?,
            Some(directory) => Storage::scratch(bytes, directory).map_err(|e| Error::io(directory, e))?,
        };
        Ok(Self { dim, storage, norms: vec![0.0; rows] })
    }

    /// Embeddings from rows already in position order (tests, planted corpora). Norms are computed.
    ///
    /// # Panics
    /// If there is not enough memory.
    #[expect(clippy::needless_pass_by_value, reason = "callers have no use for the rows afterwards")]
    pub fn from_rows(values: Vec<f32>, dim: usize) -> Self {
        let rows = values.len() / dim;
        #[expect(clippy::expect_used, reason = "as a Vec of that size would")]
        let mut embeddings = Self::zeroed(rows, dim, None).expect("memory for the rows");
        bytemuck::cast_slice_mut(&mut embeddings.storage.map).copy_from_slice(&values);
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
        bytemuck::cast_slice(&self.storage.map)
    }

    /// Lets several threads fill the rows, each at its own position.
    pub fn filling(&mut self) -> Filling<'_> {
        let values: &mut [f32] = bytemuck::cast_slice_mut(&mut self.storage.map);
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
        let vectors = if self.storage.anonymous { self.storage.map.len() } else { 0 };
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
