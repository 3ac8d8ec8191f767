//! The outcome model: a team's mean quality on its diversity, its expertise, their product and the logarithm of its size,
//! with an effect of each query, by least squares.
//!
//! Diversity and expertise are centred at their means over the lines, so that each has its slope where the other is average.

use super::super::MeasureSettings;
use super::super::intervals::{Weights, jackknife, percentiles};
use super::super::tables::{Coefficient, Interval, TeamRow};
use crate::base::math::ln;
use rayon::prelude::*;

/// Teams below which the model is left out.
pub const LEAST_TEAMS: usize = 30;
/// Teams up to which each is left out in turn; of more, teams are drawn. Percentiles of draws are too narrow for few teams: of
/// 50 they hold a coefficient 93 times in 100.
const JACKKNIFE: usize = 200;
/// A predictor varies within queries if this share of its square does.
const VARIES: f64 = 1e-12;
/// A pivot under this share of its diagonal element: predictors that are a sum of others.
const PIVOT: f64 = 1e-9;

/// The fitted model.
pub struct Outcome {
    /// Teams.
    pub teams: u64,
    /// Lines of teams.parquet.
    pub units: u64,
    /// Queries.
    pub queries: u64,
    /// In the order diversity, expertise, product, log size.
    pub coefficients: Vec<Coefficient>,
    /// Predictors that do not vary within queries.
    pub dropped: Vec<&'static str>,
}

/// Why there is no model.
#[derive(Debug, PartialEq, Eq)]
pub enum Undefined {
    /// So many teams only.
    FewTeams(usize),
    /// Predictors that can't be told apart.
    Alike,
}

/// One line: its team's place, predictors, and mean quality.
struct Unit {
    team: usize,
    x: Vec<f64>,
    y: f64,
}

/// Sums of products of rows centred by query.
struct Normal {
    xx: Vec<Vec<f64>>,
    xy: Vec<f64>,
}

/// Normal equations; each unit counts as often as its team was drawn.
fn normal(queries: &[Vec<Unit>], size: usize, weight: impl Fn(usize) -> f64) -> Normal {
    let mut sums = Normal { xx: vec![vec![0.0; size]; size], xy: vec![0.0; size] };
    let mut mean = vec![0.0; size + 1];
    let mut row = vec![0.0; size + 1];
    for units in queries {
        mean.fill(0.0);
        let mut total = 0.0;
        for unit in units {
            let w = weight(unit.team);
            total += w;
            mean.iter_mut().zip(unit.x.iter().chain([&unit.y])).for_each(|(m, x)| *m += w * x);
        }
        if total == 0.0 {
            continue;
        }
        mean.iter_mut().for_each(|m| *m /= total);
        for unit in units {
            let w = weight(unit.team);
            if w == 0.0 {
                continue;
            }
            row.iter_mut().zip(unit.x.iter().chain([&unit.y])).zip(&mean).for_each(|((r, x), m)| *r = x - m);
            for i in 0..size {
                for j in 0..=i {
                    sums.xx[i][j] += w * row[i] * row[j];
                }
                sums.xy[i] += w * row[i] * row[size];
            }
        }
    }
    sums
}

/// Least squares by Cholesky's decomposition; `None` if a predictor is a sum of others.
fn solve(normal: &Normal) -> Option<Vec<f64>> {
    let size = normal.xy.len();
    let mut lower = vec![vec![0.0; size]; size];
    for i in 0..size {
        for j in 0..=i {
            let rest = normal.xx[i][j] - (0..j).map(|k| lower[i][k] * lower[j][k]).sum::<f64>();
            lower[i][j] = if i > j {
                rest / lower[j][j]
            } else if rest > PIVOT * normal.xx[i][i] {
                rest.sqrt()
            } else {
                return None;
            };
        }
    }
    let mut half = vec![0.0; size];
    for i in 0..size {
        half[i] = (normal.xy[i] - (0..i).map(|k| lower[i][k] * half[k]).sum::<f64>()) / lower[i][i];
    }
    let mut solution = vec![0.0; size];
    for i in (0..size).rev() {
        solution[i] = (half[i] - (i + 1..size).map(|k| lower[k][i] * solution[k]).sum::<f64>()) / lower[i][i];
    }
    Some(solution)
}

/// The lines that count, by query: of teams with two responses, to queries with two such teams.
fn lines(rows: &[TeamRow], expertise: bool) -> Vec<&[TeamRow]> {
    let counts = |row: &&TeamRow| row.diversity.is_some() && (!expertise || row.expertise.is_some());
    rows.chunk_by(|a, b| a.query == b.query).filter(|query| query.iter().filter(counts).count() > 1).collect()
}

/// Fits the model to lines sorted by query; without `expertise` it has neither that nor the product.
///
/// # Errors
/// [`Undefined`].
pub fn fit(rows: &[TeamRow], expertise: bool, settings: &MeasureSettings) -> Result<Outcome, Undefined> {
    let counts = |row: &&TeamRow| row.diversity.is_some() && (!expertise || row.expertise.is_some());
    let by_query = lines(rows, expertise);
    let used = || by_query.iter().flat_map(|query| query.iter().filter(counts));
    let mut teams: Vec<u32> = used().map(|row| row.team).collect();
    teams.sort_unstable();
    teams.dedup();
    if teams.len() < LEAST_TEAMS {
        return Err(Undefined::FewTeams(teams.len()));
    }
    let units = used().count() as f64;
    let diversity = |row: &TeamRow| row.diversity.unwrap_or(0.0);
    let expert = |row: &TeamRow| row.expertise.unwrap_or(0.0);
    let means = used().fold((0.0, 0.0), |t, row| (t.0 + diversity(row) / units, t.1 + expert(row) / units));
    let predictors = |row: &TeamRow| {
        let (d, e) = (diversity(row) - means.0, expert(row) - means.1);
        [d, e, d * e, ln(row.n as f64)]
    };
    let names = ["diversity", "expertise", "diversity_x_expertise", "log_size"];
    let wanted: Vec<usize> = if expertise { vec![0, 1, 2, 3] } else { vec![0, 3] };
    let with = |places: &[usize]| -> Vec<Vec<Unit>> {
        let unit = |row: &TeamRow| {
            let all = predictors(row);
            let team = teams.partition_point(|&team| team < row.team);
            Unit { team, x: places.iter().map(|&place| all[place]).collect(), y: row.quality }
        };
        by_query.iter().map(|query| query.iter().filter(counts).map(unit).collect()).collect()
    };
    let sums = normal(&with(&wanted), wanted.len(), |_| 1.0);
    let square = |place: usize| used().map(|row| predictors(row)[place].powi(2)).sum::<f64>();
    let (kept, dropped): (Vec<usize>, Vec<usize>) =
        (0..wanted.len()).partition(|&i| sums.xx[i][i] > VARIES * square(wanted[i]).max(1e-300));
    let kept: Vec<usize> = kept.into_iter().map(|i| wanted[i]).collect();
    if !kept.contains(&0) {
        return Err(Undefined::Alike);
    }
    let data = with(&kept);
    let estimate = |weight: &(dyn Fn(usize) -> f64 + Sync)| solve(&normal(&data, kept.len(), weight));
    let values = estimate(&|_| 1.0).ok_or(Undefined::Alike)?;
    let resampled: Vec<Vec<f64>> = if teams.len() > JACKKNIFE {
        let weights = Weights::new(settings.seed, "outcome of teams", settings.resamples, teams.len());
        let one = |resample: usize| estimate(&|team| f64::from(weights.of(resample)[team]));
        (0..weights.resamples()).into_par_iter().filter_map(one).collect()
    } else {
        (0..teams.len()).into_par_iter().filter_map(|out| estimate(&|team| f64::from(u8::from(team != out)))).collect()
    };
    let interval = |place: usize| -> Option<Interval> {
        let mut found: Vec<f64> = resampled.iter().map(|one| one[place]).collect();
        if teams.len() > JACKKNIFE {
            return percentiles(&mut found, teams.len());
        }
        // Each team left out in turn.
        (found.len() == teams.len()).then(|| jackknife(values[place], &found))
    };
    let coefficient = |(place, &which): (usize, &usize)| Coefficient {
        name: names[which].into(),
        value: values[place],
        interval: interval(place),
    };
    Ok(Outcome {
        teams: teams.len() as u64,
        units: units as u64,
        queries: by_query.len() as u64,
        coefficients: kept.iter().enumerate().map(coefficient).collect(),
        dropped: dropped.into_iter().map(|i| names[wanted[i]]).collect(),
    })
}
