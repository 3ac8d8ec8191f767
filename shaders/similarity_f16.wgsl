// All pairs of two blocks: similarity, filter, histogram, from rows in f16, multiplied in f32.
// Inputs: row_unit and column_unit (unit rows times 2^8 in f16, without subnormals, padded with zeros to a multiple of 32
//   values), facts a row (half bound, query, model), keep values, job.
// Outputs: as similarity_f32.
// Invariants: as similarity_f32. A product of two values is exact in f32.
// CPU mirror: src/compute/cpu/similarity_f32.rs
//   (on rows as src/compute/gpu/format.rs stores them)
enable f16;
//: include register_tiles
//: include job
//: include judge
const SCALE = 1.0 / 65536.0;
@group(0) @binding(0) var<storage, read> row_unit: array<vec4<f16>>;
@group(0) @binding(1) var<storage, read> column_unit: array<vec4<f16>>;
fn row_values(at: u32) -> vec4<f32> { return vec4<f32>(row_unit[at]); }
fn column_values(at: u32) -> vec4<f32> { return vec4<f32>(column_unit[at]); }
