//! The rows of the result tables and the headline numbers: what measures fill, `output` writes and `report` shows.
//!
//! Similarities and means are cosines; a value that is undefined or left out is `None`, and [`Summary::left_out`]
//! says why. Tables are sorted by their leading columns.
//!
//! One file a group of sections.

mod alike;
mod form;
mod map;
mod meanings;
mod people;
mod summary;
mod teams;
mod training;

pub use super::meanings::{Hill, Seen};
pub use alike::*;
pub use form::*;
pub use map::*;
pub use meanings::*;
pub use people::*;
use serde::{Deserialize, Serialize};
pub use summary::*;
pub use teams::*;
pub use training::*;

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

/// All tables and the summary.
#[derive(Debug, Clone, Default)]
pub struct Measures {
    /// intra.parquet.
    pub intra: Vec<IntraRow>,
    /// models.parquet.
    pub models: Vec<ModelRow>,
    /// model_pairs.parquet.
    pub model_pairs: Vec<ModelPairRow>,
    /// queries.parquet.
    pub queries: Vec<QueryRow>,
    /// topn.parquet.
    pub topn: Vec<TopNRow>,
    /// meanings.parquet, and `cluster` of responses.parquet.
    pub meanings: Meanings,
    /// growth.parquet; empty if left out.
    pub growth: Vec<GrowthRow>,
    /// sources.parquet; empty if left out.
    pub sources: Vec<SourceRow>,
    /// contexts.parquet; empty if left out.
    pub contexts: Vec<ContextRow>,
    /// stages.parquet; empty if left out.
    pub stages: Vec<StageRow>,
    /// trends.parquet; empty if left out.
    pub trends: Vec<TrendRow>,
    /// form.parquet; empty if left out.
    pub form: Vec<FormRow>,
    /// teams.parquet; empty if left out.
    pub teams: Vec<TeamRow>,
    /// map.parquet; empty if left out.
    pub map: Vec<MapRow>,
    /// summary.json.
    pub summary: Summary,
}
