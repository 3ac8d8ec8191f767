//! The order in which rows are computed.
//!
//! A *position* is a place in the order (canonical query, query, model, row). A query's rows are one range of
//! positions, and so are those of a cell (query, model). Queries whose normalised names are equal are copies of each
//! other and stand side by side; the smallest id among them is their canonical query.

use super::rows::Rows;
use rayon::prelude::*;
use std::collections::HashMap;
use std::ops::Range;

/// The rows of one model for one query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Query id.
    pub query: u32,
    /// Model id.
    pub model: u32,
    /// Positions.
    pub positions: Range<usize>,
}

/// Positions, ranges and cells of a corpus.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Row at each position.
    pub row_at: Vec<u32>,
    /// Position of each row.
    pub position_of: Vec<u32>,
    /// Positions of each query, by query id.
    pub query_positions: Vec<Range<usize>>,
    /// Cells of each query, by query id, models ascending.
    pub cells: Vec<Vec<Cell>>,
    /// Canonical query of each query.
    pub canonical: Vec<u32>,
}

/// White space folded to single spaces, lower case.
pub fn normalise_text(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl Layout {
    /// Orders the rows of a corpus.
    pub fn new(rows: &Rows) -> Self {
        let mut first: HashMap<String, u32> = HashMap::new();
        let canonical: Vec<u32> = (rows.queries.names().iter().enumerate())
            .map(|(id, name)| *first.entry(normalise_text(name)).or_insert(id as u32))
            .collect();
        let mut row_at: Vec<u32> = (0..rows.query.len() as u32).collect();
        row_at.par_sort_unstable_by_key(|&row| {
            let query = rows.query[row as usize];
            (canonical[query as usize], query, rows.model[row as usize], row)
        });
        let mut position_of = vec![0u32; row_at.len()];
        for (position, &row) in row_at.iter().enumerate() {
            position_of[row as usize] = position as u32;
        }
        let mut query_positions = vec![0..0; rows.queries.len()];
        let mut cells: Vec<Vec<Cell>> = vec![Vec::new(); rows.queries.len()];
        for (position, &row) in row_at.iter().enumerate() {
            let (query, model) = (rows.query[row as usize], rows.model[row as usize]);
            let range = &mut query_positions[query as usize];
            if range.end == 0 {
                *range = position..position;
            }
            range.end = position + 1;
            match cells[query as usize].last_mut() {
                Some(cell) if cell.model == model => cell.positions.end = position + 1,
                _ => cells[query as usize].push(Cell { query, model, positions: position..position + 1 }),
            }
        }
        Self { row_at, position_of, query_positions, cells, canonical }
    }

    /// Bytes of anonymous memory held.
    pub fn memory(&self) -> u64 {
        let rows = size_of_val(self.row_at.as_slice()) + size_of_val(self.position_of.as_slice());
        let queries = size_of_val(self.query_positions.as_slice()) + size_of_val(self.canonical.as_slice());
        let cells: usize = self.cells.iter().map(|cells| size_of::<Vec<Cell>>() + size_of_val(cells.as_slice())).sum();
        (rows + queries + cells) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::Dictionary;
    use super::*;

    #[test]
    fn queries_and_cells_are_ranges_and_copies_stand_together() {
        let names: Vec<String> = ["b", " A ", "a", "b", "a"].map(String::from).into();
        let (queries, query) = Dictionary::from_names(&names);
        let (models, model) = Dictionary::from_names(&["m", "n", "m", "m", "m"].map(String::from));
        let rows = Rows::of_keys((queries, query), (models, model));
        let layout = Layout::new(&rows);
        assert_eq!(layout.canonical, [0, 0, 2], "` A ` and `a` are copies");
        assert_eq!(layout.row_at, [1, 2, 4, 0, 3], "canonical, query, model, row");
        assert_eq!(layout.query_positions, [0..1, 1..3, 3..5]);
        assert_eq!(layout.cells[2].len(), 1);
        assert_eq!(layout.cells[1], [Cell { query: 1, model: 0, positions: 1..3 }]);
    }
}
