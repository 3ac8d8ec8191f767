//! `slab`: the first 65,536 rows of S3 against all rows, and what that says of the whole.
//!
//! No pair pass: the backend is driven directly, blocks loaded, dispatches submitted and collected as the driver does it.
//! L is what seeding gives and stays, so more survives than late in a pass; nothing is merged or computed again. Figures
//! of the whole are multiplied up by pairs, and marked so.

use super::corpus::{S3, block, half_bounds, keep, plant, seeds};
use super::opened::Setup;
use hivescope::compute::{Backend, Dispatch, HistogramMode, Job, Side, Stream};
use hivescope::corpus::Corpus;
use serde_json::json;
use std::collections::VecDeque;
use std::ops::Range;
use std::time::Instant;

/// Rows of the slab.
const ROWS: usize = 65_536;

/// Rows of a block at most.
const BLOCK: usize = 32_768;

/// Survivors that a dispatch may append.
const CAPACITY: usize = 1 << 22;

type Rectangle = (Range<usize>, Range<usize>);

/// What the slab took.
#[derive(Default)]
struct Totals {
    pairs: u64,
    survivors: u64,
    repeated: u64,
    device: f64,
    load: f64,
}

/// Pieces of a range.
fn pieces(range: Range<usize>, side: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(side.max(1)).map(move |start| start..end.min(start + side))
}

/// Pairs (i, j), j > i.
fn pairs((rows, columns): &Rectangle) -> u64 {
    columns.clone().map(|j| (j.clamp(rows.start, rows.end) - rows.start) as u64).sum()
}

/// A rectangle cut along its longer side.
fn halves((rows, columns): Rectangle) -> [Rectangle; 2] {
    if rows.len() >= columns.len() {
        let middle = rows.start + rows.len() / 2;
        [(rows.start..middle, columns.clone()), (middle..rows.end, columns)]
    } else {
        let middle = columns.start + columns.len() / 2;
        [(rows.clone(), columns.start..middle), (rows, middle..columns.end)]
    }
}

/// Sends the slab through `backend`.
fn sweep(
    corpus: &Corpus,
    backend: &mut dyn Backend,
    slab: usize,
    keep: &[f32],
    bound: &[f32],
) -> anyhow::Result<Totals> {
    let (n, dim) = (corpus.len(), corpus.dim());
    let side = backend.block_rows(dim).min(BLOCK);
    let (mut totals, mut stream) = (Totals::default(), Stream::new(CAPACITY));
    for rows in pieces(0..slab, side) {
        for columns in pieces(0..n, side).filter(|columns| columns.end > rows.start + 1) {
            let started = Instant::now();
            backend.load(Side::Rows, block(corpus, bound, rows.clone()))?;
            backend.load(Side::Columns, block(corpus, bound, columns.clone()))?;
            totals.load += started.elapsed().as_secs_f64();
            let dispatch = backend.dispatch_rows(dim);
            let mut todo: Vec<Rectangle> = pieces(rows.clone(), dispatch)
                .flat_map(|r| pieces(columns.clone(), dispatch).map(move |c| (r.clone(), c)))
                .filter(|rectangle| pairs(rectangle) > 0)
                .collect();
            let mut under_way: VecDeque<Rectangle> = VecDeque::new();
            // A block is changed only once its dispatches are collected: a simpler order than the driver's.
            while !(todo.is_empty() && under_way.is_empty()) {
                if under_way.len() < backend.in_flight()
                    && let Some(rectangle) = todo.pop()
                {
                    let within = |range: &Range<usize>, first: usize| range.start - first..range.end - first;
                    let job = Job {
                        rows: within(&rectangle.0, rows.start),
                        columns: within(&rectangle.1, columns.start),
                        keep_rows: keep[rectangle.0.clone()].to_vec(),
                        keep_columns: keep[rectangle.1.clone()].to_vec(),
                        histogram: HistogramMode::Coarse,
                    };
                    backend.submit(job, CAPACITY)?;
                    under_way.push_back(rectangle);
                    continue;
                }
                stream.clear();
                let end = backend.collect(&mut stream)?;
                let Some(rectangle) = under_way.pop_front() else { break };
                totals.device += stream.device_seconds;
                if end == Dispatch::StreamFull {
                    totals.repeated += 1;
                    todo.extend(halves(rectangle));
                } else {
                    totals.pairs += pairs(&rectangle);
                    totals.survivors += stream.survivors.len() as u64;
                }
            }
        }
    }
    Ok(totals)
}

/// Measures the slab with `--kernel`, f32 if there is none.
///
/// # Errors
/// If the adapter fails.
pub fn main(setup: &mut Setup) -> anyhow::Result<()> {
    let kernel = setup.kernel.clone().unwrap_or_else(|| "f32".into());
    let mut backend = setup.open(Some(&kernel))?;
    let info = backend.info();
    if setup.journal.has("slab of S3", &info, setup.scale) {
        return Ok(());
    }
    let limits = setup.limits(&info)?;
    let corpus = plant(S3.scaled(setup.scale))?;
    let (n, dim) = (corpus.len(), corpus.dim());
    let slab = ((ROWS as f64 * setup.scale) as usize).clamp(256.min(n), n);
    let bound = half_bounds(&corpus, backend.as_ref());
    let keep = keep(&seeds(&corpus, 0..n, 10), &bound);
    let started = Instant::now();
    let totals = sweep(&corpus, backend.as_mut(), slab, &keep, &bound)?;
    let seconds = started.elapsed().as_secs_f64();
    let device = if totals.device > 0.0 { totals.device } else { seconds - totals.load };
    let operations = 2.0 * dim as f64 * totals.pairs as f64;
    let whole = (n as f64 * (n - 1) as f64 / 2.0) / totals.pairs as f64;
    let figures = json!({
        "rows": n, "dim": dim, "slab": slab, "pairs": totals.pairs, "seconds": seconds,
        "tflops_executed": operations / seconds * 1e-12, "tflops_on_device": operations / device * 1e-12,
        "of_limit": limits.of(&info.kernel).map(|limit| operations / device / limit),
        "limit_tflops": limits.of(&info.kernel).map(|limit| limit * 1e-12),
        "phases": { "device": device, "load": totals.load },
        "survivors_a_row": totals.survivors as f64 / slab as f64, "dispatches_repeated": totals.repeated,
        "whole_device_seconds_extrapolated": device * whole, "merged": false,
    });
    setup.journal.add("slab of S3", &info, setup.scale, figures)
}
