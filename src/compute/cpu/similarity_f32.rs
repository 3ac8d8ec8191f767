//! One tile of similarities in f32: product, filter, histogram. CPU mirror of `shaders/similarity_f32.wgsl`.

use super::Found;
use super::scan::{ColumnContext, NEAR_EDGE, RowContext, Scan, Width};
use crate::compute::tile::{Block, HistogramMode, Job, Survivor};
use std::ops::Range;

/// Elements summed in one chain before they are added to the tile: keeps gamma small at large d.
const SLICE: usize = 256;

/// Buffers of one thread.
#[derive(Debug, Default)]
pub struct Scratch {
    product: Vec<f32>,
    scan: Scan,
    columns_found: Vec<u32>,
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

/// Forms the pairs of one tile. `unit` has the unit rows of the two blocks; `tile_rows` and `tile_columns` are local to
/// them. It ends early once there are more than `limit` survivors: then they fill the stream, and nothing of it counts.
pub fn tile(
    (rows, columns): (&Block, &Block),
    unit: (&[f32], &[f32]),
    job: &Job,
    (tile_rows, tile_columns): (Range<usize>, Range<usize>),
    limit: usize,
    scratch: &mut Scratch,
) -> Found {
    let dim = rows.dim();
    let width = tile_columns.len();
    let Scratch { product, scan, columns_found } = scratch;
    multiply(
        &unit.0[tile_rows.start * dim..tile_rows.end * dim],
        &unit.1[tile_columns.start * dim..tile_columns.end * dim],
        dim,
        product,
    );
    let edge_width = edge_width(job.histogram).map(|fixed| Width { fixed, times: 0.0 });
    let mut survivors = Vec::new();
    for (place, row) in tile_rows.clone().enumerate() {
        if survivors.len() > limit {
            break;
        }
        // Only pairs with the column's position above the row's.
        let from = (rows.first + row + 1).saturating_sub(columns.first).clamp(tile_columns.start, tile_columns.end);
        let range = from..tile_columns.end;
        let products = &product[place * width + (from - tile_columns.start)..(place + 1) * width];
        let row_context = RowContext {
            half_bound: rows.half_bound[row],
            keep: job.keep_rows[row - job.rows.start],
            query: rows.query[row],
            model: rows.model[row],
        };
        let column_context = ColumnContext {
            half_bound: &columns.half_bound[range.clone()],
            keep: &job.keep_columns[from - job.columns.start..tile_columns.end - job.columns.start],
            query: &columns.query[range.clone()],
            model: &columns.model[range],
        };
        columns_found.clear();
        scan.row(products, &row_context, &column_context, edge_width, columns_found);
        survivors.extend(columns_found.iter().map(|&found| {
            let c = (found & !NEAR_EDGE) as usize;
            Survivor::new(row, from + c, found & NEAR_EDGE != 0, products[c])
        }));
    }
    Found { survivors, histogram: edge_width.map(|_| scan.take_counts()), refined: 0 }
}

/// How near to an edge, in bins, a similarity in f32 is not counted; negative if all are.
pub fn edge_width(histogram: HistogramMode) -> Option<f32> {
    match histogram {
        HistogramMode::Off => None,
        HistogramMode::Coarse => Some(-1.0),
        HistogramMode::Exact { width } => Some(width * 100.0 * (1.0 + 1e-6)),
    }
}
