//! The bytes of one input file: mapped, or read piece by piece.

use super::Io;
use crate::base::{Error, Result};
use crate::corpus::SourceFile;
use bytes::Bytes;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{BufReader, Read};
use std::sync::Arc;

/// Bytes that a header may take; a reader asks for a page header first and for the page after it.
const HEADER_BYTES: usize = 4096;

/// An open input file. Clones are cheap and share it.
#[derive(Debug, Clone)]
pub enum Source {
    /// The whole file, mapped.
    Mapped(Bytes),
    /// Pieces are read where they are asked for.
    Read(Arc<PositionedFile>),
}

/// A file that is read at given places, from several threads.
#[derive(Debug)]
pub struct PositionedFile {
    file: File,
    length: u64,
}

impl PositionedFile {
    /// As many bytes from `start` on as the file has, at most `out.len()`.
    fn read_at(&self, out: &mut [u8], start: u64) -> std::io::Result<usize> {
        let mut done = 0;
        while done < out.len() {
            #[cfg(unix)]
            let read = std::os::unix::fs::FileExt::read_at(&self.file, &mut out[done..], start + done as u64);
            #[cfg(windows)]
            let read = std::os::windows::fs::FileExt::seek_read(&self.file, &mut out[done..], start + done as u64);
            match read {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

impl Source {
    /// Opens a file. Where it can't be mapped (some network and special file systems) it is read piece by piece.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(source: &SourceFile, io: Io) -> Result<Self> {
        let fails = |e| Error::io(&source.path, e);
        let file = File::open(&source.path).map_err(fails)?;
        if io == Io::Mmap {
            // SAFETY: the README asks not to change inputs during a run; size and time are checked before and after.
            // `--io pread` is there for files that may change.
            if let Ok(map) = unsafe { memmap2::Mmap::map(&file) } {
                return Ok(Self::Mapped(Bytes::from_owner(map)));
            }
        }
        let length = file.metadata().map_err(fails)?.len();
        Ok(Self::Read(Arc::new(PositionedFile { file, length })))
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        match self {
            Self::Mapped(bytes) => bytes.len() as u64,
            Self::Read(file) => file.length,
        }
    }
}

/// Reads on from a place in a [`Source`].
pub struct Cursor {
    source: Source,
    at: u64,
}

impl Read for Cursor {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = match &self.source {
            Source::Mapped(bytes) => {
                let from = usize::try_from(self.at).unwrap_or(usize::MAX).min(bytes.len());
                let read = out.len().min(bytes.len() - from);
                out[..read].copy_from_slice(&bytes[from..from + read]);
                read
            }
            Source::Read(file) => file.read_at(out, self.at)?,
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl ChunkReader for Source {
    type T = BufReader<Cursor>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        // A mapping needs no buffer, but the reader takes single bytes, for which a small one is quick.
        let capacity = if matches!(self, Self::Mapped(_)) { 256 } else { HEADER_BYTES };
        Ok(BufReader::with_capacity(capacity, Cursor { source: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let cut = || ParquetError::EOF(format!("{length} bytes at {start} lie outside the file"));
        match self {
            Self::Mapped(bytes) => {
                let from = usize::try_from(start).map_err(|_| cut())?;
                let to = from.checked_add(length).filter(|&to| to <= bytes.len()).ok_or_else(cut)?;
                Ok(bytes.slice(from..to))
            }
            Self::Read(file) => {
                if start.checked_add(length as u64).is_none_or(|end| end > file.length) {
                    return Err(cut());
                }
                let mut out = vec![0; length];
                let read = file.read_at(&mut out, start).map_err(|e| ParquetError::External(Box::new(e)))?;
                if read < length { Err(cut()) } else { Ok(Bytes::from(out)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_and_reads_give_the_same_bytes_and_refuse_what_lies_outside() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a");
        let content: Vec<u8> = (0..10_000u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &content).expect("a file");
        let file =
            SourceFile { path, name: "a".into(), bytes: 10_000, modified_ns: 0, rows: 0, fingerprint: String::new() };
        for io in [Io::Mmap, Io::Pread] {
            let source = Source::open(&file, io).expect("opens");
            assert_eq!(source.len(), 10_000);
            assert_eq!(source.get_bytes(9_000, 1_000).expect("inside"), content[9_000..]);
            assert!(source.get_bytes(9_000, 1_001).is_err() && source.get_bytes(u64::MAX, 2).is_err());
            let mut rest = Vec::new();
            source.get_read(4_321).expect("opens").read_to_end(&mut rest).expect("reads");
            assert_eq!(rest, content[4_321..]);
        }
    }
}
