// What becomes of a similarity: filter, histogram.
//
// Counts of a tile are 16 bits wide (a tile has at most 2^15 pairs), two to a word: a bin and the one 128 above it, so that
// the busy bins, which are neighbours, stand in different words. BIN_COPIES of them spread the additions.
const WORDS = 4u * 128u;

struct Facts { half_bound: f32, keep: f32, query: u32, model: u32 }
// Of the tile's rows, then of its columns.
var<workgroup> facts: array<Facts, TILE_ROWS + TILE_COLUMNS>;
var<workgroup> bins: array<atomic<u32>, WORDS * BIN_COPIES>;

// By all threads, before the first barrier.
fn begin(origin: vec2<u32>, li: u32) {
  for (var i = li; i < TILE_ROWS + TILE_COLUMNS; i += THREADS) {
    if (i < TILE_ROWS) {
      let row = min(origin.x + i, job.row_count - 1u);
      let known = row_facts[job.row_start + row];
      facts[i] = Facts(bitcast<f32>(known.x), row_keep[job.row_keep + row], known.y, known.z);
    } else {
      let column = min(origin.y + i - TILE_ROWS, job.column_count - 1u);
      let known = column_facts[job.column_start + column];
      facts[i] = Facts(bitcast<f32>(known.x), column_keep[job.column_keep + column], known.y, known.z);
    }
  }
  for (var i = li; i < WORDS * BIN_COPIES; i += THREADS) { atomicStore(&bins[i], 0u); }
}

// Whether every row and column of the tile are a pair of the job.
fn is_whole(origin: vec2<u32>) -> bool {
  return origin.x + TILE_ROWS <= job.row_count && origin.y + TILE_COLUMNS <= job.column_count
    && job.first_column + job.column_start + origin.y > job.first_row + job.row_start + origin.x + TILE_ROWS - 1u;
}

// Whether row and column, both local to the tile, are a pair of the job.
fn is_pair(origin: vec2<u32>, row: u32, column: u32) -> bool {
  let r = origin.x + row;
  let c = origin.y + column;
  return r < job.row_count && c < job.column_count
    && job.first_column + job.column_start + c > job.first_row + job.row_start + r;
}

const TAKE = 1u;
const NEAR = 2u;

// TAKE if the pair survives or its bin must be settled, then with NEAR; else it is counted, in copy `copy` of the bins.
fn judge(s: f32, r: Facts, c: Facts, copy: u32) -> u32 {
  let take = select(0u, TAKE, s + c.half_bound >= r.keep || s + r.half_bound >= c.keep);
  if (job.mode == 0u) { return take; }
  let x = (s + 1.0) * 100.0;
  if (job.mode == 2u && abs(x - round(x)) <= job.width) { return TAKE | NEAR; }
  let relation = 2u * u32(r.query != c.query) + u32(r.model != c.model);
  let bin = u32(clamp(x, 0.0, 199.0));
  // The upper half of the word from bin 128 on.
  atomicAdd(&bins[(relation * 128u + (bin & 127u)) * BIN_COPIES + copy], 1u << ((bin >> 3u) & 16u));
  return take;
}

fn report(place: u32, origin: vec2<u32>, row: u32, column: u32, near: bool, s: f32) {
  if (place >= job.capacity) { return; }
  survivors[place * 3u] = job.row_offset + job.row_start + origin.x + row;
  survivors[place * 3u + 1u] = (job.column_offset + job.column_start + origin.y + column) | (u32(near) << 31u);
  survivors[place * 3u + 2u] = bitcast<u32>(s);
}

// By all threads, behind a barrier: the tile's counts go to one of COPIES in `counters`.
fn flush(wg: vec3<u32>, li: u32) {
  let copy = 1u + ((wg.x + wg.y) % COPIES) * 4u * BINS;
  for (var i = li; i < WORDS; i += THREADS) {
    var low = 0u;
    var high = 0u;
    for (var j = 0u; j < BIN_COPIES; j++) {
      let counts = atomicLoad(&bins[i * BIN_COPIES + j]);
      low += counts & 0xffffu;
      high += counts >> 16u;
    }
    let bin = copy + i / 128u * BINS + i % 128u;
    if (low != 0u) { atomicAdd(&counters[bin], low); }
    if (high != 0u) { atomicAdd(&counters[bin + 128u], high); }
  }
}
