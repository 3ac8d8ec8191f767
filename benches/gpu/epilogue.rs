//! `epilogue`: what a dispatch spends on filter and histogram, by differences.
//!
//! The same two blocks of S3's rows, four ways in turn (A B C D A B ...), medians: nothing survives and nothing is counted;
//! the histogram alone; survivors alone; both. Survivors are those of seeded L, as at the beginning of a pass.

use super::corpus::{S3, block, half_bounds, keep, plant, seeds};
use super::opened::{Setup, median};
use anyhow::ensure;
use hivescope::compute::{Dispatch, HistogramMode, Job, Side, Stream};
use serde_json::json;
use std::time::Instant;

/// Rows of each block, and rounds.
const ROWS: usize = 32_768;
const ROUNDS: usize = 9;

/// Measures at both dimensions.
///
/// # Errors
/// If the adapter fails.
pub fn main(setup: &mut Setup) -> anyhow::Result<()> {
    let mut backend = setup.open(setup.kernel.as_deref())?;
    let info = backend.info();
    for dim in [1536, 384] {
        let measurement = format!("epilogue at {dim}");
        if setup.journal.has(&measurement, &info, setup.scale) {
            continue;
        }
        let limits = setup.limits(&info)?;
        let side = ((ROWS as f64 * setup.scale) as usize).clamp(256, backend.dispatch_rows(dim));
        let queries = (2 * side).div_ceil(S3.models);
        let corpus = plant(super::corpus::Size { queries, ..S3 }.with_dim(dim))?;
        let bound = half_bounds(&corpus, backend.as_ref());
        let kept = keep(&seeds(&corpus, 0..2 * side, 10), &bound);
        backend.load(Side::Rows, block(&corpus, &bound, 0..side))?;
        backend.load(Side::Columns, block(&corpus, &bound, side..2 * side))?;
        let job = |survivors: bool, histogram: HistogramMode| {
            let keep = |range: std::ops::Range<usize>| match survivors {
                true => kept[range].to_vec(),
                false => vec![f32::INFINITY; side],
            };
            Job {
                rows: 0..side,
                columns: 0..side,
                keep_rows: keep(0..side),
                keep_columns: keep(side..2 * side),
                histogram,
            }
        };
        let jobs = [
            job(false, HistogramMode::Off),
            job(false, HistogramMode::Coarse),
            job(true, HistogramMode::Off),
            job(true, HistogramMode::Coarse),
        ];
        let mut seconds = [const { Vec::new() }; 4];
        let mut out = Stream::new(1 << 22);
        let mut survivors = 0;
        for round in 0..=ROUNDS {
            for (job, seconds) in jobs.iter().zip(&mut seconds) {
                out.clear();
                let started = Instant::now();
                ensure!(backend.dispatch(job, &mut out)? == Dispatch::Done, "more than {} survivors", out.capacity);
                let took = if out.device_seconds > 0.0 { out.device_seconds } else { started.elapsed().as_secs_f64() };
                survivors = out.survivors.len();
                // The first warms up.
                if round > 0 {
                    seconds.push(took);
                }
            }
        }
        let [alone, counted, filtered, both] = seconds.map(|seconds| median(&seconds));
        let operations = 2.0 * (side * side * dim) as f64;
        let figures = json!({
            "rows": side, "dim": dim, "seconds": both, "multiply_seconds": alone,
            "tflops_multiply": operations / alone * 1e-12, "tflops_on_device": operations / both * 1e-12,
            "of_limit": limits.of(&info.kernel).map(|limit| operations / both / limit),
            "multiply_of_limit": limits.of(&info.kernel).map(|limit| operations / alone / limit),
            "limit_tflops": limits.of(&info.kernel).map(|limit| limit * 1e-12),
            "histogram_share": (counted - alone) / both, "survivors_share": (filtered - alone) / both,
            "both_share": (both - alone) / both, "survivors": survivors,
            "survivors_a_row": survivors as f64 / side as f64,
        });
        setup.journal.add(&measurement, &info, setup.scale, figures)?;
        backend.unload(Side::Rows);
        backend.unload(Side::Columns);
    }
    Ok(())
}
