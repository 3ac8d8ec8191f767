//! Section A: one line a cell, a model, two models, a query, a query and N.

use super::Interval;
use crate::measure::meanings::{Hill, Seen};

/// One line of intra.parquet: a cell with n >= 2.
#[derive(Debug, Clone, PartialEq)]
pub struct IntraRow {
    /// Query id.
    pub query: u32,
    /// Model id.
    pub model: u32,
    /// Responses in the cell.
    pub n: u32,
    /// Mean cosine of the cell's pairs: (|S|^2 - n) / (n (n - 1)).
    pub mean: f64,
}

/// One line of models.parquet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelRow {
    /// Model id.
    pub model: u32,
    /// Responses.
    pub n: u64,
    /// Queries answered.
    pub queries: u64,
    /// Queries that every model answered.
    pub common_queries: u64,
    /// Mean over queries of the cell means.
    pub intra_mean: Option<f64>,
    /// The same, comparable between models that answered different queries: the mean over the queries that every model
    /// has (of those with any), if these are at least half of all; otherwise at the average query under an additive
    /// model of models and queries.
    pub intra_adjusted: Option<f64>,
    /// Interval of `intra_mean` over queries.
    pub intra_ci: Option<Interval>,
    /// Percent of query means at or above .8.
    pub share_ge_0_8: Option<f64>,
    /// Percent of query means in 10 bins of [0, 1], 1 clamped, plain.
    pub bins: Option<[f64; 10]>,
    /// Percent of query means below 0: with `bins` 100 in all.
    pub bins_underflow: Option<f64>,
    /// Percent of query means in the bins of `numpy.histogram(bins=10, range=(0, 1))`.
    pub paper_bins: Option<[f64; 10]>,
    /// Mean cosine of this model's responses to different queries.
    pub floor: Option<f64>,
    /// Whether `floor` exceeds f + .1 (1 - f).
    pub answers_regardless: bool,
    /// Mean over queries of the Vendi score of order 1 of this model's responses, at the same n for every model of a
    /// query: the least n >= 2 there, the first n responses of each.
    pub vendi_1: Option<f64>,
    /// The same of order 2.
    pub vendi_2: Option<f64>,
    /// Mean over queries of the distinct meanings among this model's responses, rarefied to the same n for every model
    /// of a query: the least n >= 2 there.
    pub distinct: Option<f64>,
    /// The same, comparable between models that answered different queries, as `intra_adjusted`.
    pub distinct_adjusted: Option<f64>,
    /// Interval of `distinct` over queries.
    pub distinct_ci: Option<Interval>,
    /// Mean over queries of the similarity of this model's answers with those of all others, comparable between models
    /// that answered different queries.
    pub with_others: Option<f64>,
    /// Its interval: those of all models hold together.
    pub with_others_joint: Option<Interval>,
    /// Models with a lower `with_others` that can't be told from this one.
    pub with_others_next: Option<u32>,
    /// Interval of `intra_adjusted`: those of all models hold together.
    pub intra_joint: Option<Interval>,
    /// Models with a lower `intra_adjusted` that can't be told from this one.
    pub intra_next: Option<u32>,
    /// The model whose answers are most like this one's, of those that don't answer regardless of the query.
    pub most_like: Option<MostLike>,
    /// Share of responses without text (with a text column).
    pub empty_share: Option<f64>,
    /// Share of responses that read like a refusal (with text).
    pub refusal_share: Option<f64>,
    /// Share of the responses with text whose text another response has.
    pub verbatim_share: Option<f64>,
}

/// The model most like another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MostLike {
    /// Model id.
    pub model: u32,
    /// Mean similarity of the two, comparable between pairs that share different queries.
    pub mean: f64,
    /// Further models that can't be told from it.
    pub next: Option<u32>,
}

/// One line of model_pairs.parquet, `model_a <= model_b`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelPairRow {
    /// First model id.
    pub model_a: u32,
    /// Second model id.
    pub model_b: u32,
    /// Queries that both answered (diagonal: with n >= 2).
    pub queries: u64,
    /// Response pairs.
    pub pairs: u64,
    /// Pair-weighted mean; on the diagonal the unbiased intra.
    pub mean: Option<f64>,
    /// Unweighted mean over queries.
    pub query_mean: Option<f64>,
    /// `query_mean` made comparable between pairs that share different queries, as `intra_adjusted` of the models;
    /// that on the diagonal.
    pub adjusted_mean: Option<f64>,
    /// As the paper computes it: the diagonal counts self-pairs.
    pub paper_mean: Option<f64>,
    /// Interval of `mean` over queries.
    pub ci: Option<Interval>,
    /// Mean cosine of this pair of models on different queries.
    pub floor: Option<f64>,
}

/// One line of queries.parquet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryRow {
    /// Query id.
    pub query: u32,
    /// Responses.
    pub n: u64,
    /// Models.
    pub models: u64,
    /// Mean cosine of all pairs of the query.
    pub mean: Option<f64>,
    /// Pairs of one model, pair-weighted.
    pub intra_mean: Option<f64>,
    /// Pairs of different models, pair-weighted.
    pub inter_mean: Option<f64>,
    /// Vendi score of order 1 of all responses.
    pub vendi_1: Option<f64>,
    /// Order 2.
    pub vendi_2: Option<f64>,
    /// Order infinity.
    pub vendi_inf: Option<f64>,
    /// Distinct meanings of all responses, their Hill numbers of order 1 and 2, at n.
    pub hill: Option<Hill>,
    /// What estimates of the unseen rest on.
    pub seen: Option<Seen>,
    /// Share of responses whose nearest other response (within the query) is of another model.
    pub nearest_other_model: Option<f64>,
    /// Its null.
    pub nearest_null: Option<f64>,
    /// Ensemble gain of order 2.
    pub ensemble_gain: Option<f64>,
    /// Its unrelated reference.
    pub ensemble_gain_unrelated: Option<f64>,
    /// Ensemble gain of order 1, by draws.
    pub ensemble_gain_1: Option<f64>,
    /// Its Monte Carlo error.
    pub ensemble_gain_1_error: Option<f64>,
    /// Its unrelated reference.
    pub ensemble_gain_1_unrelated: Option<f64>,
    /// Share of the squared distances from the query's mean that lies between models, cells with n >= 2.
    pub r2_cell: Option<f64>,
    /// Spearman's correlation of similarity and ratio of lengths, over pairs of different models.
    pub length_ratio_rho: Option<f64>,
    /// The same with the length of the shorter text.
    pub shorter_length_rho: Option<f64>,
}

/// One line of topn.parquet.
#[derive(Debug, Clone, PartialEq)]
pub struct TopNRow {
    /// Query id.
    pub query: u32,
    /// N.
    pub top_n: u16,
    /// Distinct models among the N nearest, mean over anchors, ties by expectation.
    pub distinct_models_mean: f64,
    /// Expectation if labels were exchangeable.
    pub null: f64,
    /// Fewest models that can fill N places, mean over anchors.
    pub least: f64,
}
