//! Pairs of texts of like length: is what looks like meaning only a matter of length?

use super::cells::unit_rows;
use super::variants::dot;
use crate::corpus::Corpus;

/// Pairs of responses of different groups whose longer text has at most 1.25 times the characters of the shorter.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Matched {
    /// Mean over pairs of groups of the mean cosine of their kept pairs; `None` if none is kept.
    pub mean: Option<f64>,
    /// Pairs kept.
    pub kept: u64,
    /// Pairs in all.
    pub pairs: u64,
}

/// A group's responses that have a text, by length.
struct ByLength {
    chars: Vec<u64>,
    rows: Vec<f64>,
    /// Sum of the first k rows, for k from 0 on.
    sums: Vec<f64>,
}

impl ByLength {
    fn new(corpus: &Corpus, positions: &[usize], chars: &[u32]) -> Self {
        let dim = corpus.dim();
        let length = |position: usize| u64::from(chars[corpus.layout.row_at[position] as usize]);
        let mut order: Vec<(u64, usize)> =
            positions.iter().map(|&p| (length(p), p)).filter(|(chars, _)| *chars > 0).collect();
        order.sort_unstable();
        let rows = unit_rows(corpus, &order.iter().map(|one| one.1).collect::<Vec<_>>());
        let mut sums = vec![0.0; dim];
        for row in rows.chunks_exact(dim) {
            let next: Vec<f64> = sums[sums.len() - dim..].iter().zip(row).map(|(s, x)| s + x).collect();
            sums.extend(next);
        }
        Self { chars: order.into_iter().map(|one| one.0).collect(), rows, sums }
    }

    /// Sum of cosines and number of the kept pairs with another group: for each response, the others of like length
    /// stand together.
    fn with(&self, other: &Self, dim: usize) -> (f64, u64) {
        let (mut sum, mut kept) = (0.0, 0);
        for (chars, row) in self.chars.iter().zip(self.rows.chunks_exact(dim)) {
            let first = other.chars.partition_point(|c| 5 * c < 4 * chars);
            let end = other.chars.partition_point(|c| 4 * c <= 5 * chars);
            if end > first {
                let before = |k: usize| &other.sums[k * dim..(k + 1) * dim];
                let between: Vec<f64> = before(end).iter().zip(before(first)).map(|(x, y)| x - y).collect();
                sum += dot(row, &between);
                kept += (end - first) as u64;
            }
        }
        (sum, kept)
    }
}

/// Pairs of like length among the responses of a query, given as positions by group; nothing without texts.
pub fn matched(corpus: &Corpus, groups: &[&[usize]]) -> Matched {
    let Some(chars) = &corpus.rows.text_chars else { return Matched::default() };
    let by_length: Vec<ByLength> = groups.iter().map(|positions| ByLength::new(corpus, positions, chars)).collect();
    let mut found = Matched::default();
    let (mut sum, mut count) = (0.0, 0.0);
    for (i, one) in by_length.iter().enumerate() {
        for (j, other) in by_length.iter().enumerate().skip(i + 1) {
            let (cosines, kept) = one.with(other, corpus.dim());
            found.pairs += (groups[i].len() * groups[j].len()) as u64;
            found.kept += kept;
            if kept > 0 {
                sum += cosines / kept as f64;
                count += 1.0;
            }
        }
    }
    found.mean = (count > 0.0).then(|| sum / count);
    found
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    #[test]
    fn windows_of_lengths_agree_with_all_pairs() {
        let keys = (0..40).map(|i| ("q".to_string(), format!("{}", i % 4)));
        let (mut corpus, _) = planted::planted(keys, 6);
        // Lengths at the ratio exactly (80 and 100, 100 and 125), just past it, equal, and none.
        let lengths = [80u32, 100, 125, 126, 79, 100, 0, 400, 499, 500, 501];
        let chars: Vec<u32> = (0..40).map(|row| lengths[row * 7 % lengths.len()]).collect();
        corpus.rows.text_chars = Some(chars.clone());
        let of_model = |m: u32| {
            let row = |p: &usize| corpus.layout.row_at[*p] as usize;
            (0..40).filter(|p| corpus.rows.model[row(p)] == m).collect::<Vec<usize>>()
        };
        let groups: Vec<Vec<usize>> = (0..4).map(of_model).collect();
        let found = matched(&corpus, &groups.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let (mut means, mut kept) = (Vec::new(), 0);
        for i in 0..4 {
            for j in i + 1..4 {
                let mut cosines = Vec::new();
                for &a in &groups[i] {
                    for &b in &groups[j] {
                        let of = |p: usize| f64::from(chars[corpus.layout.row_at[p] as usize]);
                        let (short, long) = (of(a).min(of(b)), of(a).max(of(b)));
                        if short > 0.0 && long <= 1.25 * short {
                            cosines.push(dot(&unit_rows(&corpus, &[a]), &unit_rows(&corpus, &[b])));
                        }
                    }
                }
                kept += cosines.len() as u64;
                means.push(cosines.iter().sum::<f64>() / cosines.len() as f64);
            }
        }
        assert_eq!((found.kept, found.pairs), (kept, 600));
        assert!((found.mean.unwrap() - means.iter().sum::<f64>() / 6.0).abs() < 1e-12);
        corpus.rows.text_chars = None;
        assert_eq!(matched(&corpus, &[&[0], &[1]]), Matched::default());
    }
}
