//! Some rows of a corpus as a corpus of their own.
//!
//! Not here: which rows.

use super::{Category, Corpus, Dictionary, Embeddings, Layout, Rows, Samples};
use crate::base::Result;
use rayon::prelude::*;
use std::path::Path;
use std::sync::Arc;

/// The names that `ids` still have, and the new id of each.
fn used(dictionary: &Dictionary, ids: &[u32]) -> (Dictionary, Vec<u32>) {
    let mut there = vec![false; dictionary.len()];
    ids.iter().for_each(|&id| there[id as usize] = true);
    let names = dictionary.names().iter().zip(&there).filter(|(_, there)| **there);
    let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
    let mut new = Vec::with_capacity(there.len());
    let mut next = 0u32;
    for there in there {
        new.push(next);
        next += u32::from(there);
    }
    (Dictionary::from_names(&names).0, ids.iter().map(|&id| new[id as usize]).collect())
}

impl Corpus {
    /// The rows that `keep` has (one entry a row), in their order, with their files and their vectors copied: to memory,
    /// or to an unlinked file in `scratch`.
    ///
    /// # Errors
    /// As [`Embeddings::zeroed`].
    pub fn subset(&self, keep: &[bool], scratch: Option<&Path>) -> Result<Self> {
        let kept: Vec<usize> = (0..self.len()).filter(|&row| keep[row]).collect();
        fn of<T: Copy>(values: &[T], kept: &[usize]) -> Vec<T> {
            kept.iter().map(|&row| values[row]).collect()
        }
        let category = |all: &Category| Category { dictionary: all.dictionary.clone(), ids: of(&all.ids, &kept) };
        let rows = &self.rows;
        let (queries, query) = used(&rows.queries, &of(&rows.query, &kept));
        let (models, model) = used(&rows.models, &of(&rows.model, &kept));
        let rows = Rows {
            file: of(&rows.file, &kept),
            file_row: of(&rows.file_row, &kept),
            query,
            model,
            queries,
            models,
            sample: match &rows.sample {
                Samples::Number(numbers) => Samples::Number(of(numbers, &kept)),
                Samples::Name(names) => Samples::Name(category(names)),
            },
            text_hash: rows.text_hash.as_ref().map(|all| of(all, &kept)),
            text_chars: rows.text_chars.as_ref().map(|all| of(all, &kept)),
            refusal: rows.refusal.as_ref().map(|all| of(all, &kept)),
            // How texts begin stays with the whole: no part asks for it.
            excerpts: None,
            numbers: rows.numbers.iter().map(|(&number, all)| (number, of(all, &kept))).collect(),
            categories: rows.categories.iter().map(|(&role, all)| (role, category(all))).collect(),
        };
        let layout = Layout::new(&rows);
        let mut embeddings = Embeddings::zeroed(kept.len(), self.dim(), scratch)?;
        let filling = embeddings.filling();
        layout.row_at.par_iter().enumerate().for_each(|(position, &row)| {
            let from = self.layout.position_of[kept[row as usize]] as usize;
            filling.row(position, |values| {
                values.copy_from_slice(self.embeddings.row(from));
                self.embeddings.norms()[from]
            });
        });
        Ok(Self {
            files: self.files.clone(),
            rows,
            layout,
            embeddings: Arc::new(embeddings),
            notes: self.notes.clone(),
            skipped: self.skipped,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_its_own_names_and_the_same_vectors() {
        let strings = |names: [&str; 5]| names.map(String::from);
        let (queries, query) = Dictionary::from_names(&strings(["b", "c", "a", "b", "c"]));
        let (models, model) = Dictionary::from_names(&strings(["m", "o", "n", "o", "m"]));
        let rows = Rows {
            sample: Samples::Number(vec![7, 8, 9, 10, 11]),
            text_hash: Some(vec![1, 2, 3, 4, 5]),
            ..Rows::of_keys((queries, query), (models, model))
        };
        let layout = Layout::new(&rows);
        let values = layout.row_at.iter().flat_map(|&row| [row as f32 + 1.0, 2.0]).collect();
        let embeddings = Arc::new(Embeddings::from_rows(values, 2));
        let whole = Corpus { files: Vec::new(), rows, layout, embeddings, notes: Vec::new(), skipped: 0 };
        let part = whole.subset(&[true, false, false, true, true], None).unwrap();
        assert_eq!(part.rows.queries.names(), ["b", "c"]);
        assert_eq!(part.rows.models.names(), ["m", "o"]);
        assert_eq!((part.rows.query.as_slice(), part.rows.model.as_slice()), (&[0, 0, 1][..], &[0, 1, 0][..]));
        assert_eq!(part.rows.text_hash, Some(vec![1, 4, 5]));
        for (row, first) in [1.0, 4.0, 5.0].into_iter().enumerate() {
            let position = part.layout.position_of[row] as usize;
            assert_eq!(part.embeddings.row(position), [first, 2.0]);
            assert!((part.embeddings.norms()[position] - f64::from(first).hypot(2.0)).abs() < 1e-12);
        }
    }
}
