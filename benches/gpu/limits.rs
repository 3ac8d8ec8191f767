//! `limits`: what the adapter can do at most, and what each kernel does of that at d = 1024.

use super::opened::Setup;
use serde_json::json;

/// Measures the limits and times every kernel.
///
/// # Errors
/// If the adapter fails.
pub fn main(setup: &mut Setup) -> anyhow::Result<()> {
    let mut info = setup.open(Some("f32"))?.info();
    info.kernel = "all".into();
    if setup.journal.has("limits", &info, 1.0) {
        return Ok(());
    }
    let limits = setup.limits(&info)?;
    let adapter = setup.adapter(&info, true)?;
    let kernels: Vec<_> = (adapter.kernels.iter())
        .map(|rung| {
            let share = rung.speed.zip(limits.of(&rung.kernel)).map(|(speed, limit)| speed / limit);
            json!({ "kernel": rung.kernel, "self_test": rung.self_test, "tflops": rung.speed.map(|s| s * 1e-12),
                "of_limit": share, "chosen": rung.chosen })
        })
        .collect();
    let figures = json!({ "fma_tflops": limits.fma * 1e-12, "matrix_tflops": limits.matrix.map(|rate| rate * 1e-12),
        "kernels": kernels, "dim": 1024, "adapter": { "api": adapter.api, "kind": adapter.kind,
        "memory_bytes": adapter.memory_bytes, "workgroup_bytes": adapter.workgroup_bytes,
        "subgroup": adapter.subgroup, "matrices": adapter.matrices } });
    setup.journal.add("limits", &info, 1.0, figures)
}
