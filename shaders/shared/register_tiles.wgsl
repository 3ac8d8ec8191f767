// A tile of 64 x 128 pairs in f32: 16 x 8 threads of 8 x 8. While it multiplies from one half of `tile`, the next DEPTH
// values of its rows and columns are on their way to the other.
// Given: row_values(at) and column_values(at), four values as f32; SCALE, what a product is worth.
const TILE_ROWS = $TILE_ROWSu;
const TILE_COLUMNS = $TILE_COLUMNSu;
const THREADS = $THREADSu;
const DEPTH = $DEPTHu;
const SLICE = $SLICEu;
const BIN_COPIES = $BIN_COPIESu;
const GROUPS = (TILE_ROWS + TILE_COLUMNS) / 4u;

// [half * DEPTH + k][16 groups of 4 rows, then 32 groups of 4 columns].
var<workgroup> tile: array<array<vec4<f32>, GROUPS>, 2u * DEPTH>;
var<workgroup> found: atomic<u32>;
var<workgroup> base: u32;

// Four values of each of four rows (or columns), one vector a value. Whole vectors are stored: a store to one component
// may become a store to all, which would race.
fn load(rows: bool, at: vec4<u32>) -> mat4x4<f32> {
  if (rows) { return transpose(mat4x4(row_values(at.x), row_values(at.y), row_values(at.z), row_values(at.w))); }
  return transpose(mat4x4(column_values(at.x), column_values(at.y), column_values(at.z), column_values(at.w)));
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
  let origin = tile_origin(wg);
  if (is_empty(origin)) { return; }
  begin(origin, li);
  if (li == 0u) { atomicStore(&found, 0u); base = 0u; }
  // 96 threads load one block of 4 x 4 values each.
  let loads = li < GROUPS * DEPTH / 4u;
  let group = li % GROUPS;
  let is_row = group < TILE_ROWS / 4u;
  let k0 = li / GROUPS;
  var at = vec4(0u, 1u, 2u, 3u);
  if (is_row) {
    at = job.row_start + min(origin.x + group * 4u + at, vec4(job.row_count - 1u));
  } else {
    at = job.column_start + min(origin.y + group * 4u - TILE_ROWS + at, vec4(job.column_count - 1u));
  }
  at = at * job.depth + k0;
  if (loads) { store(k0 * 4u, group, load(is_row, at)); }
  workgroupBarrier();
  // total[2 i + j / 4][j % 4] of row i and column j of this thread. Written once a slice, so it may live in slow memory
  // and be indexed; the sums of a slice are single variables so that they live in registers.
  var total = array<vec4<f32>, 16>();
  var half = 0u;
  for (var slice = 0u; slice < job.depth; slice += SLICE / 4u) {
    //: each i < 4, j < 2
    var c$i$j = vec4<f32>(); var d$i$j = vec4<f32>();
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
        //: each i < 4, j < 2
        c$i$j = fma(vec4(a0[$i]), b$j, c$i$j);
        //: each i < 4, j < 2
        d$i$j = fma(vec4(a1[$i]), b$j, d$i$j);
      }
      half ^= DEPTH;
      if (loads) { store(half + k0 * 4u, group, block); }
      workgroupBarrier();
    }
    //: each i < 4, j < 2
    total[2 * $i + $j] += whole(c$i$j);
    //: each i < 4, j < 2
    total[2 * $i + $j + 8] += whole(d$i$j);
  }
  // Bit 8 row + column of the 64 pairs of this thread.
  var take = array<u32, 2>();
  var near = array<u32, 2>();
  let whole_tile = is_whole(origin);
  for (var i = 0u; i < 8u; i++) {
    let row = row_of(l.y, i);
    let r = facts[row];
    for (var j = 0u; j < 8u; j++) {
      let column = column_of(l.x, j);
      if (!whole_tile && !is_pair(origin, row, column)) { continue; }
      let judged = judge(total[2u * i + (j >> 2u)][j & 3u] * SCALE, r, facts[TILE_ROWS + column], li % BIN_COPIES);
      let place = 8u * (i & 3u) + j;
      take[i >> 2u] |= (judged & TAKE) << place;
      near[i >> 2u] |= (judged >> 1u) << place;
    }
  }
  let count = countOneBits(take[0]) + countOneBits(take[1]);
  var place = 0u;
  if (count != 0u) { place = atomicAdd(&found, count); }
  workgroupBarrier();
  if (li == 0u) {
    let n = atomicLoad(&found);
    if (n != 0u) { base = atomicAdd(&counters[0], n); }
  }
  if (job.mode != 0u) { flush(wg, li); }
  workgroupBarrier();
  place += base;
  for (var word = 0u; word < 2u; word++) {
    for (var left = take[word]; left != 0u; left &= left - 1u) {
      let bit = firstTrailingBit(left);
      let i = 4u * word + (bit >> 3u);
      let j = bit & 7u;
      let s = total[2u * i + (j >> 2u)][j & 3u] * SCALE;
      report(place, origin, row_of(l.y, i), column_of(l.x, j), ((near[word] >> bit) & 1u) != 0u, s);
      place++;
    }
  }
}
