//! The paper's two comparisons of prompts and decoding: paraphrases of a query, and min-p.

use super::super::cells::add_unit_row;
use super::super::intra;
use super::super::products::Triangle;
use super::super::sums::Sums;
use crate::base::{Observer, Result};
use crate::corpus::{Category, Corpus};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Rows of a category that have one of `values`, case not counted; one entry a row.
pub fn rows_with(category: &Category, values: &[String]) -> Vec<bool> {
    let wanted: Vec<bool> = (category.dictionary.names().iter())
        .map(|name| values.iter().any(|value| value.eq_ignore_ascii_case(name)))
        .collect();
    category.ids.iter().map(|&id| wanted.get(id as usize).copied().unwrap_or(false)).collect()
}

/// Mean similarity within a prompt and across prompts of one query and model, pairs counting alike; `None` unless there
/// are two prompts and two answers to one.
fn one_cell(corpus: &Corpus, positions: impl Iterator<Item = usize>, prompt: &[u32]) -> Option<[f64; 2]> {
    let mut sums: BTreeMap<u32, (f64, Vec<f64>)> = BTreeMap::new();
    for position in positions {
        let row = corpus.layout.row_at[position] as usize;
        let (n, sum) = sums.entry(prompt[row]).or_insert_with(|| (0.0, vec![0.0; corpus.dim()]));
        *n += 1.0;
        add_unit_row(corpus, position, sum);
    }
    let counts: Vec<f64> = sums.values().map(|sum| sum.0).collect();
    let vectors: Vec<f64> = sums.into_values().flat_map(|sum| sum.1).collect();
    let products = Triangle::gram(&vectors, corpus.dim());
    let (mut within, mut across) = ((0.0, 0.0), (0.0, 0.0));
    for (a, &n) in counts.iter().enumerate() {
        within = (within.0 + products.at(a, a) - n, within.1 + n * (n - 1.0));
        for (b, &m) in counts.iter().enumerate().skip(a + 1) {
            across = (across.0 + products.at(a, b), across.1 + n * m);
        }
    }
    (within.1 > 0.0 && across.1 > 0.0).then(|| [within.0 / within.1, across.0 / across.1])
}

/// Sums over the cells of each query: within, across, cells. Rows that `keep` has, models that `matched` has.
pub fn paraphrases(corpus: &Corpus, prompts: &Category, keep: &[bool], matched: &[bool]) -> Vec<[f64; 3]> {
    let queries: Vec<usize> = (0..corpus.layout.cells.len()).collect();
    let one_query = |&query: &usize| {
        let mut total = [0.0; 3];
        for cell in corpus.layout.cells[query].iter().filter(|cell| matched[cell.model as usize]) {
            let kept = cell.positions.clone().filter(|&p| keep[corpus.layout.row_at[p] as usize]);
            if let Some([within, across]) = one_cell(corpus, kept, &prompts.ids) {
                total = [total[0] + within, total[1] + across, total[2] + 1.0];
            }
        }
        total
    };
    queries.par_iter().map(one_query).collect()
}

/// Percent of query means above .7 and .8 of each model, as the paper's bins count, and how many models have some.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn above(corpus: &Corpus, observer: &dyn Observer) -> Result<Vec<[f64; 2]>> {
    let lines = intra::rows(&Sums::new(corpus, &[], observer)?);
    let mut means: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    lines.iter().for_each(|line| means.entry(line.model).or_default().push(line.mean));
    let shares = means.values().map(|means| {
        let bins = intra::paper_bins(means);
        [bins[7] + bins[8] + bins[9], bins[8] + bins[9]]
    });
    Ok(shares.collect())
}
