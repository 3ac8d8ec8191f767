//! The responses to one question that are long enough, by who wrote them.

use super::vectors::whole;
use crate::corpus::{Corpus, Excerpts};

/// The responses to a question (queries that are copies of each other are one) that are long enough.
pub struct Question {
    /// Lowest query id.
    pub query: usize,
    /// Positions of each model's responses, models ascending.
    pub cells: Vec<(u32, Vec<usize>)>,
    /// Positions of what people wrote.
    pub people: Vec<usize>,
}

impl Question {
    /// Number of the models' responses.
    pub fn n(&self) -> f64 {
        self.cells.iter().map(|cell| cell.1.len() as f64).sum()
    }

    /// The positions of each author: the models' cells, then people if there are any.
    pub fn authors(&self) -> impl Iterator<Item = &[usize]> {
        let people = Some(self.people.as_slice()).filter(|people| !people.is_empty());
        self.cells.iter().map(|cell| cell.1.as_slice()).chain(people)
    }

    /// Questions in order, of the models that `keep` has and of people, and how many responses were too short.
    pub fn all(corpus: &Corpus, excerpts: &Excerpts, people: &[bool], keep: &[bool]) -> (Vec<Self>, u64) {
        let mut short = 0;
        let mut questions = Vec::new();
        for members in super::super::chunks::groups(corpus) {
            let mut found = Self { query: members[0], cells: Vec::new(), people: Vec::new() };
            let mut of_models: Vec<(u32, usize)> = Vec::new();
            for position in members.iter().flat_map(|&query| corpus.layout.query_positions[query].clone()) {
                let row = corpus.layout.row_at[position] as usize;
                let (model, person) = (corpus.rows.model[row], people.get(row).copied().unwrap_or(false));
                if !person && !keep[model as usize] {
                    continue;
                }
                match (whole(corpus, excerpts, position), person) {
                    (None, _) => short += 1,
                    (Some(_), true) => found.people.push(position),
                    (Some(_), false) => of_models.push((model, position)),
                }
            }
            of_models.sort_unstable();
            let cells = of_models.chunk_by(|a, b| a.0 == b.0);
            found.cells = cells.map(|cell| (cell[0].0, cell.iter().map(|one| one.1).collect())).collect();
            if !found.cells.is_empty() || !found.people.is_empty() {
                questions.push(found);
            }
        }
        (questions, short)
    }
}
