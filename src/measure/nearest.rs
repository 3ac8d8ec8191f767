//! Share of responses whose nearest other response is of another model or another query; ties count in fractions.

use crate::compute::PairOutcome;
use crate::corpus::Corpus;

/// Nearest share of one query, as sums over its responses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Responses.
    pub responses: f64,
    /// Sum of the credit for another model.
    pub credit: f64,
    /// Sum of 1 - (n_mq - 1) / (n_q - 1).
    pub null: f64,
}

/// Share of the nearest (ties and all) that is not of cell `own`; `sorted` by similarity descending, not empty.
pub fn credit(sorted: &[(f32, usize)], own: usize) -> f64 {
    let Some(&(best, _)) = sorted.first() else { return 0.0 };
    let tied = sorted.partition_point(|s| s.0 >= best);
    sorted[..tied].iter().filter(|s| s.1 != own).count() as f64 / tied as f64
}

/// Sum over responses of 1 - (n_mq - 1) / (n_q - 1).
pub fn null_sum(counts: &[u64]) -> f64 {
    let n: u64 = counts.iter().sum();
    counts.iter().map(|&k| k as f64 * (1.0 - (k - 1) as f64 / (n - 1) as f64)).sum()
}

/// Over the whole corpus: share nearest to another model, its null, share nearest to another query, its null.
pub fn whole_corpus(corpus: &Corpus, outcome: &PairOutcome, model_counts: &[f64]) -> Option<[f64; 4]> {
    let n = corpus.len() as f64;
    let mut total = (0.0, 0.0, 0.0);
    for nearest in outcome.nearest.iter().filter(|x| x.ties > 0) {
        total.0 += 1.0;
        total.1 += nearest.ties_other_model as f64 / nearest.ties as f64;
        total.2 += nearest.ties_other_query as f64 / nearest.ties as f64;
    }
    if total.0 == 0.0 || n < 2.0 {
        return None;
    }
    let null =
        |counts: &mut dyn Iterator<Item = f64>| counts.map(|k| k * (1.0 - (k - 1.0) / (n - 1.0))).sum::<f64>() / n;
    let by_model = null(&mut model_counts.iter().copied().filter(|&k| k > 0.0));
    let by_query = null(&mut corpus.layout.query_positions.iter().map(|r| r.len() as f64).filter(|&k| k > 0.0));
    Some([total.1 / total.0, by_model, total.2 / total.0, by_query])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_the_credit() {
        assert_eq!(credit(&[(0.5, 1), (0.5, 0), (0.5, 2), (0.1, 0)], 0), 2.0 / 3.0);
        assert!((null_sum(&[2, 1]) - (2.0 * 0.5 + 1.0)).abs() < 1e-15);
    }
}
