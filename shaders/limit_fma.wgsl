// The most f32 multiply-adds that an adapter does: chains in registers alone.
// Inputs: operands (four multipliers, four addends), turns of the loop.
// Outputs: results[thread], the sum of the thread's chains.
// Invariants: chain i of component j of a thread starts at (thread % 64) / 64 + i and is TURNS x STEPS times
//   x = x * multiplier[j] + addend[j]; nothing but the two operands is read.
// CPU mirror: src/compute/gpu/limit.rs
const THREADS = $THREADSu;
@group(0) @binding(0) var<storage, read> operands: array<vec4<f32>, 2>;
@group(0) @binding(1) var<storage, read_write> results: array<f32>;
@group(0) @binding(2) var<uniform> turns: vec4<u32>;

@compute @workgroup_size($THREADS, 1, 1)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) li: u32) {
  let multiplier = operands[0];
  let addend = operands[1];
  let thread = wg.x * THREADS + li;
  let start = vec4(f32(thread % 64u) / 64.0);
  //: each i < CHAINS
  var x$i = start + $i.0;
  for (var turn = 0u; turn < turns.x; turn++) {
    // Step by step, so that what follows a multiply-add does not wait for it.
    //: each s < STEPS, i < CHAINS
    x$i = fma(x$i, multiplier, addend); // $s
  }
  var sum = vec4<f32>();
  //: each i < CHAINS
  sum += x$i;
  results[thread] = sum.x + sum.y + sum.z + sum.w;
}
