// All pairs of two blocks: similarity, filter, histogram, from rows in f32.
// Inputs: row_unit and column_unit (unit rows, padded with zeros to a multiple of 8 values), facts a row (half bound,
//   query, model), keep values, job.
// Outputs: counters[0] is raised by the survivors, then 4 copies of 4 relations x 200 bins by the pairs; survivors are
//   (row, column | near-edge flag, bits of S), rows and columns local to the block.
// Invariants: a pair is formed where its column's position is above its row's; survivors past the capacity are counted,
//   not written; nothing is read that was not written; fewer than 2^32 pairs between two clearings of the counters;
//   every index is in range without the compiler's checks.
// CPU mirror: src/compute/cpu/similarity_f32.rs
//: include register_tiles
//: include job
//: include judge
const SCALE = 1.0;
@group(0) @binding(0) var<storage, read> row_unit: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> column_unit: array<vec4<f32>>;
fn row_values(at: u32) -> vec4<f32> { return row_unit[at]; }
fn column_values(at: u32) -> vec4<f32> { return column_unit[at]; }
