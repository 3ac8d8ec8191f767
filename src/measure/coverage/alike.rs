//! The mean within models and across them, exactly planted; given these models and for models in general.

use super::super::intervals::{self, Weights};
use super::super::planted::corpus;
use super::super::sums::Sums;
use super::super::tables::Interval;
use super::{covered, holds, measured};
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
    let weights = Weights::new(seed, "intervals", intervals::RESAMPLES, queries);
    let across = 0.4 + 0.5 / 3.0;
    let keep = [true; MODELS];
    let inter: Vec<(f64, f64)> = sums.queries.iter().map(|q| q.inter(&keep)).collect();
    let intra: Vec<(f64, f64)> = sums.queries.iter().map(|q| q.intra(&keep)).collect();
    [(inter, across), (intra, across + 0.3 * (1.0 - across) * 0.5)]
        .map(|(terms, truth)| holds(intervals::ratio(&terms, Some(&weights)), truth))
}

#[test]
fn intervals_hold_the_true_value_95_times_in_100() {
    for queries in [10, 20, 50, 100] {
        let held: Vec<[bool; 2]> = (0..6000).into_par_iter().map(|seed| held(seed, queries)).collect();
        let (least, most) = if queries >= 50 { (93.0, 97.0) } else { (92.0, 98.5) };
        covered(&format!("{queries} queries"), ["inter_mean", "intra_mean"], (least, most), &held);
    }
}

/// Models of [`table`], drawn with each corpus.
const DRAWN: usize = 10;

/// Values and intervals for models in general: each has a style and a spread of its own if `differ`.
fn models_too(seed: u64, queries: usize, differ: bool) -> [(f64, Option<Interval>); 2] {
    const DIM: usize = 24;
    let stream = Stream::new(seed, "models too");
    let keys = (0..queries * DRAWN * 2).map(|row| (format!("{:03}", row / DRAWN / 2), (row / 2 % DRAWN).to_string()));
    let corpus = corpus(keys, DIM, |row, i| {
        let (query, model) = (row / DRAWN / 2, row / 2 % DRAWN);
        let direction = |of: usize| stream.normal(of as u64, i as u64);
        let of_model = |which: u64| if differ { stream.uniform(1 << 40 | model as u64, which) } else { 0.5 };
        let style = if differ { of_model(0) * direction(1_000_000 + model) } else { 0.0 };
        let topic = (0.8 + 0.8 * stream.uniform(1 << 41 | query as u64, 0)) * direction(2_000_000 + query);
        let cell = 0.5 * direction(3_000_000 + row / 2);
        (topic + style + cell + (0.4 + 0.6 * of_model(1)) * direction(row)) as f32
    });
    let found = measured(&corpus, seed, intervals::RESAMPLES, None, false);
    ["inter_mean", "intra_mean"].map(|name| {
        let line = found.summary.headlines.iter().find(|line| line.name == name).unwrap();
        (line.value, line.interval_models_too)
    })
}

/// Lines of the table of [`super`] on models in general. The mean over corpora is the true value.
pub fn table(seeds: u64) {
    let all = |queries: usize, differ: bool| -> Vec<[(f64, Option<Interval>); 2]> {
        (0..seeds).into_par_iter().map(|seed| models_too(seed, queries, differ)).collect()
    };
    let found =
        [true, false].map(|differ| super::sizes().into_iter().map(|queries| all(queries, differ)).collect::<Vec<_>>());
    let names = ["A inter_mean, models too (10)", "A intra_mean, models too (10)"];
    super::rows(names, seeds, |seed, queries, differ| {
        let column = super::sizes().iter().position(|&q| q == queries).unwrap();
        let of = &found[usize::from(!differ)][column];
        [0, 1].map(|which| {
            let truth = of.iter().map(|one| one[which].0).sum::<f64>() / seeds as f64;
            let interval = of[seed as usize][which].1;
            interval.map(|_| holds(interval, truth))
        })
    });
}
