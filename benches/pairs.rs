//! The pair pass on the CPU, for `benches/pairs.py`, which runs it beside its peers on the same rows.
//!
//! `pairs [--input ROWS.f32 --dim D] [--query FILE --model FILE] [options]`: ROWS.f32 is a flat little-endian f32 file of
//! N x D; the files of `--query` and `--model` hold one little-endian u32 a row. One JSON line a repetition: seconds of
//! the pass (not of reading), settings, resident memory before and at its peak, edges, `PairStats`. `--neighbors` gets the
//! neighbours of the last repetition: K row numbers a row, u32. Without arguments it runs a small planted corpus.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(clippy::expect_used, reason = "a benchmark may stop on any error")]

use clap::Parser;
use hivescope::base::Silent;
use hivescope::base::random::Stream;
use hivescope::base::units::parse_bytes;
use hivescope::compute::Backend;
use hivescope::compute::cpu::{CpuBackend, CpuKernel};
use hivescope::corpus::{Corpus, Dictionary, Embeddings, Layout, Rows};
use hivescope::run::{HistogramChoice, PairSettings, pair_pass};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Parser)]
struct Arguments {
    #[arg(long, requires = "dim")]
    input: Option<PathBuf>,
    #[arg(long, default_value_t = 384)]
    dim: usize,
    /// Query of each row; row mod 20 if left out
    #[arg(long)]
    query: Option<PathBuf>,
    /// Model of each row; row / 20 if left out
    #[arg(long)]
    model: Option<PathBuf>,
    #[arg(long, default_value_t = 10)]
    k: usize,
    /// auto, exact, coarse or off
    #[arg(long, default_value = "auto", value_parser = histogram)]
    histogram: HistogramChoice,
    /// Kernel of the backend; its own choice if left out
    #[arg(long)]
    kernel: Option<String>,
    #[arg(long)]
    threshold: Option<f64>,
    /// Anonymous memory that the pass may hold, such as 64MiB; as much as it likes if left out
    #[arg(long, value_parser = parse_bytes)]
    memory: Option<u64>,
    #[arg(long, default_value_t = 1)]
    repetitions: usize,
    #[arg(long)]
    neighbors: Option<PathBuf>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

/// The backend with the kernel of that name, or the one that a run would choose.
fn backend(kernel: Option<&str>, histogram: HistogramChoice) -> CpuBackend {
    CpuBackend::new(match kernel {
        None => CpuKernel::choose(histogram != HistogramChoice::Off),
        Some(name) => CpuKernel::named(name).expect("a kernel of this CPU"),
    })
}

fn histogram(text: &str) -> Result<HistogramChoice, serde_json::Error> {
    serde_json::from_value(text.into())
}

fn main() {
    let arguments = Arguments::parse();
    let values = match &arguments.input {
        Some(file) => numbers::<f32>(file),
        None => planted(2000, arguments.dim as u64),
    };
    let rows = values.len() / arguments.dim;
    let ids = |file: &Option<PathBuf>, planted: fn(u32) -> u32| match file {
        Some(file) => numbers::<u32>(file),
        None => (0..rows as u32).map(planted).collect(),
    };
    let query = ids(&arguments.query, |row| row % 20);
    let model = ids(&arguments.model, |row| row / 20);
    let corpus = corpus(values, arguments.dim, &query, &model);
    let settings = PairSettings {
        k: arguments.k,
        histogram: arguments.histogram,
        threshold: arguments.threshold,
        memory: arguments.memory.unwrap_or(u64::MAX),
        ..PairSettings::default()
    };
    for repetition in 1..=arguments.repetitions {
        let mut backend = backend(arguments.kernel.as_deref(), arguments.histogram);
        let before = resident("VmRSS:");
        restart_peak();
        let started = std::time::Instant::now();
        let outcome = pair_pass(&corpus, &mut backend, &settings, &Silent).expect("the pass");
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "{}",
            serde_json::json!({
                "seconds": seconds, "rows": rows, "dim": arguments.dim, "k": arguments.k, "histogram": arguments.histogram,
                "kernel": backend.info().kernel, "block_rows": backend.block_rows(corpus.dim()),
                "resident_before": before, "resident_peak": resident("VmHWM:"),
                "edges": outcome.edges.as_ref().map(|edges| edges.len()), "stats": outcome.stats,
            })
        );
        if let (Some(file), true) = (&arguments.neighbors, repetition == arguments.repetitions) {
            std::fs::write(file, bytemuck::cast_slice(&outcome.neighbors.dst)).expect("the neighbours written");
        }
    }
}

/// A figure of this process in bytes; none where there is no /proc.
fn resident(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(1024 * line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?)
}

/// Lets VmHWM begin again at what is resident now; where that can't be done it is the peak since the start.
fn restart_peak() {
    std::fs::write("/proc/self/clear_refs", "5").ok();
}

/// The little-endian numbers of a file, on the little-endian machines that benchmarks run on.
fn numbers<T: bytemuck::Pod>(file: &Path) -> Vec<T> {
    bytemuck::pod_collect_to_vec(&std::fs::read(file).expect("the file"))
}

fn planted(n: u64, dim: u64) -> Vec<f32> {
    let draws = Stream::new(1, "bench");
    (0..n * dim).map(|i| (draws.normal(i / dim % 20, i % dim) + draws.normal(100 + i / dim, i % dim)) as f32).collect()
}

/// A corpus of `values` (N x `dim`) with the query and the model of each row.
fn corpus(values: Vec<f32>, dim: usize, query: &[u32], model: &[u32]) -> Corpus {
    let names = |prefix: &str, ids: &[u32]| ids.iter().map(|id| format!("{prefix}{id:06}")).collect::<Vec<_>>();
    let (queries, query) = Dictionary::from_names(&names("q", query));
    let (models, model) = Dictionary::from_names(&names("m", model));
    let rows = Rows::of_keys((queries, query), (models, model));
    let layout = Layout::new(&rows);
    let ordered =
        layout.row_at.iter().flat_map(|&r| values[r as usize * dim..(r as usize + 1) * dim].iter().copied()).collect();
    drop(values);
    Corpus {
        files: Vec::new(),
        rows,
        layout,
        embeddings: Arc::new(Embeddings::from_rows(ordered, dim)),
        notes: Vec::new(),
        skipped: 0,
    }
}
