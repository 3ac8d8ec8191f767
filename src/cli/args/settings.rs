//! Settings that flags, the environment and hivescope.toml share.

use super::finite;
use super::values::{BackendArg, BadRowArg, HistogramArg, IoArg, TextsArg};
use clap::Args;
use serde::{Deserialize, Serialize};

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
