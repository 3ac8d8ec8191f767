//! Sections C and G: distinct meanings, and how they grow.

use super::super::moves::Moves;
use super::Interval;
use crate::corpus::Dictionary;
use crate::measure::meanings::{Hill, Seen};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which responses of a query a line of meanings.parquet counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// All.
    All,
    /// Those of a model, by id.
    Model(u32),
    /// Those of a value of the source column, by id.
    Source(u32),
    /// Those of a training stage, by id.
    Stage(u32),
    /// Those of a time, by id in [`Periods::names`].
    Time(u32),
}

/// Where the labels that are counted come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Labels {
    /// Share of the way from the corpus floor f to 1 at which clusters are cut: tau = f + c (1 - f); `None` without a
    /// floor, and for given classes.
    pub c: Option<f64>,
    /// Clusters are merged as long as their mean cosine is at least this; `None` for given classes.
    pub tau: Option<f64>,
    /// Whether other tables and headlines rest on this cut.
    pub chosen: bool,
}

/// One line of meanings.parquet: a group with n >= 2 under one labelling.
#[derive(Debug, Clone, PartialEq)]
pub struct MeaningRow {
    /// Query id.
    pub query: u32,
    /// Which responses.
    pub group: Group,
    /// Place in [`Meanings::labels`].
    pub labels: usize,
    /// Responses, labels, and how many labels occur once and twice.
    pub seen: Seen,
    /// Responses to which Hill numbers are rarefied: the least n >= 2 of the groups of this kind in the query.
    pub at_n: u32,
    /// Hill numbers at `at_n`.
    pub hill: Hill,
    /// Distinct meanings in 1,000 responses where n >= 500; extrapolated under n = 1,000.
    pub per_1000: Option<f64>,
    /// Adjusted Rand index of these clusters and the given classes; of all responses only.
    pub adjusted_rand: Option<f64>,
}

/// One line of growth.parquet: D(n), the labels that n of a group's responses to a query have, for n on a logarithmic
/// grid and n all of them. Groups have at least 8.
#[derive(Debug, Clone, PartialEq)]
pub struct GrowthRow {
    /// Query id.
    pub query: u32,
    /// All responses, or those of a source.
    pub group: Group,
    /// Responses.
    pub n: u32,
    /// D(n) of a draw, expected.
    pub distinct: f64,
    /// `ln(D(n) / D(n/4)) / ln 4`, from n = 8 on.
    pub exponent: Option<f64>,
    /// When the n-th response came; `None` unless all of the group have a time.
    pub time: Option<f64>,
    /// D(n) of the first n responses, those of one time in any order.
    pub distinct_in_time: Option<f64>,
}

/// Distinct meanings: means over queries of the responses that headlines rest on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MeaningsSummary {
    /// The cut that headlines and other tables rest on; `None` without a floor and `--tau`.
    pub tau: Option<f64>,
    /// Its place between floor and 1.
    pub c: Option<f64>,
    /// Least and most responses of a query.
    pub n: (u32, u32),
    /// Least and most responses to which models are rarefied; `None` if no model has 2 to a query.
    pub model_n: Option<(u32, u32)>,
    /// One line a labelling, given classes first, then cuts from loose to tight.
    pub curve: Vec<MeaningsLine>,
    /// Sources, stages and times at the same n, at the chosen cut.
    pub groups: Vec<MeaningsGroup>,
    /// From the first time to the last; `None` without times.
    pub in_time: Option<PeriodsChange>,
}

/// Distinct meanings under one labelling.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MeaningsLine {
    /// The labelling.
    #[serde(flatten)]
    pub labels: Labels,
    /// Queries with at least 2 responses.
    pub queries: u64,
    /// Distinct meanings of a query's responses.
    pub distinct: f64,
    /// Interval of `distinct` over queries.
    pub interval: Option<Interval>,
    /// Hill number of order 1.
    pub hill_1: f64,
    /// Hill number of order 2.
    pub hill_2: f64,
    /// Good's coverage.
    pub coverage: f64,
    /// Chao1, over the queries where it is defined.
    pub chao1: Option<f64>,
    /// How many these are.
    pub chao1_queries: u64,
    /// Distinct meanings in 1,000 responses, over the queries with 500 and more.
    pub per_1000: Option<f64>,
    /// Distinct meanings of one model's responses, at the same n for every model of a query.
    pub model: Option<f64>,
    /// Interval of `model` over queries.
    pub model_interval: Option<Interval>,
    /// Distinct meanings of as many responses drawn from all models'.
    pub pooled: Option<f64>,
    /// Adjusted Rand index of clusters and given classes, mean over queries.
    pub adjusted_rand: Option<f64>,
    /// The same of all queries together: agreement beyond chance over what is possible, each summed over queries.
    pub adjusted_rand_shared: Option<f64>,
}

/// Distinct meanings at the last time less those at the first, of the queries that have both, at the same n for all times of
/// a query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PeriodsChange {
    /// The first time.
    pub from: String,
    /// The last time.
    pub to: String,
    /// Queries.
    pub queries: u64,
    /// Mean over queries of the difference.
    pub value: f64,
    /// Its interval over queries.
    pub interval: Option<Interval>,
}

/// Distinct meanings of one source, stage or time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MeaningsGroup {
    /// `source`, `stage` or `time`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Queries to which it has at least 2 responses.
    pub queries: u64,
    /// Least and most responses to which it is rarefied.
    pub at_n: (u32, u32),
    /// Mean over its queries of distinct meanings, at the same n for all of this kind in a query.
    pub distinct: f64,
    /// The same, comparable between groups with different queries, as `intra_adjusted` of models.
    pub distinct_adjusted: Option<f64>,
    /// Interval of `distinct` over queries.
    pub interval: Option<Interval>,
}

/// Growth of distinct meanings with the number of responses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GrowthSummary {
    /// The responses that headlines rest on.
    pub all: Option<GrowthLine>,
    /// By source, at the same n for all of a query.
    pub sources: Vec<GrowthLine>,
    /// Growth in time.
    pub inflation: Option<Inflation>,
}

/// Growth of one group, ratios of sums over queries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GrowthLine {
    /// Name of the source; `None` for all responses.
    pub name: Option<String>,
    /// Queries with at least 8 responses.
    pub queries: u64,
    /// Least and most n of a query.
    pub n: (u32, u32),
    /// `sum D(n) / sum D(n/4)`.
    pub ratio: f64,
    /// `ln(ratio) / ln 4`.
    pub exponent: f64,
    /// Interval of `exponent` over queries.
    pub interval: Option<Interval>,
    /// The exponent in the order of time, of the queries whose responses all have one.
    pub exponent_in_time: Option<f64>,
    /// That in any order, of the same queries.
    pub exponent_of_dated: Option<f64>,
    /// Mean of D over the queries that reach as far as half of all do.
    pub curve: Vec<GrowthPoint>,
    /// How many these are.
    pub curve_queries: u64,
}

/// A point of a curve of growth.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GrowthPoint {
    /// Responses n.
    pub n: u32,
    /// Mean of D(n) in any order.
    pub distinct: f64,
    /// Mean of D(n) in the order of time.
    pub distinct_in_time: Option<f64>,
}

/// Growth in time of all queries together, each from when a quarter of its responses was there to its last one: with n and
/// D summed over queries, d log n is the logarithm of their ratio, and dt the mean time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inflation {
    /// The unit of time.
    pub unit: String,
    /// Queries.
    pub queries: u64,
    /// `d log n/dt - d log D/dt`.
    pub value: f64,
    /// Its interval over queries.
    pub interval: Option<Interval>,
    /// `d log n/dt`.
    pub answers: f64,
    /// `d log D/dt`.
    pub meanings: f64,
    /// Mean time that it is taken over.
    pub span: f64,
}

/// How far ratings lag behind answers: time of the rating less that of the answer, of the responses rated since.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RatingLag {
    /// The unit of time.
    pub unit: String,
    /// Queries with a rated response.
    pub queries: u64,
    /// Mean over queries of the median lag.
    pub value: f64,
    /// Its interval over queries.
    pub interval: Option<Interval>,
    /// d lag/dt within queries, least squares over all of them; `None` if no query has two times.
    pub slope: Option<f64>,
    /// Its interval over queries.
    pub slope_interval: Option<Interval>,
    /// Responses rated since they were written.
    pub rated: u64,
    /// Responses with a time and no rating.
    pub waiting: u64,
    /// Responses whose rating is older than they are.
    pub before: u64,
    /// Responses without a time.
    pub undated: u64,
}

/// Groups of responses by time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Periods {
    /// Their names: the first and the last time of each as the column has them.
    pub names: Dictionary,
    /// Ids in the order of time.
    pub order: Vec<u32>,
}

/// A looser and a tighter cut, cosines, and the place of the first among all labellings that were made.
pub type Sides = ([f64; 2], usize);

/// Meanings of all responses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Meanings {
    /// Labellings: given classes, if there are any, then cuts from loose to tight.
    pub labels: Vec<Labels>,
    /// meanings.parquet, by query, group, labelling.
    pub rows: Vec<MeaningRow>,
    /// Cluster of each row at the chosen cut, within its query; `u32::MAX` for none. Empty without a cut.
    pub clusters: Vec<u32>,
    /// How the floor, from which clusters are cut, moves with each query.
    pub floor: Moves,
    /// By labelling, where its cut may move to; `None` where it does not.
    pub moving: Vec<Option<Sides>>,
    /// Cluster of each row where the chosen cut may move to; empty where it does not.
    pub beside: Vec<Vec<u32>>,
    /// Sum of distinct meanings, and number of queries, of each group there.
    pub groups_beside: BTreeMap<Group, [(f64, f64); 2]>,
    /// Groups by time; empty without any.
    pub periods: Periods,
}
