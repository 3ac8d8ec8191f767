//! One tile of similarities in f32: product, filter, histogram. CPU mirror of `shaders/similarity_f32.wgsl`.

use crate::base::simd::widest;
use crate::compute::outcome::BINS;
use crate::compute::tile::{Block, HistogramMode, Job, Survivor};
use pulp::Arch;
use std::ops::Range;

/// Elements summed in one chain before they are added to the tile: keeps gamma small at large d.
const SLICE: usize = 256;

/// 2^23: adding it to 0 <= x < 2^22 rounds x to the nearest integer, which then stands in the low mantissa bits.
const ROUNDER: f32 = 8_388_608.0;

/// Counts of one tile: `[relation][bin]`.
pub type Counts = Box<[[u32; BINS]; 4]>;

/// Buffers of one thread.
#[derive(Debug, Default)]
pub struct Scratch {
    product: Vec<f32>,
    flags: Vec<u8>,
    slots: Vec<u16>,
    counts: Vec<u32>,
}

/// gamma of the certificate: u times the longest chain of additions, u = 2^-24 (a chain is a slice, then the slices;
/// one more for the rounding of a product, one for the scaling inside the product kernel).
pub fn gamma(dim: usize) -> f64 {
    let chain = (dim.min(SLICE) + dim.div_ceil(SLICE) + 2) as f64;
    let unit = 1.0 / (1u64 << 24) as f64;
    chain * unit / (1.0 - chain * unit)
}

/// `product[r * columns.len() + c]` = <row r, column c> in f32, by slices. `rows` and `columns` are row-major with
/// `dim` elements a row.
pub fn multiply(rows: &[f32], columns: &[f32], dim: usize, product: &mut Vec<f32>) {
    let (m, n) = (columns.len() / dim, rows.len() / dim);
    product.clear();
    product.resize(m * n, 0.0);
    for start in (0..dim).step_by(SLICE) {
        let depth = SLICE.min(dim - start);
        // SAFETY: `lhs` reads m rows of `depth` elements from column `start` on, within m * dim; `rhs` likewise with
        // n rows; `dst` writes m * n elements, the length just set. No two of the three slices overlap.
        unsafe {
            gemm::gemm(
                m,
                n,
                depth,
                product.as_mut_ptr(),
                m as isize,
                1,
                start > 0,
                columns.as_ptr().add(start),
                1,
                dim as isize,
                rows.as_ptr().add(start),
                dim as isize,
                1,
                1.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }
}

/// What the filter of one row needs of that row.
struct RowContext {
    half_bound: f32,
    keep: f32,
    query: u32,
    model: u32,
}

/// What the filter of one row needs of the columns; all slices have one length.
struct ColumnContext<'a> {
    half_bound: &'a [f32],
    keep: &'a [f32],
    query: &'a [u32],
    model: &'a [u32],
}

/// `flags[c]` is 1 where the pair passes the filter.
#[inline(always)]
fn filter(products: &[f32], row: &RowContext, columns: &ColumnContext<'_>, flags: &mut [u8]) {
    for (((flag, &s), &half_bound), &keep) in flags.iter_mut().zip(products).zip(columns.half_bound).zip(columns.keep) {
        *flag = u8::from((s + half_bound >= row.keep) | (s + row.half_bound >= keep));
    }
}

/// `slots[c]` is relation * 256 + bin, or 1024 where the pair is within `width` bins of an edge (then flag bit 1 is set).
#[inline(always)]
fn bins(
    products: &[f32],
    row: &RowContext,
    columns: &ColumnContext<'_>,
    width: f32,
    slots: &mut [u16],
    flags: &mut [u8],
) {
    for ((((slot, flag), &s), &query), &model) in
        slots.iter_mut().zip(flags.iter_mut()).zip(products).zip(columns.query).zip(columns.model)
    {
        let x = ((s + 1.0) * 100.0).clamp(0.0, 200.0);
        let rounded = x + ROUNDER;
        let distance = x - (rounded - ROUNDER);
        let nearest = rounded.to_bits() & 0xff;
        let bin = nearest.wrapping_sub(u32::from(distance < 0.0)).min(BINS as u32 - 1);
        let relation = 2 * u32::from(query != row.query) + u32::from(model != row.model);
        let near = distance.abs() <= width;
        *slot = if near { 1024 } else { (relation * 256 + bin) as u16 };
        *flag |= u8::from(near) << 1;
    }
}

/// Forms the pairs of one tile. `tile_rows` and `tile_columns` are local to the blocks. It ends early once there are
/// more than `limit` survivors: then they fill the stream, and nothing of it counts.
pub fn tile(
    rows: &Block,
    columns: &Block,
    job: &Job,
    tile_rows: Range<usize>,
    tile_columns: Range<usize>,
    limit: usize,
    scratch: &mut Scratch,
) -> (Vec<Survivor>, Option<Counts>) {
    let dim = rows.unit.len() / rows.len();
    let width = tile_columns.len();
    let Scratch { product, flags, slots, counts } = scratch;
    multiply(
        &rows.unit[tile_rows.start * dim..tile_rows.end * dim],
        &columns.unit[tile_columns.start * dim..tile_columns.end * dim],
        dim,
        product,
    );
    flags.resize(width, 0);
    slots.resize(width, 0);
    counts.clear();
    counts.resize(4 * 1025, 0);
    let edge_width = match job.histogram {
        HistogramMode::Off => None,
        HistogramMode::Coarse => Some(-1.0),
        HistogramMode::Exact { width } => Some(width * 100.0 * (1.0 + 1e-6)),
    };
    let mut survivors = Vec::new();
    let arch = Arch::new();
    for (place, row) in tile_rows.clone().enumerate() {
        if survivors.len() > limit {
            break;
        }
        // Only pairs with the column's position above the row's.
        let from = (rows.first + row + 1).saturating_sub(columns.first).clamp(tile_columns.start, tile_columns.end);
        let skip = from - tile_columns.start;
        let products = &product[place * width + skip..(place + 1) * width];
        let context = RowContext {
            half_bound: rows.half_bound[row],
            keep: job.keep_rows[row - job.rows.start],
            query: rows.query[row],
            model: rows.model[row],
        };
        let others = ColumnContext {
            half_bound: &columns.half_bound[from..tile_columns.end],
            keep: &job.keep_columns[from - job.columns.start..tile_columns.end - job.columns.start],
            query: &columns.query[from..tile_columns.end],
            model: &columns.model[from..tile_columns.end],
        };
        let flags = &mut flags[..products.len()];
        let slots = &mut slots[..products.len()];
        widest(
            arch,
            #[inline(always)]
            || {
                filter(products, &context, &others, flags);
                if let Some(edge_width) = edge_width {
                    bins(products, &context, &others, edge_width, slots, flags);
                }
            },
        );
        if edge_width.is_some() {
            // Four copies of the counters, so that equal neighbours do not wait for each other's store.
            for four in slots.chunks(4) {
                for (copy, &slot) in four.iter().enumerate() {
                    counts[copy * 1025 + usize::from(slot)] += 1;
                }
            }
        }
        for (chunk, sixteen) in flags.chunks(16).enumerate() {
            if sixteen.iter().fold(0, |any, flag| any | flag) == 0 {
                continue;
            }
            for (lane, &flag) in sixteen.iter().enumerate() {
                if flag != 0 {
                    let c = chunk * 16 + lane;
                    let near = if flag & 2 != 0 { Survivor::NEAR_EDGE } else { 0 };
                    survivors.push(Survivor {
                        row: row as u32,
                        column_and_flag: (from + c) as u32 | near,
                        coarse: products[c],
                    });
                }
            }
        }
    }
    let histogram = edge_width.map(|_| {
        let mut sums: Counts = Box::new([[0; BINS]; 4]);
        for copy in 0..4 {
            for (relation, bins) in sums.iter_mut().enumerate() {
                for (bin, sum) in bins.iter_mut().enumerate() {
                    *sum += counts[copy * 1025 + relation * 256 + bin];
                }
            }
        }
        sums
    });
    (survivors, histogram)
}
