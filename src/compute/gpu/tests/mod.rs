//! The kernels against their CPU mirror, limits, failures. Needs a Vulkan driver (software will do):
//! `HIVESCOPE_TEST_GPU=require` makes a missing one a failure. `shaders` needs none.

mod card;
mod compare;
mod failures;
mod limits;
mod parity;
mod refusal;
mod shaders;

use super::backend::{GpuBackend, Options, subgroups};
use super::kernel::Kernel;
use super::pipeline::Checks;
use super::{adapters, ladder};
use crate::base::random::Stream as Draws;
use crate::compute::tile::{Backend, Block, Dispatch, HistogramMode, Job, Side, Stream, Vectors};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// What is to go wrong on a device: counted down.
#[derive(Debug)]
pub struct Faults {
    /// Submissions until the device is lost; none if negative.
    submissions: AtomicI64,
    /// Allocations above this many bytes find no memory.
    largest: AtomicU64,
}

impl Default for Faults {
    fn default() -> Self {
        Self { submissions: AtomicI64::new(-1), largest: AtomicU64::new(u64::MAX) }
    }
}

impl Faults {
    /// The device is lost at a submission, counted from 0.
    pub fn lost_at(submission: i64) -> Self {
        Self { submissions: AtomicI64::new(submission), ..Self::default() }
    }

    /// There is no memory for a buffer of more than `bytes`.
    pub fn no_memory_above(bytes: u64) -> Self {
        Self { largest: AtomicU64::new(bytes), ..Self::default() }
    }

    /// Whether the device is lost at this submission.
    pub fn submission(&self) -> bool {
        self.submissions.fetch_sub(1, Ordering::Relaxed) == 0
    }

    /// Whether there is no memory for so many bytes.
    pub fn allocation(&self, bytes: u64) -> bool {
        bytes > self.largest.load(Ordering::Relaxed)
    }
}

/// A software adapter, else any; `None` (said aloud) where there is none.
fn adapter() -> Option<wgpu::Adapter> {
    let mut all = adapters::list();
    all.sort_by_key(|adapter| adapter.get_info().device_type != wgpu::DeviceType::Cpu);
    let first = all.into_iter().next();
    if first.is_none() {
        assert_ne!(std::env::var("HIVESCOPE_TEST_GPU").as_deref(), Ok("require"), "no Vulkan adapter");
        // Not by a macro, whose text the test harness would keep to itself.
        drop(writeln!(std::io::stderr(), "skipped: no Vulkan adapter"));
    }
    first
}

/// A backend that has not passed the self-test.
fn backend(options: &Options) -> Option<GpuBackend> {
    Some(GpuBackend::new(&adapter()?, options).unwrap())
}

/// The f32 kernel as it runs.
fn plain() -> Options {
    Options { checks: Checks::Off, ..Options::checked(Kernel::F32) }
}

/// Every kernel that the adapter has the features for, as it runs.
fn every_kernel() -> Vec<Options> {
    let kernels = adapter().map(|adapter| ladder::candidates(&adapter)).unwrap_or_default();
    if std::env::var("HIVESCOPE_TEST_MATRIX").as_deref() == Ok("require") {
        assert!(kernels.iter().any(|kernel| matches!(kernel, Kernel::Matrix(_))), "no cooperative matrices");
    }
    kernels.into_iter().map(|kernel| Options { checks: Checks::Off, ..Options::checked(kernel) }).collect()
}

/// The adapter with each of its kernels, with faults.
pub fn every_backend(faults: impl Fn() -> Faults) -> Vec<Box<dyn Backend>> {
    backends(None, faults)
}

/// The same, with `memory` bytes for blocks.
pub fn backends(memory: Option<u64>, faults: impl Fn() -> Faults) -> Vec<Box<dyn Backend>> {
    let open = |options: Options| {
        let mut gpu = backend(&Options { memory, ..options })?;
        gpu.set_faults(Arc::new(faults()));
        Some(Box::new(gpu) as Box<dyn Backend>)
    };
    every_kernel().into_iter().filter_map(open).collect()
}

/// `options` with `right` in the kernel's source replaced by `wrong`.
fn changed(options: &Options, right: &str, wrong: &str) -> Option<Options> {
    let source = options.kernel.source(subgroups(&adapter()?));
    assert!(source.contains(right), "{}: {right}", options.kernel.describe());
    Some(Options { source: Some(source.replacen(right, wrong, 1)), checks: Checks::On, ..options.clone() })
}

/// `block` with its rows as `kernel` stores them.
fn stored(block: &Block, kernel: Kernel) -> Block {
    let dim = block.dim();
    let rows = block.unit_rows(0..block.len());
    let unit = rows.chunks_exact(dim).flat_map(|row| kernel.format().stored(row)).collect();
    Block { vectors: Vectors::Unit(unit), ..block.clone() }
}

/// Unit rows from position `first` on: a position has the same row, query and model in every block.
fn block(first: usize, n: usize, dim: usize) -> Block {
    let draws = Draws::new(7, "gpu");
    let mut unit = Vec::with_capacity(n * dim);
    for position in first..first + n {
        // Half of the rows lean one way, so that similarities are not all near 0.
        let lean = (position % 2) as f64;
        let row: Vec<f64> = (0..dim).map(|i| draws.normal(position as u64, i as u64) + lean).collect();
        let norm = row.iter().map(|v| v * v).sum::<f64>().sqrt();
        unit.extend(row.iter().map(|v| (v / norm) as f32));
    }
    let id = |modulus: usize| (first..first + n).map(|position| (position % modulus) as u32).collect();
    let half_bound = (first..first + n).map(|position| 1e-6 + 1e-3 * (position % 3) as f32).collect();
    Block { first, vectors: Vectors::Unit(unit), half_bound, query: id(5), model: id(3) }
}

/// A job over all of two blocks, with one keep value for all.
fn whole(rows: &Block, columns: &Block, keep: f32, histogram: HistogramMode) -> Job {
    Job {
        rows: 0..rows.len(),
        columns: 0..columns.len(),
        keep_rows: vec![keep; rows.len()],
        keep_columns: vec![keep; columns.len()],
        histogram,
    }
}

/// What `backend` finds for `job`, with room for everything.
fn find(backend: &mut dyn Backend, rows: &Block, columns: &Block, job: &Job) -> Stream {
    backend.load(Side::Rows, Arc::new(rows.clone())).unwrap();
    backend.load(Side::Columns, Arc::new(columns.clone())).unwrap();
    let mut out = Stream::new(job.rows.len() * job.columns.len());
    assert_eq!(backend.dispatch(job, &mut out).unwrap(), Dispatch::Done);
    out
}

/// Survivors in order, and the histogram: two streams that say the same are equal here.
fn sorted(out: &Stream) -> (Vec<(u32, u32, u32)>, Vec<u64>) {
    let mut survivors: Vec<_> = out.survivors.iter().map(|s| (s.row, s.column_and_flag, s.coarse.to_bits())).collect();
    survivors.sort_unstable();
    (survivors, out.histogram.iter().flatten().copied().collect())
}
