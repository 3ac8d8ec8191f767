//! The wgpu backend: WGSL tiles on Vulkan, Metal or DirectX 12.
//!
//! A job is cut to what the adapter takes (`cut`), computed from two `operand`s by a `pipeline` in a `slot`, and read back
//! once; several are under way. The `ladder` says which `kernel` that is: `self_test` can refuse one, `timing` compares
//! them. Not here: the order of blocks, what survivors are for.

mod adapters;
mod backend;
mod cut;
mod device;
mod format;
mod kernel;
mod ladder;
mod limit;
mod memory;
mod operand;
mod params;
mod pipeline;
mod self_test;
mod slot;
mod source;
#[cfg(test)]
mod tests;
mod timing;

pub use ladder::Rung;
pub use limit::{CardLimits, card_limits};
#[cfg(test)]
pub use tests::{Faults, backends, every_backend};

use crate::base::Result;
use crate::compute::Backend;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// One adapter as `hivescope devices` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct AdapterReport {
    /// Index for `--device`.
    pub index: usize,
    /// Device name.
    pub name: String,
    /// Graphics API, e.g. `Vulkan`.
    pub api: String,
    /// `discrete`, `integrated`, `software`, ...
    pub kind: String,
    /// Driver and version.
    pub driver: String,
    /// PCI bus id, where known.
    pub pci_bus_id: String,
    /// Bytes of one storage binding.
    pub max_binding_bytes: u64,
    /// Bytes of workgroup memory.
    pub workgroup_bytes: u32,
    /// Bytes of its own memory, where known.
    pub memory_bytes: Option<u64>,
    /// Threads of a subgroup, at least and at most.
    pub subgroup: (u32, u32),
    /// Cooperative matrices that it lists.
    pub matrices: Vec<String>,
    /// Every kernel that it could run, self-tested and timed.
    pub kernels: Vec<Rung>,
}

/// Which adapter, and what of it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Index, name part or PCI bus id; without one the first adapter that is not software.
    pub selector: Option<String>,
    /// `f32`, `f16` or `matrix`, or one kernel as [`Rung::kernel`] has it; without one the fastest.
    pub kernel: Option<String>,
    /// Whether every pair must come to stand in its true bin: with rows in f16 a tenth of all pairs or more would be within
    /// the bound of an edge.
    pub exact_histogram: bool,
    /// Bytes of device memory that blocks may take; without it three quarters of what there is.
    pub memory: Option<u64>,
    /// File that remembers the choice by adapter and driver.
    pub cache: Option<PathBuf>,
}

/// Names of the kernels.
pub const KERNELS: [&str; 3] = ["f32", "f16", "matrix"];

/// All adapters; with `examine` every kernel of each is self-tested and timed, which takes seconds.
pub fn adapters(examine: bool) -> Vec<AdapterReport> {
    let report = |(index, adapter)| adapters::report(index, adapter, examine);
    adapters::list().iter().enumerate().map(report).collect()
}

/// Kernel and speed (operations a second) that `cache` has of the first adapter that is not software.
pub fn remembered(cache: &Path) -> Option<(String, f64)> {
    let all = adapters::list();
    let adapter = all.iter().find(|adapter| adapter.get_info().device_type != wgpu::DeviceType::Cpu)?;
    ladder::remembered(adapter, cache)
}

/// Whether the adapter that `request` names is there and could have the kernel that it names: before anything else is done.
///
/// # Errors
/// As [`open`], as far as that can be told without opening it.
pub fn check(request: &Request) -> Result<()> {
    ladder::check(&adapters::find(request)?, request.kernel.as_deref())
}

/// Opens an adapter with the best of its kernels that pass the self-test, and says why it is that one.
///
/// # Errors
/// [`crate::base::Error::Device`] that lists the adapters and names the missing driver package.
pub fn open(request: &Request) -> Result<(Box<dyn Backend>, String)> {
    let (backend, why) = adapters::open(request)?;
    Ok((Box::new(backend), why))
}
