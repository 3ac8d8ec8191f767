//! The self-test refuses kernels that compute something else.

use super::*;
use crate::compute::gpu::format::Format;
use crate::compute::gpu::self_test::self_test;

/// Wrong in every kernel.
const SHARED: [(&str, &str, &str); 9] = [
    ("every tile is the first", "within / height * TILE_COLUMNS", "0u"),
    ("the triangle has its diagonal", "> job.first_row + job.row_start + r;", ">= job.first_row + job.row_start + r;"),
    ("relations by query only", "u32(r.model != c.model)", "u32(r.query != c.query)"),
    ("bins are rounded", "u32(clamp(x,", "u32(clamp(round(x),"),
    ("pairs near an edge are counted", "abs(x - round(x)) <= job.width", "false"),
    ("one side of the filter", "|| s + r.half_bound >= c.keep", ""),
    ("an empty tile", "return last <= first;", "return last <= first + 64u;"),
    ("everything survives", "select(0u, TAKE", "select(TAKE, TAKE"),
    ("halves of a word mixed up", "1u << ((bin >> 3u) & 16u)", "1u"),
];

/// What is wrong in the kernel of rows in f32 only.
const HALF: &str = "half precision";

/// Wrong in the kernels of f32 arithmetic.
const IN_REGISTERS: [(&str, &str, &str); 6] = [
    ("one chain instead of slices", "const SLICE = 64u;", "const SLICE = 65536u;"),
    ("the last values of each load are lost", "k < half + DEPTH;", "k < half + DEPTH - 1u;"),
    ("slices are not added", "total[2 * 2 + 1] +=", "total[2 * 2 + 1] ="),
    (HALF, "let b0 = tile[k][l.x + 16u];", "let b0 = quantizeToF16(tile[k][l.x + 16u]);"),
    ("loads from one offset", "tile[k][l.x + 32u]", "tile[k][l.x + 16u]"),
    ("rows twice", "tile[k][l.y + 8u]", "tile[k][l.y]"),
];

/// Wrong in the matrix kernel.
const MATRICES: [(&str, &str, &str); 6] = [
    ("loads from one offset, as one driver did", "columns + 1 * SIDE * STRIDE + step", "columns + step"),
    ("a step is lost", "step < DEPTH / 4u;", "step < DEPTH / 4u - SIDE / 4u;"),
    ("matrices mixed up", "c1_0 = coopMultiplyAdd(a1, b0, c1_0)", "c1_0 = coopMultiplyAdd(a0, b0, c1_0)"),
    ("a transposed store", "coopStoreT(c0_1", "coopStore(c0_1"),
    ("half of the next slice", "tile[at + 1u] = values.high;", "tile[at + 1u] = values.low;"),
    ("one place for all", "subgroupBroadcastFirst(place) + before", "subgroupBroadcastFirst(place)"),
];

#[test]
fn the_self_test_passes_the_shaders_and_refuses_wrong_ones() {
    for options in every_kernel() {
        let Some(mut gpu) = backend(&options) else { return };
        self_test(&mut gpu).unwrap();
        let own = if matches!(options.kernel, Kernel::Matrix(_)) { MATRICES } else { IN_REGISTERS };
        for (what, right, wrong) in SHARED.into_iter().chain(own) {
            if what == HALF && options.kernel.format() == Format::F16 {
                continue; // Values in f16 lose nothing.
            }
            let Some(options) = changed(&options, right, wrong) else { return };
            let Some(mut gpu) = backend(&options) else { return };
            let message = self_test(&mut gpu).expect_err(what).to_string();
            assert!(message.contains("self-test at dimension") && message.contains("--backend cpu"), "{message}");
        }
    }
}
