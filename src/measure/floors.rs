//! Floors: mean cosine of pairs of different queries, in closed form. Copies of a query count as one query.

use super::sums::Sums;
use super::tables::Floors;

fn term(sums: &Sums, a: usize, b: usize) -> (f64, f64) {
    let sum = sums.gram.at(a, b) - sums.same_gram.at(a, b);
    (sum, sums.counts[a] * sums.counts[b] - sums.same_counts.at(a, b))
}

fn mean((sum, pairs): (f64, f64)) -> Option<f64> {
    (pairs > 0.5).then(|| sum / pairs)
}

/// Floor of a pair of models (a = b: one model).
pub fn pair(sums: &Sums, a: usize, b: usize) -> Option<f64> {
    mean(term(sums, a, b))
}

fn total(terms: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    terms.fold((0.0, 0.0), |t, p| (t.0 + p.0, t.1 + p.1))
}

fn of_other_models(sums: &Sums, keep: &[bool]) -> (f64, f64) {
    let kept: Vec<usize> = (0..sums.models).filter(|&m| keep[m]).collect();
    total(kept.iter().enumerate().flat_map(|(i, &a)| kept[i + 1..].iter().map(move |&b| term(sums, a, b))))
}

fn of_same_model(sums: &Sums, keep: &[bool]) -> (f64, f64) {
    total((0..sums.models).filter(|&m| keep[m]).map(|m| term(sums, m, m)))
}

/// Different query, different model, among the kept models; all different-query pairs if one model is kept.
pub fn corpus(sums: &Sums, keep: &[bool]) -> Option<f64> {
    let one = keep.iter().filter(|&&k| k).count() == 1;
    mean(if one { of_same_model(sums, keep) } else { of_other_models(sums, keep) })
}

/// Different query, same model, among the kept models.
pub fn same_model(sums: &Sums, keep: &[bool]) -> Option<f64> {
    mean(of_same_model(sums, keep))
}

/// By model, whether its answers hardly depend on the query: its own floor is above `f + .1 (1 - f)`, f being the corpus floor.
pub fn regardless(sums: &Sums, corpus: Option<f64>) -> Vec<bool> {
    let above = |own: f64| corpus.is_some_and(|f| own > f + 0.1 * (1.0 - f));
    (0..sums.models).map(|model| pair(sums, model, model).is_some_and(above)).collect()
}

/// All three, of all models.
pub fn all(sums: &Sums) -> Floors {
    let everyone = vec![true; sums.models];
    let (same, other) = (of_same_model(sums, &everyone), of_other_models(sums, &everyone));
    Floors {
        same_model: mean(same),
        other_model: mean(other),
        // Pairs of one model are counted in both orders, those of two models in one.
        all: mean((same.0 + 2.0 * other.0, same.1 + 2.0 * other.1)),
    }
}
