//! `synth`: what is planted.

use super::finite;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `--kind` of `synth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SynthKind {
    /// Unit vectors with known mean cosines within a model, across models and across queries
    Planted,
}

/// `synth`.
#[derive(Debug, Args)]
pub struct SynthArgs {
    /// Parquet file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// What to plant
    #[arg(long, value_enum, default_value_t = SynthKind::Planted)]
    pub kind: SynthKind,
    /// Queries
    #[arg(long, default_value_t = 10)]
    pub queries: usize,
    /// Models
    #[arg(long, default_value_t = 4)]
    pub models: usize,
    /// Samples a model and query
    #[arg(long, default_value_t = 5)]
    pub samples: usize,
    /// Meanings a query: each answer has one at random, whatever its model; A holds within a meaning, B across;
    /// only one of this, --growth, --people, --contexts, --drop, --rise, --style, --lengths, --form, --refusals with
    /// --copies, and --teams can be planted
    #[arg(long, value_name = "K")]
    pub meanings: Option<usize>,
    /// With meanings: share of the answers that have one of those K; the others have one of K that are their model's alone
    #[arg(
        long,
        value_parser = finite,
        allow_negative_numbers = true,
        value_name = "H",
        default_value_t = 1.0,
        requires = "meanings",
    )]
    pub shared: f64,
    /// With meanings: the later half of a query's answers (a column `time`) has only the first L of them
    #[arg(long, value_name = "L", requires = "meanings")]
    pub later: Option<usize>,
    /// Meanings without end, which grow as n^B with the number n of answers to a query (0 to 1), and columns `time` and
    /// `rating_time`
    #[arg(long, value_parser = finite, allow_negative_numbers = true, value_name = "B")]
    pub growth: Option<f64>,
    /// With growth: by how much of its time an answer's rating is later than the answer
    #[arg(long, value_parser = finite, value_name = "L", default_value_t = 0.5, requires = "growth")]
    pub rating_lag: f64,
    /// People (a column `source`), as many as a model has answers, spread evenly over K meanings of a query
    #[arg(long, value_name = "K")]
    pub people: Option<usize>,
    /// With people: meanings over which each model's answers are spread
    #[arg(long, value_name = "K", default_value_t = 2, requires = "people")]
    pub modes: usize,
    /// Dimension [default: the smallest where the true values are exact, 1 + Q + Q M + Q M n without meanings, contexts
    /// and stages]
    #[arg(long)]
    pub dim: Option<usize>,
    /// Seed of random directions, used where the dimension is too small for orthogonal ones
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Mean cosine of one model's answers to one query
    #[arg(long, value_parser = finite, allow_negative_numbers = true, value_name = "A", default_value_t = 0.8)]
    pub within: f64,
    /// Mean cosine of different models' answers to one query
    #[arg(long, value_parser = finite, allow_negative_numbers = true, value_name = "B", default_value_t = 0.6)]
    pub cross: f64,
    /// Mean cosine of answers to different queries
    #[arg(long, value_parser = finite, allow_negative_numbers = true, value_name = "C", default_value_t = 0.1)]
    pub floor: f64,
    /// Contexts that each model answers in (a column `context`)
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub contexts: usize,
    /// With contexts: mean cosine of one model's answers to one query in different contexts
    #[arg(
        long,
        value_parser = finite,
        allow_negative_numbers = true,
        value_name = "S",
        default_value_t = 0.7,
        requires = "contexts",
    )]
    pub across: f64,
    /// Two training stages, sft and rl (a column `stage`): D meanings of two samples each that only sft has; of iterations
    /// each loses D more
    #[arg(long, value_name = "D")]
    pub drop: Option<usize>,
    /// Two training stages, sft and rl (a column `stage`): at rl the models are closer to each other by this; of iterations
    /// each by this more
    #[arg(long, value_parser = finite, value_name = "R", allow_negative_numbers = true)]
    pub rise: Option<f64>,
    /// With --rise or --drop: stages 1 to N instead of sft and rl
    #[arg(long, value_name = "N")]
    pub iterations: Option<usize>,
    /// With --rise or --drop: two arms (a column `arm`), `none`, where that happens, and `critic`, where every stage is as the
    /// first
    #[arg(long)]
    pub arms: bool,
    /// A style of each model, the same in all queries: it raises a model's cosine across queries by this
    #[arg(long, value_parser = finite, allow_negative_numbers = true, value_name = "T")]
    pub style: Option<f64>,
    /// Short and long texts by turns of models (a column `text`): across models of other length the cosine is lower by
    /// this
    #[arg(long, value_parser = finite, allow_negative_numbers = true, value_name = "D")]
    pub lengths: Option<f64>,
    /// Texts (a column `text`) whose form one model's answers share, whatever the query: 4-grams with a cosine of F, between
    /// models of 0; content is as above
    #[arg(long, value_parser = finite, allow_negative_numbers = true, value_name = "F")]
    pub form: Option<f64>,
    /// Texts (a column `text`): this share of each model's answers refuses, in one direction whatever is asked: the cosine of
    /// two refusals is A, with other answers it is C
    #[arg(long, value_parser = finite, allow_negative_numbers = true, value_name = "R")]
    pub refusals: Option<f64>,
    /// Texts (a column `text`): this share of the answers of each model but the first repeats the first model's, word for
    /// word and with its vector
    #[arg(long, value_parser = finite, allow_negative_numbers = true, value_name = "C")]
    pub copies: Option<f64>,
    /// Each model's answers to a query are a team's (columns team, quality, expertise): by how much quality changes with
    /// diversity, expertise, their product and the logarithm of size. Every second team has cosine B instead of A
    #[arg(long, value_parser = finite, value_name = "D,E,DE,S", value_delimiter = ',', allow_negative_numbers = true)]
    pub teams: Option<Vec<f64>>,
}
