//! How the upper triangle is cut into blocks and dispatches.

use std::ops::Range;

/// Rows and columns of a dispatch.
pub type Rectangle = (Range<usize>, Range<usize>);

/// The rectangles of at most `side` rows and columns that hold pairs (i, j), j > i, those near the diagonal last.
pub fn rectangles(rows: &Range<usize>, columns: &Range<usize>, side: usize) -> Vec<Rectangle> {
    let all = blocks(rows.clone(), side).flat_map(|r| blocks(columns.clone(), side).map(move |c| (r.clone(), c)));
    let mut some: Vec<_> = all.filter(|(r, c)| c.end > r.start + 1 || c.start > r.start).collect();
    some.sort_by_key(|(r, c)| std::cmp::Reverse(c.start.saturating_sub(r.start)));
    some
}

/// The pairs of blocks of the upper triangle: a block of rows is held while blocks of columns pass, back and forth.
pub struct BlockPairs {
    n: usize,
    rows: usize,
    columns: usize,
    /// Blocks of rows begun so far.
    sweep: usize,
    /// What is left of this sweep, taken from the end.
    left: Vec<Range<usize>>,
}

impl BlockPairs {
    /// Of `n` positions in blocks of `rows` and of `columns`.
    pub fn new(n: usize, rows: usize, columns: usize) -> Self {
        Self { n, rows, columns, sweep: 0, left: Vec::new() }
    }
}

impl Iterator for BlockPairs {
    type Item = Rectangle;

    fn next(&mut self) -> Option<Rectangle> {
        if self.left.is_empty() {
            let start = self.sweep * self.rows;
            self.left = blocks(start..self.n.max(start), self.columns).collect();
            if self.sweep.is_multiple_of(2) {
                self.left.reverse();
            }
            self.sweep += 1;
        }
        let columns = self.left.pop()?;
        let start = (self.sweep - 1) * self.rows;
        Some((start..self.n.min(start + self.rows), columns))
    }
}

/// `range` in pieces of `rows`; the last may be shorter.
pub fn blocks(range: Range<usize>, rows: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(rows).map(move |first| first..end.min(first + rows))
}

/// A rectangle cut in two along its longer side.
pub fn halves(rows: Range<usize>, columns: Range<usize>) -> [(Range<usize>, Range<usize>); 2] {
    if rows.len() >= columns.len() {
        let middle = rows.start + rows.len() / 2;
        [(rows.start..middle, columns.clone()), (middle..rows.end, columns)]
    } else {
        let middle = columns.start + columns.len() / 2;
        [(rows.clone(), columns.start..middle), (rows, middle..columns.end)]
    }
}

/// Unordered pairs (i, j), j > i, with i in `rows` and j in `columns`.
pub fn pairs_between(rows: &Range<usize>, columns: &Range<usize>) -> u64 {
    columns.clone().map(|j| (j.min(rows.end).max(rows.start) - rows.start) as u64).sum()
}
