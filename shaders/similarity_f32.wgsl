// All pairs of two blocks: similarity, filter, histogram.
// Inputs: row_unit and column_unit (unit rows, padded with zeros to a multiple of 16 values), facts a row (half bound,
//   query, model, keep value), job.
// Outputs: counters[0] is raised by the survivors, then 4 copies of 4 relations x 200 bins by the pairs; survivors are
//   (row, column | near-edge flag, bits of S), rows and columns local to the block.
// Invariants: a pair is formed where its column's position is above its row's; survivors past the capacity are counted,
//   not written; nothing is read that was not written; fewer than 2^32 pairs between two clearings of the counters.
// CPU mirror: src/compute/cpu/similarity_f32.rs
const TILE_ROWS = 64u;
const TILE_COLUMNS = 64u;
const DEPTH = 16u;
const SLICE = 64u;
const BINS = 200u;
const COPIES = 4u;
const THREADS = 256u;

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
var<workgroup> sa: array<array<vec4<f32>, 16>, DEPTH>;
var<workgroup> sb: array<array<vec4<f32>, 16>, DEPTH>;
var<workgroup> bins: array<atomic<u32>, 4u * BINS>;
var<workgroup> found: atomic<u32>;
var<workgroup> base: u32;

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) l: vec3<u32>, @builtin(local_invocation_index) li: u32) {
  let row0 = wg.y * TILE_ROWS;
  let col0 = wg.x * TILE_COLUMNS;
  // Positions of the tile's first row and last column; without a pair there is nothing to do.
  let first = job.first_row + job.row_start + row0;
  let last = job.first_column + job.column_start + min(col0 + TILE_COLUMNS, job.column_count) - 1u;
  if (last <= first) { return; }
  for (var i = li; i < 4u * BINS; i += THREADS) { atomicStore(&bins[i], 0u); }
  if (li == 0u) { atomicStore(&found, 0u); base = 0u; }
  let lr = li >> 2u;
  let lk = li & 3u;
  let ra = (job.row_start + min(row0 + lr, job.row_count - 1u)) * job.depth + lk;
  let rb = (job.column_start + min(col0 + lr, job.column_count - 1u)) * job.depth + lk;
  var total = array<vec4<f32>, 4>();
  for (var slice = 0u; slice < job.depth; slice += SLICE / 4u) {
    var c = array<vec4<f32>, 4>();
    let end = min(slice + SLICE / 4u, job.depth);
    for (var k4 = slice; k4 < end; k4 += DEPTH / 4u) {
      let a = row_unit[ra + k4];
      let b = column_unit[rb + k4];
      workgroupBarrier();
      for (var q = 0u; q < 4u; q++) {
        sa[lk * 4u + q][lr >> 2u][lr & 3u] = a[q];
        sb[lk * 4u + q][lr >> 2u][lr & 3u] = b[q];
      }
      workgroupBarrier();
      for (var k = 0u; k < DEPTH; k++) {
        let av = sa[k][l.y];
        let bv = sb[k][l.x];
        c[0] = fma(vec4(av.x), bv, c[0]);
        c[1] = fma(vec4(av.y), bv, c[1]);
        c[2] = fma(vec4(av.z), bv, c[2]);
        c[3] = fma(vec4(av.w), bv, c[3]);
      }
    }
    // The exclusive-or keeps the sum of a slice in one piece: see gamma in src/compute/gpu/kernel.rs.
    for (var i = 0u; i < 4u; i++) { total[i] += bitcast<vec4<f32>>(bitcast<vec4<u32>>(c[i]) ^ vec4(job.zero)); }
  }
  var take = 0u;
  var near = 0u;
  for (var i = 0u; i < 16u; i++) {
    let r = row0 + l.y * 4u + (i >> 2u);
    let t = col0 + l.x * 4u + (i & 3u);
    if (r < job.row_count && t < job.column_count
        && job.first_column + job.column_start + t > job.first_row + job.row_start + r) {
      let s = total[i >> 2u][i & 3u];
      let fr = row_facts[job.row_start + r];
      let fc = column_facts[job.column_start + t];
      if (s + bitcast<f32>(fc.x) >= bitcast<f32>(fr.w) || s + bitcast<f32>(fr.x) >= bitcast<f32>(fc.w)) { take |= 1u << i; }
      if (job.mode != 0u) {
        let x = (s + 1.0) * 100.0;
        if (job.mode == 2u && abs(x - round(x)) <= job.width) {
          near |= 1u << i;
        } else {
          let relation = 2u * u32(fr.y != fc.y) + u32(fr.z != fc.z);
          atomicAdd(&bins[relation * BINS + u32(clamp(floor(x), 0.0, 199.0))], 1u);
        }
      }
    }
  }
  take |= near;
  var at = 0u;
  if (take != 0u) { at = atomicAdd(&found, countOneBits(take)); }
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
  at += base;
  for (var i = 0u; i < 16u; i++) {
    if (((take >> i) & 1u) != 0u) {
      if (at < job.capacity) {
        survivors[at * 3u] = job.row_offset + job.row_start + row0 + l.y * 4u + (i >> 2u);
        survivors[at * 3u + 1u] = (job.column_offset + job.column_start + col0 + l.x * 4u + (i & 3u)) | (((near >> i) & 1u) << 31u);
        survivors[at * 3u + 2u] = bitcast<u32>(total[i >> 2u][i & 3u]);
      }
      at++;
    }
  }
}
