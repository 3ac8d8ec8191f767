//! How fast an opened kernel is.

use super::backend::GpuBackend;
use crate::base::Result;
use crate::base::random::Stream as Draws;
use crate::compute::tile::{Backend, Block, HistogramMode, Job, Side, Stream, Vectors};
use rayon::prelude::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Dimension that kernels are timed at.
const DIM: usize = 1024;

/// Rows of the two blocks: enough workgroups for the largest cards, on an adapter that is not software.
const ROWS: usize = 8192;

/// The same on a software adapter, where the figure is only to be shown.
const SOFTWARE_ROWS: usize = 256;

/// How long is timed at least, after one dispatch that is not.
const LONG_ENOUGH: Duration = Duration::from_millis(50);

/// Operations a second (a product and a sum are two) with a histogram and without survivors: by the clock of the device,
/// or else of the host.
///
/// # Errors
/// [`crate::base::Error::Device`].
pub(super) fn speed(backend: &mut GpuBackend) -> Result<f64> {
    let rows = if backend.is_software() { SOFTWARE_ROWS } else { ROWS };
    let block = |first: usize| {
        let draws = Draws::new(0, "speed");
        let scale = (3.0 / DIM as f64).sqrt();
        let value = |i: usize| ((2.0 * draws.uniform((first * DIM + i) as u64, 0) - 1.0) * scale) as f32;
        let unit = (0..rows * DIM).into_par_iter().map(value).collect();
        let ids = |modulus: usize| (0..rows).map(|i| (i % modulus) as u32).collect();
        let half_bound = vec![0.0; rows];
        Arc::new(Block { first, vectors: Vectors::Unit(unit), half_bound, query: ids(97), model: ids(7) })
    };
    backend.load(Side::Rows, block(0))?;
    backend.load(Side::Columns, block(rows))?;
    let job = Job {
        rows: 0..rows,
        columns: 0..rows,
        keep_rows: vec![2.0; rows],
        keep_columns: vec![2.0; rows],
        histogram: HistogramMode::Coarse,
    };
    let mut out = Stream::new(1 << 12);
    backend.dispatch(&job, &mut out)?;
    let (started, mut device, mut repeats) = (Instant::now(), 0.0, 0u32);
    while started.elapsed() < LONG_ENOUGH || repeats < 3 {
        out.clear();
        backend.dispatch(&job, &mut out)?;
        device += out.device_seconds;
        repeats += 1;
    }
    let seconds = if device > 0.0 { device } else { started.elapsed().as_secs_f64() };
    backend.clear();
    Ok(2.0 * (rows * rows * DIM) as f64 * f64::from(repeats) / seconds)
}
