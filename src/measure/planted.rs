//! Corpora for the tests of measures.

use crate::base::random::Stream;
use crate::compute::PairOutcome;
use crate::compute::outcome::{NearDuplicates, Nearest, Neighbors, PairStats};
use crate::corpus::{Corpus, Dictionary, Embeddings, Layout, Rows};

/// A corpus of (query, model) rows of dimension `dim`; `value(row, i)` is element i of a row.
pub fn corpus(keys: impl Iterator<Item = (String, String)>, dim: usize, value: impl Fn(usize, usize) -> f32) -> Corpus {
    let (query_names, model_names): (Vec<String>, Vec<String>) = keys.unzip();
    let (queries, query) = Dictionary::from_names(&query_names);
    let (models, model) = Dictionary::from_names(&model_names);
    let rows = Rows::of_keys((queries, query), (models, model));
    let layout = Layout::new(&rows);
    let values = layout.row_at.iter().flat_map(|&row| (0..dim).map(move |i| (row as usize, i)));
    let embeddings = std::sync::Arc::new(Embeddings::from_rows(values.map(|(row, i)| value(row, i)).collect(), dim));
    Corpus { files: Vec::new(), rows, layout, embeddings, notes: Vec::new(), skipped: 0 }
}

/// A corpus around a common direction, and a pair pass that found nothing of note.
pub fn planted(keys: impl Iterator<Item = (String, String)>, dim: usize) -> (Corpus, PairOutcome) {
    let stream = Stream::new(3, "planted");
    let corpus = corpus(keys, dim, |row, i| stream.normal(row as u64, i as u64) as f32 + 0.7);
    let n = corpus.len();
    let outcome = PairOutcome {
        k: 0,
        neighbors: Neighbors::default(),
        nearest: vec![Nearest { similarity: 0.5, ties: 1, ties_other_model: 1, ties_other_query: 0 }; n],
        duplicates: NearDuplicates { threshold: 0.95, pairs: 0, component: (0..n as u32).collect() },
        histogram: None,
        edges: None,
        stats: PairStats::default(),
    };
    (corpus, outcome)
}
