// All pairs of two blocks: similarity, filter, histogram.
// Inputs: row_unit and column_unit (unit rows, padded with zeros to a multiple of 8 values), facts a row (half bound,
//   query, model, keep value), job.
// Outputs: counters[0] is raised by the survivors, then 4 copies of 4 relations x 200 bins by the pairs; survivors are
//   (row, column | near-edge flag, bits of S), rows and columns local to the block.
// Invariants: a pair is formed where its column's position is above its row's; survivors past the capacity are counted,
//   not written; nothing is read that was not written; fewer than 2^32 pairs between two clearings of the counters;
//   every index is in range without the compiler's checks.
// CPU mirror: src/compute/cpu/similarity_f32.rs
//
// A workgroup computes 64 x 128 pairs with 16 x 8 threads of 8 x 8. While it multiplies from one half of `tile`, the next
// DEPTH values of its rows and columns are on their way to the other.
const TILE_ROWS = 64u;
const TILE_COLUMNS = 128u;
const DEPTH = 8u;
const SLICE = 64u;
const BINS = 200u;
const COPIES = 4u;
const THREADS = 128u;
const GROUPS = (TILE_ROWS + TILE_COLUMNS) / 4u;

struct Job {
  row_start: u32, row_count: u32, column_start: u32, column_count: u32,
  row_offset: u32, column_offset: u32, first_row: u32, first_column: u32,
  depth: u32, capacity: u32, mode: u32, width: f32,
  zero: u32, pad0: u32, pad1: u32, pad2: u32,
}
@group(0) @binding(0) var<storage, read> row_unit: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> column_unit: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> row_facts: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> column_facts: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> counters: array<atomic<u32>>;
@group(0) @binding(5) var<storage, read_write> survivors: array<u32>;
@group(0) @binding(6) var<uniform> job: Job;
// [half * DEPTH + k][16 groups of 4 rows, then 32 groups of 4 columns].
var<workgroup> tile: array<array<vec4<f32>, GROUPS>, 2u * DEPTH>;
var<workgroup> bins: array<atomic<u32>, 4u * BINS>;
var<workgroup> found: atomic<u32>;
var<workgroup> base: u32;

// Four values of each of four rows (or columns), one vector a value. Whole vectors are stored: a store to one component
// may become a store to all, which would race.
fn load(rows: bool, at: vec4<u32>) -> mat4x4<f32> {
  if (rows) { return transpose(mat4x4(row_unit[at.x], row_unit[at.y], row_unit[at.z], row_unit[at.w])); }
  return transpose(mat4x4(column_unit[at.x], column_unit[at.y], column_unit[at.z], column_unit[at.w]));
}

fn store(k: u32, group: u32, block: mat4x4<f32>) {
  tile[k][group] = block[0];
  tile[k + 1u][group] = block[1];
  tile[k + 2u][group] = block[2];
  tile[k + 3u][group] = block[3];
}

// Row i and column j of a thread within the tile: in groups of 4, so that neighbours read neighbouring vectors.
fn row_of(y: u32, i: u32) -> u32 { return (i >> 2u) * 32u + y * 4u + (i & 3u); }
fn column_of(x: u32, j: u32) -> u32 { return (j >> 2u) * 64u + x * 4u + (j & 3u); }

// The sum of a slice as a value of its own; no compiler can see that this changes nothing, since it does not know
// that job.zero is 0: see gamma in src/compute/gpu/kernel.rs.
fn whole(c: vec4<f32>) -> vec4<f32> { return bitcast<vec4<f32>>(bitcast<vec4<u32>>(c) ^ vec4(job.zero)); }

@compute @workgroup_size(16, 8, 1)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) l: vec3<u32>, @builtin(local_invocation_index) li: u32) {
  let row0 = wg.y * TILE_ROWS;
  let col0 = wg.x * TILE_COLUMNS;
  // Positions of the tile's first row and last column; without a pair there is nothing to do.
  let first = job.first_row + job.row_start + row0;
  let last = job.first_column + job.column_start + min(col0 + TILE_COLUMNS, job.column_count) - 1u;
  if (last <= first) { return; }
  for (var i = li; i < 4u * BINS; i += THREADS) { atomicStore(&bins[i], 0u); }
  if (li == 0u) { atomicStore(&found, 0u); base = 0u; }
  // 96 threads load one block of 4 x 4 values each.
  let loads = li < GROUPS * DEPTH / 4u;
  let group = li % GROUPS;
  let is_row = group < TILE_ROWS / 4u;
  let k0 = li / GROUPS;
  var at = vec4(0u, 1u, 2u, 3u);
  if (is_row) {
    at = job.row_start + min(row0 + group * 4u + at, vec4(job.row_count - 1u));
  } else {
    at = job.column_start + min(col0 + group * 4u - TILE_ROWS + at, vec4(job.column_count - 1u));
  }
  at = at * job.depth + k0;
  if (loads) { store(k0 * 4u, group, load(is_row, at)); }
  workgroupBarrier();
  // total[2 i + j / 4][j % 4] of row i and column j of this thread. Written once a slice, so it may live in slow memory
  // and be indexed; the sums of a slice are single variables so that they live in registers.
  var total = array<vec4<f32>, 16>();
  var half = 0u;
  for (var slice = 0u; slice < job.depth; slice += SLICE / 4u) {
    var c00 = vec4<f32>(); var c01 = vec4<f32>(); var c10 = vec4<f32>(); var c11 = vec4<f32>();
    var c20 = vec4<f32>(); var c21 = vec4<f32>(); var c30 = vec4<f32>(); var c31 = vec4<f32>();
    var c40 = vec4<f32>(); var c41 = vec4<f32>(); var c50 = vec4<f32>(); var c51 = vec4<f32>();
    var c60 = vec4<f32>(); var c61 = vec4<f32>(); var c70 = vec4<f32>(); var c71 = vec4<f32>();
    let end = min(slice + SLICE / 4u, job.depth);
    for (var k4 = slice; k4 < end; k4 += DEPTH / 4u) {
      // Past the last values the same ones are loaded again, and never used.
      let next = min(k4 + DEPTH / 4u, job.depth - DEPTH / 4u);
      var block = mat4x4<f32>();
      if (loads) { block = load(is_row, at + next); }
      for (var k = half; k < half + DEPTH; k++) {
        let a0 = tile[k][l.y];
        let a1 = tile[k][l.y + 8u];
        let b0 = tile[k][l.x + 16u];
        let b1 = tile[k][l.x + 32u];
        c00 = fma(vec4(a0.x), b0, c00); c01 = fma(vec4(a0.x), b1, c01);
        c10 = fma(vec4(a0.y), b0, c10); c11 = fma(vec4(a0.y), b1, c11);
        c20 = fma(vec4(a0.z), b0, c20); c21 = fma(vec4(a0.z), b1, c21);
        c30 = fma(vec4(a0.w), b0, c30); c31 = fma(vec4(a0.w), b1, c31);
        c40 = fma(vec4(a1.x), b0, c40); c41 = fma(vec4(a1.x), b1, c41);
        c50 = fma(vec4(a1.y), b0, c50); c51 = fma(vec4(a1.y), b1, c51);
        c60 = fma(vec4(a1.z), b0, c60); c61 = fma(vec4(a1.z), b1, c61);
        c70 = fma(vec4(a1.w), b0, c70); c71 = fma(vec4(a1.w), b1, c71);
      }
      half ^= DEPTH;
      if (loads) { store(half + k0 * 4u, group, block); }
      workgroupBarrier();
    }
    total[0] += whole(c00); total[1] += whole(c01); total[2] += whole(c10); total[3] += whole(c11);
    total[4] += whole(c20); total[5] += whole(c21); total[6] += whole(c30); total[7] += whole(c31);
    total[8] += whole(c40); total[9] += whole(c41); total[10] += whole(c50); total[11] += whole(c51);
    total[12] += whole(c60); total[13] += whole(c61); total[14] += whole(c70); total[15] += whole(c71);
  }
  // Bit 8 row + column of the 64 pairs of this thread.
  var take = array<u32, 2>();
  var near = array<u32, 2>();
  for (var i = 0u; i < 8u; i++) {
    let row = row0 + row_of(l.y, i);
    if (row >= job.row_count) { continue; }
    let fr = row_facts[job.row_start + row];
    let position = job.first_row + job.row_start + row;
    for (var j = 0u; j < 8u; j++) {
      let column = col0 + column_of(l.x, j);
      if (column >= job.column_count || job.first_column + job.column_start + column <= position) { continue; }
      let s = total[2u * i + (j >> 2u)][j & 3u];
      let bit = 1u << (8u * (i & 3u) + j);
      let fc = column_facts[job.column_start + column];
      if (s + bitcast<f32>(fc.x) >= bitcast<f32>(fr.w) || s + bitcast<f32>(fr.x) >= bitcast<f32>(fc.w)) { take[i >> 2u] |= bit; }
      if (job.mode != 0u) {
        let x = (s + 1.0) * 100.0;
        if (job.mode == 2u && abs(x - round(x)) <= job.width) {
          near[i >> 2u] |= bit;
        } else {
          let relation = 2u * u32(fr.y != fc.y) + u32(fr.z != fc.z);
          atomicAdd(&bins[relation * BINS + u32(clamp(floor(x), 0.0, 199.0))], 1u);
        }
      }
    }
  }
  take[0] |= near[0];
  take[1] |= near[1];
  let count = countOneBits(take[0]) + countOneBits(take[1]);
  var place = 0u;
  if (count != 0u) { place = atomicAdd(&found, count); }
  workgroupBarrier();
  if (li == 0u) {
    let n = atomicLoad(&found);
    if (n != 0u) { base = atomicAdd(&counters[0], n); }
  }
  let copy = 1u + ((wg.x + wg.y) % COPIES) * 4u * BINS;
  for (var i = li; i < 4u * BINS; i += THREADS) {
    let n = atomicLoad(&bins[i]);
    if (n != 0u) { atomicAdd(&counters[copy + i], n); }
  }
  workgroupBarrier();
  place += base;
  for (var word = 0u; word < 2u; word++) {
    for (var left = take[word]; left != 0u; left &= left - 1u) {
      let bit = firstTrailingBit(left);
      let i = 4u * word + (bit >> 3u);
      let j = bit & 7u;
      if (place < job.capacity) {
        survivors[place * 3u] = job.row_offset + job.row_start + row0 + row_of(l.y, i);
        survivors[place * 3u + 1u] = (job.column_offset + job.column_start + col0 + column_of(l.x, j))
          | (((near[word] >> bit) & 1u) << 31u);
        survivors[place * 3u + 2u] = bitcast<u32>(total[2u * i + (j >> 2u)][j & 3u]);
      }
      place++;
    }
  }
}
