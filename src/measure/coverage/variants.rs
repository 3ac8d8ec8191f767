//! How often intervals of packaging and of stages hold the true value, on planted corpora of 50 queries; with and
//! without an effect.

use super::super::intervals::{self, Weights};
use super::super::packaging::packaging;
use super::super::planted;
use super::super::tables::{Labels, Meanings, ModelRow};
use super::super::training::training;
use super::{category, holds};
use crate::base::events::Silent;
use crate::base::random::Stream;
use crate::corpus::{Corpus, Role};
use rayon::prelude::*;

const QUERIES: usize = 50;
const FAMILIES: usize = 3;
/// Contexts or stages.
const VARIANTS: usize = 2;
const SEEDS: u64 = 4000;
/// Share of B in the direction that all queries share: it makes the floors.
const SHARED: f64 = 0.3;
/// Dimensions in which the directions of queries are drawn.
const DIRECTIONS: usize = 24;
/// Sets of directions of responses that the queries take turns with, so that few queries share one.
const SETS: usize = 8;

/// Where a row of the design stands.
#[derive(Clone, Copy)]
struct Place {
    query: usize,
    family: usize,
    variant: usize,
    sample: usize,
}

fn places(samples: usize) -> Vec<Place> {
    let all = QUERIES * FAMILIES * VARIANTS * samples;
    let place = |i: usize| Place {
        query: i / (FAMILIES * VARIANTS * samples),
        family: i / (VARIANTS * samples) % FAMILIES,
        variant: i / samples % VARIANTS,
        sample: i % samples,
    };
    (0..all).map(place).collect()
}

fn corpus(role: Role, samples: usize, dim: usize, value: impl Fn(Place, usize) -> f64) -> Corpus {
    let places = places(samples);
    let names = places.iter().map(|p| (format!("{:02}", p.query), p.family.to_string()));
    let mut corpus = planted::corpus(names, dim, |row, i| value(places[row], i) as f32);
    let variants: Vec<String> = places.iter().map(|p| p.variant.to_string()).collect();
    category(&mut corpus, role, &variants);
    corpus
}

/// Exact cosines of a query: B across families, S across contexts of a family, A within a cell; each skewed and random.
#[derive(Clone, Copy)]
struct Cosines {
    across: f64,
    contexts: f64,
    within: f64,
}

fn cosines(stream: &Stream, query: usize) -> Cosines {
    let uniform = |i: u64| stream.uniform(query as u64, i);
    let across = 0.4 + 0.5 * uniform(0).powi(2);
    let contexts = across + 0.3 * (1.0 - across) * uniform(1);
    Cosines { across, contexts, within: contexts + 0.8 * (1.0 - contexts) * uniform(2) }
}

/// A random unit vector for each query.
fn directions(stream: &Stream) -> Vec<Vec<f64>> {
    let one = |query: usize| {
        let values: Vec<f64> = (0..DIRECTIONS).map(|i| stream.normal(1000 + query as u64, i as u64)).collect();
        let norm = values.iter().map(|x| x * x).sum::<f64>().sqrt();
        values.iter().map(|x| x / norm).collect()
    };
    (0..QUERIES).map(one).collect()
}

/// Element of a row: a direction that all share, one a family, one a cell, one a response, and one of the query. Those of
/// queries, and signs of those of responses, are random: noise, but nothing on average, in cosines of different queries.
fn element(stream: &Stream, directions: &[Vec<f64>], c: Cosines, p: Place, samples: usize, i: usize) -> f64 {
    let cell = p.family * VARIANTS + p.variant;
    let response = ((p.query % SETS) * FAMILIES * VARIANTS + cell) * samples + p.sample;
    let (cells, responses) = (1 + FAMILIES, 1 + FAMILIES + FAMILIES * VARIANTS);
    let queries = dim(samples) - DIRECTIONS;
    let sign = |i: usize| if stream.uniform(p.query as u64, i as u64) < 0.5 { -1.0 } else { 1.0 };
    match i {
        0 => (SHARED * c.across).sqrt(),
        i if i >= queries => directions[p.query][i - queries] * ((1.0 - SHARED) * c.across).sqrt(),
        i if i == 1 + p.family => (c.contexts - c.across).sqrt(),
        i if i == cells + cell => (c.within - c.contexts).sqrt(),
        i if i == responses + response => sign(100 + response) * (1.0 - c.within).sqrt(),
        _ => 0.0,
    }
}

fn dim(samples: usize) -> usize {
    1 + FAMILIES + FAMILIES * VARIANTS * (1 + SETS * samples) + DIRECTIONS
}

/// Mean of `f` over (0, 1).
fn mean(f: impl Fn(f64) -> f64) -> f64 {
    (0..100_000).map(|i| f((f64::from(i) + 0.5) / 1e5)).sum::<f64>() / 1e5
}

/// True ratios: against the same context, against other families.
fn true_ratios() -> [f64; 2] {
    let across = mean(|u| 0.4 + 0.5 * u * u);
    let contexts = across + 0.15 * (1.0 - across);
    let within = contexts + 0.4 * (1.0 - contexts);
    // Different queries are independent: the mean of a product is the product of means.
    let shared = SHARED * mean(|u| (0.4 + 0.5 * u * u).sqrt()).powi(2);
    let rest = mean(|u| (0.6 - 0.5 * u * u).sqrt());
    let family = (rest * mean(|v| (0.3 * v).sqrt())).powi(2);
    let cell = (rest * mean(|v| (1.0 - 0.3 * v).sqrt()) * mean(|w| (0.8 * w).sqrt())).powi(2);
    let kept = contexts - shared - family;
    [kept / (within - shared - family - cell), kept / (across - shared)]
}

fn weights(seed: u64) -> Weights {
    Weights::new(seed, "intervals", intervals::RESAMPLES, QUERIES)
}

/// Intervals of one family and of all against the same context, and of all against other families.
fn of_contexts(corpus: &Corpus, seed: u64, truth: [f64; 2]) -> [bool; 3] {
    let models = vec![ModelRow::default(); FAMILIES];
    let found = packaging(corpus, &[], &models, Some(0.0), Some(&weights(seed)), &Silent).unwrap();
    let row = |place: usize| found.rows[place].ci;
    [holds(row(1), truth[0]), holds(row(0), truth[0]), holds(row(1 + FAMILIES), truth[1])]
}

/// Intervals of the changes between and within families.
fn of_stages(corpus: &Corpus, seed: u64, truth: [f64; 2]) -> [bool; 2] {
    let models = vec![ModelRow::default(); FAMILIES];
    let found = training(corpus, &[], &models, &Meanings::default(), Some(&weights(seed)), &Silent).unwrap();
    let row = &found.rows[0];
    [holds(row.inter.as_ref().unwrap().ci, truth[0]), holds(row.intra.as_ref().unwrap().ci, truth[1])]
}

fn covered<const N: usize>(names: [&str; N], held: impl Fn(u64) -> [bool; N] + Sync + Send) {
    let held: Vec<[bool; N]> = (0..SEEDS).into_par_iter().map(held).collect();
    super::covered(&format!("{QUERIES} queries"), names, (93.0, 97.0), &held);
}

#[test]
fn packaging_is_recovered() {
    let truth = true_ratios();
    covered(["packaging of a family", "packaging", "packaging against families"], |seed| {
        let stream = Stream::new(seed, "coverage of packaging");
        let directions = directions(&stream);
        let value = |p: Place, i: usize| element(&stream, &directions, cosines(&stream, p.query), p, 2, i);
        of_contexts(&corpus(Role::Context, 2, dim(2), value), seed, truth)
    });
}

#[test]
fn a_change_of_stage_is_recovered() {
    // The later stage is nearer: B + .2 (1 - B) U across families, and all above it as before.
    let mean_across = mean(|u| 0.4 + 0.5 * u * u);
    let rise = 0.1 * (1.0 - mean_across);
    let kept = 0.85 * 0.6;
    covered(["change between families", "change within families"], |seed| {
        let stream = Stream::new(seed, "coverage of stages");
        let directions = directions(&stream);
        let value = |p: Place, i: usize| {
            let mut c = cosines(&stream, p.query);
            if p.variant == 1 {
                let nearer = |x: f64| x + 0.2 * (1.0 - x) * stream.uniform(p.query as u64, 3);
                c = Cosines { across: nearer(c.across), contexts: nearer(c.contexts), within: nearer(c.within) };
            }
            element(&stream, &directions, c, p, 2, i)
        };
        // 1 - A shrinks by the same share as 1 - B, from (1 - B) .85 .6 on average.
        of_stages(&corpus(Role::Stage, 2, dim(2), value), seed, [rise, kept * rise])
    });
}

/// Rows of a query scatter around its direction whatever their context or stage.
fn without_effect(role: Role, seed: u64) -> Corpus {
    let stream = Stream::new(seed, "no effect");
    let of = |p: Place| ((p.query * FAMILIES + p.family) * VARIANTS + p.variant) * 2 + p.sample;
    corpus(role, 2, 12, |p, i| {
        let common = if i == 0 { 1.0 } else { 0.0 };
        common + stream.normal(1_000_000 + p.query as u64, i as u64) + 0.7 * stream.normal(of(p) as u64, i as u64)
    })
}

#[test]
fn no_effect_is_found_where_none_is_planted() {
    covered(["packaging of a family", "packaging", "packaging against families"], |seed| {
        of_contexts(&without_effect(Role::Context, seed), seed, [1.0, 1.0])
    });
    covered(["change between families", "change within families"], |seed| {
        of_stages(&without_effect(Role::Stage, seed), seed, [0.0, 0.0])
    });
}

/// Meanings of 50 queries of 3 families at two stages, 6 responses a cell, at random and whatever the stage; rows of one
/// meaning are near each other. No change of tail, of distinct meanings, evenness or coverage is there to be found.
#[test]
fn tails_and_meanings_of_like_stages_do_not_change() {
    const SAMPLES: usize = 6;
    covered(["tail", "distinct", "evenness", "coverage"], |seed| {
        let stream = Stream::new(seed, "tails");
        let of = |p: Place| ((p.query * FAMILIES + p.family) * VARIANTS + p.variant) * SAMPLES + p.sample;
        let meaning = |p: Place| (stream.uniform(of(p) as u64, 100).powi(2) * 4.0) as usize;
        let corpus = corpus(Role::Stage, SAMPLES, 12, |p, i| {
            let common = if i == 0 { 1.0 } else { 0.0 };
            let place = 1_000_000 + p.query * 8 + meaning(p);
            common + stream.normal(place as u64, i as u64) + 0.4 * stream.normal(of(p) as u64, i as u64)
        });
        let clusters = places(SAMPLES).iter().map(|&p| meaning(p) as u32).collect();
        let labels = vec![Labels { c: None, tau: Some(0.8), chosen: true }];
        let meanings = Meanings { labels, clusters, ..Meanings::default() };
        let models = vec![ModelRow::default(); FAMILIES];
        let found = training(&corpus, &[], &models, &meanings, Some(&weights(seed)), &Silent).unwrap();
        let row = &found.rows[0];
        let tail = row.tail.as_ref().unwrap();
        assert!((tail.a - 0.1).abs() < 0.005, "{}", tail.a);
        [&row.tail, &row.distinct, &row.evenness, &row.coverage].map(|one| holds(one.as_ref().unwrap().ci, 0.0))
    });
}
