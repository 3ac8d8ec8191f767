//! How often 95 % intervals hold the true value, on planted corpora.
//!
//! `alike`, `people` and `variants` plant exact values. `world` is one distribution of queries with everything in it; all
//! intervals of [`super::all`] are tried on it (`lines`). The tables in docs/measures.md are
//! `cargo test --release --lib coverage::table -- --ignored --nocapture`.

mod alike;
mod lines;
mod people;
mod variants;
mod world;

use super::tables::Interval;
use super::{MeasureSettings, Measures, all, form, teams};
use crate::base::events::Silent;
use crate::corpus::{Category, Corpus, Dictionary, Role};
use lines::{Line, lines};
use rayon::prelude::*;
use std::collections::BTreeMap;
use world::World;
pub use world::outcome;

/// Whether an interval holds a value.
pub fn holds(interval: Option<Interval>, truth: f64) -> bool {
    interval.is_some_and(|i| i.low <= truth && truth <= i.high)
}

/// Adds a categorical column.
pub fn category(corpus: &mut Corpus, role: Role, names: &[String]) {
    let (dictionary, ids) = Dictionary::from_names(names);
    corpus.rows.categories.insert(role, Category { dictionary, ids });
}

/// How often each of some intervals held in percent, printed.
#[expect(clippy::print_stdout, reason = "what is covered is to be read")]
fn shares<const N: usize>(what: &str, names: [&str; N], held: &[[bool; N]]) -> [f64; N] {
    std::array::from_fn(|which| {
        let share = 100.0 * held.iter().filter(|h| h[which]).count() as f64 / held.len() as f64;
        let error = (share * (100.0 - share) / held.len() as f64).sqrt();
        let (name, of) = (names[which], held.len());
        println!("{what}: {name} held in {share:.1} % of {of} corpora, Monte Carlo error {error:.1}");
        share
    })
}

/// Prints how often each of some intervals held, and that it was between `least` and `most` percent.
pub fn covered<const N: usize>(what: &str, names: [&str; N], (least, most): (f64, f64), held: &[[bool; N]]) {
    for (share, name) in shares(what, names, held).into_iter().zip(names) {
        assert!((least..=most).contains(&share), "{what}: {name} held in {share} %");
    }
}

/// How often intervals hold what they should on corpora of so many queries, one a seed.
pub fn covered_at<const N: usize>(
    (queries, seeds): (usize, u64),
    names: [&str; N],
    held: impl Fn(u64) -> [bool; N] + Sync + Send,
) -> [f64; N] {
    let held: Vec<[bool; N]> = (0..seeds).into_par_iter().map(held).collect();
    shares(&format!("{queries} queries"), names, &held)
}

fn measured(corpus: &Corpus, seed: u64, resamples: usize, tau: Option<f64>, whole: bool) -> Measures {
    let settings = MeasureSettings { seed, resamples, tau, ..MeasureSettings::default() };
    all(corpus, &outcome(corpus, whole), &settings, &Silent).unwrap()
}

/// Columns of the table: queries, and teams in section F. `COVERAGE_QUERIES`, 10,20,50,100 by default.
fn sizes() -> Vec<usize> {
    let given = std::env::var("COVERAGE_QUERIES").unwrap_or_else(|_| "10,20,50,100".into());
    given.split(',').map(|size| size.trim().parse().unwrap()).collect()
}

/// Lines that rest on how large the corpus is: their true value is that of corpora of the same size.
const OF_SIZE: [&str; 2] = ["A nearest_other_model_corpus", "A nearest_other_query_corpus"];

/// What a line must be where there is no effect.
fn without_effect(name: &str) -> Option<f64> {
    let zero = ["A r2_", "A rank correlation", "A like length", "H crowding", "H nearest", "A verbatim_share"];
    let change = name.starts_with("D ") && name.ends_with("change");
    match name {
        _ if name.starts_with("B ") || name.starts_with("H rho") => Some(1.0),
        _ if change || zero.iter().any(|start| name.starts_with(start)) => Some(0.0),
        _ => None,
    }
}

/// By line: how often it held, of how many corpora that had an interval; and the mean of the number.
#[derive(Debug, Clone, Default)]
struct Tally {
    held: usize,
    of: usize,
}

/// Mean values of the parts of all lines over many draws.
fn means(of: &[Vec<Line>]) -> BTreeMap<String, Vec<f64>> {
    let mut sums: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for line in of.iter().flatten() {
        let sum = sums.entry(line.name.clone()).or_insert_with(|| vec![(0.0, 0.0); line.parts.len()]);
        for (sum, (value, _)) in sum.iter_mut().zip(&line.parts).filter(|(_, part)| part.0.is_finite()) {
            *sum = (sum.0 + value, sum.1 + 1.0);
        }
    }
    sums.into_iter().map(|(name, sums)| (name, sums.into_iter().map(|(sum, n)| sum / n).collect())).collect()
}

/// Draws of corpora of `queries` queries, clusters cut at `tau` or where it is by default.
fn draws(world: World, queries: usize, seeds: u64, tau: Option<f64>) -> Vec<Vec<Line>> {
    let one = |seed: u64| lines(&measured(&world.corpus(1000 + seed, queries), seed, 1000, tau, true));
    (0..seeds).into_par_iter().map(one).collect()
}

fn tallies(world: World, of: &[Vec<Line>], truth: &BTreeMap<String, Vec<f64>>) -> BTreeMap<String, Tally> {
    let own = means(of);
    let mut found: BTreeMap<String, Tally> = BTreeMap::new();
    for line in of.iter().flatten() {
        let known = if OF_SIZE.contains(&line.name.as_str()) { &own } else { truth };
        let Some(known) = known.get(&line.name) else { continue };
        let null = without_effect(&line.name).filter(|_| !world.effects);
        if line.parts.iter().any(|part| part.1.is_none()) {
            continue;
        }
        let tally = found.entry(line.name.clone()).or_default();
        tally.of += 1;
        tally.held +=
            usize::from(line.parts.iter().zip(known).all(|((_, ci), &mean)| holds(*ci, null.unwrap_or(mean))));
    }
    found
}

/// The number of every line in the population, the mean of some large corpora; and where clusters are cut there.
fn population(world: World, tau: Option<f64>) -> (BTreeMap<String, Vec<f64>>, f64) {
    const CORPORA: usize = 24;
    // Joint intervals have their numbers in their middles, so that some resamples are needed.
    let one = |seed: usize| measured(&world.corpus(seed as u64, 800), seed as u64, 100, tau, false);
    let (mut of, mut cuts) = (Vec::new(), 0.0);
    for found in (0..CORPORA).map(one) {
        of.push(lines(&found));
        cuts += found.summary.meanings.and_then(|meanings| meanings.tau).unwrap();
    }
    (means(&of), cuts / CORPORA as f64)
}

/// Prints lines of the table; `held(seed, queries, whether there is an effect)` says of each whether it held, `None` where
/// it has no interval or nothing is known to hold.
#[expect(clippy::print_stdout, reason = "it is to be read")]
pub fn rows<const N: usize>(
    names: [&str; N],
    seeds: u64,
    held: impl Fn(u64, usize, bool) -> [Option<bool>; N] + Sync + Send,
) {
    let mut tallies = Vec::new();
    for (effects, queries) in columns() {
        let found: Vec<[Option<bool>; N]> =
            (0..seeds).into_par_iter().map(|seed| held(seed, queries, effects)).collect();
        let tally = |which: usize| {
            let known = || found.iter().filter_map(|one| one[which]);
            Tally { held: known().filter(|&held| held).count(), of: known().count() }
        };
        tallies.push((0..N).map(tally).collect::<Vec<_>>());
    }
    for (which, name) in names.into_iter().enumerate() {
        let cells: Vec<String> = tallies.iter().map(|column| cell(Some(&column[which]))).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
}

/// A short form of [`table`]: on 50 queries no interval of any number is much too short, with effects and without, with gaps
/// and without.
#[test]
fn no_interval_is_far_too_short() {
    for (effects, gaps) in [(true, false), (false, false), (true, true), (false, true)] {
        let world = World { effects, gaps };
        let of = draws(world, 50, 40, None);
        for (name, tally) in tallies(world, &of, &means(&of)) {
            // 34 of 40 and fewer: one interval of 95 % in 300 does that, and there are a hundred.
            assert!(
                8 * tally.held >= 6 * tally.of,
                "{name}: held in {} of {}, effects {effects}, gaps {gaps}",
                tally.held,
                tally.of
            );
        }
    }
}

/// A cell of the table.
fn cell(tally: Option<&Tally>) -> String {
    match tally {
        Some(tally) if tally.of > 0 => format!("{:.1}", 100.0 * tally.held as f64 / tally.of as f64),
        _ => "-".into(),
    }
}

/// The columns: whether there are effects, and how many queries.
fn columns() -> Vec<(bool, usize)> {
    [true, false].into_iter().flat_map(|effects| sizes().into_iter().map(move |queries| (effects, queries))).collect()
}

/// The distribution of a column; answers are missing if `COVERAGE_GAPS` is set.
fn world(effects: bool) -> World {
    World { effects, gaps: std::env::var_os("COVERAGE_GAPS").is_some() }
}

/// `COVERAGE_SEEDS`, 200 by default.
fn seeds() -> u64 {
    std::env::var("COVERAGE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(200)
}

/// Prints the lines that `tally(world, queries)` has, a column each.
#[expect(clippy::print_stdout, reason = "it is to be read")]
fn print(tally: impl Fn(World, usize) -> BTreeMap<String, Tally>) {
    let tallies: Vec<BTreeMap<String, Tally>> =
        columns().into_iter().map(|(effects, queries)| tally(world(effects), queries)).collect();
    let names: std::collections::BTreeSet<&String> = tallies.iter().flat_map(BTreeMap::keys).collect();
    let titles = columns()
        .into_iter()
        .map(|(effects, queries)| format!("{queries}{}", if effects { "" } else { ", no effect" }));
    println!("| interval | {} |", titles.collect::<Vec<_>>().join(" | "));
    println!("|{}", "---|".repeat(1 + tallies.len()));
    for name in names {
        let cells: Vec<String> = tallies.iter().map(|column| cell(column.get(name))).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
}

/// The table of docs/measures.md, which two cores do in some ten minutes.
#[test]
#[ignore = "takes long; no_interval_is_far_too_short is its short form"]
fn table() {
    let truths = [false, true].map(|effects| population(world(effects), None).0);
    print(|world, queries| tallies(world, &draws(world, queries, seeds(), None), &truths[usize::from(world.effects)]));
    alike::table(seeds());
    form::coverage::table(seeds());
    teams::coverage::table(seeds());
}

/// What rests on clusters, all of them cut where they are cut in the population.
#[test]
#[ignore = "takes long; what the table would be with --tau"]
fn table_at_a_given_cut() {
    let truths = [false, true].map(|effects| {
        let tau = population(world(effects), None).1;
        (population(world(effects), Some(tau)).0, tau)
    });
    print(|world, queries| {
        let (truth, tau) = &truths[usize::from(world.effects)];
        let mut found = tallies(world, &draws(world, queries, seeds(), Some(*tau)), truth);
        let by_clusters = ["C distinct", "C model", "C adjusted", "D distinct", "D evenness", "D meanings", "G "];
        found.retain(|name, _| by_clusters.iter().any(|start| name.starts_with(start)) && !name.contains(" c = "));
        found
    });
}
