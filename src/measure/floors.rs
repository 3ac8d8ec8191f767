//! Floors: mean cosine of pairs of different queries, in closed form. Copies of a query count as one query.

use super::sums::Sums;

fn term(sums: &Sums, a: usize, b: usize) -> (f64, f64) {
    let place = a * sums.models + b;
    (sums.gram[place] - sums.same_gram[place], sums.counts[a] * sums.counts[b] - sums.same_counts[place])
}

fn mean((sum, pairs): (f64, f64)) -> Option<f64> {
    (pairs > 0.5).then(|| sum / pairs)
}

/// Floor of a pair of models (a = b: one model).
pub fn pair(sums: &Sums, a: usize, b: usize) -> Option<f64> {
    mean(term(sums, a, b))
}

/// Different query, different model, among the kept models; all different-query pairs if one model is kept.
pub fn corpus(sums: &Sums, keep: &[bool]) -> Option<f64> {
    let kept: Vec<usize> = (0..sums.models).filter(|&m| keep[m]).collect();
    if kept.len() == 1 {
        return same_model(sums, keep);
    }
    let mut total = (0.0, 0.0);
    for (place, &a) in kept.iter().enumerate() {
        for &b in &kept[place + 1..] {
            let (sum, pairs) = term(sums, a, b);
            total = (total.0 + sum, total.1 + pairs);
        }
    }
    mean(total)
}

/// Different query, same model, among the kept models.
pub fn same_model(sums: &Sums, keep: &[bool]) -> Option<f64> {
    let mut total = (0.0, 0.0);
    for m in (0..sums.models).filter(|&m| keep[m]) {
        let (sum, pairs) = term(sums, m, m);
        total = (total.0 + sum, total.1 + pairs);
    }
    mean(total)
}
