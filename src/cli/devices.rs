//! `hivescope devices`: what could multiply.

use super::args::Messages;
use super::{backend, messages};
use crate::base::units::show_bytes;
use crate::compute::HistogramMode;
use crate::compute::cpu::CpuKernel;
use crate::compute::gpu::{self, AdapterReport, CardLimits, Rung};

/// Dimension at which the CPU's kernels are measured: that of small embedding models.
const DIM: usize = 384;

/// A kernel of this CPU: operations a second, and what it is chosen for.
struct Measured {
    name: &'static str,
    speed: f64,
    chosen_for: Vec<&'static str>,
}

/// Every kernel of this CPU, measured now.
fn cpu_kernels() -> anyhow::Result<Vec<Measured>> {
    let choices = [("graph", CpuKernel::choose(false)), ("graph and histogram", CpuKernel::choose(true))];
    let measure = |kernel: CpuKernel| -> anyhow::Result<Measured> {
        let chosen_for = choices.iter().filter(|choice| choice.1 == kernel).map(|choice| choice.0).collect();
        Ok(Measured { name: kernel.name(), speed: backend::cpu_speed(kernel, DIM, HistogramMode::Off)?, chosen_for })
    };
    CpuKernel::available().into_iter().map(measure).collect()
}

/// The most that an adapter multiplies and adds.
fn show_limits(limits: &CardLimits) -> String {
    let matrix = limits.matrix.map_or_else(String::new, |rate| format!(", on matrix units {:.3}", rate * 1e-12));
    format!("   limits, in registers alone: f32 {:.3} T operations/s{matrix}", limits.fma * 1e-12)
}

/// Prints one adapter: what it is, its limits, then its kernels.
fn show_adapter(adapter: &AdapterReport, limits: Option<&CardLimits>) {
    let memory = adapter.memory_bytes.map_or_else(|| "unknown".into(), show_bytes);
    let matrices = if adapter.matrices.is_empty() { "none".into() } else { adapter.matrices.join(", ") };
    messages::data(&format!(
        "{}: {} ({}, {}), driver {}, PCI bus {}\n   memory {memory}, binding {}, workgroup memory {}, subgroups of {} to {}, \
         cooperative matrices: {matrices}",
        adapter.index,
        adapter.name,
        adapter.api,
        adapter.kind,
        adapter.driver,
        if adapter.pci_bus_id.is_empty() { "unknown" } else { &adapter.pci_bus_id },
        show_bytes(adapter.max_binding_bytes),
        show_bytes(u64::from(adapter.workgroup_bytes)),
        adapter.subgroup.0,
        adapter.subgroup.1,
    ));
    if let Some(limits) = limits {
        messages::data(&show_limits(limits));
    }
    let head = ["GPU kernel", "T operations/s", "of limit", "chosen", "self-test"];
    let mut rows: Vec<Vec<String>> = vec![head.iter().map(|&name| name.to_owned()).collect()];
    rows.extend(adapter.kernels.iter().map(|rung| {
        let speed = rung.speed.map_or_else(String::new, |speed| format!("{:.3}", speed * 1e-12));
        let share = share(rung, limits).map_or_else(String::new, |share| format!("{:.0} %", 100.0 * share));
        let chosen = if rung.chosen { "yes" } else { "" };
        vec![rung.kernel.clone(), speed, share, chosen.to_owned(), rung.self_test.clone()]
    }));
    messages::data(&messages::table(&rows, &[0, 3, 4]));
    messages::data("");
}

/// Share of its limit that a kernel reaches.
fn share(rung: &Rung, limits: Option<&CardLimits>) -> Option<f64> {
    Some(rung.speed? / limits?.of(&rung.kernel)?)
}

/// Runs `devices`.
///
/// # Errors
/// None at present; adapters that fail say so in their line.
pub fn main(flags: &Messages) -> anyhow::Result<u8> {
    let adapters = gpu::adapters(true);
    // An adapter that fails has said so in its self-tests.
    let limits: Vec<Option<CardLimits>> = adapters.iter().map(|adapter| gpu::card_limits(adapter.index).ok()).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let kernels = cpu_kernels()?;
    if flags.json {
        for (adapter, limits) in adapters.iter().zip(&limits) {
            messages::json(&serde_json::json!({"type": "adapter", "adapter": adapter, "limits": limits}));
        }
        messages::json(&serde_json::json!({"type": "cpu", "arch": std::env::consts::ARCH, "threads": threads}));
        for kernel in &kernels {
            messages::json(&serde_json::json!({
                "type": "cpu_kernel", "kernel": kernel.name, "dim": DIM, "operations_per_second": kernel.speed,
                "chosen_for": kernel.chosen_for,
            }));
        }
        return Ok(0);
    }
    adapters.iter().zip(&limits).for_each(|(adapter, limits)| show_adapter(adapter, limits.as_ref()));
    let head = ["CPU kernel", "G operations/s", "chosen for"];
    let mut rows: Vec<Vec<String>> = vec![head.iter().map(|&name| name.to_owned()).collect()];
    rows.extend(kernels.iter().map(|kernel| {
        vec![kernel.name.to_owned(), format!("{:.0}", kernel.speed / 1e9), kernel.chosen_for.join(", ")]
    }));
    messages::data(&format!("CPU: {}, {threads} threads; measured now at dimension {DIM}", std::env::consts::ARCH));
    messages::data(&messages::table(&rows, &[0, 2]));
    if adapters.is_empty() && !flags.quiet {
        messages::say("note: no graphics adapter was found; `hivescope run` will use the CPU");
    }
    Ok(0)
}
