//! How often 95 % intervals hold the true value, on planted corpora.

use super::intervals::{self, Weights};
use super::planted::corpus;
use super::sums::Sums;
use crate::base::events::Silent;
use crate::base::random::Stream;
use rayon::prelude::*;

const MODELS: usize = 3;
/// Responses of a query at most; model 2 has a third one in every other query.
const ROWS: usize = 7;

/// Whether the intervals of (inter_mean, intra_mean) hold the true values: those of the distribution that queries are
/// drawn from. Query q has cosine B across models and A within one, exactly: rows are
/// `sqrt(B) u + sqrt(A - B) c + sqrt(1 - A) r` with orthogonal directions u, c (a model) and r (a response). B is
/// skewed, .4 + .5 U^2 with U uniform; A = B + .3 (1 - B) V.
fn held(seed: u64, queries: usize) -> [bool; 2] {
    let stream = Stream::new(seed, "coverage");
    let keys: Vec<(usize, usize)> =
        (0..queries).flat_map(|q| (0..ROWS - q % 2).map(move |i| (q, i % MODELS))).collect();
    let mut place = vec![0; keys.len()];
    for row in 1..keys.len() {
        place[row] = if keys[row].0 == keys[row - 1].0 { place[row - 1] + 1 } else { 0 };
    }
    let names = keys.iter().map(|&(q, m)| (format!("{q:04}"), m.to_string()));
    let corpus = corpus(names, 1 + MODELS + ROWS, |row, i| {
        let (query, model) = keys[row];
        let across = 0.4 + 0.5 * stream.uniform(query as u64, 0).powi(2);
        let within = across + 0.3 * (1.0 - across) * stream.uniform(query as u64, 1);
        let square = match i {
            0 => across,
            i if i == 1 + model => within - across,
            i if i == 1 + MODELS + place[row] => 1.0 - within,
            _ => 0.0,
        };
        square.sqrt() as f32
    });
    let sums = Sums::new(&corpus, &[], &Silent).unwrap();
    let weights = (queries >= intervals::BOOTSTRAP_QUERIES)
        .then(|| Weights::new(seed, "intervals", intervals::RESAMPLES, queries));
    let across = 0.4 + 0.5 / 3.0;
    let keep = [true; MODELS];
    let inter: Vec<(f64, f64)> = sums.queries.iter().map(|q| q.inter(&keep)).collect();
    let intra: Vec<(f64, f64)> = sums.queries.iter().map(|q| q.intra(&keep)).collect();
    [(inter, across), (intra, across + 0.3 * (1.0 - across) * 0.5)].map(|(terms, truth)| {
        let ci = intervals::ratio(&terms, weights.as_ref()).unwrap();
        ci.low <= truth && truth <= ci.high
    })
}

#[test]
#[expect(clippy::print_stdout, reason = "what 10 and 20 queries cover is to be read")]
fn intervals_hold_the_true_value_95_times_in_100() {
    for (queries, seeds) in [(10, 2000), (20, 2000), (50, 2000), (100, 2000)] {
        let held: Vec<[bool; 2]> = (0..seeds).into_par_iter().map(|seed| held(seed, queries)).collect();
        for (which, name) in ["inter_mean", "intra_mean"].into_iter().enumerate() {
            let share = 100.0 * held.iter().filter(|h| h[which]).count() as f64 / held.len() as f64;
            let error = (share * (100.0 - share) / seeds as f64).sqrt();
            println!("{queries} queries: {name} held in {share:.1} % of {seeds} corpora, Monte Carlo error {error:.1}");
            if queries >= intervals::BOOTSTRAP_QUERIES {
                assert!((93.0..=97.0).contains(&share), "{queries} queries: {name} held in {share} %");
            }
        }
    }
}
