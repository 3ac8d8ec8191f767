//! How often intervals of teams hold the true value, on planted corpora; with and without an effect.

use super::super::MeasureSettings;
use super::super::coverage::{self, category, holds};
use super::super::planted;
use super::super::tables::TeamRow;
use super::{Found, teams};
use crate::base::events::Silent;
use crate::base::random::Stream;
use crate::corpus::{Number, Role};
use rayon::prelude::*;

const QUERIES: usize = 8;
const SIZE: usize = 4;
const SEEDS: u64 = 600;
const TAU: f64 = 0.6;
/// Mean expertise and diversity.
const EXPERTISE: f64 = 0.5;
const DIVERSITY: f64 = 0.4;

/// What teams say. The answers of a team to a query have a cosine A, uniform in
/// .3 to .9; quality has an effect of the query and of the team, the outcome model, and noise.
fn found(seed: u64, of: usize, coefficients: [f64; 4], team_effect: f64) -> Found {
    let stream = Stream::new(seed, "coverage of teams");
    let rows = QUERIES * of * SIZE;
    let (unit, team) = (|row: usize| row / SIZE, |row: usize| row / SIZE % of);
    let cosine = |unit: usize| 0.3 + 0.6 * stream.uniform(unit as u64, 0);
    let expertise = |team: usize| stream.uniform(team as u64, 1);
    // Every third unit lacks a response.
    let lacks = |row: usize| unit(row).is_multiple_of(3) && row.is_multiple_of(SIZE);
    let keys = (0..rows).map(|row| (format!("{}", row / SIZE / of), format!("{:03}", team(row))));
    let mut corpus = planted::corpus(keys, 1 + SIZE, |row, i| {
        let square = match i {
            0 => cosine(unit(row)),
            i if i == 1 + row % SIZE => 1.0 - cosine(unit(row)),
            _ => 0.0,
        };
        square.sqrt() as f32
    });
    let quality = |row: usize| {
        let (d, e) = (1.0 - cosine(unit(row)) - DIVERSITY, expertise(team(row)) - EXPERTISE);
        let size = if unit(row) % 3 == 0 { SIZE - 1 } else { SIZE } as f64;
        let explained: f64 = coefficients.iter().zip([d, e, d * e, size.ln()]).map(|(b, x)| b * x).sum();
        let effects = stream.normal((unit(row) / of) as u64, 2) + team_effect * stream.normal(team(row) as u64, 3);
        if lacks(row) { f64::NAN } else { effects + explained + stream.normal(row as u64, 4) }
    };
    let names: Vec<String> = (0..rows).map(|row| format!("{:03}", team(row))).collect();
    category(&mut corpus, Role::Team, &names);
    corpus.rows.numbers.insert(Number::Quality, (0..rows).map(quality).collect());
    corpus.rows.numbers.insert(Number::Expertise, (0..rows).map(|row| expertise(team(row))).collect());
    let settings = MeasureSettings { seed, ..MeasureSettings::default() };
    teams(&corpus, Some(TAU), &settings, &Silent).unwrap()
}

const NAMES: [&str; 4] = ["diversity", "expertise", "diversity_x_expertise", "log_size"];

fn covered<const N: usize>(names: [&str; N], (of, seeds): (usize, u64), held: impl Fn(u64) -> [bool; N] + Sync + Send) {
    let held: Vec<[bool; N]> = (0..seeds).into_par_iter().map(held).collect();
    coverage::covered(&format!("{of} teams"), names, (92.5, 98.5), &held);
}

/// Whether the intervals of the coefficients hold them.
fn outcome(seed: u64, of: usize, coefficients: [f64; 4], team_effect: f64) -> [bool; 4] {
    held(found(seed, of, coefficients, team_effect), coefficients)
}

fn held(found: Found, coefficients: [f64; 4]) -> [bool; 4] {
    let mean = |value: &dyn Fn(&TeamRow) -> f64| found.rows.iter().map(value).sum::<f64>() / found.rows.len() as f64;
    let (diverse, expert) = (mean(&|row| row.diversity.unwrap()), mean(&|row| row.expertise.unwrap()));
    let fitted = found.summary.unwrap().coefficients;
    // Slopes are those where the other is at its mean over the lines.
    let [diversity, expertise, both, size] = coefficients;
    let truth = [diversity + both * (expert - EXPERTISE), expertise + both * (diverse - DIVERSITY), both, size];
    std::array::from_fn(|i| holds(fitted.iter().find(|c| c.name == NAMES[i]).unwrap().interval, truth[i]))
}

/// Section F of the table of [`super::super::coverage`], by number of teams.
pub fn table(seeds: u64) {
    let names =
        ["F diversity", "F expertise", "F diversity x expertise", "F log size", "F effective diversity less reference"];
    coverage::rows(names, seeds, |seed, of, planted| {
        let coefficients = if planted { [2.0, 1.0, 3.0, 1.5] } else { [0.0; 4] };
        let found = found(seed, of, coefficients, if planted { 0.5 } else { 0.0 });
        let summary = found.summary.clone().unwrap();
        let above = (!planted).then(|| holds(summary.above_null.unwrap().interval, 0.0));
        let [a, b, c, d] =
            if summary.coefficients.is_empty() { [None; 4] } else { held(found, coefficients).map(Some) };
        [a, b, c, d, above]
    });
}

#[test]
fn planted_coefficients_are_recovered() {
    // 300 teams are drawn, of fewer each is left out in turn.
    for (of, seeds) in [(30, SEEDS), (50, SEEDS), (300, 200)] {
        covered(NAMES, (of, seeds), |seed| outcome(seed, of, [2.0, 1.0, 3.0, 1.5], 0.5));
    }
}

#[test]
fn no_coefficient_is_found_where_none_is_planted() {
    covered(NAMES, (50, SEEDS), |seed| outcome(seed, 50, [0.0; 4], 0.0));
}

#[test]
fn effective_diversity_is_its_reference_where_quality_has_nothing_to_do_with_teams() {
    covered(["effective diversity less its reference"], (50, SEEDS), |seed| {
        [holds(found(seed, 50, [0.0; 4], 0.0).summary.unwrap().above_null.unwrap().interval, 0.0)]
    });
    // Where the answers of diverse teams are good there is more of it.
    let above = found(1, 50, [8.0, 0.0, 0.0, 0.0], 0.0).summary.unwrap().above_null.unwrap();
    assert!(above.interval.unwrap().low > 0.02, "{above:?}");
}
