//! Near duplicates and verbatim repeats.

use super::tables::NearDuplicateSummary;
use crate::compute::PairOutcome;
use crate::corpus::Corpus;
use std::collections::HashMap;

/// Of each query: (responses whose text another response has, responses whose text another model's response has,
/// responses with text), among the models that `keep` has. `None` without a text column.
pub fn verbatim_terms(corpus: &Corpus, keep: &[bool]) -> Option<Vec<(f64, f64, f64)>> {
    verbatim_by(corpus, keep, corpus.layout.canonical.len(), |row| corpus.rows.query[row] as usize)
}

/// The same of each of `groups` groups; `group(row)` is that of a row.
pub fn verbatim_by(
    corpus: &Corpus,
    keep: &[bool],
    groups: usize,
    group: impl Fn(usize) -> usize,
) -> Option<Vec<(f64, f64, f64)>> {
    let hashes = corpus.rows.text_hash.as_ref()?;
    let rows = || {
        let kept = |&(_, (&hash, &model)): &(usize, (&u128, &u32))| hash != 0 && keep[model as usize];
        hashes.iter().zip(&corpus.rows.model).enumerate().filter(kept)
    };
    let mut by_hash: HashMap<u128, (u64, u32, bool)> = HashMap::new();
    for (_, (&hash, &model)) in rows() {
        let entry = by_hash.entry(hash).or_insert((0, model, false));
        entry.0 += 1;
        entry.2 |= entry.1 != model;
    }
    let mut terms = vec![(0.0, 0.0, 0.0); groups];
    for (row, (hash, _)) in rows() {
        let (count, _, several) = by_hash[hash];
        let term = &mut terms[group(row)];
        term.0 += f64::from(u8::from(count > 1));
        term.1 += f64::from(u8::from(several));
        term.2 += 1.0;
    }
    Some(terms)
}

/// Shares of the responses with text whose text another response, and another model's response, has.
pub fn verbatim(corpus: &Corpus, keep: &[bool]) -> Option<(f64, f64)> {
    let terms = verbatim_terms(corpus, keep)?;
    let (any, other, texts) = terms.iter().fold((0.0, 0.0, 0.0), |t, x| (t.0 + x.0, t.1 + x.1, t.2 + x.2));
    (texts > 0.0).then(|| (any / texts, other / texts))
}

/// Near duplicates in numbers.
pub fn summary(corpus: &Corpus, outcome: &PairOutcome) -> NearDuplicateSummary {
    let found = &outcome.duplicates;
    let n = found.component.len();
    let mut size = vec![0u64; n];
    let mut several = vec![false; n];
    for (row, &root) in found.component.iter().enumerate() {
        size[root as usize] += 1;
        several[root as usize] |= corpus.rows.model[row] != corpus.rows.model[root as usize];
    }
    let shared: u64 = size.iter().zip(&several).filter(|(_, s)| **s).map(|(k, _)| k).sum();
    let verbatim = verbatim(corpus, &vec![true; corpus.rows.models.len()]);
    NearDuplicateSummary {
        threshold: found.threshold,
        pairs: found.pairs,
        components: size.iter().filter(|&&k| k > 1).count() as u64,
        share_shared: if n > 0 { shared as f64 / n as f64 } else { 0.0 },
        verbatim_share: verbatim.map(|v| v.0),
        verbatim_share_other_model: verbatim.map(|v| v.1),
    }
}
