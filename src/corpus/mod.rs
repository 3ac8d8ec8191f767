//! Floor 1: what a corpus is. Rows and their keys ([`rows`]), their order ([`layout`]), their vectors ([`embeddings`]), how
//! their texts begin ([`excerpts`]).
//!
//! Not here: how any of it is read from files (`input`), or what is computed from it.

pub mod embeddings;
pub mod excerpts;
pub mod layout;
pub mod rows;
mod subset;

pub use embeddings::Embeddings;
pub use excerpts::Excerpts;
pub use layout::{Cell, Layout};
pub use rows::{Category, Dictionary, Number, Role, Rows, Samples, SourceFile};

use std::sync::Arc;

/// A corpus that passed the checks: every row has a query, a model and a finite, non-zero embedding.
#[derive(Debug)]
pub struct Corpus {
    /// Input files in bytewise order of their relative names.
    pub files: Vec<SourceFile>,
    /// One entry a row, in file order.
    pub rows: Rows,
    /// The order in which rows are computed: by query, then model.
    pub layout: Layout,
    /// Vectors in that order; backends hold on to them.
    pub embeddings: Arc<Embeddings>,
    /// Sentences about how the input was understood (column names used, narrowing, sample by order of appearance).
    pub notes: Vec<String>,
    /// Rows left out under `--on-bad-row skip`.
    pub skipped: u64,
}

impl Corpus {
    /// Number of rows N.
    pub fn len(&self) -> usize {
        self.rows.query.len()
    }

    /// Whether there are no rows (a corpus that passed the checks has some).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The canonical query of a row: copies of one query under several ids are one question.
    #[inline]
    pub fn question(&self, row: u32) -> u32 {
        self.layout.canonical[self.rows.query[row as usize] as usize]
    }

    /// Bytes of anonymous memory held: keys, order, norms, and vectors unless they are in a scratch file.
    pub fn memory(&self) -> u64 {
        self.rows.memory() + self.layout.memory() + self.embeddings.memory()
    }

    /// Dimension d of the embeddings.
    pub fn dim(&self) -> usize {
        self.embeddings.dim()
    }
}
