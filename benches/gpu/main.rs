//! What a graphics card does, beside its own limits: README.md in this folder says how to run it and what was predicted.
//!
//! `gpu [options] COMMAND`; one file a command. Every measurement is a line of JSON in the file of `--out`, with device,
//! driver, commit and command; what stands there already for this commit, device, kernel and scale is skipped, so a
//! command that was cut off is started again. `--scale 0.01` takes a hundredth of the queries, to try everything without
//! a card; rows have their size in memory and their values all the same. Without a command: `limits`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

mod check;
mod cold;
mod corpus;
mod epilogue;
mod journal;
mod limits;
mod opened;
mod sizes;
mod slab;
mod summary;

use clap::{Parser, Subcommand};
use opened::Setup;
use std::path::PathBuf;

/// What every command takes.
#[derive(Parser)]
struct Arguments {
    /// Adapter, as `hivescope run --device` has it
    #[arg(long, global = true)]
    device: Option<String>,
    /// f32, f16, matrix or one kernel as `hivescope devices` shows it; the fastest if left out
    #[arg(long, global = true)]
    kernel: Option<String>,
    /// Share of the queries
    #[arg(long, global = true, default_value_t = 1.0)]
    scale: f64,
    /// JSON lines are appended to this file; printed only, if left out
    #[arg(long, global = true)]
    out: Option<PathBuf>,
    /// Commit that was measured; that of the build if left out
    #[arg(long, global = true)]
    commit: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
    /// Given by `cargo bench`
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Every kernel of the adapter against the CPU: neighbours, ties, components and edges byte for byte
    Check,
    /// The adapter's own limits, and each kernel's share of them
    Limits,
    /// Multiply alone, with a histogram, with survivors: d = 1536 and 384
    Epilogue,
    /// The pair pass on 125,000 x 1536
    S1(sizes::Options),
    /// The pair pass on 395,000 x 1536
    S2(sizes::Options),
    /// The pair pass on 2,060,000 x 1536
    S3(sizes::Options),
    /// 65,536 rows of S3 against all of them, multiplied up; for kernels that S3 is not worth running whole
    Slab,
    /// S1 from a file of rows, in the page cache and not
    Cold(cold::Options),
    /// Markdown for benches/RESULTS.md, from the file of --out
    Summary,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut setup = Setup::new(
        arguments.device,
        arguments.kernel,
        arguments.scale,
        journal::Journal::open(arguments.out, arguments.commit)?,
    );
    match arguments.command.unwrap_or(Command::Limits) {
        Command::Check => check::main(&mut setup),
        Command::Limits => limits::main(&mut setup),
        Command::Epilogue => epilogue::main(&mut setup),
        Command::S1(options) => sizes::main(&mut setup, corpus::S1, &options),
        Command::S2(options) => sizes::main(&mut setup, corpus::S2, &options),
        Command::S3(options) => sizes::main(&mut setup, corpus::S3, &options),
        Command::Slab => slab::main(&mut setup),
        Command::Cold(options) => cold::main(&mut setup, &options),
        Command::Summary => {
            summary::print(setup.journal.lines());
            Ok(())
        }
    }
}
