//! What was typed: the command and its subcommands. Those with many flags have a file of their own.
//! Not here: what the flags resolve to (`settings`).

mod reproduce;
mod settings;
mod synth;
mod values;

pub use reproduce::{Paper, ReproduceArgs};
pub use settings::{InputSettings, PassSettings};
pub use synth::{SynthArgs, SynthKind};
pub use values::{BackendArg, BadRowArg, HistogramArg, IoArg, TextsArg};

use clap::{Args, Parser, Subcommand};
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

/// A number, for settings and what is planted: NaN and infinity are none.
fn finite(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if number.is_finite() { Ok(number) } else { Err(format!("`{text}` is not a finite number")) }
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

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Result directory of `hivescope run` or `hivescope reproduce`
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}
