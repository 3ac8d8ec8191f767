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
