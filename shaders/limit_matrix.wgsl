// The most multiply-adds that an adapter's matrix units do, f16 to f32: chains in registers alone.
// Inputs: operands (ROWS matrices of SIDE x SIDE row by row, then COLUMNS of them column by column), turns of the loop.
// Outputs: results[subgroup][row][column], the sum of the subgroup's ROWS x COLUMNS chains.
// Invariants: chain (i, j) starts at zero and is TURNS x STEPS times c = a_i b_j + c; subgroups above SUBGROUPS only wait.
// CPU mirror: src/compute/gpu/limit.rs
enable f16;
enable wgpu_cooperative_matrix;
const SIDE = $SIDEu;
const ROWS = $ROWSu;
const SUBGROUPS = $SUBGROUPSu;
@group(0) @binding(0) var<storage, read> operands: array<f16>;
@group(0) @binding(1) var<storage, read_write> results: array<f32>;
@group(0) @binding(2) var<uniform> turns: vec4<u32>;

@compute @workgroup_size($THREADS, 1, 1)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_id) subgroup: u32) {
  // Once, or not at all: the compiler wants cooperative matrices in no branch that subgroups may take differently.
  for (var mine = subgroup; mine < SUBGROUPS; mine += SUBGROUPS) {
    //: each i < ROWS
    let a$i = coopLoadT<coop_mat$SIDEx$SIDE<f16, A>>(&operands[$i * SIDE * SIDE], SIDE);
    //: each j < COLUMNS
    let b$j = coopLoad<coop_mat$SIDEx$SIDE<f16, B>>(&operands[(ROWS + $j) * SIDE * SIDE], SIDE);
    //: each i < ROWS, j < COLUMNS
    var c$i_$j: coop_mat$SIDEx$SIDE<f32, C>;
    for (var turn = 0u; turn < turns.x; turn++) {
      //: each s < STEPS, i < ROWS, j < COLUMNS
      c$i_$j = coopMultiplyAdd(a$i, b$j, c$i_$j); // $s
    }
    var sum: coop_mat$SIDEx$SIDE<f32, C>;
    //: each i < ROWS, j < COLUMNS
    sum = sum + c$i_$j;
    coopStoreT(sum, &results[(wg.x * SUBGROUPS + mine) * SIDE * SIDE], SIDE);
  }
}
