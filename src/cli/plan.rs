//! `hivescope plan`: what a run would take.

use super::args::{Messages, PlanArgs};
use super::settings::{self, SettingsFile};
use super::{backend, memory, messages};
use crate::base::units::{show_bytes, show_count, show_seconds};
use crate::compute::cpu::CpuKernel;
use crate::compute::{HistogramMode, gpu};
use crate::input;
use crate::run::is_exact;

/// About how near to the edge of a bin a pair is settled in f64.
const NEAR_EDGE: f32 = 5e-6;

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
    let kernel = CpuKernel::choose(true);
    // As a run would count: pairs near an edge are looked at again in an exact histogram.
    let exact = is_exact(usize::try_from(survey.rows).unwrap_or(usize::MAX));
    let histogram = if exact { HistogramMode::Exact { width: NEAR_EDGE } } else { HistogramMode::Coarse };
    let speed = settings::pool(merged.threads)?.install(|| backend::cpu_speed(kernel, dim, histogram))?;
    let seconds = flop / speed;
    let gpus: Vec<String> = gpu::adapters(false)
        .into_iter()
        .filter(|adapter| adapter.kind != "software")
        .map(|adapter| format!("{} ({})", adapter.name, adapter.api))
        .collect();
    // A choice made before is all that is known of a GPU without waking it.
    let gpu_speed = backend::cache().filter(|_| !gpus.is_empty() && !exact).and_then(|cache| gpu::remembered(&cache));
    if flags.json {
        messages::json(&serde_json::json!({
            "type": "plan", "files": survey.files.len(), "rows": survey.rows, "dim": survey.dim, "pairs": pairs.to_string(),
            "flop": flop, "input_bytes": bytes, "vector_bytes": vectors, "memory_budget": options.memory,
            "memory_available": memory::available(), "gpus": gpus, "cpu_kernel": kernel.name(), "cpu_flop_per_second": speed,
            "predicted_cpu_seconds": seconds, "gpu_kernel": gpu_speed.as_ref().map(|known| &known.0),
            "predicted_gpu_seconds": gpu_speed.as_ref().map(|known| flop / known.1), "columns": survey.columns,
        }));
        return Ok(0);
    }
    let place = if vectors > options.memory / 2 { "in a scratch file" } else { "in memory" };
    let columns: Vec<String> = survey.columns.iter().map(|(part, name)| format!("{part}={name}")).collect();
    let mut rows = vec![
        ("files", format!("{} ({})", survey.files.len(), show_bytes(bytes))),
        ("columns", columns.join(" ")),
        ("rows", show_count(survey.rows)),
        ("dimension", survey.dim.to_string()),
        ("pairs", u64::try_from(pairs).map_or_else(|_| pairs.to_string(), show_count)),
        ("FLOP of the pair pass", format!("{flop:.2e} (rows^2 x dimension)")),
        ("vectors as f32", format!("{} {place}", show_bytes(vectors))),
        ("memory budget", show_bytes(options.memory)),
        ("GPU", if gpus.is_empty() { "none found".to_owned() } else { gpus.join("; ") }),
        (
            "CPU, measured now",
            format!(
                "{:.1} G operations/s ({}, with {} histogram)",
                speed / 1e9,
                kernel.name(),
                if exact { "an exact" } else { "a coarse" }
            ),
        ),
        ("pair pass on the CPU", format!("{} (a prediction from that speed)", show_seconds(seconds))),
    ];
    if let Some((kernel, speed)) = gpu_speed {
        rows.push(("pair pass on the GPU", format!("{} ({kernel}, as timed before)", show_seconds(flop / speed))));
    }
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    messages::data(&messages::table(&rows, &[1]));
    Ok(0)
}
