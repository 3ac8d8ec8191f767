//! `s1`, `s2`, `s3`: the whole pair pass, coarse histogram on, k = 10, rows in memory.

use super::corpus::{Size, plant};
use super::opened::{Aloud, Setup, median};
use hivescope::compute::Backend;
use hivescope::compute::gpu::CardLimits;
use hivescope::compute::outcome::PairStats;
use hivescope::corpus::Corpus;
use hivescope::run::{HistogramChoice, PairSettings, pair_pass};
use serde_json::{Value, json};
use std::time::Instant;

/// How often.
#[derive(clap::Args)]
pub struct Options {
    /// Passes, of which the median one counts; the first of several warms up too
    #[arg(long, default_value_t = 1)]
    repetitions: usize,
    /// Neighbours a row
    #[arg(short, default_value_t = 10)]
    k: usize,
}

/// Makes the corpus and forms all its pairs.
///
/// # Errors
/// If the adapter fails.
pub fn main(setup: &mut Setup, size: Size, options: &Options) -> anyhow::Result<()> {
    let mut backend = setup.open(setup.kernel.as_deref())?;
    let info = backend.info();
    let measurement = if options.k == 10 { size.name.to_owned() } else { format!("{}, k = {}", size.name, options.k) };
    if setup.journal.has(&measurement, &info, setup.scale) {
        return Ok(());
    }
    let limits = setup.limits(&info)?;
    let corpus = plant(size.scaled(setup.scale))?;
    let mut runs = Vec::new();
    for _ in 0..options.repetitions.max(1) {
        runs.push(pass(&corpus, backend.as_mut(), options.k)?);
    }
    let seconds: Vec<f64> = runs.iter().map(|run| run.0).collect();
    let middle = median(&seconds);
    // There is one of that time.
    let stats = runs.iter().find(|run| run.0 == middle).map_or_else(PairStats::default, |run| run.1.clone());
    let mut figures = figures(&corpus, middle, &stats, &limits, &info.kernel);
    figures["all_seconds"] = json!(seconds);
    figures["k"] = json!(options.k);
    setup.journal.add(&measurement, &info, setup.scale, figures)
}

/// One pass: seconds and what it says of itself.
///
/// # Errors
/// If the adapter fails.
pub fn pass(corpus: &Corpus, backend: &mut dyn Backend, k: usize) -> anyhow::Result<(f64, PairStats)> {
    let settings = PairSettings { k, histogram: HistogramChoice::Coarse, ..PairSettings::default() };
    let started = Instant::now();
    let outcome = pair_pass(corpus, backend, &settings, &Aloud::new())?;
    Ok((started.elapsed().as_secs_f64(), outcome.stats))
}

/// What is printed of a pass. Operations are those executed: each unordered pair once.
pub fn figures(corpus: &Corpus, seconds: f64, stats: &PairStats, limits: &CardLimits, kernel: &str) -> Value {
    let (rows, dim) = (corpus.len() as f64, corpus.dim());
    let operations = 2.0 * dim as f64 * stats.pairs as f64;
    let phase = |name: &str| stats.seconds.get(name).copied().unwrap_or(0.0);
    let device = if phase("device") > 0.0 { phase("device") } else { phase("multiply") };
    let on_device = operations / device;
    json!({
        "rows": corpus.len(), "dim": dim, "pairs": stats.pairs, "seconds": seconds,
        "tflops_executed": operations / seconds * 1e-12, "tflops_on_device": on_device * 1e-12,
        "of_limit": limits.of(kernel).map(|limit| on_device / limit), "limit_tflops": limits.of(kernel).map(|l| l * 1e-12),
        "phases": stats.seconds, "survivors_a_row": 2.0 * stats.survivors as f64 / rows,
        "computed_in_f64_a_row": 2.0 * stats.rescored as f64 / rows, "dispatches_repeated": stats.repeated,
        "list_mean": stats.listed as f64 / (rows - stats.copies as f64 - stats.rows_redone as f64).max(1.0),
        "list_longest": stats.longest_list,
        "rows_redone": stats.rows_redone, "device_faults": stats.device_faults, "copies": stats.copies,
        "half_bound_max": stats.half_bound_max,
    })
}
