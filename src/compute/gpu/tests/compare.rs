//! Every pair of a job in two streams: what may not differ, differs nowhere.

use super::*;
use crate::compute::outcome::BINS;
use crate::compute::tile::Survivor;
use std::collections::HashMap;

/// Rounding of the bin arithmetic, in units of similarity (see `HistogramMode::Exact`), and of the filter's one sum.
const ARITHMETIC: f64 = 5e-7;

fn by_pair(out: &Stream) -> HashMap<(usize, usize), Survivor> {
    out.survivors.iter().map(|s| ((s.row as usize, s.column() as usize), *s)).collect()
}

/// What differs between `gpu` and `cpu` beyond the bound `bound` on the error of either.
///
/// A pair whose exact similarity is within the bound of where it would be kept, or would be near an edge, may be judged
/// either way; every other one must be reported by both or neither, with the same flag, and counted in the same bin.
pub(super) fn differences(
    (gpu, cpu): (&Stream, &Stream),
    (rows, columns): (&Block, &Block),
    job: &Job,
    bound: f64,
) -> Vec<String> {
    let (on_gpu, on_cpu) = (by_pair(gpu), by_pair(cpu));
    let mut found = Vec::new();
    if on_gpu.len() != gpu.survivors.len() || on_cpu.len() != cpu.survivors.len() {
        found.push("a pair is reported twice".into());
    }
    let (mut met_gpu, mut met_cpu) = (0, 0);
    // GPU minus CPU, and how far that may be from 0.
    let mut counts = vec![[0i64; BINS]; 4];
    for ((sum, a), b) in counts.iter_mut().zip(gpu.histogram.iter()).zip(cpu.histogram.iter()) {
        for bin in 0..BINS {
            sum[bin] = a[bin] as i64 - b[bin] as i64;
        }
    }
    let mut free = vec![[0i64; BINS]; 4];
    let tolerance = bound + ARITHMETIC;
    for i in job.rows.clone() {
        let (x, _) = rows.row(i);
        for j in job.columns.clone().filter(|j| columns.first + j > rows.first + i) {
            let (y, _) = columns.row(j);
            let s: f64 = x.iter().zip(y).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            let (a, b) = (on_gpu.get(&(i, j)), on_cpu.get(&(i, j)));
            met_gpu += usize::from(a.is_some());
            met_cpu += usize::from(b.is_some());
            for (side, one) in [("GPU", a), ("CPU", b)] {
                if let Some(one) = one.filter(|one| (f64::from(one.coarse) - s).abs() > bound) {
                    found.push(format!("{side}: similarity of {i}, {j} is {}, not {s}", one.coarse));
                }
            }
            let relation =
                2 * usize::from(rows.query[i] != columns.query[j]) + usize::from(rows.model[i] != columns.model[j]);
            let scaled = (s + 1.0) * 100.0;
            let edge = (scaled - scaled.round()).abs() / 100.0;
            let bin = scaled.clamp(0.0, 199.0) as usize;
            let near = [a, b].map(|one| one.is_some_and(|one| one.near_edge()));
            match job.histogram {
                HistogramMode::Exact { width } => {
                    if near[0] != near[1] && (edge - f64::from(width)).abs() > tolerance {
                        found.push(format!("{i}, {j} near an edge: {near:?}"));
                    }
                    counts[relation][bin] += i64::from(near[0]) - i64::from(near[1]);
                }
                HistogramMode::Coarse if edge <= tolerance => {
                    let other = if scaled - scaled.floor() < 0.5 { bin.saturating_sub(1) } else { (bin + 1).min(199) };
                    free[relation][bin] += 1;
                    free[relation][other] += 1;
                }
                _ => {}
            }
            let keep = (f64::from(job.keep_rows[i - job.rows.start]) - f64::from(columns.half_bound[j]))
                .min(f64::from(job.keep_columns[j - job.columns.start]) - f64::from(rows.half_bound[i]));
            if a.is_some() != b.is_some() && near[0] == near[1] && (s - keep).abs() > tolerance {
                found.push(format!("{i}, {j} of similarity {s} is kept by one: {}, {}", a.is_some(), b.is_some()));
            }
        }
    }
    if (met_gpu, met_cpu) != (on_gpu.len(), on_cpu.len()) {
        found.push("something is reported that is no pair of the job".into());
    }
    for (relation, (counts, free)) in counts.iter().zip(&free).enumerate() {
        for bin in (0..BINS).filter(|&bin| counts[bin].abs() > free[bin]) {
            found.push(format!("relation {relation}, bin {bin}: {} more on the GPU", counts[bin]));
        }
    }
    found
}
