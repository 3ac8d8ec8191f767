//! The shaders that measure a card store what their mirror says.

use super::*;
use crate::compute::gpu::limit::{Opened, Probe, probes};

/// Operands of small whole numbers and quarters: every sum is exact, and shows how many turns were made.
fn exact(probe: Probe) -> Vec<f32> {
    match probe {
        Probe::Fma => vec![1.0, 1.0, 1.0, -1.0, 0.25, 0.5, -0.25, 1.0],
        Probe::Matrix(side) => (0..6 * side * side).map(|i| ((i * 7 + i / side) % 9) as f32 - 4.0).collect(),
    }
}

#[test]
fn the_probes_store_what_their_mirror_says() {
    let Some(adapter) = adapter() else { return };
    for probe in probes(&adapter) {
        let mut opened = Opened::new(&adapter, probe, 3).unwrap();
        let operands = exact(probe);
        for turns in [0, 1, 5] {
            let (seconds, stored) = opened.run(&operands, turns, 3).unwrap();
            let expected: Vec<f32> = (0..3).flat_map(|group| probe.expected(&operands, group, turns)).collect();
            assert!(stored == expected, "{probe:?} after {turns} turns");
            assert!(seconds > 0.0, "{probe:?}");
        }
        // The mirror tells turns apart, and the groups of a run of threads that is no multiple of 64 would differ.
        assert_ne!(probe.expected(&operands, 0, 1), probe.expected(&operands, 0, 2));
    }
}

#[test]
fn limits_are_measured() {
    let Some(adapter) = adapter() else { return };
    let name = adapter.get_info().name;
    let index = adapters::list().iter().position(|other| other.get_info().name == name).unwrap();
    let limits = crate::compute::gpu::card_limits(index).unwrap();
    assert!(limits.fma > 1e6 && limits.matrix.is_none_or(|rate| rate > 1e6), "{limits:?}");
    assert_eq!(limits.of("f16, tile 64x128"), Some(limits.fma));
    assert_eq!(limits.of("matrix 16x16, tile 128x128, depth 16+8, 4 subgroups"), limits.matrix);
    assert!(crate::compute::gpu::card_limits(usize::MAX).is_err());
}
