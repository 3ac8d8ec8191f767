//! Floor 5: tables and files of a result directory (Parquet, summary.json, manifest.json, _SUCCESS).

use crate::base::Result;
use crate::compute::PairOutcome;
use crate::corpus::Corpus;
use crate::measure::Measures;
use arrow::array::StringArray;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod contexts;
mod directory;
mod edges;
mod form;
mod growth;
mod histogram;
mod intra;
mod json;
mod map;
mod meanings;
mod model_pairs;
mod models;
mod neighbors;
mod queries;
pub mod read;
mod reproduction;
mod responses;
mod sources;
mod stages;
mod table;
mod teams;
mod topn;
mod trends;

pub use responses::nearest;

/// What tables are written from: the corpus, and what the pair pass or the measures found.
struct Source<'a, T> {
    corpus: &'a Corpus,
    content: &'a T,
    queries: Arc<StringArray>,
    models: Arc<StringArray>,
}

impl<'a, T> Source<'a, T> {
    fn new(corpus: &'a Corpus, content: &'a T) -> Self {
        let queries = table::names(corpus.rows.queries.names());
        let models = table::names(corpus.rows.models.names());
        Self { corpus, content, queries, models }
    }
}

/// Writes one table to a path, or nothing if the table is left out.
type WriteTable<T> = fn(&Path, &Source<'_, T>) -> Result<()>;

/// Every table of the pair pass: a new one is one file here and one line.
const PAIR_TABLES: [(&str, WriteTable<PairOutcome>); 3] =
    [("neighbors.parquet", neighbors::write), ("histogram.parquet", histogram::write), ("edges.parquet", edges::write)];

/// Every table of the measures, likewise.
const MEASURE_TABLES: [(&str, WriteTable<Measures>); 14] = [
    ("intra.parquet", intra::write),
    ("models.parquet", models::write),
    ("model_pairs.parquet", model_pairs::write),
    ("queries.parquet", queries::write),
    ("topn.parquet", topn::write),
    ("meanings.parquet", meanings::write),
    ("contexts.parquet", contexts::write),
    ("stages.parquet", stages::write),
    ("trends.parquet", trends::write),
    ("form.parquet", form::write),
    ("teams.parquet", teams::write),
    ("growth.parquet", growth::write),
    ("sources.parquet", sources::write),
    ("map.parquet", map::write),
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

    /// Writes the tables of the pair pass. They are the largest; what only they need can be let go of afterwards.
    ///
    /// # Errors
    /// [`crate::base::Error::Io`].
    pub fn write_pair_tables(&self, corpus: &Corpus, outcome: &PairOutcome) -> Result<()> {
        self.write(&PAIR_TABLES, &Source::new(corpus, outcome))
    }

    /// Writes responses.parquet, the one table that both have a part in; `nearest` is [`nearest`] of the graph.
    ///
    /// # Errors
    /// [`crate::base::Error::Io`].
    pub fn write_responses(
        &self,
        corpus: &Corpus,
        outcome: &PairOutcome,
        nearest: &[Option<(u32, f32)>],
        measures: &Measures,
    ) -> Result<()> {
        let found = responses::Found { outcome, nearest, clusters: &measures.meanings.clusters };
        responses::write(&self.partial.join("responses.parquet"), &Source::new(corpus, &found))
    }

    /// Writes the tables of the measures and summary.json.
    ///
    /// # Errors
    /// [`crate::base::Error::Io`].
    pub fn write_measures(&self, corpus: &Corpus, measures: &Measures) -> Result<()> {
        self.write(&MEASURE_TABLES, &Source::new(corpus, measures))?;
        json::write(&self.partial.join("summary.json"), &measures.summary)
    }

    fn write<T>(&self, tables: &[(&str, WriteTable<T>)], source: &Source<'_, T>) -> Result<()> {
        tables.iter().try_for_each(|(name, write)| write(&self.partial.join(name), source))
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
