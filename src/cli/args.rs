//! What was typed.

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const AFTER: &str = "\
Examples:
  hivescope run answers.parquet --out result
  hivescope run 'dumps/*.parquet' --out result --k 20 --threshold 0.95
  hivescope check answers.parquet
  hivescope synth --out planted.parquet --queries 10 --models 4 --samples 5

Settings: a flag wins over the environment (HIVESCOPE_K=20), that over hivescope.toml in the working
directory (or --config FILE), that over the default. Keys of the file are the flags without dashes in front.

Exit codes: 0 done; 1 failed while running; 2 flags, paths, columns; 3 the content of a file;
130 interrupted.";

/// Do AI systems still say different things? Measures how alike a corpus of responses is.
#[derive(Debug, Parser)]
#[command(name = "hivescope", version, about, after_help = AFTER, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to talk about it.
    #[command(flatten)]
    pub messages: Messages,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everything: read, form all pairs, measure, write tables and report.html
    Run(Box<RunArgs>),
    /// Read and check only; every bad row is named by file, column, row group and row
    Check(Box<CheckArgs>),
    /// Rows, pairs, FLOP, memory, device and a predicted time; nothing is computed
    Plan(Box<PlanArgs>),
    /// Graphics adapters and the CPU, with the result of each self-test
    Devices,
    /// Write a planted corpus whose true means are known
    Synth(Box<SynthArgs>),
    /// Write report.html of a result directory again
    Report(ReportArgs),
    /// The tables and figures of a paper from your responses, beside the published numbers
    Reproduce(Box<ReproduceArgs>),
}

/// Flags of every subcommand.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Messages")]
pub struct Messages {
    /// Events and results as JSON lines on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Only warnings and errors
    #[arg(long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// More detail on stderr
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Settings file instead of ./hivescope.toml
    #[arg(long, global = true, value_name = "FILE", env = "HIVESCOPE_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,
}

/// `--io`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IoArg {
    /// Map files
    Mmap,
    /// Read files piece by piece
    Pread,
}

/// `--on-bad-row`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BadRowArg {
    /// Stop at the first
    Error,
    /// Leave them out and count them
    Skip,
}

/// `--backend`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackendArg {
    /// A GPU if there is one, otherwise the CPU
    Auto,
    /// The CPU
    Cpu,
    /// A GPU, or fail
    Gpu,
}

/// `--histogram`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistogramArg {
    /// Exact up to 1e9 pairs, coarse beyond
    Auto,
    /// Every pair in its true bin
    Exact,
    /// By coarse similarity
    Coarse,
    /// None
    Off,
}

/// `--texts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextsArg {
    /// How texts begin stands in report.html, map.parquet and summary.json
    Shown,
    /// No text of a response leaves the input; measures that read texts stay
    Hidden,
}

/// Settings on the input and the machine: flags, environment and hivescope.toml have the same names.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct InputSettings {
    /// Embedding column [default: embedding, embeddings, emb or vector]
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_EMBEDDING", hide_env = true, help_heading = "Columns")]
    pub embedding: Option<String>,
    /// Query column [default: query, query_id, prompt, prompt_id, instruction or question]
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_QUERY", hide_env = true, help_heading = "Columns")]
    pub query: Option<String>,
    /// Model column [default: model, model_name, generator or model_id]
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_MODEL", hide_env = true, help_heading = "Columns")]
    pub model: Option<String>,
    /// Sample column [default: sample, sample_id, generation, seed, or order of appearance]
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_SAMPLE", hide_env = true, help_heading = "Columns")]
    pub sample: Option<String>,
    /// Text column [default: text, response, output, completion or answer, if there is one]
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_TEXT", hide_env = true, help_heading = "Columns")]
    pub text: Option<String>,
    /// Who wrote it, people among them [default: source, if there is one; so too for the next eleven]
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_SOURCE", hide_env = true, help_heading = "Columns")]
    pub source: Option<String>,
    /// Model that stages and contexts are variants of
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_FAMILY", hide_env = true, help_heading = "Columns")]
    pub family: Option<String>,
    /// Training stage
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_STAGE", hide_env = true, help_heading = "Columns")]
    pub stage: Option<String>,
    /// With or without a critic
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_ARM", hide_env = true, help_heading = "Columns")]
    pub arm: Option<String>,
    /// Persona, style or prompt variant
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_CONTEXT", hide_env = true, help_heading = "Columns")]
    pub context: Option<String>,
    /// Given meaning labels
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_CLASS", hide_env = true, help_heading = "Columns")]
    pub class: Option<String>,
    /// Team
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_TEAM", hide_env = true, help_heading = "Columns")]
    pub team: Option<String>,
    /// When it was written: numbers, timestamps or ISO dates
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_TIME", hide_env = true, help_heading = "Columns")]
    pub time: Option<String>,
    /// When its quality was rated, as --time
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_RATING_TIME", hide_env = true, help_heading = "Columns")]
    pub rating_time: Option<String>,
    /// How good a response is, a number; may be null
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_QUALITY", hide_env = true, help_heading = "Columns")]
    pub quality: Option<String>,
    /// How much of an expert its author is, a number
    #[arg(long, value_name = "COLUMN", env = "HIVESCOPE_EXPERTISE", hide_env = true, help_heading = "Columns")]
    pub expertise: Option<String>,
    /// What to do with a row that has no query or model, or no finite, non-zero embedding [default: error]
    #[arg(long, value_enum, env = "HIVESCOPE_ON_BAD_ROW", hide_env = true, help_heading = "Reading")]
    pub on_bad_row: Option<BadRowArg>,
    /// How files are read [default: mmap]
    #[arg(long, value_enum, env = "HIVESCOPE_IO", hide_env = true, help_heading = "Reading")]
    pub io: Option<IoArg>,
    /// CPU threads [default: all]
    #[arg(long, value_name = "N", env = "HIVESCOPE_THREADS", hide_env = true, help_heading = "Machine")]
    pub threads: Option<usize>,
    /// Memory the run may use, e.g. 8GiB [default: 60 % of what is available]
    #[arg(long, value_name = "SIZE", env = "HIVESCOPE_MEMORY", hide_env = true, help_heading = "Machine")]
    pub memory: Option<String>,
}

/// A number, for settings and what is planted: NaN and infinity are none.
fn finite(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if number.is_finite() { Ok(number) } else { Err(format!("`{text}` is not a finite number")) }
}

/// Settings of the pair pass and the measures.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PassSettings {
    /// Neighbours a response, 1 to 1024 [default: 10]
    #[arg(long, value_name = "N", env = "HIVESCOPE_K", hide_env = true, help_heading = "Pairs")]
    pub k: Option<usize>,
    /// Write every pair at or above this similarity to edges.parquet
    #[arg(
        long,
        value_parser = finite,
        value_name = "S",
        allow_negative_numbers = true,
        env = "HIVESCOPE_THRESHOLD",
        hide_env = true,
        help_heading = "Pairs",
    )]
    pub threshold: Option<f64>,
    /// Stop before writing more edges than this [default: 1000000000]
    #[arg(long, value_name = "N", env = "HIVESCOPE_MAX_EDGES", hide_env = true, help_heading = "Pairs")]
    pub max_edges: Option<u64>,
    /// Similarity from which two responses are near duplicates [default: 0.99]
    #[arg(
        long,
        value_parser = finite,
        allow_negative_numbers = true,
        value_name = "S",
        env = "HIVESCOPE_NEAR_DUPLICATE",
        hide_env = true,
        help_heading = "Pairs",
    )]
    pub near_duplicate: Option<f64>,
    /// Histogram of all similarities [default: auto]
    #[arg(long, value_enum, env = "HIVESCOPE_HISTOGRAM", hide_env = true, help_heading = "Pairs")]
    pub histogram: Option<HistogramArg>,
    /// Values of the source column that are people, separated by commas [default: human]
    #[arg(
        long,
        value_name = "VALUES",
        value_delimiter = ',',
        env = "HIVESCOPE_HUMAN",
        hide_env = true,
        help_heading = "Measures"
    )]
    pub human: Option<Vec<String>>,
    /// Mean cosine under which two clusters of answers are two meanings [default: floor + 0.7 (1 - floor)]
    #[arg(
        long,
        value_parser = finite,
        value_name = "S",
        allow_negative_numbers = true,
        env = "HIVESCOPE_TAU",
        hide_env = true,
        help_heading = "Measures",
    )]
    pub tau: Option<f64>,
    /// Quality from which on a response of a team is good [default: the median quality]
    #[arg(
        long,
        value_parser = finite,
        value_name = "Q",
        allow_negative_numbers = true,
        env = "HIVESCOPE_QUALITY_BAR",
        hide_env = true,
        help_heading = "Measures",
    )]
    pub quality_bar: Option<f64>,
    /// Whether the result shows how texts begin [default: shown]
    #[arg(long, value_enum, env = "HIVESCOPE_TEXTS", hide_env = true, help_heading = "Measures")]
    pub texts: Option<TextsArg>,
    /// Seed of every random draw [default: 0]
    #[arg(long, value_name = "N", env = "HIVESCOPE_SEED", hide_env = true, help_heading = "Measures")]
    pub seed: Option<u64>,
    /// What multiplies [default: auto]
    #[arg(long, value_enum, env = "HIVESCOPE_BACKEND", hide_env = true, help_heading = "Machine")]
    pub backend: Option<BackendArg>,
    /// Product to multiply by: auto, f32, f16 or matrix on a GPU, f32, int16, int8 or one that `hivescope devices` lists on
    /// the CPU; results do not depend on it [default: auto]
    #[arg(long, value_name = "NAME", env = "HIVESCOPE_KERNEL", hide_env = true, help_heading = "Machine")]
    pub kernel: Option<String>,
    /// GPU by index, part of its name or PCI bus id (see `hivescope devices`)
    #[arg(long, value_name = "SELECTOR", env = "HIVESCOPE_DEVICE", hide_env = true, help_heading = "Machine")]
    pub device: Option<String>,
    /// GPU memory that blocks of embeddings may take, e.g. 8GiB [default: three quarters of what the GPU has]
    #[arg(long, value_name = "SIZE", env = "HIVESCOPE_GPU_MEMORY", hide_env = true, help_heading = "Machine")]
    pub gpu_memory: Option<String>,
}

/// `run`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct RunArgs {
    /// Parquet files, directories or quoted globs
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Result directory to make
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace DIR if it is a result of hivescope
    #[arg(long)]
    pub overwrite: bool,
    /// Input and machine.
    #[command(flatten)]
    pub input: InputSettings,
    /// Pairs and measures.
    #[command(flatten)]
    pub pass: PassSettings,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Parquet files, directories or quoted globs
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Input and machine.
    #[command(flatten)]
    pub input: InputSettings,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Parquet files, directories or quoted globs
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Input and machine.
    #[command(flatten)]
    pub input: InputSettings,
}

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

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Result directory of `hivescope run` or `hivescope reproduce`
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}

/// What `reproduce` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Paper {
    /// "Artificial Hivemind", arXiv 2510.22954
    InfinityChat,
}

/// `reproduce`.
#[derive(Debug, Clone, Args)]
pub struct ReproduceArgs {
    /// Whose tables and figures
    #[arg(value_enum, value_name = "PAPER")]
    pub paper: Paper,
    /// Parquet files, directories or quoted globs
    #[arg(required_unless_present = "ratings", value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Result directory to make
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace DIR if it is a result of hivescope
    #[arg(long)]
    pub overwrite: bool,
    /// A model of the input and its name in the paper, where they are not alike; may be given again
    #[arg(long, value_name = "NAME=PAPER", help_heading = "Paper")]
    pub same: Vec<String>,
    /// What made the vectors; the paper has text-embedding-3-small
    #[arg(long, value_name = "NAME", help_heading = "Paper")]
    pub embedding_model: Option<String>,
    /// Column that tells top-p from min-p decoding
    #[arg(long, value_name = "COLUMN", help_heading = "Paper")]
    pub decoding: Option<String>,
    /// Its values that are min-p, separated by commas, in any case
    #[arg(
        long,
        value_name = "VALUES",
        value_delimiter = ',',
        default_value = "min-p,min_p,minp",
        help_heading = "Paper"
    )]
    pub min_p: Vec<String>,
    /// Values of the context column that are the query as it was asked, separated by commas; the others are paraphrases
    #[arg(
        long,
        value_name = "VALUES",
        value_delimiter = ',',
        default_value = "original,default,0",
        help_heading = "Paper"
    )]
    pub original: Vec<String>,
    /// Query whose answers to put on two principal components
    #[arg(long, value_name = "QUERY", help_heading = "Paper")]
    pub query_pca: Option<String>,
    /// Parquet file of human ratings of responses or of pairs of them
    #[arg(long, value_name = "FILE", help_heading = "Ratings")]
    pub ratings: Option<String>,
    /// Its column of lists of labels [default: human_labels, labels, ratings or annotations]
    #[arg(long, value_name = "COLUMN", help_heading = "Ratings")]
    pub rating_labels: Option<String>,
    /// Its counts for the first response, for the second, and of ties [default: count_1,count_2,count_tie]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', help_heading = "Ratings")]
    pub rating_counts: Option<Vec<String>>,
    /// Its columns of scores by models, separated by commas; of pairs NAME for NAME_1 and NAME_2
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', help_heading = "Ratings")]
    pub rating_scores: Vec<String>,
    /// Input and machine.
    #[command(flatten)]
    pub input: InputSettings,
}
