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

/// Nearest shares over the whole corpus.
pub struct Whole {
    /// (credit for another model, responses) by query.
    pub other_model: Vec<(f64, f64)>,
    /// Its null.
    pub model_null: f64,
    /// (credit for another query, responses) by query.
    pub other_query: Vec<(f64, f64)>,
    /// Its null.
    pub query_null: f64,
}

/// Nearest shares over the whole corpus, of the nearest rows that the pair pass found. `None` if no row has a neighbour.
pub fn whole_corpus(corpus: &Corpus, outcome: &PairOutcome, model_counts: &[f64]) -> Option<Whole> {
    let queries = corpus.layout.canonical.len();
    let mut whole = Whole {
        other_model: vec![(0.0, 0.0); queries],
        model_null: 0.0,
        other_query: vec![(0.0, 0.0); queries],
        query_null: 0.0,
    };
    for (nearest, &query) in outcome.nearest.iter().zip(&corpus.rows.query).filter(|(x, _)| x.ties > 0) {
        let ties = nearest.ties as f64;
        for (terms, credit) in [
            (&mut whole.other_model, nearest.ties_other_model as f64 / ties),
            (&mut whole.other_query, nearest.ties_other_query as f64 / ties),
        ] {
            let term = &mut terms[query as usize];
            *term = (term.0 + credit, term.1 + 1.0);
        }
    }
    let n = corpus.len() as f64;
    if n < 2.0 || whole.other_model.iter().all(|t| t.1 == 0.0) {
        return None;
    }
    let null = |counts: &[f64]| counts.iter().map(|k| k * (1.0 - (k - 1.0) / (n - 1.0))).sum::<f64>() / n;
    // Copies of a query count as one query.
    let mut of_query = vec![0.0; queries];
    for (range, &canonical) in corpus.layout.query_positions.iter().zip(&corpus.layout.canonical) {
        of_query[canonical as usize] += range.len() as f64;
    }
    whole.model_null = null(model_counts);
    whole.query_null = null(&of_query);
    Some(whole)
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
