//! Rows of a query by model, and their unit vectors.

use super::products::Triangle;
use crate::base::random::Stream;
use crate::base::simd::widest;
use crate::corpus::Corpus;
use pulp::Arch;

/// Rows of a block of unit rows where not all are held at once.
pub const BLOCK: usize = 256;

/// The `most` of some items with the smallest random numbers by row, in the order that they are in; all if they are fewer.
pub fn drawn<T: Copy + Ord>(mut items: Vec<T>, most: usize, draw: &Stream, row: impl Fn(&T) -> u32) -> Vec<T> {
    if items.len() > most {
        items.sort_by_cached_key(|item| draw.bits(u64::from(row(item)), 0));
        items.truncate(most);
        items.sort_unstable();
    }
    items
}

/// Positions of each model's responses, in order.
pub fn by_model(corpus: &Corpus) -> Vec<Vec<usize>> {
    let mut positions = vec![Vec::new(); corpus.rows.models.len()];
    for (position, &row) in corpus.layout.row_at.iter().enumerate() {
        positions[corpus.rows.model[row as usize] as usize].push(position);
    }
    positions
}

/// The rows of one query, or of queries that are copies of each other, by model.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    /// Model of each cell, ascending.
    pub models: Vec<u32>,
    /// Positions, cell after cell.
    pub positions: Vec<usize>,
    ends: Vec<usize>,
}

impl Cells {
    /// Cells of the models that `keep` has.
    pub fn new(corpus: &Corpus, queries: &[usize], keep: &[bool]) -> Self {
        let mut parts: Vec<&crate::corpus::Cell> =
            queries.iter().flat_map(|&q| &corpus.layout.cells[q]).filter(|c| keep[c.model as usize]).collect();
        parts.sort_by_key(|cell| cell.model);
        let mut cells = Self::default();
        for part in parts {
            if cells.models.last() != Some(&part.model) {
                cells.models.push(part.model);
                cells.ends.push(cells.positions.len());
            }
            cells.positions.extend(part.positions.clone());
            if let Some(end) = cells.ends.last_mut() {
                *end = cells.positions.len();
            }
        }
        cells
    }

    /// Without the positions that `keep` has not, nor the cells that are left empty.
    pub fn retain(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut kept = Self::default();
        for (a, &model) in self.models.iter().enumerate() {
            let before = kept.positions.len();
            kept.positions.extend(self.of(a).iter().copied().filter(|&p| keep(p)));
            if kept.positions.len() > before {
                kept.models.push(model);
                kept.ends.push(kept.positions.len());
            }
        }
        kept
    }

    /// Without the cells of fewer than `n` rows.
    pub fn retain_cells(&self, n: usize) -> Self {
        let mut kept = Self::default();
        for a in (0..self.len()).filter(|&a| self.range(a).len() >= n) {
            kept.models.push(self.models[a]);
            kept.positions.extend(self.of(a));
            kept.ends.push(kept.positions.len());
        }
        kept
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.models.len()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.positions.len()
    }

    /// Where the rows of cell `a` begin and end in `positions`.
    pub fn range(&self, a: usize) -> std::ops::Range<usize> {
        let start = if a == 0 { 0 } else { self.ends[a - 1] };
        start..self.ends[a]
    }

    /// Positions of cell `a`.
    pub fn of(&self, a: usize) -> &[usize] {
        &self.positions[self.range(a)]
    }

    /// Rows of each cell.
    pub fn counts(&self) -> Vec<usize> {
        (0..self.len()).map(|a| self.range(a).len()).collect()
    }
}

/// Adds the unit row at `position` to `sum`.
pub fn add_unit_row(corpus: &Corpus, position: usize, sum: &mut [f64]) {
    let (scale, row) = (1.0 / corpus.embeddings.norms()[position], corpus.embeddings.row(position));
    widest(
        Arch::new(),
        #[inline(always)]
        || sum.iter_mut().zip(row).for_each(|(s, &x)| *s += f64::from(x) * scale),
    );
}

/// Unit rows in f64 of the given positions, row-major.
pub fn unit_rows(corpus: &Corpus, positions: &[usize]) -> Vec<f64> {
    let dim = corpus.dim();
    let mut rows = vec![0.0; positions.len() * dim];
    for (row, &p) in rows.chunks_exact_mut(dim).zip(positions) {
        add_unit_row(corpus, p, row);
    }
    rows
}

/// Columns of row-major `rows` of length `dim` as rows.
pub fn transposed(rows: &[f64], dim: usize) -> Vec<f64> {
    let n = rows.len() / dim;
    let mut out = vec![0.0; rows.len()];
    for start in (0..dim).step_by(8) {
        for i in 0..n {
            for j in start..(start + 8).min(dim) {
                out[j * n + i] = rows[i * dim + j];
            }
        }
    }
    out
}

/// Calls `add(columns, rows in the block)` for each block of rows, with its unit rows transposed: d x block, row-major.
/// Products of these columns add up to the second-moment matrix, the sum of e e^T.
pub fn for_each_block(corpus: &Corpus, positions: &[usize], mut add: impl FnMut(&[f64], usize)) {
    for block in positions.chunks(BLOCK) {
        add(&transposed(&unit_rows(corpus, block), corpus.dim()), block.len());
    }
}

/// Second-moment matrix of the rows at `positions`, one thread.
pub fn second_moment(corpus: &Corpus, positions: &[usize]) -> Triangle {
    let mut moment = Triangle::zeros(corpus.dim());
    for_each_block(corpus, positions, |columns, rows| moment.add_gram(columns, rows));
    moment
}
