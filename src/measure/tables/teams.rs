//! Section F: teams.

use super::{Contrast, Interval};
use serde::{Deserialize, Serialize};

/// One line of teams.parquet: a team's responses to one query.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamRow {
    /// Query id.
    pub query: u32,
    /// Team id.
    pub team: u32,
    /// Responses with a quality.
    pub n: u64,
    /// Their mean quality.
    pub quality: f64,
    /// Mean expertise of those that have one.
    pub expertise: Option<f64>,
    /// 1 - mean cosine of their pairs; `None` for one response.
    pub diversity: Option<f64>,
    /// Pairs.
    pub pairs: u64,
    /// Responses whose quality is at or above the bar.
    pub good: u64,
    /// Pairs with a cosine under tau.
    pub distinct_pairs: u64,
    /// Of these, the pairs of two good responses.
    pub effective_pairs: u64,
    /// `effective_pairs / pairs`; `None` for one response, or without tau.
    pub effective: Option<f64>,
    /// Its mean if quality were shuffled among the query's responses.
    pub null: Option<f64>,
}

/// A coefficient of the outcome model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Coefficient {
    /// `diversity`, `expertise`, `diversity_x_expertise`, `log_size`.
    pub name: String,
    /// The coefficient.
    pub value: f64,
    /// Interval, teams resampled.
    pub interval: Option<Interval>,
}

/// Teams.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TeamsSummary {
    /// Quality from which on a response is good.
    pub bar: f64,
    /// Pairs with a cosine under this are distinct.
    pub tau: Option<f64>,
    /// Teams with 2 or more responses to some query.
    pub teams: u64,
    /// Teams and queries: lines of teams.parquet with 2 or more responses.
    pub units: u64,
    /// Responses of a team without a quality.
    pub unrated: u64,
    /// Pairs.
    pub pairs: u64,
    /// Share of distinct pairs.
    pub distinct: Option<f64>,
    /// Share of effective pairs less its null.
    pub above_null: Option<Contrast>,
    /// Coefficients of the outcome model; empty if left out.
    pub coefficients: Vec<Coefficient>,
    /// Teams, lines and queries that the model rests on.
    pub model: Option<(u64, u64, u64)>,
}
