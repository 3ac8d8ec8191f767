//! Floor 5: tables and files of a result directory (Parquet, summary.json, manifest.json, _SUCCESS).

use crate::base::Result;
use crate::compute::PairOutcome;
use crate::corpus::Corpus;
use crate::measure::Measures;
use arrow::array::StringArray;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod directory;
mod edges;
mod histogram;
mod intra;
mod json;
mod model_pairs;
mod models;
mod neighbors;
mod queries;
pub mod read;
mod responses;
mod table;
mod topn;

/// What tables are written from.
struct Source<'a> {
    corpus: &'a Corpus,
    outcome: &'a PairOutcome,
    measures: &'a Measures,
    queries: Arc<StringArray>,
    models: Arc<StringArray>,
}

/// Writes one table to a path, or nothing if the table is left out.
type WriteTable = fn(&Path, &Source<'_>) -> Result<()>;

/// Every table: a new one is one file here and one line.
const TABLES: [(&str, WriteTable); 9] = [
    ("responses.parquet", responses::write),
    ("neighbors.parquet", neighbors::write),
    ("intra.parquet", intra::write),
    ("models.parquet", models::write),
    ("model_pairs.parquet", model_pairs::write),
    ("queries.parquet", queries::write),
    ("topn.parquet", topn::write),
    ("histogram.parquet", histogram::write),
    ("edges.parquet", edges::write),
];

/// A result directory being made: everything goes to DIR.partial, which becomes DIR at the end.
#[derive(Debug)]
pub struct ResultDirectory {
    /// DIR.partial.
    pub partial: PathBuf,
    /// DIR.
    pub finished: PathBuf,
    overwrite: bool,
}

impl ResultDirectory {
    /// Makes DIR.partial. A stale DIR.partial is emptied.
    ///
    /// # Errors
    /// [`crate::base::Error::Usage`] if DIR exists (unless `overwrite` and it is a hivescope result) or lies in an input.
    pub fn create(out: &Path, inputs: &[PathBuf], overwrite: bool) -> Result<Self> {
        let (partial, finished) = directory::create(out, inputs, overwrite)?;
        Ok(Self { partial, finished, overwrite })
    }

    /// Writes every table and summary.json.
    ///
    /// # Errors
    /// [`crate::base::Error::Io`].
    pub fn write_tables(&self, corpus: &Corpus, outcome: &PairOutcome, measures: &Measures) -> Result<()> {
        let queries = table::names(corpus.rows.queries.names());
        let models = table::names(corpus.rows.models.names());
        let source = Source { corpus, outcome, measures, queries, models };
        for (name, write) in TABLES {
            write(&self.partial.join(name), &source)?;
        }
        json::write(&self.partial.join("summary.json"), &measures.summary)
    }

    /// Writes manifest.json.
    ///
    /// # Errors
    /// [`crate::base::Error::Io`].
    pub fn write_manifest(&self, manifest: &serde_json::Value) -> Result<()> {
        json::write(&self.partial.join("manifest.json"), manifest)
    }

    /// Syncs, writes _SUCCESS, renames DIR.partial to DIR.
    ///
    /// # Errors
    /// [`crate::base::Error::Io`].
    pub fn finish(self) -> Result<()> {
        directory::finish(&self.partial, &self.finished, self.overwrite)
    }
}
