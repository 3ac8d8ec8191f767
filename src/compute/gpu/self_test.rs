//! The start-up test of an opened adapter. It can only refuse: what it lets pass rests on the bound of the certificate.
//!
//! All pairs of [`ROWS`] rows (several workgroups each way) against f64: similarities within a quarter of the bound, no
//! pair missing, none that is not one, the filter, and every bin of every relation.

use super::backend::GpuBackend;
use crate::base::Result;
use crate::base::random::Stream as Draws;
use crate::compute::outcome::BINS;
use crate::compute::tile::{Backend, Block, Dispatch, HistogramMode, Job, Side, Stream, Vectors};
use std::sync::Arc;

/// Rows of the test.
const ROWS: usize = 200;

/// Dimensions: one that is no multiple of anything, one that crosses slices.
const DIMENSIONS: [usize; 2] = [67, 384];

/// Tests `backend`.
///
/// # Errors
/// [`crate::base::Error::Device`] that says what is wrong.
pub(super) fn self_test(backend: &mut GpuBackend) -> Result<()> {
    for dim in DIMENSIONS {
        let result = test(backend, dim)?;
        result.map_err(|problem| backend.device().error(format!("self-test at dimension {dim}: {problem}")))?;
    }
    backend.clear();
    Ok(())
}

/// The rows: unit length, each different, in four kinds.
fn rows(dim: usize) -> Vec<f32> {
    let draws = Draws::new(0, "self-test");
    let uniform = |row: usize, i: usize| draws.uniform(row as u64, i as u64) * 2.0 - 1.0;
    let mut rows = Vec::with_capacity(ROWS * dim);
    for row in 0..ROWS {
        let value = |i: usize| match row % 4 {
            // Cancelling: like the row before, the second half negated.
            1 if i >= dim / 2 => -uniform(row - 1, i),
            1 => uniform(row - 1, i),
            // Wide-ranging: from 1 down to 2^-80.
            2 => uniform(row, i) * f64::from(-((i * 7 + row) as i32 % 81)).exp2(),
            // One large product and, slices away, many that a single chain of additions would lose beside it: without
            // slices their sum is missing, and it is above the bound.
            3 => {
                let large = if row % 8 == 3 { 0 } else { dim - 1 };
                let small = if row % 16 < 8 { 12 } else { 13 };
                match i / 64 == large / 64 {
                    true => f64::from(u8::from(i == large)) * (1.0 + row as f64 / 1024.0),
                    false => f64::from(-small).exp2(),
                }
            }
            _ => uniform(row, i),
        };
        let norm = (0..dim).map(|i| value(i) * value(i)).sum::<f64>().sqrt();
        rows.extend((0..dim).map(|i| (value(i) / norm) as f32));
    }
    rows
}

/// What is wrong at dimension `dim`, if anything; the outer error is a device that failed.
fn test(backend: &mut GpuBackend, dim: usize) -> Result<std::result::Result<(), String>> {
    // As they are stored: rounding them is no error of the kernel.
    let unit: Vec<f32> = rows(dim).chunks_exact(dim).flat_map(|row| backend.kernel().format().stored(row)).collect();
    let gamma = backend.gamma(dim);
    let half_bound: Vec<f32> = (0..ROWS).map(|i| (i % 7) as f32 * 0.01).collect();
    let id = |modulus: u32| (0..ROWS as u32).map(|i| i % modulus).collect::<Vec<_>>();
    let vectors = Vectors::Unit(unit.clone());
    let block = Arc::new(Block { first: 0, vectors, half_bound, query: id(5), model: id(3) });
    backend.load(Side::Rows, Arc::clone(&block))?;
    backend.load(Side::Columns, Arc::clone(&block))?;
    // Once everything survives and is counted, once the filter works.
    let job = |keep: f32, histogram: HistogramMode| Job {
        rows: 0..ROWS,
        columns: 0..ROWS,
        keep_rows: vec![keep; ROWS],
        keep_columns: vec![keep; ROWS],
        histogram,
    };
    let (mut all, mut kept) = (Stream::new(ROWS * ROWS), Stream::new(ROWS * ROWS));
    let width = 4.0 * gamma as f32 + 1e-6;
    let ends = [
        backend.dispatch(&job(f32::NEG_INFINITY, HistogramMode::Exact { width }), &mut all)?,
        backend.dispatch(&job(0.1, HistogramMode::Off), &mut kept)?,
    ];
    Ok(if ends == [Dispatch::Done; 2] {
        check(&unit, dim, gamma, f64::from(width), &all).and_then(|()| check_filter(&block, 0.1, &all, &kept))
    } else {
        Err("survivors are too many".into())
    })
}

/// Checks a stream in which every pair survived.
fn check(unit: &[f32], dim: usize, gamma: f64, width: f64, all: &Stream) -> std::result::Result<(), String> {
    let row = |i: usize| &unit[i * dim..(i + 1) * dim];
    let dot = |a: usize, b: usize| row(a).iter().zip(row(b)).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let norms: Vec<f64> = (0..ROWS).map(|i| dot(i, i).sqrt()).collect();
    let mut seen = vec![false; ROWS * ROWS];
    let mut histogram = vec![[0u64; BINS]; 4];
    for s in &all.survivors {
        let (r, c) = (s.row as usize, s.column() as usize);
        if r >= c || c >= ROWS || std::mem::replace(&mut seen[r * ROWS + c], true) {
            return Err(format!("rows {r} and {c} are no pair, or reported twice"));
        }
        let exact = dot(r, c);
        let error = (f64::from(s.coarse) - exact).abs();
        let allowed = gamma / 4.0 * norms[r] * norms[c];
        if error.is_nan() || error > allowed {
            return Err(format!("rows {r} and {c} have similarity {exact}, not {} (allowed {allowed:e})", s.coarse));
        }
        let x = (exact + 1.0) * 100.0;
        let distance = (x - x.round()).abs() / 100.0;
        if s.near_edge() {
            if distance > width + allowed + 1e-6 {
                return Err(format!("similarity {exact} of rows {r} and {c} is not near the edge of a bin"));
            }
        } else {
            histogram[2 * usize::from(r % 5 != c % 5) + usize::from(r % 3 != c % 3)][x.clamp(0.0, 199.0) as usize] += 1;
        }
    }
    if all.survivors.len() != ROWS * (ROWS - 1) / 2 {
        return Err(format!("{} of {} pairs", all.survivors.len(), ROWS * (ROWS - 1) / 2));
    }
    if histogram[..] != all.histogram[..] {
        return Err("the histogram is wrong".into());
    }
    Ok(())
}

/// Checks the filter against the similarities that the device itself found.
fn check_filter(block: &Block, keep: f32, all: &Stream, kept: &Stream) -> std::result::Result<(), String> {
    let pairs = |stream: &Stream, wanted: &dyn Fn(f32) -> bool| {
        let mut pairs: Vec<(u32, u32)> = (stream.survivors.iter())
            .filter(|s| {
                let bound = block.half_bound[s.row as usize].max(block.half_bound[s.column() as usize]);
                wanted(s.coarse + bound)
            })
            .map(|s| (s.row, s.column()))
            .collect();
        pairs.sort_unstable();
        pairs
    };
    // One rounding of the sum either way.
    let due = pairs(all, &|sum| sum >= keep + 1e-6);
    let certain = pairs(kept, &|sum| sum >= keep + 1e-6);
    let possible = pairs(kept, &|sum| sum >= keep - 1e-6);
    if due == certain && possible.len() == kept.survivors.len() {
        Ok(())
    } else {
        Err("the filter lets the wrong pairs through".into())
    }
}
