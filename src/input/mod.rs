//! Floor 1: from files to a corpus. Finding files, choosing columns, decoding, the checks.
//!
//! [`read`] opens the files, reads their keys, settles the order of the rows, and then puts every vector where it
//! belongs: by pages (`page_path`) where a row group is plain, through arrow-rs (`arrow_path`) where it is not.
//! Not here: what is computed from a corpus.

mod arrow_path;
mod columns;
mod keys;
mod opened;
mod page_path;
mod parquet_file;
mod paths;
mod placement;
mod ratings;
mod reader;
mod refusal;
mod rows;
mod source;
mod vectors;

pub use parquet_file::panic_is_handled;
pub use ratings::{Rated, RatingColumns, Ratings, ratings};
pub use reader::{check, read, survey, texts, verify_unchanged};

use crate::corpus::{Number, Role};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `--io`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Io {
    /// Files are mapped.
    #[default]
    Mmap,
    /// Files are read piece by piece.
    Pread,
}

/// `--on-bad-row`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnBadRow {
    /// The first bad row ends the run.
    #[default]
    Error,
    /// Bad rows are left out and counted.
    Skip,
}

/// How to read a corpus.
#[derive(Debug, Clone)]
pub struct InputOptions {
    /// Files, directories or globs, as typed.
    pub inputs: Vec<String>,
    /// `--embedding`, `--query`, `--model`, `--sample`, `--text`; `None` means the default names.
    pub embedding: Option<String>,
    /// See `embedding`.
    pub query: Option<String>,
    /// See `embedding`.
    pub model: Option<String>,
    /// See `embedding`.
    pub sample: Option<String>,
    /// See `embedding`.
    pub text: Option<String>,
    /// Optional columns named by flag (`--source`, ...); the others are looked for by their default names.
    pub roles: BTreeMap<Role, String>,
    /// Columns of numbers named by flag, likewise.
    pub numbers: BTreeMap<Number, String>,
    /// What to do with a bad row.
    pub on_bad_row: OnBadRow,
    /// How to read.
    pub io: Io,
    /// Whether embeddings are read by pages where that is possible; otherwise through arrow-rs throughout.
    pub page_path: bool,
    /// Bytes of anonymous memory the run may use; embeddings over half of it go to a scratch file.
    pub memory: u64,
    /// Directory for the scratch file.
    pub scratch: PathBuf,
}

impl InputOptions {
    /// Reads `inputs` by default names, mapped, by pages, with vectors in memory.
    pub fn new(inputs: Vec<String>, scratch: PathBuf) -> Self {
        Self {
            inputs,
            embedding: None,
            query: None,
            model: None,
            sample: None,
            text: None,
            roles: BTreeMap::new(),
            numbers: BTreeMap::new(),
            on_bad_row: OnBadRow::default(),
            io: Io::default(),
            page_path: true,
            memory: u64::MAX,
            scratch,
        }
    }
}

/// What the footers alone say.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Files in order: name, rows, bytes.
    pub files: Vec<(String, u64, u64)>,
    /// Rows in all.
    pub rows: u64,
    /// Dimension, from the first row group.
    pub dim: usize,
    /// Which column plays which part, e.g. `("embedding", "emb")`.
    pub columns: Vec<(String, String)>,
}

/// What `check` found.
#[derive(Debug, Clone, Default)]
pub struct CheckReport {
    /// Rows in all.
    pub rows: u64,
    /// Bad rows in all.
    pub bad_rows: u64,
    /// Every bad row (at most 1,000), each as one printable line: file, column, row group, row, problem.
    pub problems: Vec<String>,
    /// Queries, models, dimension.
    pub queries: u64,
    /// Models.
    pub models: u64,
    /// Dimension.
    pub dim: usize,
    /// Notes on how the input was understood.
    pub notes: Vec<String>,
}
