//! Near duplicates and verbatim repeats.

use super::tables::NearDuplicateSummary;
use crate::compute::PairOutcome;
use crate::corpus::Corpus;
use std::collections::HashMap;

/// Shares of the responses with text whose text another response, and another model's response, has.
pub fn verbatim(corpus: &Corpus) -> Option<(f64, f64)> {
    let hashes = corpus.rows.text_hash.as_ref()?;
    let mut by_hash: HashMap<u128, (u64, u32, bool)> = HashMap::new();
    let mut texts = 0u64;
    for (&hash, &model) in hashes.iter().zip(&corpus.rows.model).filter(|(h, _)| **h != 0) {
        texts += 1;
        let entry = by_hash.entry(hash).or_insert((0, model, false));
        entry.0 += 1;
        entry.2 |= entry.1 != model;
    }
    let (mut any, mut other) = (0u64, 0u64);
    for (count, _, several) in by_hash.values() {
        any += if *count > 1 { *count } else { 0 };
        other += if *several { *count } else { 0 };
    }
    (texts > 0).then(|| (any as f64 / texts as f64, other as f64 / texts as f64))
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
    let verbatim = verbatim(corpus);
    NearDuplicateSummary {
        threshold: found.threshold,
        pairs: found.pairs,
        components: size.iter().filter(|&&k| k > 1).count() as u64,
        share_shared: if n > 0 { shared as f64 / n as f64 } else { 0.0 },
        verbatim_share: verbatim.map(|v| v.0),
        verbatim_share_other_model: verbatim.map(|v| v.1),
    }
}
