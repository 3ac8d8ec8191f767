//! `hivescope plan`: what a run would take.

use super::args::{Messages, PlanArgs};
use super::settings::{self, SettingsFile};
use super::{memory, messages};
use crate::base::Result;
use crate::base::random::Stream as Random;
use crate::base::units::{show_bytes, show_count, show_seconds};
use crate::compute::cpu::CpuBackend;
use crate::compute::tile::Vectors;
use crate::compute::{Backend, Block, HistogramMode, Job, Side, Stream, gpu};
use crate::input;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rows of the blocks that are multiplied to measure the CPU.
const ROWS: usize = 512;

/// How long the measurement takes at least.
const LONG_ENOUGH: Duration = Duration::from_millis(200);

/// A block of random rows of about unit length.
fn block(first: usize, dim: usize) -> Block {
    let random = Random::new(0, "plan");
    let scale = (3.0 / dim as f64).sqrt();
    let value = |i: usize| ((2.0 * random.uniform((first * dim + i) as u64, 0) - 1.0) * scale) as f32;
    Block {
        first,
        vectors: Vectors::Unit((0..ROWS * dim).map(value).collect()),
        half_bound: vec![0.0; ROWS],
        query: vec![0; ROWS],
        model: vec![0; ROWS],
    }
}

/// FLOP a second of the CPU backend at dimension `dim`, measured for about 0.2 s.
fn cpu_speed(dim: usize) -> Result<f64> {
    let mut backend = CpuBackend::default();
    backend.load(Side::Rows, Arc::new(block(0, dim)))?;
    backend.load(Side::Columns, Arc::new(block(ROWS, dim)))?;
    let job = Job {
        rows: 0..ROWS,
        columns: 0..ROWS,
        keep_rows: vec![2.0; ROWS],
        keep_columns: vec![2.0; ROWS],
        histogram: HistogramMode::Coarse,
    };
    let mut out = Stream::new(1 << 16);
    backend.dispatch(&job, &mut out)?;
    let started = Instant::now();
    let mut repeats = 0u32;
    while started.elapsed() < LONG_ENOUGH {
        out.clear();
        backend.dispatch(&job, &mut out)?;
        repeats += 1;
    }
    let flop = 2.0 * (ROWS * ROWS * dim) as f64 * f64::from(repeats);
    Ok(flop / started.elapsed().as_secs_f64())
}

/// Runs `plan`.
///
/// # Errors
/// As [`input::survey`].
pub fn main(args: &PlanArgs, flags: &Messages) -> anyhow::Result<u8> {
    let file = SettingsFile::read(flags.config.as_deref())?;
    let merged = file.fill(&args.input)?;
    let options = settings::input_options(&args.inputs, &merged, std::env::temp_dir())?;
    let survey = input::survey(&options)?;
    let (n, dim) = (survey.rows as f64, survey.dim.max(1));
    let pairs = u128::from(survey.rows) * u128::from(survey.rows.saturating_sub(1)) / 2;
    let flop = n * n * dim as f64;
    let bytes: u64 = survey.files.iter().map(|file| file.2).sum();
    let vectors = survey.rows.saturating_mul(dim as u64 * 4);
    let speed = settings::pool(merged.threads)?.install(|| cpu_speed(dim))?;
    let seconds = flop / speed;
    let gpus: Vec<String> = gpu::adapters()
        .into_iter()
        .filter(|adapter| adapter.kind != "software")
        .map(|adapter| format!("{} ({})", adapter.name, adapter.api))
        .collect();
    if flags.json {
        messages::json(&serde_json::json!({
            "type": "plan", "files": survey.files.len(), "rows": survey.rows, "dim": survey.dim, "pairs": pairs.to_string(),
            "flop": flop, "input_bytes": bytes, "vector_bytes": vectors, "memory_budget": options.memory,
            "memory_available": memory::available(), "gpus": gpus, "cpu_flop_per_second": speed,
            "predicted_cpu_seconds": seconds, "columns": survey.columns,
        }));
        return Ok(0);
    }
    let place = if vectors > options.memory / 2 { "in a scratch file" } else { "in memory" };
    let columns: Vec<String> = survey.columns.iter().map(|(part, name)| format!("{part}={name}")).collect();
    let rows = [
        ("files", format!("{} ({})", survey.files.len(), show_bytes(bytes))),
        ("columns", columns.join(" ")),
        ("rows", show_count(survey.rows)),
        ("dimension", survey.dim.to_string()),
        ("pairs", u64::try_from(pairs).map_or_else(|_| pairs.to_string(), show_count)),
        ("FLOP of the pair pass", format!("{flop:.2e} (rows^2 x dimension)")),
        ("vectors as f32", format!("{} {place}", show_bytes(vectors))),
        ("memory budget", show_bytes(options.memory)),
        ("GPU", if gpus.is_empty() { "none found".to_owned() } else { gpus.join("; ") }),
        ("CPU, measured now", format!("{:.1} GFLOP/s", speed / 1e9)),
        ("pair pass on the CPU", format!("{} (a prediction from that speed)", show_seconds(seconds))),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    messages::data(&messages::table(&rows, &[1]));
    Ok(0)
}
