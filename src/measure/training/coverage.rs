//! How often intervals of changes between arms and of slopes hold the true value, on planted corpora of 10, 20 and 50
//! queries; with and without an effect.

use super::super::coverage::{covered_at, holds};
use super::super::intervals::{self, Weights};
use super::super::planted;
use super::super::tables::{Course, Labels, Meanings, ModelRow, Quantity};
use super::{Trained, slope, training};
use crate::base::events::Silent;
use crate::base::random::Stream;
use crate::corpus::{Category, Corpus, Dictionary, Role};

const SIZES: [usize; 3] = [10, 20, 50];
const SEEDS: u64 = 500;
const FAMILIES: usize = 2;
const ARMS: [&str; 2] = ["none", "critic"];
const STAGES: usize = 3;
/// Numbers of the stages.
const STEPS: [f64; STAGES] = [0.0, 10.0, 40.0];

/// Where a row of the design stands.
#[derive(Clone, Copy)]
struct Place {
    query: usize,
    family: usize,
    arm: usize,
    stage: usize,
    sample: usize,
}

fn places(queries: usize, samples: usize) -> Vec<Place> {
    let place = |i: usize| Place {
        query: i / (FAMILIES * 2 * STAGES * samples),
        family: i / (2 * STAGES * samples) % FAMILIES,
        arm: i / (STAGES * samples) % 2,
        stage: i / samples % STAGES,
        sample: i % samples,
    };
    (0..queries * FAMILIES * 2 * STAGES * samples).map(place).collect()
}

fn corpus(places: &[Place], dim: usize, value: impl Fn(Place, usize) -> f64) -> Corpus {
    let names = places.iter().map(|p| (format!("{:02}", p.query), p.family.to_string()));
    let mut corpus = planted::corpus(names, dim, |row, i| value(places[row], i) as f32);
    let mut put = |role: Role, names: Vec<String>| {
        let (dictionary, ids) = Dictionary::from_names(&names);
        corpus.rows.categories.insert(role, Category { dictionary, ids });
    };
    put(Role::Stage, places.iter().map(|p| STEPS[p.stage].to_string()).collect());
    put(Role::Arm, places.iter().map(|p| ARMS[p.arm].to_owned()).collect());
    corpus
}

fn trained(corpus: &Corpus, meanings: &Meanings, seed: u64) -> Trained {
    let queries = corpus.layout.canonical.len();
    let weights = Weights::new(seed, "intervals", intervals::RESAMPLES, queries);
    training(corpus, &[], &vec![ModelRow::default(); FAMILIES], meanings, Some(&weights), &Silent).unwrap()
}

/// Whether the change from the first stage to the last, critic less none, and the slopes of none and of critic less none hold
/// what they should. In critic no stage differs from the first, in none they do by `truth`.
fn hold(found: &Trained, quantity: Quantity, truth: [f64; STAGES]) -> [bool; 3] {
    let line = |course: Course, arm: &str, reference: Option<&str>| {
        let of = |row: &&super::TrendRow| {
            (row.course, row.quantity, row.arm.as_deref(), row.reference.as_deref())
                == (course, quantity, Some(arm), reference)
                && (row.stage_a.as_str(), row.stage_b.as_str()) == ("0", "40")
        };
        found.trends.iter().find(of).unwrap()
    };
    let slope = slope::weighted(&slope::weights(&STEPS).unwrap(), &truth);
    let change = line(Course::Change, "critic", Some("none"));
    assert_eq!(change.paired, Some(true));
    [
        holds(change.difference.ci, truth[0] - truth[STAGES - 1]),
        holds(line(Course::Slope, "none", None).difference.ci, slope),
        holds(line(Course::Slope, "critic", Some("none")).difference.ci, -slope),
    ]
}

/// Within three standard errors of a share over 500 seeds, from 94 to 96.5 % (10 queries: no limit is nearer than Student's).
fn all_near_nominal(shares: &[f64]) {
    assert!(shares.iter().all(|share| (90.9..=99.0).contains(share)), "{shares:?}");
}

/// Exact cosines: B across families with skewed noise of its own for every query, arm and stage, A within a cell a random
/// share of the way from B to 1. In the first arm B rises by `rise` for each 10 of the stage's number, on average.
fn cosines(stream: &Stream, p: Place, rise: f64) -> (f64, f64) {
    let of_query = |i: u64| stream.uniform(p.query as u64, i);
    let of_cell = |i: u64| of_query(10 * i + (p.arm * STAGES + p.stage) as u64);
    let risen = if p.arm == 0 { 2.0 * rise * of_query(1) * STEPS[p.stage] / 10.0 } else { 0.0 };
    let across = 0.3 + 0.3 * of_query(0).powi(2) + risen + 0.2 * (of_cell(1).powi(2) - 1.0 / 3.0);
    (across, across + 0.3 * (1.0 - across) * of_cell(2))
}

#[test]
fn similarities_of_arms_and_slopes_are_recovered() {
    const SAMPLES: usize = 2;
    const NAMES: [&str; 6] = [
        "change of inter between arms",
        "slope of inter",
        "slope of inter between arms",
        "change of intra between arms",
        "slope of intra",
        "slope of intra between arms",
    ];
    for (rise, queries) in [0.02, 0.0].into_iter().flat_map(|rise| SIZES.map(|queries| (rise, queries))) {
        let shares = covered_at((queries, SEEDS), NAMES, |seed| {
            let stream = Stream::new(seed, "coverage of arms");
            let cells = 1 + FAMILIES * 2 * STAGES;
            let corpus = corpus(&places(queries, SAMPLES), cells * (1 + SAMPLES), |p, i| {
                let (across, within) = cosines(&stream, p, rise);
                let cell = (p.family * 2 + p.arm) * STAGES + p.stage;
                match i {
                    0 => across.sqrt(),
                    i if i == 1 + cell => (within - across).sqrt(),
                    i if i == cells + cell * SAMPLES + p.sample => (1.0 - within).sqrt(),
                    _ => 0.0,
                }
            });
            let found = trained(&corpus, &Meanings::default(), seed);
            // 1 - A is .85 (1 - B) on average.
            let of =
                |quantity: Quantity, share: f64| hold(&found, quantity, STEPS.map(|step| share * rise * step / 10.0));
            let (a, b) = (of(Quantity::Inter, 1.0), of(Quantity::Intra, 0.85));
            [a[0], a[1], a[2], b[0], b[1], b[2]]
        });
        all_near_nominal(&shares);
    }
}

/// Expected distinct meanings of 6 answers that have one of K at random.
fn expected(meanings: f64) -> f64 {
    meanings * (1.0 - (1.0 - 1.0 / meanings).powi(6))
}

/// Meanings at random, of 8 for each query and family; with `lost`, of 8, 4 and 2 at the stages of the first arm. Rows of one
/// meaning are near each other.
fn with_meanings(seed: u64, queries: usize, lost: bool) -> Trained {
    const SAMPLES: usize = 6;
    let stream = Stream::new(seed, "coverage of arms, meanings");
    let places = places(queries, SAMPLES);
    let of =
        |p: Place| ((((p.query * FAMILIES + p.family) * 2 + p.arm) * STAGES + p.stage) * SAMPLES + p.sample) as u64;
    let meaning = |p: Place| {
        let left = if lost && p.arm == 0 { 8 >> p.stage } else { 8 };
        stream.below(of(p), 100, left)
    };
    let corpus = corpus(&places, 8, |p, i| {
        let place = 1_000_000 + p.query as u64 * 8 + meaning(p);
        f64::from(u8::from(i == 0)) + stream.normal(place, i as u64) + 0.4 * stream.normal(of(p), i as u64)
    });
    let clusters = places.iter().map(|&p| meaning(p) as u32).collect();
    let labels = vec![Labels { c: None, tau: Some(0.8), chosen: true }];
    trained(&corpus, &Meanings { labels, clusters, ..Meanings::default() }, seed)
}

#[test]
fn meanings_and_tails_of_arms_and_slopes_are_recovered() {
    const QUANTITIES: [Quantity; 4] = [Quantity::Distinct, Quantity::Evenness, Quantity::Tail, Quantity::Coverage];
    const NAMES: [&str; 12] = [
        "change of distinct between arms",
        "slope of distinct",
        "slope of distinct between arms",
        "change of evenness between arms",
        "slope of evenness",
        "slope of evenness between arms",
        "change of tail between arms",
        "slope of tail",
        "slope of tail between arms",
        "change of coverage between arms",
        "slope of coverage",
        "slope of coverage between arms",
    ];
    for queries in SIZES {
        all_near_nominal(&covered_at((queries, SEEDS), NAMES, |seed| {
            let found = with_meanings(seed, queries, false);
            let held = QUANTITIES.map(|quantity| hold(&found, quantity, [0.0; STAGES]));
            std::array::from_fn(|i| held[i / 3][i % 3])
        }));
        let names = ["lost meanings between arms", "slope of lost meanings", "slope of lost meanings between arms"];
        all_near_nominal(&covered_at((queries, SEEDS), names, |seed| {
            hold(&with_meanings(seed, queries, true), Quantity::Distinct, [8.0, 4.0, 2.0].map(expected))
        }));
    }
}
