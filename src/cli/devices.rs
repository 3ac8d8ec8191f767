//! `hivescope devices`: what could multiply.

use super::args::Messages;
use super::messages;
use crate::base::units::show_bytes;
use crate::compute::gpu;

/// Runs `devices`.
///
/// # Errors
/// None at present; adapters that fail say so in their line.
pub fn main(flags: &Messages) -> anyhow::Result<u8> {
    let adapters = gpu::adapters();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if flags.json {
        for adapter in &adapters {
            messages::json(&serde_json::json!({"type": "adapter", "adapter": adapter}));
        }
        messages::json(&serde_json::json!({"type": "cpu", "arch": std::env::consts::ARCH, "threads": threads}));
        return Ok(0);
    }
    let head = ["index", "name", "api", "kind", "driver", "PCI bus", "binding", "workgroup", "self-test"];
    let mut rows: Vec<Vec<String>> = vec![head.iter().map(|&name| name.to_owned()).collect()];
    for adapter in &adapters {
        rows.push(vec![
            adapter.index.to_string(),
            adapter.name.clone(),
            adapter.api.clone(),
            adapter.kind.clone(),
            adapter.driver.clone(),
            adapter.pci_bus_id.clone(),
            show_bytes(adapter.max_binding_bytes),
            show_bytes(u64::from(adapter.workgroup_bytes)),
            adapter.self_test.clone(),
        ]);
    }
    let mut cpu = vec!["cpu".to_owned(), format!("{}, {threads} threads", std::env::consts::ARCH)];
    cpu.extend(["-", "cpu", "-", "-", "-", "-", "-"].map(String::from));
    rows.push(cpu);
    messages::data(&messages::table(&rows, &[1, 2, 3, 4, 5, 8]));
    if adapters.is_empty() && !flags.quiet {
        messages::say("note: no graphics adapter was found; `hivescope run` will use the CPU");
    }
    Ok(0)
}
