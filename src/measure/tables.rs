//! The rows of the result tables and the headline numbers: what measures fill, `output` writes and `report` shows.
//!
//! Similarities and means are cosines; a value that is undefined or left out is `None`, and [`Summary::left_out`]
//! says why. Tables are sorted by their leading columns.

pub use super::meanings::{Hill, Seen};
use serde::{Deserialize, Serialize};

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

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

/// Models beside people: means over queries of cosines to the same query.
#[derive(Debug, Clone, PartialEq)]
pub struct Parity {
    /// Queries that both have.
    pub queries: u64,
    /// Mean cosine of the models' responses.
    pub models: f64,
    /// Mean cosine of people's responses.
    pub people: f64,
    /// `sum (1 - models) / sum (1 - people)`; `None` if people's responses are all equal.
    pub rho: Option<f64>,
    /// Interval of `rho` over queries, that of its logarithm.
    pub rho_ci: Option<Interval>,
    /// Interval of `models - people` over queries.
    pub crowding_ci: Option<Interval>,
}

impl Parity {
    /// Excess crowding: `models - people`.
    pub fn crowding(&self) -> f64 {
        self.models - self.people
    }
}

/// Distances (1 - cosine) to the nearest of equally many candidates, means over queries.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    /// Queries with 2 responses of either side.
    pub queries: u64,
    /// Least and most candidates of a query.
    pub n: (u32, u32),
    /// From people to models.
    pub people_to_models: f64,
    /// From people to other people.
    pub people_to_people: f64,
    /// Interval of their difference.
    pub people_ci: Option<Interval>,
    /// From models to people.
    pub models_to_people: f64,
    /// From models to other responses of models.
    pub models_to_models: f64,
    /// Interval of their difference.
    pub models_ci: Option<Interval>,
}

impl Nearest {
    /// `people_to_models - people_to_people`.
    pub fn people_difference(&self) -> f64 {
        self.people_to_models - self.people_to_people
    }

    /// `models_to_people - models_to_models`.
    pub fn models_difference(&self) -> f64 {
        self.models_to_people - self.models_to_models
    }
}

/// What a source adds to the effective number (order 2) of n responses at equal shares, means over queries.
#[derive(Debug, Clone, PartialEq)]
pub struct Adds {
    /// Queries.
    pub queries: u64,
    /// Least and most responses n of a query.
    pub n: (u32, u32),
    /// Effective number of n responses of all sources.
    pub with: f64,
    /// Of n responses of all but this one.
    pub without: f64,
    /// Interval of the difference over queries.
    pub ci: Option<Interval>,
    /// The difference with sources dealt out at random, mean over the times that they are.
    pub placebo: f64,
    /// Where the middle 95 % of these lie.
    pub placebo_range: Option<Interval>,
}

impl Adds {
    /// `with - without`.
    pub fn adds(&self) -> f64 {
        self.with - self.without
    }
}

/// One line of sources.parquet: all models, the responses of a source, or of one model in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceRow {
    /// Name of the source; `None` for every source but people.
    pub source: Option<String>,
    /// Name of the model; `None` for all of the source.
    pub model: Option<String>,
    /// Whether the source is people.
    pub people: bool,
    /// One model's responses beside people's: models with n >= 2, each counting once.
    pub individual: Option<Parity>,
    /// Different models' responses beside different people's: pairs of models, each counting once.
    pub population: Option<Parity>,
    /// Distances to the nearest.
    pub nearest: Option<Nearest>,
    /// What the source adds.
    pub adds: Option<Adds>,
}

/// What the similarity across contexts is set against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// The same family in the same context: cells with n >= 2.
    SameContext,
    /// Another family in the same context: one response a cell is enough.
    OtherFamily,
}

impl Against {
    /// As the table names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SameContext => "same_context",
            Self::OtherFamily => "other_family",
        }
    }

    /// As sentences name it.
    pub fn words(self) -> &'static str {
        match self {
            Self::SameContext => "against the same context",
            Self::OtherFamily => "against other families",
        }
    }
}

/// One line of contexts.parquet: a family, or all of them together, across contexts. Means are over queries, cells
/// (query, family, context) counting equally; floors over pairs of different queries.
#[derive(Debug, Clone, PartialEq)]
pub struct ContextRow {
    /// What `reference` is.
    pub against: Against,
    /// Name of the family; `None` for all together, each query and family counting once.
    pub family: Option<String>,
    /// Names of the contexts.
    pub contexts: Vec<String>,
    /// Fewest responses of a cell.
    pub n: u32,
    /// Queries.
    pub queries: u64,
    /// Mean cosine of pairs of the same query and family, other context.
    pub other_context: f64,
    /// Its floor; `None` if there is one query.
    pub other_context_floor: Option<f64>,
    /// Mean cosine of pairs of the same query and context, of this family or of this and another.
    pub reference: f64,
    /// Its floor.
    pub reference_floor: Option<f64>,
    /// `(other_context - other_context_floor) / (reference - reference_floor)`, never clipped; `None` if the lower limit
    /// of the denominator is under .05 (1 - f).
    pub ratio: Option<f64>,
    /// Interval of `ratio` over queries.
    pub ci: Option<Interval>,
}

/// A mean at two stages, over the same queries.
#[derive(Debug, Clone, PartialEq)]
pub struct Paired {
    /// Queries.
    pub queries: u64,
    /// Mean at the earlier stage.
    pub a: f64,
    /// Mean at the later stage.
    pub b: f64,
    /// Interval of `a` over queries.
    pub ci_a: Option<Interval>,
    /// Interval of `b` over queries.
    pub ci_b: Option<Interval>,
    /// Interval of `b - a` over queries.
    pub ci: Option<Interval>,
}

impl Paired {
    /// `b - a`.
    pub fn difference(&self) -> f64 {
        self.b - self.a
    }
}

/// Pairs of texts of like length at two stages (ratio of characters at most 1.25), on the queries that have some at both.
#[derive(Debug, Clone, PartialEq)]
pub struct Matched {
    /// Share of the pairs that is kept at the earlier stage.
    pub kept_a: f64,
    /// Share kept at the later stage.
    pub kept_b: f64,
    /// Mean cosine of the kept pairs.
    pub matched: Paired,
    /// Mean cosine of all pairs of the same queries.
    pub unmatched: Paired,
}

/// One line of stages.parquet: a stage and a later one. Only families that have both stages of a query count for it.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRow {
    /// Name of the earlier stage.
    pub stage_a: String,
    /// Name of the later stage.
    pub stage_b: String,
    /// Names of the families.
    pub families: Vec<String>,
    /// Mean cosine of different families' responses to the same query, each pair of families counting once; `None` if no
    /// query has two families.
    pub inter: Option<Paired>,
    /// The same for different queries at the earlier stage.
    pub floor_a: Option<f64>,
    /// At the later stage.
    pub floor_b: Option<f64>,
    /// `inter` on pairs of like length; `None` without texts or such pairs.
    pub matched: Option<Matched>,
    /// Mean cosine of a family's own responses to the same query, as many at one stage as at the other; `None` if no
    /// family has 2 at both.
    pub intra: Option<Paired>,
    /// Distinct meanings of a family's responses, rarefied to the same n; `None` without clusters or under 2 responses.
    pub distinct: Option<Paired>,
    /// Hill number of order 2 over that of order 0 at the same n: 1 if all meanings are equally common.
    pub evenness: Option<Paired>,
    /// From where on a response is in the first stage's tail; `None` unless `stage_a` is the first stage and a family has 5
    /// responses there.
    pub tail_threshold: Option<f64>,
    /// Share of a family's responses in that tail.
    pub tail: Option<Paired>,
    /// Share of the first stage's meanings met again: in its other half, and in as many of the later stage's responses.
    pub coverage: Option<Paired>,
}

/// Whose pairs a line of form.parquet is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormGroup {
    /// Two answers of one model.
    #[default]
    OneModel,
    /// Answers of two models.
    OtherModels,
    /// What people wrote.
    People,
}

impl FormGroup {
    /// As the table names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneModel => "one_model",
            Self::OtherModels => "other_models",
            Self::People => "people",
        }
    }

    /// As sentences name it.
    pub fn words(self) -> &'static str {
        match self {
            Self::OneModel => "one model’s",
            Self::OtherModels => "different models’",
            Self::People => "people’s",
        }
    }
}

/// A mean over pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Its interval over queries.
    pub ci: Option<Interval>,
}

/// Means over the same pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FormPairs {
    /// Cosine of the 4-gram counts of the first 300 characters.
    pub form: Mean,
    /// Cosine of the embeddings.
    pub content: Mean,
    /// Share of pairs that begin with the same five words.
    pub opening: Mean,
}

/// One line of form.parquet. Only responses with 300 characters count.
#[derive(Debug, Clone, PartialEq)]
pub struct FormRow {
    /// Whose pairs.
    pub group: FormGroup,
    /// Name of the model; `None` for all together, each pair counting once.
    pub model: Option<String>,
    /// Responses.
    pub responses: u64,
    /// Queries (copies of a query are one).
    pub queries: u64,
    /// Pairs of different queries; `None` if there is none.
    pub other_query: Option<FormPairs>,
    /// Pairs of the same query.
    pub same_query: Option<FormPairs>,
    /// How many times smaller 20,000 bytes of beginnings become; of `one_model` together the median over models.
    pub compression: Option<f64>,
}

/// A value beside its reference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// The value.
    pub value: f64,
    /// What it is set against.
    pub reference: f64,
    /// `value - reference`.
    pub difference: f64,
    /// Interval of `difference` over queries.
    pub interval: Option<Interval>,
}

/// Models' pairs beside the reference's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FormContrast {
    /// Whose pairs.
    pub group: FormGroup,
    /// Whether they are of different queries.
    pub other_query: bool,
    /// Queries.
    pub queries: u64,
    /// Form.
    pub form: Contrast,
    /// Content.
    pub content: Contrast,
    /// Same opening.
    pub opening: Contrast,
}

/// Share of the variation within queries that models explain, by model means of rows centred by query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct FormStyle {
    /// The share.
    pub r2: f64,
    /// Its mean if models were shuffled within each query, in closed form.
    pub expected: f64,
    /// `(r2 - expected) / (1 - expected)`.
    pub adjusted: f64,
    /// Interval of `adjusted` over queries.
    pub interval: Option<Interval>,
    /// Queries with 2 responses.
    pub queries: u64,
}

/// Form and content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FormSummary {
    /// Responses that count.
    pub responses: u64,
    /// Responses with fewer than 300 characters.
    pub short: u64,
    /// What contrasts are set against: people, or different models.
    pub reference: FormGroup,
    /// Of all models.
    #[serde(flatten)]
    pub all: FormFound,
    /// The same without models that answer regardless of the query; `None` if there is none.
    pub without_regardless: Option<FormFound>,
}

/// What is found of form and content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FormFound {
    /// Different queries first.
    pub contrasts: Vec<FormContrast>,
    /// What models explain of form.
    pub style_form: Option<FormStyle>,
    /// Of content, on the same responses.
    pub style_content: Option<FormStyle>,
}

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
    /// Form and content.
    #[serde(default)]
    pub form: Option<FormSummary>,
    /// Teams.
    #[serde(default)]
    pub teams: Option<TeamsSummary>,
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
    /// Sources and stages at the same n, at the chosen cut.
    pub groups: Vec<MeaningsGroup>,
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

/// Distinct meanings of one source or stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MeaningsGroup {
    /// `source` or `stage`.
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

/// Meanings of all responses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Meanings {
    /// Labellings: given classes, if there are any, then cuts from loose to tight.
    pub labels: Vec<Labels>,
    /// meanings.parquet, by query, group, labelling.
    pub rows: Vec<MeaningRow>,
    /// Cluster of each row at the chosen cut, within its query; `u32::MAX` for none. Empty without a cut.
    pub clusters: Vec<u32>,
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
    /// form.parquet; empty if left out.
    pub form: Vec<FormRow>,
    /// teams.parquet; empty if left out.
    pub teams: Vec<TeamRow>,
    /// summary.json.
    pub summary: Summary,
}
