//! The similarities of the responses to one query, in f64: formed once, and lent to every measure that looks at single pairs
//! (effective numbers, lengths, clusters). Those of the pair pass are within a bound, and it keeps few of them.

use super::cells::unit_rows;
use super::products::Triangle;
use super::sums::Sums;
use crate::corpus::Corpus;
use std::borrow::Cow;

/// Similarities of some of a query's responses.
pub struct Similarities<'a> {
    corpus: &'a Corpus,
    /// Ascending.
    positions: Vec<usize>,
    known: Option<Cow<'a, Triangle>>,
}

impl<'a> Similarities<'a> {
    /// Of the responses at some positions of a query, ascending. If `at_once` they are formed here, otherwise as far as they
    /// are asked for.
    pub fn new(corpus: &'a Corpus, sums: &'a Sums, query: usize, positions: Vec<usize>, at_once: bool) -> Self {
        // With one response a model the Gram matrix of the cells is that of the responses.
        let of_cells = &sums.queries[query].gram;
        let whole = positions.len() == corpus.layout.query_positions[query].len();
        let known = if whole && of_cells.n() == positions.len() {
            Some(Cow::Borrowed(of_cells))
        } else {
            at_once.then(|| Cow::Owned(Triangle::gram(&unit_rows(corpus, &positions), corpus.dim())))
        };
        Self { corpus, positions, known }
    }

    /// Positions of the responses.
    pub fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// Those of the responses at some positions of the query, ascending.
    pub fn of(&self, positions: &[usize]) -> Cow<'_, Triangle> {
        let known = self.known.as_deref().and_then(|known| {
            if positions == self.positions {
                return Some(Cow::Borrowed(known));
            }
            let place = |position| self.positions.binary_search(position).ok();
            let places: Option<Vec<usize>> = positions.iter().map(place).collect();
            Some(Cow::Owned(known.select(&places?)))
        });
        known.unwrap_or_else(|| Cow::Owned(Triangle::gram(&unit_rows(self.corpus, positions), self.corpus.dim())))
    }

    /// All of them.
    pub fn into_all(self) -> Triangle {
        match self.known {
            Some(known) => known.into_owned(),
            None => Triangle::gram(&unit_rows(self.corpus, &self.positions), self.corpus.dim()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::planted::planted;
    use super::*;
    use crate::base::events::Silent;

    /// The same bits, whoever forms them: 40 responses of 4 models, and one each of 20.
    #[test]
    fn what_is_lent_is_what_would_be_formed() {
        for models in [4, 20] {
            let keys = (0..60).map(|row| ((row / 40).to_string(), format!("{:02}", row % models)));
            let (corpus, _) = planted(keys, 17);
            let sums = Sums::new(&corpus, &[], &Silent).unwrap();
            for query in 0..2 {
                let all: Vec<usize> = corpus.layout.query_positions[query].clone().collect();
                let formed = |positions: &[usize]| Triangle::gram(&unit_rows(&corpus, positions), 17);
                let some: Vec<usize> = all.iter().copied().filter(|p| p % 3 > 0).collect();
                // As many as others, and as many as the query has models.
                let other: Vec<usize> = all.iter().rev().take(some.len()).rev().copied().collect();
                let few = all[..sums.queries[query].cells()].to_vec();
                for at_once in [false, true] {
                    let pairs =
                        [(&all, &all), (&all, &some), (&some, &some), (&some, &all), (&some, &other), (&few, &few)];
                    for (has, asked) in pairs {
                        let similarities = Similarities::new(&corpus, &sums, query, has.clone(), at_once);
                        let lent = similarities.of(asked);
                        assert!(*lent == formed(asked), "{models} models, query {query}");
                        drop(lent);
                        assert!(similarities.into_all() == formed(has));
                    }
                }
            }
        }
    }
}
