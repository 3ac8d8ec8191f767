//! How often intervals of growth and of people beside models hold the true value, on planted corpora of 50 queries; with
//! and without an effect.

use super::super::growth::growth;
use super::super::intervals::{self, Weights};
use super::super::people::people;
use super::super::planted;
use super::super::tables::{Interval, Meanings, ModelRow, SourceRow};
use super::{category, holds};
use crate::base::events::Silent;
use crate::base::random::Stream;
use crate::corpus::{Corpus, Role};
use rayon::prelude::*;

const QUERIES: usize = 50;
const SEEDS: u64 = 2000;
/// Responses of a query where meanings grow.
const GROWN: usize = 24;
/// Discount of the process that they grow by: D(n) ~ n^b.
const DISCOUNT: f64 = 0.6;
const MODELS: usize = 3;
const SAMPLES: usize = 2;
const PEOPLE: usize = 5;
/// Rows of a query: models, then people.
const ROWS: usize = MODELS * SAMPLES + PEOPLE;

fn weights(seed: u64) -> Weights {
    Weights::new(seed, "intervals", intervals::RESAMPLES, QUERIES)
}

fn covered<const N: usize>(names: [&str; N], least: f64, held: &[[bool; N]]) {
    super::covered(&format!("{QUERIES} queries"), names, (least, 97.5), held);
}

/// Meanings of a query's responses by a Pitman-Yor process of concentration 0.
fn grown(stream: &Stream, query: usize) -> Vec<u32> {
    let (mut meanings, mut counts) = (Vec::new(), Vec::<f64>::new());
    for n in 0..GROWN {
        let mut left = stream.uniform(query as u64, n as u64) * n as f64;
        let mut known = |count: &&f64| {
            left -= **count - DISCOUNT;
            left < 0.0
        };
        let found = counts.iter().take_while(|count| !known(count)).count();
        if found == counts.len() {
            counts.push(0.0);
        }
        counts[found] += 1.0;
        meanings.push(found as u32);
    }
    meanings
}

/// Expected meanings among n responses.
fn expected(n: f64) -> f64 {
    libm::exp(libm::lgamma(n + DISCOUNT) - libm::lgamma(1.0 + DISCOUNT) - libm::lgamma(n))
}

/// The exponent with its interval, the inflation with its own.
fn of_growth(seed: u64, meaning: impl Fn(&Stream, usize) -> Vec<u32>) -> [(f64, Option<Interval>); 2] {
    let stream = Stream::new(seed, "coverage of growth");
    let keys = (0..QUERIES * GROWN).map(|row| (format!("{:02}", row / GROWN), "m".to_string()));
    let mut corpus = planted::corpus(keys, 1, |_, _| 1.0);
    let times: Vec<String> =
        (0..QUERIES * GROWN).map(|row| format!("{}", libm::log((row % GROWN + 1) as f64))).collect();
    category(&mut corpus, Role::Time, &times);
    let clusters = (0..QUERIES).flat_map(|query| meaning(&stream, query)).collect();
    let meanings = Meanings { clusters, ..Meanings::default() };
    let found = growth(&corpus, &meanings, &[&[true]], &weights(seed), &Silent).unwrap().summary.unwrap();
    let (all, inflation) = (found.all.unwrap(), found.inflation.unwrap());
    [(all.exponent, all.interval), (inflation.value, inflation.interval)]
}

#[test]
fn growth_is_recovered() {
    let found: Vec<_> = (0..SEEDS).into_par_iter().map(|seed| of_growth(seed, grown)).collect();
    // At 24 a quarter is 6: no line between whole numbers. At times ln n answers grow by 1.
    let truth = libm::log(expected(24.0) / expected(6.0)) / libm::log(4.0);
    assert!((truth - DISCOUNT).abs() < 0.03, "{truth}");
    let held: Vec<[bool; 2]> = found.iter().map(|f| [holds(f[0].1, truth), holds(f[1].1, 1.0 - truth)]).collect();
    covered(["growth", "inflation"], 92.5, &held);
}

#[test]
fn no_growth_is_found_where_none_is_planted() {
    let [growth, inflation] = of_growth(1, |_, _| vec![0; GROWN]);
    // None of 50 queries has a second meaning: queries like them may have -ln .025 / 50 further ones.
    let high = libm::log(1.0 - libm::log(0.025) / 50.0) / libm::log(4.0);
    assert!(growth.0.abs() < 1e-12 && growth.1.is_some_and(|i| i.low.abs() < 1e-12 && (i.high - high).abs() < 1e-9));
    assert!((inflation.0 - 1.0).abs() < 1e-12);
    let [growth, inflation] = of_growth(1, |_, _| (0..GROWN as u32).collect());
    assert!((growth.0 - 1.0).abs() < 1e-12 && inflation.0.abs() < 1e-12);
}

/// Models and people of 50 queries; `value(query, place, i)` is an element of the row at a place of its query.
fn with_people(dim: usize, value: impl Fn(usize, usize, usize) -> f64) -> (Corpus, Vec<bool>) {
    let person = |row: usize| row % ROWS >= MODELS * SAMPLES;
    let model = |row: usize| if person(row) { "human".into() } else { format!("{}", row % ROWS / SAMPLES) };
    let keys = (0..QUERIES * ROWS).map(|row| (format!("{:02}", row / ROWS), model(row)));
    let mut corpus = planted::corpus(keys, dim, |row, i| value(row / ROWS, row % ROWS, i) as f32);
    let people: Vec<bool> = (0..corpus.len()).map(person).collect();
    let sources: Vec<String> = people.iter().map(|&p| if p { "human" } else { "ai" }.to_string()).collect();
    category(&mut corpus, Role::Source, &sources);
    (corpus, people)
}

/// The line of all models and that of people.
fn lines(seed: u64, (corpus, of_people): (Corpus, Vec<bool>)) -> (SourceRow, SourceRow) {
    let models = vec![ModelRow::default(); MODELS + 1];
    let found = people(&corpus, &of_people, &models, seed, &weights(seed), &Silent).unwrap();
    let line = |pick: fn(&SourceRow) -> bool| found.rows.iter().find(|row| pick(row)).unwrap().clone();
    (line(|row| row.source.is_none()), line(|row| row.people))
}

#[test]
fn rho_and_crowding_are_recovered() {
    // Exact cosines: H among people, B across models, A within one, each random by query.
    let held: Vec<[bool; 4]> = (0..SEEDS)
        .into_par_iter()
        .map(|seed| {
            let stream = Stream::new(seed, "coverage of people");
            let value = |query: usize, place: usize, i: usize| {
                let uniform = |which: u64| stream.uniform(query as u64, which);
                let people = 0.3 + 0.5 * uniform(0).powi(2);
                let across = people + 0.4 * (1.0 - people) * uniform(1);
                let within = across + 0.6 * (1.0 - across) * uniform(2);
                let (common, own) = if place >= MODELS * SAMPLES { (people, people) } else { (across, within) };
                let square = match i {
                    0 => common,
                    i if i == 1 + place / SAMPLES && place < MODELS * SAMPLES => own - common,
                    i if i == 1 + MODELS + place => 1.0 - own,
                    _ => 0.0,
                };
                square.sqrt()
            };
            let (all, _) = lines(seed, with_people(1 + MODELS + ROWS, value));
            // Means of independent factors.
            let people = 0.3 + 0.5 / 3.0;
            let across = people + 0.2 * (1.0 - people);
            let within = across + 0.3 * (1.0 - across);
            let (population, individual) = (all.population.unwrap(), all.individual.unwrap());
            [
                holds(population.rho_ci, (1.0 - across) / (1.0 - people)),
                holds(individual.rho_ci, (1.0 - within) / (1.0 - people)),
                holds(population.crowding_ci, across - people),
                holds(individual.crowding_ci, within - people),
            ]
        })
        .collect();
    let names = ["rho, population", "rho, individual", "crowding, population", "crowding, individual"];
    covered(names, 92.5, &held);
}

#[test]
fn no_effect_is_found_where_models_are_as_people() {
    let mut placebos = Vec::new();
    let found: Vec<_> = (0..SEEDS)
        .into_par_iter()
        .map(|seed| {
            let stream = Stream::new(seed, "models as people");
            let value = |query: usize, place: usize, i: usize| {
                let noise = |of: usize| stream.normal(of as u64, i as u64);
                noise(1_000_000 + query) + 0.7 * noise(query * ROWS + place)
            };
            lines(seed, with_people(12, value))
        })
        .collect();
    let held: Vec<[bool; 7]> = (found.iter())
        .map(|(all, of_people)| {
            let (population, individual) = (all.population.as_ref().unwrap(), all.individual.as_ref().unwrap());
            let (nearest, adds) = (all.nearest.as_ref().unwrap(), of_people.adds.as_ref().unwrap());
            placebos.push((adds.placebo, adds.adds()));
            [
                holds(population.rho_ci, 1.0),
                holds(individual.rho_ci, 1.0),
                holds(population.crowding_ci, 0.0),
                holds(nearest.people_ci, 0.0),
                holds(nearest.models_ci, 0.0),
                holds(adds.ci, adds.placebo),
                holds(adds.placebo_range, adds.adds()),
            ]
        })
        .collect();
    let names = ["rho, population", "rho, individual", "crowding", "from people", "from models", "adds", "placebo"];
    covered(names, 92.0, &held);
    let mean = |of: fn(&(f64, f64)) -> f64| placebos.iter().map(of).sum::<f64>() / placebos.len() as f64;
    assert!((mean(|p| p.0) - mean(|p| p.1)).abs() < 0.01, "{} {}", mean(|p| p.0), mean(|p| p.1));
}
