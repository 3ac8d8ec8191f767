//! The paper's two comparisons of prompts and decoding: paraphrases of a query, and min-p.

use super::super::cells::add_unit_row;
use super::super::intervals::{self, RESAMPLES, Weights};
use super::super::intra;
use super::super::products::Triangle;
use super::super::sums::Sums;
use super::published::{MIN_P, PARAPHRASE};
use super::{Line, ReproduceSettings, Reproduction};
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

/// Mean similarity within and across the paraphrases of a query; `usual` has a row's decoding, `kept` the paper's models.
pub fn paraphrases(
    corpus: &Corpus,
    prompts: Option<&Category>,
    (usual, kept): (&[bool], &[bool]),
    seed: u64,
    done: &mut Reproduction,
) {
    let Some(prompts) = prompts else {
        return done.left_out("Paraphrases", "there is no column that tells a query's paraphrases apart (--context)");
    };
    let terms = of_queries(corpus, prompts, usual, kept);
    let cells: f64 = terms.iter().map(|term| term[2]).sum();
    if cells == 0.0 {
        return done.left_out("Paraphrases", "no model answered two prompts of a query, one of them twice");
    }
    let weights = Weights::new(seed, "intervals", RESAMPLES, terms.len());
    for (k, what) in ["within a prompt", "across paraphrases"].into_iter().enumerate() {
        let value = terms.iter().map(|term| term[k]).sum::<f64>() / cells;
        let terms: Vec<(f64, f64)> = terms.iter().map(|term| (term[k], term[2])).collect();
        let line = Line::new("paraphrases", None, Some(what), (value, 3)).of(cells as usize);
        let interval = intervals::ratio(&terms, Some(&weights));
        done.lines.push(Line { interval, ..line.published(Some(PARAPHRASE[k])) });
    }
}

/// Sums over the cells of each query: within, across, cells. Rows that `keep` has, models that `matched` has.
fn of_queries(corpus: &Corpus, prompts: &Category, keep: &[bool], matched: &[bool]) -> Vec<[f64; 3]> {
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

/// Percent of query means above .7 and .8 of answers by min-p, mean over models: of the rows where `rows` says so.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn min_p(
    corpus: &Corpus,
    rows: &[bool],
    settings: &ReproduceSettings,
    done: &mut Reproduction,
    observer: &dyn Observer,
) -> Result<()> {
    let shares = match rows.contains(&true) {
        true => above(&corpus.subset(rows, settings.scratch.as_deref())?, observer)?,
        false => Vec::new(),
    };
    if shares.is_empty() {
        let reason = format!("no model answered a query twice with decoding {}", settings.min_p.join(" or "));
        done.left_out("Min-p decoding", reason);
        return Ok(());
    }
    for (k, what) in ["above 0.7", "above 0.8"].into_iter().enumerate() {
        let value = shares.iter().map(|share| share[k]).sum::<f64>() / shares.len() as f64;
        let line = Line::new("min_p", None, Some(what), (value, 1)).of(shares.len());
        done.lines.push(line.published(Some(MIN_P[k])));
    }
    Ok(())
}

/// Percent of query means above .7 and .8 of each model, as the paper's bins count, and how many models have some.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
fn above(corpus: &Corpus, observer: &dyn Observer) -> Result<Vec<[f64; 2]>> {
    let lines = intra::rows(&Sums::new(corpus, &[], observer)?);
    let mut means: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    lines.iter().for_each(|line| means.entry(line.model).or_default().push(line.mean));
    let shares = means.values().map(|means| {
        let bins = intra::paper_bins(means);
        [bins[7] + bins[8] + bins[9], bins[8] + bins[9]]
    });
    Ok(shares.collect())
}
