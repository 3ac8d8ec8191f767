//! Floor 1: from files to a corpus. Finding files, choosing columns, decoding, the checks.
//!
//! Not here: what is computed from a corpus.

use crate::base::{Error, Observer, Result};
use crate::corpus::{Corpus, Role};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `--io`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Io {
    /// Files are mapped.
    #[default]
    Mmap,
    /// Files are read into memory a row group at a time.
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
    /// What to do with a bad row.
    pub on_bad_row: OnBadRow,
    /// How to read.
    pub io: Io,
    /// Whether the page path is tried before arrow-rs.
    pub page_path: bool,
    /// Bytes of anonymous memory the run may use; embeddings over half of it go to a scratch file.
    pub memory: u64,
    /// Directory for the scratch file.
    pub scratch: PathBuf,
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

/// Reads and checks a corpus.
///
/// # Errors
/// [`Error::Usage`] for paths and columns, [`Error::Content`] for what a file holds.
pub fn read(_options: &InputOptions, _observer: &dyn Observer) -> Result<Corpus> {
    Err(Error::Run("not here yet".into()))
}

/// Checks a corpus row by row without keeping it.
///
/// # Errors
/// As [`read`], except that bad rows are reported, not errors.
pub fn check(_options: &InputOptions, _observer: &dyn Observer) -> Result<CheckReport> {
    Err(Error::Run("not here yet".into()))
}

/// Reads footers only.
///
/// # Errors
/// As [`read`], for what footers show.
pub fn survey(_options: &InputOptions) -> Result<Survey> {
    Err(Error::Run("not here yet".into()))
}

/// Texts of some rows of a corpus, in the order asked for; `None` where there is no text.
///
/// # Errors
/// As [`read`].
pub fn texts(_options: &InputOptions, _corpus: &Corpus, rows: &[u32]) -> Result<Vec<Option<String>>> {
    Ok(vec![None; rows.len()])
}

/// Size and time of each file are what they were when it was opened.
///
/// # Errors
/// [`Error::Content`] that names the file that changed.
pub fn verify_unchanged(_corpus: &Corpus) -> Result<()> {
    Ok(())
}
