//! Collects edges: a bounded buffer, and sorted runs in an unlinked scratch file once it is full.

use crate::base::{Error, Result};
use crate::compute::outcome::{Edge, Edges};
use rayon::prelude::*;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Edges on their way to [`Edges`].
#[derive(Debug)]
pub struct EdgeRuns {
    capacity: usize,
    scratch: PathBuf,
    buffer: Vec<Edge>,
    file: Option<File>,
    /// Edges up to the end of each run in the file.
    ends: Vec<usize>,
}

impl EdgeRuns {
    /// Holds `capacity` edges; more go to a file in `scratch`.
    pub fn new(capacity: usize, scratch: &Path) -> Self {
        Self {
            capacity: capacity.max(1),
            scratch: scratch.to_owned(),
            buffer: Vec::new(),
            file: None,
            ends: Vec::new(),
        }
    }

    /// Takes one edge.
    ///
    /// # Errors
    /// [`Error::Io`] with the scratch directory if the file can't be made or written.
    pub fn push(&mut self, edge: Edge) -> Result<()> {
        if self.buffer.len() >= self.capacity {
            self.spill()?;
        }
        if self.buffer.len() == self.buffer.capacity() {
            // Grown by hand, since a `Vec` that doubles could pass the capacity.
            self.buffer.reserve_exact(self.buffer.len().max(1024).min(self.capacity - self.buffer.len()));
        }
        self.buffer.push(edge);
        Ok(())
    }

    fn sort(&mut self) {
        self.buffer.par_sort_unstable_by_key(|edge| (edge.src, edge.dst));
    }

    fn spill(&mut self) -> Result<()> {
        self.sort();
        let io = |e| Error::io(&self.scratch, e);
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile_in(&self.scratch).map_err(io)?,
        };
        (&file).write_all(bytemuck::cast_slice(&self.buffer)).map_err(io)?;
        self.file = Some(file);
        self.ends.push(self.ends.last().copied().unwrap_or(0) + self.buffer.len());
        self.buffer.clear();
        Ok(())
    }

    /// All edges in order.
    ///
    /// # Errors
    /// [`Error::Io`] with the scratch directory if the file can't be mapped.
    pub fn finish(mut self) -> Result<Edges> {
        self.sort();
        self.buffer.shrink_to_fit();
        let Some(file) = &self.file else { return Ok(Edges::from_sorted(self.buffer)) };
        // SAFETY: the file is ours alone: it has no name, so no other process can shorten or change it, and nothing
        // is written to it after this.
        let map = unsafe { memmap2::Mmap::map(file) }.map_err(|e| Error::io(&self.scratch, e))?;
        Ok(Edges::from_runs(map, self.ends, self.buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream;

    #[test]
    fn runs_are_merged_in_order_whatever_the_buffer() {
        let draws = Stream::new(3, "edges");
        let mut expected: Vec<Edge> = (0..1000)
            .map(|i| Edge { src: draws.below(i, 0, 50) as u32, dst: 50 + i as u32, similarity: i as f32 })
            .collect();
        let scratch = tempfile::tempdir().unwrap();
        for capacity in [1, 7, 100, 999, 1000, 5000] {
            let mut runs = EdgeRuns::new(capacity, scratch.path());
            expected.iter().for_each(|&edge| runs.push(edge).unwrap());
            assert_eq!(runs.file.is_some(), capacity < 1000);
            assert!(runs.buffer.capacity() <= capacity.max(1024), "{} for {capacity}", runs.buffer.capacity());
            let edges = runs.finish().unwrap();
            expected.sort_by_key(|edge| (edge.src, edge.dst));
            assert_eq!(edges.len(), 1000);
            assert_eq!(edges.iter().collect::<Vec<_>>(), expected, "capacity {capacity}");
            assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "the scratch file has no name");
        }
    }

    #[test]
    fn a_scratch_directory_that_is_not_there_is_named() {
        let mut runs = EdgeRuns::new(1, Path::new("no/such/directory"));
        let edge = Edge { src: 0, dst: 1, similarity: 1.0 };
        runs.push(edge).unwrap();
        let error = runs.push(edge).expect_err("there is no such directory");
        assert_eq!(error.exit_code(), 1);
        assert!(error.to_string().contains("no/such/directory"), "{error}");
    }
}
