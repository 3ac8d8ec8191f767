//! Exhaustive search by ann-search-rs (cosine, f32), for `benches/pairs.py`.
//!
//! `ann-search-peer ROWS.f32 DIM K SLAB NEIGHBORS`: a flat little-endian f32 file; searches the K + 1 nearest rows of the
//! first SLAB rows among all, writes their numbers to NEIGHBORS (u32, little-endian) and prints the seconds of
//! the search in JSON.

use ann_search_rs::prelude::Verbosity;
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, dim, k, slab, out] = arguments.as_slice() else {
        return Err("usage: ann-search-peer ROWS.f32 DIM K SLAB NEIGHBORS".into());
    };
    let (dim, k, slab): (usize, usize, usize) = (dim.parse()?, k.parse()?, slab.parse()?);
    let values: Vec<f32> =
        std::fs::read(file)?.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let rows = values.len() / dim;
    let index = ann_search_rs::build_exhaustive_index((values.as_slice(), rows, dim), "cosine", Verbosity::Quiet);
    let queries = &values[..slab.min(rows) * dim];
    let started = Instant::now();
    let found = index.query_batch(queries, queries.len() / dim, k + 1, None, Verbosity::Quiet)?;
    println!("{{\"seconds\": {}}}", started.elapsed().as_secs_f64());
    let numbers: Vec<u8> =
        found.iter().flat_map(|(rows, _)| rows).flat_map(|&row| (row as u32).to_le_bytes()).collect();
    std::fs::write(out, numbers)?;
    Ok(())
}
