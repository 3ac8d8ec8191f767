//! The self-test refuses kernels that compute something else.

use super::*;
use crate::compute::gpu::kernel::SOURCE;
use crate::compute::gpu::self_test::self_test;

#[test]
fn the_self_test_passes_the_shader_and_refuses_wrong_ones() {
    let Some(mut gpu) = backend(&Options::default()) else { return };
    self_test(&mut gpu).unwrap();
    for (what, right, wrong) in [
        ("one chain instead of slices", "const SLICE = 64u;", "const SLICE = 65536u;"),
        ("every tile is the first", "let col0 = wg.x * TILE_COLUMNS;", "let col0 = 0u;"),
        ("the last values of each load are lost", "k < half + DEPTH;", "k < half + DEPTH - 1u;"),
        ("slices are not added", "total[5] +=", "total[5] ="),
        ("the triangle has its diagonal", "+ column <= position", "+ column < position"),
        ("relations by query only", "u32(fr.z != fc.z)", "u32(fr.y != fc.y)"),
        ("bins are rounded", "floor(x)", "round(x)"),
        ("pairs near an edge are counted", "abs(x - round(x)) <= job.width", "false"),
        ("one side of the filter", "|| s + bitcast<f32>(fr.x) >= bitcast<f32>(fc.w)", ""),
        ("half precision", "let b0 = tile[k][l.x + 16u];", "let b0 = quantizeToF16(tile[k][l.x + 16u]);"),
        ("loads from one offset", "tile[k][l.x + 32u]", "tile[k][l.x + 16u]"),
        ("rows twice", "tile[k][l.y + 8u]", "tile[k][l.y]"),
        ("an empty tile", "if (last <= first)", "if (last <= first + 64u)"),
    ] {
        assert!(SOURCE.contains(right), "{right}");
        let options = Options { source: SOURCE.replacen(right, wrong, 1).into(), limits: None };
        let Some(mut gpu) = backend(&options) else { return };
        let message = self_test(&mut gpu).expect_err(what).to_string();
        assert!(message.contains("self-test at dimension") && message.contains("--backend cpu"), "{message}");
    }
}
