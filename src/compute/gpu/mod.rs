//! The wgpu backend: f32 WGSL tiles on Vulkan, Metal or DirectX 12.
//!
//! A job is cut to what the adapter takes (`cut`), computed by the `kernel` on two `operand`s, and read back once. The
//! start-up `self_test` can refuse an adapter. Not here: the order of blocks, what survivors are for.

mod adapters;
mod backend;
mod cut;
mod device;
mod kernel;
mod operand;
mod params;
mod self_test;
#[cfg(test)]
mod tests;

use crate::base::Result;
use crate::compute::Backend;
use serde::Serialize;

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
    /// Result of the start-up self-test: `passed`, or why not.
    pub self_test: String,
}

/// All adapters, self-tested.
pub fn adapters() -> Vec<AdapterReport> {
    adapters::list().iter().enumerate().map(|(index, adapter)| adapters::report(index, adapter)).collect()
}

/// Opens an adapter: by index, name part or PCI bus id; without a selector the first that is not software.
///
/// # Errors
/// [`crate::base::Error::Device`] that lists the adapters and names the missing driver package.
pub fn open(selector: Option<&str>) -> Result<Box<dyn Backend>> {
    Ok(Box::new(adapters::open(selector)?))
}
