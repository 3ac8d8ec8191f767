//! Who wrote a response: people, or one of the other values of the source column; and the cosines of a query's responses
//! by side and model.

use super::super::cells::unit_rows;
use super::super::products::Triangle;
use crate::corpus::{Corpus, Role};
use std::ops::Range;

/// Stands for a row without a source.
const NONE: u32 = u32::MAX;

/// The sides of a corpus.
pub struct Sides {
    /// Names by side, ascending; people have those of all their values.
    pub names: Vec<String>,
    /// Which side people are.
    pub people: Option<u32>,
    /// (side, model) that is not people's, ascending.
    pub models: Vec<(u32, u32)>,
    of_row: Vec<u32>,
}

impl Sides {
    /// `None` without a source column; `people` says of each row whether a person wrote it (empty: nobody).
    pub fn new(corpus: &Corpus, people: &[bool]) -> Option<Self> {
        let source = corpus.rows.categories.get(&Role::Source)?;
        let mut human = vec![false; source.dictionary.len()];
        people.iter().zip(&source.ids).filter(|(person, _)| **person).for_each(|(_, &id)| human[id as usize] = true);
        let of_people: Vec<&str> = source
            .dictionary
            .names()
            .iter()
            .zip(&human)
            .filter(|(_, human)| **human)
            .map(|(n, _)| n.as_str())
            .collect();
        // (name, source id; none for people), in the order of names.
        let mut named: Vec<(String, Option<u32>)> = (source.dictionary.names().iter().zip(0u32..).zip(&human))
            .filter(|(_, human)| !**human)
            .map(|((name, id), _)| (name.clone(), Some(id)))
            .collect();
        if !of_people.is_empty() {
            named.push((of_people.join(", "), None));
        }
        named.sort();
        let place = |of: Option<u32>| named.iter().zip(0u32..).find(|(one, _)| one.1 == of).map(|(_, side)| side);
        let people = place(None);
        let of_source: Vec<u32> = (0u32..)
            .zip(&human)
            .map(|(id, &human)| if human { people } else { place(Some(id)) }.unwrap_or(NONE))
            .collect();
        let of_row: Vec<u32> =
            source.ids.iter().map(|&id| of_source.get(id as usize).copied().unwrap_or(NONE)).collect();
        let mut models: Vec<(u32, u32)> = (of_row.iter().copied().zip(corpus.rows.model.iter().copied()))
            .filter(|(side, _)| *side != NONE && Some(*side) != people)
            .collect();
        models.sort_unstable();
        models.dedup();
        Some(Self { names: named.into_iter().map(|one| one.0).collect(), people, models, of_row })
    }

    /// Place of a (side, model) in `models`.
    pub fn place(&self, by: (u32, u32)) -> Option<usize> {
        self.models.binary_search(&by).ok()
    }
}

/// The responses of one side and model.
pub struct Cell {
    /// Side and model.
    pub by: (u32, u32),
    /// Rows of [`AnsweredBy::cosines`].
    pub rows: Range<usize>,
}

/// The responses to one query that have a side.
pub struct AnsweredBy {
    /// By side and model.
    pub cells: Vec<Cell>,
    /// Of all pairs of rows.
    pub cosines: Triangle,
    /// Sums of cosines over pairs of rows of two cells; within a cell each pair once, without self pairs.
    sums: Triangle,
}

impl AnsweredBy {
    /// Of the rows at some positions.
    pub fn new(corpus: &Corpus, sides: &Sides, positions: &[usize]) -> Self {
        let mut order: Vec<(u32, u32, usize)> = positions
            .iter()
            .map(|&position| (position, corpus.layout.row_at[position] as usize))
            .map(|(position, row)| (sides.of_row[row], corpus.rows.model[row], position))
            .filter(|one| one.0 != NONE)
            .collect();
        order.sort_unstable();
        let rows = unit_rows(corpus, &order.iter().map(|one| one.2).collect::<Vec<_>>());
        let cosines = Triangle::gram(&rows, corpus.dim());
        let mut cells: Vec<Cell> = Vec::new();
        let mut of_row = Vec::with_capacity(order.len());
        for (row, &(side, model, _)) in order.iter().enumerate() {
            match cells.last_mut() {
                Some(cell) if cell.by == (side, model) => cell.rows.end = row + 1,
                _ => cells.push(Cell { by: (side, model), rows: row..row + 1 }),
            }
            of_row.push(cells.len() - 1);
        }
        let mut sums = Triangle::zeros(cells.len());
        for row in 0..order.len() {
            let later = of_row[row + 1..].iter().zip(&cosines.row(row)[1..]);
            later.for_each(|(&cell, cosine)| sums.add(of_row[row], cell, *cosine));
        }
        Self { cells, cosines, sums }
    }

    /// Mean cosine of a cell's own pairs; `None` under 2 responses.
    pub fn within(&self, cell: usize) -> Option<f64> {
        let n = self.cells[cell].rows.len() as f64;
        (n >= 2.0).then(|| self.sums.at(cell, cell) / (n * (n - 1.0) / 2.0))
    }

    /// Mean cosine of the pairs of two cells.
    pub fn across(&self, a: usize, b: usize) -> f64 {
        self.sums.at(a, b) / (self.cells[a].rows.len() * self.cells[b].rows.len()) as f64
    }

    /// Rows of a side: they stand together.
    pub fn rows_of(&self, side: u32) -> Vec<usize> {
        self.cells.iter().filter(|cell| cell.by.0 == side).flat_map(|cell| cell.rows.clone()).collect()
    }

    /// Mean cosine of all pairs of a side, each response another person's; `None` under 2 responses.
    pub fn within_side(&self, side: u32) -> Option<f64> {
        let cells: Vec<usize> = (0..self.cells.len()).filter(|&cell| self.cells[cell].by.0 == side).collect();
        let n = cells.iter().map(|&cell| self.cells[cell].rows.len()).sum::<usize>() as f64;
        let pairs = cells.iter().enumerate().flat_map(|(at, &a)| cells[at..].iter().map(move |&b| (a, b)));
        (n >= 2.0).then(|| pairs.map(|(a, b)| self.sums.at(a, b)).sum::<f64>() / (n * (n - 1.0) / 2.0))
    }
}
