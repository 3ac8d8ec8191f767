//! How each response begins: the first [`CHARS`] characters of its normalised text, one a row.
//!
//! They are appended in file order and stay in memory up to a limit, then in an unlinked scratch file that is mapped.

use super::layout::normalise_text;
use crate::base::{Error, Result};
use bytes::Bytes;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

/// Characters of an excerpt: form is measured on texts that have as many.
pub const CHARS: usize = 300;

/// The first [`CHARS`] characters of a text that is already normalised.
pub fn excerpt(normal: &str) -> &str {
    normal.char_indices().nth(CHARS).map_or(normal, |(end, _)| &normal[..end])
}

/// One excerpt a row, empty where there is no text.
#[derive(Debug, Clone, Default)]
pub struct Excerpts {
    bytes: Bytes,
    starts: Vec<u64>,
    lengths: Vec<u16>,
    anonymous: bool,
}

impl Excerpts {
    /// Excerpts of whole texts, in memory (tests, planted corpora).
    pub fn of_texts<T: AsRef<str>>(texts: &[T]) -> Self {
        let mut out = Self { anonymous: true, ..Self::default() };
        let mut bytes = Vec::new();
        for text in texts {
            let normal = normalise_text(text.as_ref());
            out.starts.push(bytes.len() as u64);
            out.lengths.push(excerpt(&normal).len() as u16);
            bytes.extend_from_slice(excerpt(&normal).as_bytes());
        }
        out.bytes = Bytes::from(bytes);
        out
    }

    /// The excerpt of a row.
    pub fn of(&self, row: usize) -> &str {
        let start = self.starts[row] as usize;
        // What was appended was a string, cut between characters.
        str::from_utf8(&self.bytes[start..start + self.lengths[row] as usize]).unwrap_or_default()
    }

    /// Those of some rows, in the order given; the bytes are shared.
    pub fn select(&self, rows: impl Iterator<Item = usize> + Clone) -> Self {
        Self {
            bytes: self.bytes.clone(),
            starts: rows.clone().map(|row| self.starts[row]).collect(),
            lengths: rows.map(|row| self.lengths[row]).collect(),
            anonymous: self.anonymous,
        }
    }

    /// Bytes of anonymous memory held.
    pub fn memory(&self) -> usize {
        let bytes = if self.anonymous { self.bytes.len() } else { 0 };
        bytes + size_of_val(self.starts.as_slice()) + size_of_val(self.lengths.as_slice())
    }
}

/// Excerpts while they are appended.
#[derive(Debug)]
pub struct Appending {
    memory: Vec<u8>,
    limit: u64,
    directory: PathBuf,
    file: Option<File>,
    written: u64,
    lengths: Vec<u16>,
}

impl Appending {
    /// Nothing yet; beyond `limit` bytes a file in `directory` takes them.
    pub fn new(limit: u64, directory: PathBuf) -> Self {
        Self { memory: Vec::new(), limit, directory, file: None, written: 0, lengths: Vec::new() }
    }

    /// Adds the excerpts of some rows: their bytes one after the other, and the length of each.
    ///
    /// # Errors
    /// [`Error::Io`] if the scratch file can't be written.
    pub fn append(&mut self, bytes: &[u8], lengths: &[u16]) -> Result<()> {
        self.memory.extend_from_slice(bytes);
        self.lengths.extend_from_slice(lengths);
        if self.file.is_some() || self.memory.len() as u64 > self.limit { self.spill() } else { Ok(()) }
    }

    /// Moves what is in memory to the scratch file.
    fn spill(&mut self) -> Result<()> {
        let failed = |error| Error::io(&self.directory, error);
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile_in(&self.directory).map_err(failed)?);
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.memory).map_err(failed)?;
        }
        self.written += self.memory.len() as u64;
        self.memory = Vec::new();
        Ok(())
    }

    /// The excerpts.
    ///
    /// # Errors
    /// [`Error::Io`] if the scratch file can't be mapped.
    pub fn finish(self) -> Result<Excerpts> {
        let mut starts = Vec::with_capacity(self.lengths.len());
        let mut start = 0;
        for &length in &self.lengths {
            starts.push(start);
            start += u64::from(length);
        }
        let anonymous = self.file.is_none();
        let bytes = match self.file {
            Some(file) if self.written > 0 => {
                // SAFETY: the file is ours alone: it has no name, so no other process can shorten or change it.
                let map = unsafe { memmap2::Mmap::map(&file) }.map_err(|error| Error::io(&self.directory, error))?;
                Bytes::from_owner(map)
            }
            _ => Bytes::from(self.memory),
        };
        Ok(Excerpts { bytes, starts, lengths: self.lengths, anonymous })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_cut_at_characters_and_the_same_in_memory_and_in_a_file() {
        let texts = ["  A\tb  ", "", &"É".repeat(400), "x y"];
        let expected = ["a b".to_owned(), String::new(), "é".repeat(CHARS), "x y".to_owned()];
        let directory = tempfile::tempdir().unwrap();
        for limit in [u64::MAX, 2, 0] {
            let mut appending = Appending::new(limit, directory.path().to_owned());
            for pair in texts.chunks(2) {
                let excerpts: Vec<String> = pair.iter().map(|t| excerpt(&normalise_text(t)).to_owned()).collect();
                let lengths: Vec<u16> = excerpts.iter().map(|e| e.len() as u16).collect();
                appending.append(excerpts.concat().as_bytes(), &lengths).unwrap();
            }
            let found = appending.finish().unwrap();
            let all: Vec<&str> = (0..4).map(|row| found.of(row)).collect();
            assert_eq!(all, expected, "limit {limit}");
            let some = found.select([3, 0].into_iter());
            assert_eq!((some.of(0), some.of(1)), ("x y", "a b"));
            assert_eq!(found.anonymous, limit == u64::MAX);
        }
        let whole = Excerpts::of_texts(&texts);
        assert_eq!((0..4).map(|row| whole.of(row)).collect::<Vec<_>>(), expected);
    }
}
