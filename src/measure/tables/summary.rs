//! summary.json: headlines with what is around them, and the parts of section A.

use super::{FormSummary, GrowthSummary, Interval, MapSummary, MeaningsSummary, RatingLag, TeamsSummary};
use serde::{Deserialize, Serialize};

/// A headline number with what it must be read with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Headline {
    /// Machine name, e.g. `inter_mean`.
    pub name: String,
    /// Plain words, e.g. `Similarity of different models' answers to one query`.
    pub label: String,
    /// The number.
    pub value: f64,
    /// Interval over queries, these models given.
    pub interval: Option<Interval>,
    /// Two-way interval: other models too.
    pub interval_models_too: Option<Interval>,
    /// The floor, null or reference it is read against.
    pub floor: Option<f64>,
    /// What that floor is.
    pub floor_label: Option<String>,
    /// The same number for people, where there are people.
    pub human: Option<f64>,
    /// The same number without models that answer regardless of the query.
    pub without_regardless: Option<f64>,
    /// Number of queries it rests on.
    pub queries: u64,
    /// Warnings, e.g. `fewer than 10 queries`.
    pub notes: Vec<String>,
}

/// A measure that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its name in MEASURES.md, e.g. `Ensemble gain`.
    pub measure: String,
    /// Why, e.g. `one response a model and query; needs 4`.
    pub reason: String,
}

/// Why measures of one model are left out.
pub const ONE_SAMPLE: &str = "one response per model and query; needs at least 2";

/// One thing that was left out.
pub fn left_out(measure: &str, reason: &str) -> LeftOut {
    LeftOut { measure: measure.into(), reason: reason.into() }
}

/// A quantile line of the similarity histogram.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelationSummary {
    /// Name of the relation.
    pub relation: String,
    /// Pairs.
    pub pairs: u64,
    /// (p, value): quantiles from the histogram, linear within a bin.
    pub quantiles: Vec<(f64, f64)>,
    /// (threshold, share of pairs at or above it).
    pub tail_shares: Vec<(f64, f64)>,
}

/// Two texts that show what a number means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Why it is shown, e.g. `most alike query`.
    pub kind: String,
    /// Query name.
    pub query: String,
    /// Models of the two responses.
    pub models: [String; 2],
    /// Rows of the two responses.
    pub rows: [u32; 2],
    /// Their similarity.
    pub similarity: f32,
    /// Their texts, cut; `None` without a text column.
    pub texts: Option<[String; 2]>,
}

/// summary.json: headline numbers, what was left out, examples. No timestamps, no device.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Schema version of this file.
    pub version: u32,
    /// Rows N.
    pub rows: u64,
    /// Dimension d.
    pub dim: u64,
    /// Queries.
    pub queries: u64,
    /// Models.
    pub models: u64,
    /// Rows skipped under `--on-bad-row skip`.
    pub skipped_rows: u64,
    /// Corpus floor f: mean cosine of pairs of different query and different model (all different-query pairs if
    /// there is one model).
    pub floor: Option<f64>,
    /// Floors of the corpus: mean cosine of pairs of different queries.
    #[serde(default)]
    pub floors: Floors,
    /// Headline numbers, most important first.
    pub headlines: Vec<Headline>,
    /// Quantiles and tails by relation.
    pub relations: Vec<RelationSummary>,
    /// Near duplicates: threshold, pairs, share of responses in a component with more than one model, components.
    pub near_duplicates: Option<NearDuplicateSummary>,
    /// Models named `answers regardless of the query`.
    pub answers_regardless: Vec<String>,
    /// Mean over queries of distinct models in the top N: (N, observed, null, least).
    pub top_n: Vec<(u16, f64, f64, f64)>,
    /// Intra histogram over models, unweighted: plain and paper bins, percent.
    pub intra_bins: Option<[f64; 10]>,
    /// Percent of query means below 0, unweighted over models.
    #[serde(default)]
    pub intra_bins_underflow: Option<f64>,
    /// The same as `intra_bins` with the paper's bins.
    pub intra_paper_bins: Option<[f64; 10]>,
    /// Percent of query means at or above .8, unweighted over models.
    #[serde(default)]
    pub intra_share_ge_0_8: Option<f64>,
    /// Distinct meanings by cut.
    #[serde(default)]
    pub meanings: Option<MeaningsSummary>,
    /// Ensemble gain of order 1, by draws.
    #[serde(default)]
    pub ensemble: EnsembleSummary,
    /// How much of the variation within queries goes with the model.
    #[serde(default)]
    pub variation: VariationSummary,
    /// Empty, refusal-like and repeated texts, and the headline without them; `None` without a text column.
    #[serde(default)]
    pub texts: Option<TextsSummary>,
    /// Similarity and length; `None` without a text column.
    #[serde(default)]
    pub length: Option<LengthSummary>,
    /// Pairs of models with a lower mean that can't be told from the most alike pair, among models that don't answer
    /// regardless of the query.
    #[serde(default)]
    pub most_alike_next: Option<u32>,
    /// Growth of distinct meanings.
    #[serde(default)]
    pub growth: Option<GrowthSummary>,
    /// How far ratings lag behind answers.
    #[serde(default)]
    pub rating_lag: Option<RatingLag>,
    /// Form and content.
    #[serde(default)]
    pub form: Option<FormSummary>,
    /// Teams.
    #[serde(default)]
    pub teams: Option<TeamsSummary>,
    /// The response map; `None` if it is left out.
    #[serde(default)]
    pub map: Option<MapSummary>,
    /// Model ids in clustered order (average linkage on 1 - mean of model_pairs), for the heat map.
    pub model_order: Vec<u32>,
    /// What was left out and why.
    pub left_out: Vec<LeftOut>,
    /// Notes on the input.
    pub notes: Vec<String>,
    /// Examples with texts where there are any.
    pub examples: Vec<Example>,
}

/// Mean cosines of pairs of different queries (copies of a query count as one), all models.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Floors {
    /// Pairs of the same model.
    pub same_model: Option<f64>,
    /// Pairs of different models.
    pub other_model: Option<f64>,
    /// All pairs.
    pub all: Option<f64>,
}

/// Near duplicates in numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NearDuplicateSummary {
    /// Similarity threshold.
    pub threshold: f64,
    /// Pairs at or above it.
    pub pairs: u64,
    /// Components of more than one row.
    pub components: u64,
    /// Share of responses in a component with more than one model.
    pub share_shared: f64,
    /// Share of responses whose normalised text another response has (with text).
    pub verbatim_share: Option<f64>,
    /// The same, another model's response (with text).
    pub verbatim_share_other_model: Option<f64>,
}

/// Order 1 beside the ensemble gain of order 2.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EnsembleSummary {
    /// Draws; 0 if none was made.
    pub draws: u32,
    /// The gain as a share of what unrelated answers would gain; `None` if it is left out.
    pub order_1: Option<OrderOne>,
    /// With one response a model: what the models' answers are worth.
    pub worth_1: Option<WorthOne>,
}

/// Ensemble gain of order 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OrderOne {
    /// (gain - 1) / (unrelated - 1), sums over queries.
    pub value: f64,
    /// Its Monte Carlo error: the standard error over draws.
    pub error: f64,
    /// Its interval over queries.
    pub interval: Option<Interval>,
    /// What it grows by with the mean squared similarity of two responses of a model to a query, and of answers to different
    /// queries by different models: the reference rests on both, and the interval carries how they move with the queries.
    pub slopes: (f64, f64),
    /// Mean gain.
    pub gain: f64,
    /// Mean gain of unrelated answers.
    pub unrelated: f64,
    /// Queries.
    pub queries: u64,
}

/// One response a model: effective number of order 1 of the models' answers to one query.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WorthOne {
    /// Models: the commonest number of a query.
    pub models: u32,
    /// Queries with so many.
    pub queries: u64,
    /// Mean over them.
    pub value: f64,
    /// Its interval over queries.
    pub interval: Option<Interval>,
    /// Of as many models' answers to different queries, mean over draws.
    pub unrelated: Option<f64>,
    /// Monte Carlo error of `unrelated`.
    pub error: Option<f64>,
}

/// How much of the variation within queries goes with the model. Sensitive to spread as well as place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VariationSummary {
    /// By cells (query, model) of n >= 2.
    pub cell: Option<R2>,
    /// By model means of responses less their query's mean.
    pub style: Option<R2>,
}

/// A share of variation with its permuted mean and test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct R2 {
    /// As found.
    pub r2: f64,
    /// Mean over permutations, R2_0.
    pub permuted: f64,
    /// (R2 - R2_0) / (1 - R2_0).
    pub adjusted: f64,
    /// Interval of `adjusted` over queries.
    pub interval: Option<Interval>,
    /// `adjusted` without models that answer regardless of the query, if there are any.
    pub without_regardless: Option<f64>,
    /// (1 + permutations with at least this R2) / (1 + permutations).
    pub p: f64,
    /// Permutations of the test.
    pub permutations: u32,
    /// Numbers that a vector was folded into for the test; `None` if it was whole.
    pub folded: Option<u32>,
    /// Queries that take part.
    pub queries: u64,
}

/// Texts that hardly are answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TextsSummary {
    /// `empty`, `refusal` of all responses, `verbatim` of those with text.
    pub shares: Vec<TextShare>,
    /// The headline of `all` responses, `without_refusals` (and empty ones), with copies `collapsed`, and both.
    pub lines: Vec<RestrictedLine>,
}

/// A share of responses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextShare {
    /// What they are.
    pub name: String,
    /// Share.
    pub value: f64,
    /// Its interval over queries.
    pub interval: Option<Interval>,
    /// So many responses.
    pub responses: u64,
    /// Of so many.
    pub of: u64,
}

/// Similarity of different models' answers to one query, of some of the responses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestrictedLine {
    /// Which responses.
    pub name: String,
    /// Mean cosine, pair-weighted.
    pub value: f64,
    /// Its interval over queries.
    pub interval: Option<Interval>,
    /// Mean cosine of these responses' pairs of different models and queries.
    pub floor: Option<f64>,
    /// Queries.
    pub queries: u64,
    /// Responses.
    pub responses: u64,
}

/// Similarity and length, over pairs of different models' responses with text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LengthSummary {
    /// Rank correlation of similarity with |log length ratio|.
    pub ratio: Option<RankCorrelation>,
    /// Rank correlation of similarity with log shorter length.
    pub shorter: Option<RankCorrelation>,
    /// The headline on pairs of like length.
    pub like_length: Option<LikeLength>,
    /// Queries with so many responses that some were drawn for the correlations.
    pub drawn: u64,
}

/// A rank correlation within queries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RankCorrelation {
    /// Mean over queries.
    pub mean: f64,
    /// Its interval over queries.
    pub interval: Option<Interval>,
    /// Queries in which it is defined.
    pub queries: u64,
}

/// The headline and its floor on pairs of like length, and on all pairs of the same queries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LikeLength {
    /// Mean cosine of pairs whose longer text has at most 1.25 times the characters of the shorter.
    pub value: f64,
    /// Its interval over queries.
    pub interval: Option<Interval>,
    /// Mean cosine of pairs of like length of different models and queries.
    pub floor: Option<f64>,
    /// Mean cosine of all pairs of these queries, each query counting as it does in `value`.
    pub all_pairs: f64,
    /// Its interval over queries.
    pub all_pairs_interval: Option<Interval>,
    /// Its floor.
    pub all_pairs_floor: Option<f64>,
    /// `value - all_pairs`.
    pub difference: f64,
    /// Its interval, paired by query.
    pub difference_interval: Option<Interval>,
    /// Share of the pairs of these queries that is of like length.
    pub kept: f64,
    /// Queries.
    pub queries: u64,
}
