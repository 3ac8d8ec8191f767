//! One tile by a product of packed rows: strips, filter and histogram by their similarities, a second look in f32 at what
//! the wider bound lets through.

use super::Found;
use super::panels::{PANEL, Panels};
use super::quantise::Precision;
use super::refine::refine;
use super::scan::{ColumnContext, NEAR_EDGE, RowContext, Scan, Width};
use super::similarity_f32::edge_width;
use super::strip::{Kernel, ROWS, Strip};
use crate::compute::certificate::SLACK;
use crate::compute::tile::{Block, HistogramMode, Job, Survivor};
use pulp::Arch;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of the columns of a tile: they stay in L2 while all rows of the tile pass.
const COLUMN_BYTES: usize = 384 << 10;

/// The same where the rows as they are stored must stay there too.
const EXACT_COLUMN_BYTES: usize = 640 << 10;

/// Columns of a tile at least: what the kernels take at once.
pub const LEAST_COLUMNS: usize = 3 * PANEL;

/// Columns of a tile at most: a strip of so many similarities stays in L1.
const COLUMNS: usize = 10 * LEAST_COLUMNS;

/// Rows of a tile.
pub const TILE_ROWS: usize = 256;

/// Columns of a tile. For an exact histogram one pair in forty gets a second look (int16, d = 384), which reads the rows
/// as they are stored.
pub fn tile_columns(precision: Precision, dim: usize, histogram: HistogramMode) -> usize {
    let (stored, bytes) = match histogram {
        HistogramMode::Exact { .. } => (4 * dim, EXACT_COLUMN_BYTES),
        _ => (0, COLUMN_BYTES),
    };
    (bytes / (precision.row_bytes(dim) + stored) / LEAST_COLUMNS * LEAST_COLUMNS).clamp(LEAST_COLUMNS, COLUMNS)
}

/// A loaded block.
#[derive(Debug)]
pub struct Operand {
    /// What was loaded.
    pub block: Arc<Block>,
    /// Its rows, packed.
    pub panels: Panels,
}

impl Operand {
    /// Packs the rows of a block.
    pub fn new(block: Arc<Block>, precision: Precision) -> Self {
        let panels = Panels::pack(block.len(), block.dim(), precision, |row| block.row(row));
        Self { block, panels }
    }
}

/// A job with what its filter needs for packed rows.
pub struct PackedJob<'a> {
    /// The job.
    pub job: &'a Job,
    /// What S + b of the column must reach for each of the job's rows, S and b those of packed rows.
    keep_rows: Vec<f32>,
    /// The same for each of the job's columns.
    keep_columns: Vec<f32>,
    /// How near to an edge a pair is not counted, for packed rows and, in bins, for the second look.
    widths: Option<(Width, f32)>,
}

impl<'a> PackedJob<'a> {
    /// A pair (i, j) is to be reported where its similarity by the second look reaches keep_i - b_j or keep_j - b_i,
    /// where b are the bounds of the blocks. That similarity is at most S + p_i + p_j + b_i + b_j (p: the bounds of
    /// packed rows), so S + p_j must reach keep_i - p_i - b_i - 2 b_j.
    pub fn new(job: &'a Job, rows: &Operand, columns: &Operand) -> Self {
        let most = |operand: &Operand| operand.block.half_bound.iter().fold(0.0f32, |most, &b| most.max(b));
        let bound = most(rows).max(most(columns));
        let keep = |keep: &[f32], range: &Range<usize>, operand: &Operand| -> Vec<f32> {
            let packed = &operand.panels.half_bound[range.clone()];
            let slack = 3.0 * f64::from(bound) + SLACK;
            keep.iter()
                .zip(packed)
                .map(|(&keep, &p)| ((f64::from(keep) - f64::from(p) - slack) as f32).next_down())
                .collect()
        };
        let widths = edge_width(job.histogram).map(|fine| match job.histogram {
            // A pair is settled by its similarity in f32 where that is nearer than `fine` to an edge, and S may be
            // farther from it by the bound of packed rows (and, for certainty, once more by its own).
            HistogramMode::Exact { .. } => {
                (Width { fixed: fine + 100.0 * (2.0 * bound + SLACK as f32), times: 100.0 * (1.0 + 1e-6) }, fine)
            }
            _ => (Width { fixed: fine, times: 0.0 }, fine),
        });
        Self {
            job,
            keep_rows: keep(&job.keep_rows, &job.rows, rows),
            keep_columns: keep(&job.keep_columns, &job.columns, columns),
            widths,
        }
    }
}

/// Buffers of one thread.
#[derive(Debug)]
pub struct Scratch {
    arch: Arch,
    scan: Scan,
    products: Vec<f32>,
    /// What the scan of a row found.
    found: Vec<u32>,
    /// The columns that it found: they get a second look.
    others: Vec<u32>,
    refined: Vec<f32>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            arch: Arch::new(),
            scan: Scan::default(),
            products: Vec::new(),
            found: Vec::new(),
            others: Vec::new(),
            refined: Vec::new(),
        }
    }
}

/// Forms the pairs of one tile, as [`super::similarity_f32::tile`] does.
pub fn tile(
    kernel: &Kernel,
    (rows, columns): (&Operand, &Operand),
    job: &PackedJob<'_>,
    (tile_rows, tile_columns): (Range<usize>, Range<usize>),
    limit: usize,
    scratch: &mut Scratch,
) -> Found {
    let mut found = Found::default();
    let last = tile_columns.end.div_ceil(PANEL);
    for first in (tile_rows.start / ROWS * ROWS..tile_rows.end).step_by(ROWS) {
        let strip_rows = first.max(tile_rows.start)..(first + ROWS).min(tile_rows.end);
        // Only pairs with the column's position above the row's.
        let above = (rows.block.first + strip_rows.start + 1).saturating_sub(columns.block.first);
        let start = above.max(tile_columns.start) / PANEL;
        if start >= last || above >= tile_columns.end {
            continue;
        }
        let width = (last - start) * PANEL;
        scratch.products.resize(ROWS * width, 0.0);
        let strip = Strip {
            groups: rows.panels.groups,
            rows: rows.panels.lines(first / PANEL, 1),
            first: first % PANEL,
            row_scale: &rows.panels.scale.as_chunks().0[first / ROWS],
            correction: &rows.panels.correction.as_chunks().0[first / ROWS],
            columns: columns.panels.lines(start, last - start),
            column_scale: &columns.panels.scale[start * PANEL..last * PANEL],
        };
        // SAFETY: `CpuBackend::new` refuses a kernel that this CPU does not have.
        unsafe { (kernel.multiply)(&strip, &mut scratch.products) };
        for row in strip_rows {
            let place = (row - first) * width;
            let from = (rows.block.first + row + 1).saturating_sub(columns.block.first);
            let range = from.clamp(tile_columns.start, tile_columns.end)..tile_columns.end;
            let products = place + range.start - start * PANEL..place + range.end - start * PANEL;
            scan_row((rows, columns), job, row, range, products, &mut found.survivors, scratch);
            found.refined += scratch.others.len() as u64;
            if found.survivors.len() > limit {
                return found;
            }
        }
    }
    found.histogram = job.widths.map(|_| scratch.scan.take_counts());
    found
}

/// Takes the similarities of `row` with the columns `range`, which stand at `products`.
fn scan_row(
    (rows, columns): (&Operand, &Operand),
    job: &PackedJob<'_>,
    row: usize,
    range: Range<usize>,
    products: Range<usize>,
    survivors: &mut Vec<Survivor>,
    scratch: &mut Scratch,
) {
    let Scratch { arch, scan, products: all, found, others, refined } = scratch;
    let (block, from) = (&rows.block, range.start);
    let in_job = range.start - job.job.columns.start..range.end - job.job.columns.start;
    let row_context = RowContext {
        half_bound: rows.panels.half_bound[row],
        keep: job.keep_rows[row - job.job.rows.start],
        query: block.query[row],
        model: block.model[row],
    };
    let column_context = ColumnContext {
        half_bound: &columns.panels.half_bound[range.clone()],
        keep: &job.keep_columns[in_job.clone()],
        query: &columns.block.query[range.clone()],
        model: &columns.block.model[range],
    };
    found.clear();
    scan.row(&all[products], &row_context, &column_context, job.widths.map(|widths| widths.0), found);
    others.clear();
    others.extend(found.iter().map(|found| (found & !NEAR_EDGE) + from as u32));
    refined.clear();
    refine(*arch, (block, row), &columns.block, others, refined);
    let keep_row = job.job.keep_rows[row - job.job.rows.start];
    for ((&other, &s), &found) in others.iter().zip(refined.iter()).zip(found.iter()) {
        let column = other as usize;
        let near = found & NEAR_EDGE != 0 && {
            let relation = 2 * usize::from(columns.block.query[column] != row_context.query)
                + usize::from(columns.block.model[column] != row_context.model);
            !scan.count(s, relation, job.widths.map_or(0.0, |widths| widths.1))
        };
        let keep_column = job.job.keep_columns[column - job.job.columns.start];
        if near || s + columns.block.half_bound[column] >= keep_row || s + block.half_bound[row] >= keep_column {
            survivors.push(Survivor::new(row, column, near, s));
        }
    }
}
