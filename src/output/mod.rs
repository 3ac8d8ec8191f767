//! Floor 5: tables and files of a result directory (Parquet, summary.json, manifest.json, _SUCCESS).

use crate::base::{Error, Result};
use crate::compute::PairOutcome;
use crate::corpus::Corpus;
use crate::measure::Measures;
use std::path::{Path, PathBuf};

/// A result directory being made: everything goes to DIR.partial, which becomes DIR at the end.
#[derive(Debug)]
pub struct ResultDirectory {
    /// DIR.partial.
    pub partial: PathBuf,
    /// DIR.
    pub finished: PathBuf,
}

impl ResultDirectory {
    /// Makes DIR.partial. A stale DIR.partial is emptied.
    ///
    /// # Errors
    /// [`Error::Usage`] if DIR exists (unless `overwrite` and it is a hivescope result) or lies in an input.
    pub fn create(_out: &Path, _inputs: &[PathBuf], _overwrite: bool) -> Result<Self> {
        Err(Error::Run("not here yet".into()))
    }

    /// Writes every table and summary.json.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_tables(&self, _corpus: &Corpus, _outcome: &PairOutcome, _measures: &Measures) -> Result<()> {
        Ok(())
    }

    /// Writes manifest.json.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_manifest(&self, _manifest: &serde_json::Value) -> Result<()> {
        Ok(())
    }

    /// Syncs, writes _SUCCESS, renames DIR.partial to DIR.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(self) -> Result<()> {
        Ok(())
    }
}
