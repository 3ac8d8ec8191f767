// What every kernel of the pair pass is given, beside the rows at bindings 0 and 1.

const BINS = 200u;
const COPIES = 4u;

struct Job {
  row_start: u32, row_count: u32, column_start: u32, column_count: u32,
  row_offset: u32, column_offset: u32, first_row: u32, first_column: u32,
  depth: u32, capacity: u32, mode: u32, width: f32,
  row_keep: u32, column_keep: u32, zero: u32, pad: u32,
}
@group(0) @binding(2) var<storage, read> row_facts: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> column_facts: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> row_keep: array<f32>;
@group(0) @binding(5) var<storage, read> column_keep: array<f32>;
@group(0) @binding(6) var<storage, read_write> counters: array<atomic<u32>>;
@group(0) @binding(7) var<storage, read_write> survivors: array<u32>;
@group(0) @binding(8) var<uniform> job: Job;

// Workgroups run in about the order of their ids; tiles are taken in bands of this many, column by column, so that those
// under way at once share rows and columns in the cache.
const BAND = 16u;

// Row and column of the first pair of a workgroup's tile, local to the rectangle.
fn tile_origin(wg: vec3<u32>) -> vec2<u32> {
  let across = (job.column_count + TILE_COLUMNS - 1u) / TILE_COLUMNS;
  let down = (job.row_count + TILE_ROWS - 1u) / TILE_ROWS;
  let id = wg.y * across + wg.x;
  let band = id / (BAND * across);
  let height = min(BAND, down - band * BAND);
  let within = id - band * BAND * across;
  return vec2((band * BAND + within % height) * TILE_ROWS, within / height * TILE_COLUMNS);
}

// Whether the tile has no pair: its last column's position is not above its first row's.
fn is_empty(origin: vec2<u32>) -> bool {
  let first = job.first_row + job.row_start + origin.x;
  let last = job.first_column + job.column_start + min(origin.y + TILE_COLUMNS, job.column_count) - 1u;
  return last <= first;
}
