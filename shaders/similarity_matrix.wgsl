// All pairs of two blocks: similarity, filter, histogram, from rows in f16 on matrix units that add in f32.
// Inputs: row_unit and column_unit (unit rows times 2^8 in f16, without subnormals, padded with zeros to a multiple of 32
//   values), facts a row (half bound, query, model), keep values, job.
// Outputs: as similarity_f32.
// Invariants: as similarity_f32. Workgroups have SUBGROUPS subgroups, or more where subgroups differ: those only load.
//   SIDE divides the threads of a subgroup.
// CPU mirror: src/compute/cpu/similarity_f32.rs
//   (on rows as src/compute/gpu/format.rs stores them)
//
// A subgroup has FRAGMENT_ROWS x FRAGMENT_COLUMNS cooperative matrices of SIDE x SIDE pairs, a workgroup GRID_ROWS x
// GRID_COLUMNS subgroups. While it multiplies from one half of `tile`, the next DEPTH values are on their way to the
// other. Cooperative matrices are opaque, so pairs pass through `scratch`, one matrix a subgroup at a time.
enable f16;
enable wgpu_cooperative_matrix;
const SIDE = $SIDEu;
const FRAGMENT_ROWS = $FRAGMENT_ROWSu;
const FRAGMENT_COLUMNS = $FRAGMENT_COLUMNSu;
const GRID_ROWS = $GRID_ROWSu;
const GRID_COLUMNS = $GRID_COLUMNSu;
const SUBGROUPS = GRID_ROWS * GRID_COLUMNS;
const TILE_ROWS = GRID_ROWS * FRAGMENT_ROWS * SIDE;
const TILE_COLUMNS = GRID_COLUMNS * FRAGMENT_COLUMNS * SIDE;
const THREADS = $THREADSu;
// Threads of a subgroup, 0 where subgroups differ.
const LANES = $LANESu;
const DEPTH = $DEPTHu;
const BIN_COPIES = $BIN_COPIESu;
// Runs of 8 values that a row has in a slice of DEPTH; a thread loads one.
const UNITS = DEPTH / 8u;
// Vectors of 4 values from a row of `tile` to the next: padding keeps the rows of a matrix in different banks.
const STRIDE = $STRIDEu;
const SCALE = 1.0 / 65536.0;
//: include job
//: include judge
@group(0) @binding(0) var<storage, read> row_unit: array<vec4<f16>>;
@group(0) @binding(1) var<storage, read> column_unit: array<vec4<f16>>;
// [half][row, then column][value / 4].
var<workgroup> tile: array<vec4<f16>, 2u * (TILE_ROWS + TILE_COLUMNS) * STRIDE>;
const HALF = (TILE_ROWS + TILE_COLUMNS) * STRIDE;
// [subgroup][row][column] of one matrix each.
var<workgroup> scratch: array<f32, SUBGROUPS * SIDE * SIDE>;
var<workgroup> empty: bool;

struct Eight { low: vec4<f16>, high: vec4<f16> }
fn row_values(at: u32) -> Eight { return Eight(row_unit[at], row_unit[at + 1u]); }
fn column_values(at: u32) -> Eight { return Eight(column_unit[at], column_unit[at + 1u]); }

fn store(half: u32, line: u32, unit: u32, values: Eight) {
  let at = half + line * STRIDE + unit * 2u;
  tile[at] = values.low;
  tile[at + 1u] = values.high;
}

// The pairs of the matrix in `scratch`, whose first is at (row0, column0) of the tile: one reservation a subgroup. A thread
// has some rows of one column.
fn settle(origin: vec2<u32>, whole: bool, row0: u32, column0: u32, start: u32, lane: u32, lanes: u32, copy: u32) {
  let column = column0 + lane % SIDE;
  let first_row = row0 + lane / SIDE;
  let c = facts[TILE_ROWS + column];
  var take = 0u;
  var near = 0u;
  for (var i = 0u; i < SIDE * SIDE / lanes; i++) {
    let row = first_row + i * (lanes / SIDE);
    if (!whole && !is_pair(origin, row, column)) { continue; }
    let judged = judge(scratch[start + lane + i * lanes] * SCALE, facts[row], c, copy);
    take |= (judged & TAKE) << i;
    near |= (judged >> 1u) << i;
  }
  if (!subgroupAny(take != 0u)) { return; }
  let count = countOneBits(take);
  let before = subgroupExclusiveAdd(count);
  let all = subgroupAdd(count);
  var place = 0u;
  if (lane == 0u) { place = atomicAdd(&counters[0], all); }
  place = subgroupBroadcastFirst(place) + before;
  for (; take != 0u; take &= take - 1u) {
    let i = firstTrailingBit(take);
    let s = scratch[start + lane + i * lanes] * SCALE;
    report(place, origin, first_row + i * (lanes / SIDE), column, ((near >> i) & 1u) != 0u, s);
    place++;
  }
}

@compute @workgroup_size($THREADS, 1, 1)
fn main(
  @builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) li: u32, @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32, @builtin(subgroup_size) subgroup_size: u32,
) {
  // A number that the compiler knows, where it is the same for all.
  let lanes = select(subgroup_size, LANES, LANES != 0u);
  let origin = tile_origin(wg);
  if (li == 0u) { empty = is_empty(origin); }
  // The compiler has to know that all threads agree.
  if (workgroupUniformLoad(&empty)) { return; }
  begin(origin, li);
  // What this thread loads of a slice: 8 values each of some rows and some columns.
  //: each l < ROW_LOADS
  let row$l = (job.row_start + min(origin.x + (li + $l * THREADS) / UNITS, job.row_count - 1u)) * job.depth + li % UNITS * 2u;
  //: each l < COLUMN_LOADS
  let column$l = (job.column_start + min(origin.y + (li + $l * THREADS) / UNITS, job.column_count - 1u)) * job.depth + li % UNITS * 2u;
  let line = li / UNITS;
  //: each l < ROW_LOADS
  store(0u, line + $l * THREADS / UNITS, li % UNITS, row_values(row$l));
  //: each l < COLUMN_LOADS
  store(0u, TILE_ROWS + line + $l * THREADS / UNITS, li % UNITS, column_values(column$l));
  workgroupBarrier();
  // No index is out of range, however many subgroups a driver makes.
  let mine = min(subgroup, SUBGROUPS - 1u);
  let grid_row = mine / GRID_COLUMNS * FRAGMENT_ROWS * SIDE;
  let grid_column = mine % GRID_COLUMNS * FRAGMENT_COLUMNS * SIDE;
  //: each i < FRAGMENT_ROWS, j < FRAGMENT_COLUMNS
  var c$i_$j: coop_mat$SIDEx$SIDE<f32, C>;
  var half = 0u;
  for (var k = 0u; k < job.depth; k += DEPTH / 4u) {
    // Past the last values the same ones are loaded again, and never used.
    let next = min(k + DEPTH / 4u, job.depth - DEPTH / 4u);
    //: each l < ROW_LOADS
    let next_row$l = row_values(row$l + next);
    //: each l < COLUMN_LOADS
    let next_column$l = column_values(column$l + next);
    // Once, or not at all: the compiler wants cooperative matrices in no branch that subgroups may take differently.
    //: each v < VARIABLE
    for (var turn = subgroup; turn < SUBGROUPS; turn += SUBGROUPS) {
      let rows = half + grid_row * STRIDE;
      let columns = half + (TILE_ROWS + grid_column) * STRIDE;
      for (var step = 0u; step < DEPTH / 4u; step += SIDE / 4u) {
        //: each i < FRAGMENT_ROWS
        let a$i = coopLoadT<coop_mat$SIDEx$SIDE<f16, A>>(&tile[rows + $i * SIDE * STRIDE + step], STRIDE);
        //: each j < FRAGMENT_COLUMNS
        let b$j = coopLoad<coop_mat$SIDEx$SIDE<f16, B>>(&tile[columns + $j * SIDE * STRIDE + step], STRIDE);
        //: each i < FRAGMENT_ROWS, j < FRAGMENT_COLUMNS
        c$i_$j = coopMultiplyAdd(a$i, b$j, c$i_$j);
      }
    //: each v < VARIABLE
    }
    half = HALF - half;
    //: each l < ROW_LOADS
    store(half, line + $l * THREADS / UNITS, li % UNITS, next_row$l);
    //: each l < COLUMN_LOADS
    store(half, TILE_ROWS + line + $l * THREADS / UNITS, li % UNITS, next_column$l);
    workgroupBarrier();
  }
  let whole = is_whole(origin);
  let start = mine * SIDE * SIDE;
  // Barriers of the workgroup: that of a subgroup does not promise that its other threads see `scratch`.
  //: each i < FRAGMENT_ROWS, j < FRAGMENT_COLUMNS
  for (var turn = subgroup; turn < SUBGROUPS; turn += SUBGROUPS) { coopStoreT(c$i_$j, &scratch[start], SIDE); } workgroupBarrier(); if (subgroup < SUBGROUPS) { settle(origin, whole, grid_row + $i * SIDE, grid_column + $j * SIDE, start, lane, lanes, li % BIN_COPIES); } workgroupBarrier();
  if (job.mode != 0u) { flush(wg, li); }
}
