//! Who can be told from whom: intervals of all models that hold together, and how many of those that follow in a ranking
//! can't be told from a model.
//!
//! Values are one a query and unit (a model, or a pair of models). Joint intervals are `mean +- c se`, with se from what each
//! query does to the mean (of common queries their values; of an additive fit its moves, [`adjusted::moves`]) and c the 95 %
//! quantile, over the resamples of queries, of the largest |resampled mean - mean| of all units in standard errors of the
//! resample (max-t; Westfall & Young 1993). Under 50 queries, and where the resamples would take too long, c is Student's quantile at .05 shared out
//! among the units (Bonferroni). Two units are compared on the queries that both have: their mean difference over its
//! standard error, against Student's quantile at .05 shared out among all pairs of the ranking: who stands first was seen
//! in the same data.

use super::adjusted::{self, Method};
use super::intervals::{self, LEAST, PERCENTILE_QUERIES, QUERIES, Resampled, WORK, Weights, standard_error};
use super::sums::Sums;
use super::tables::{Interval, IntraRow, ModelPairRow, ModelRow, MostLike};
use crate::base::math::{quantile_sorted, student_t_quantile};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Values of units by query, NaN where there is none: queries x units, row-major.
pub struct Grid {
    units: usize,
    values: Vec<f64>,
}

impl Grid {
    fn new(queries: usize, units: usize) -> Self {
        Self { units, values: vec![f64::NAN; queries * units] }
    }

    fn queries(&self) -> usize {
        self.values.len() / self.units.max(1)
    }

    fn at(&self, query: usize, unit: usize) -> f64 {
        self.values[query * self.units + unit]
    }

    /// Mean similarity of each model's answers to a query with those of all others, pair-weighted.
    pub fn with_others(sums: &Sums) -> Self {
        let mut grid = Self::new(sums.queries.len(), sums.models);
        for (row, query) in grid.values.chunks_exact_mut(sums.models.max(1)).zip(&sums.queries) {
            let mut totals = vec![(0.0, 0.0); query.cells()];
            for a in 0..query.cells() {
                for b in a + 1..query.cells() {
                    let (sum, pairs) = query.pairs(a, b);
                    for cell in [a, b] {
                        totals[cell] = (totals[cell].0 + sum, totals[cell].1 + pairs);
                    }
                }
            }
            let some = query.models.iter().zip(totals).filter(|(_, total)| total.1 > 0.0);
            some.for_each(|(&model, (sum, pairs))| row[model as usize] = sum / pairs);
        }
        grid
    }

    /// Mean similarity of each model's answers to a query among themselves.
    pub fn within(sums: &Sums, rows: &[IntraRow]) -> Self {
        let mut grid = Self::new(sums.queries.len(), sums.models);
        rows.iter().for_each(|row| grid.values[row.query as usize * sums.models + row.model as usize] = row.mean);
        grid
    }

    /// Mean similarity of one model's answers with those of each other model.
    fn with_each(sums: &Sums, model: usize) -> Self {
        let mut grid = Self::new(sums.queries.len(), sums.models);
        for (row, query) in grid.values.chunks_exact_mut(sums.models.max(1)).zip(&sums.queries) {
            let Ok(a) = query.models.binary_search(&(model as u32)) else { continue };
            for b in (0..query.cells()).filter(|&b| b != a) {
                let (sum, pairs) = query.pairs(a, b);
                row[query.models[b] as usize] = sum / pairs;
            }
        }
        grid
    }
}

/// A unit of a ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// Mean over queries, comparable between units that have different ones.
    pub mean: f64,
    /// Its interval: those of all units hold together.
    pub joint: Option<Interval>,
    /// How many units with a lower mean can't be told from this one; `None` under 5 common queries with any.
    pub next: Option<u32>,
}

/// Pairs of units.
fn pairs(units: usize) -> usize {
    units * units.saturating_sub(1) / 2
}

/// Mean differences of similarities up to this are none, however little they vary: those of models that answer alike, as planted
/// ones may, differ by rounding.
const ROUNDING: f64 = 1e-12;

/// Student's quantiles for `comparisons` two-sided ones at 5 % in all, by degrees of freedom.
struct Critical {
    p: f64,
    known: BTreeMap<usize, f64>,
}

impl Critical {
    fn new(comparisons: usize) -> Self {
        Self { p: 1.0 - 0.025 / comparisons.max(1) as f64, known: BTreeMap::new() }
    }

    fn of(&mut self, queries: usize) -> f64 {
        let p = self.p;
        *self.known.entry(queries).or_insert_with(|| student_t_quantile(p, (queries - 1).clamp(1, 1000) as u32))
    }
}

/// Mean and its standard error over queries; `None` under 5.
fn mean_and_error(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64, usize)> {
    let (n, sum) = values.clone().fold((0, 0.0), |t, x| (t.0 + 1, t.1 + x));
    let mean = sum / n as f64;
    let squares: f64 = values.map(|x| (x - mean) * (x - mean)).sum();
    (n >= LEAST).then(|| (mean, (squares / (n as f64 * (n as f64 - 1.0))).sqrt(), n))
}

/// How many units after the first of `order` can't be told from it; `None` if it shares 5 queries with none of them.
fn not_separable(grid: &Grid, order: &[usize], critical: &mut Critical) -> Option<u32> {
    let (&first, rest) = order.split_first()?;
    let (mut compared, mut count) = (false, 0);
    for &unit in rest {
        let differences = (0..grid.queries()).map(|q| grid.at(q, first) - grid.at(q, unit)).filter(|d| !d.is_nan());
        let Some((mean, error, queries)) = mean_and_error(differences) else {
            count += 1;
            continue;
        };
        compared = true;
        count += u32::from(mean <= critical.of(queries) * error + ROUNDING);
    }
    (compared || rest.is_empty()).then_some(count)
}

/// How many standard errors the means of 95 % of the resamples miss by at most, whatever the unit; each resample counts in
/// standard errors of its own. `of` has mean, standard error and number of queries of each unit.
fn max_t(grid: &Grid, means: &[Option<f64>], of: &[Option<(f64, f64, usize)>], weights: &Weights) -> Option<f64> {
    let (resamples, units) = (weights.resamples(), grid.units);
    let mut sums: [Resampled; 3] = std::array::from_fn(|_| Resampled::new(units, resamples));
    for first in (0..grid.queries()).step_by(QUERIES) {
        let queries = first..(first + QUERIES).min(grid.queries());
        let columns = intervals::columns(queries.len());
        let (mut beyond, mut there) = (vec![0.0; units * columns], vec![0.0; units * columns]);
        for (column, query) in queries.clone().enumerate() {
            for (unit, mean) in means.iter().enumerate() {
                let value = mean.map_or(f64::NAN, |mean| grid.at(query, unit) - mean);
                if !value.is_nan() {
                    beyond[unit * columns + column] = value;
                    there[unit * columns + column] = 1.0;
                }
            }
        }
        let weights = weights.block(queries, columns);
        sums[0].add(&beyond, &weights);
        sums[1].add(&beyond.iter().map(|x| x * x).collect::<Vec<f64>>(), &weights);
        sums[2].add_repeated(&there, &weights);
    }
    let mut largest = vec![0.0f64; resamples];
    let most = 2.0 * Critical::new(units).of(grid.queries());
    for (unit, of) in of.iter().enumerate() {
        let Some((_, _, queries)) = of else { continue };
        let [beyond, squares, there] = sums.each_ref().map(|sums| sums.row(unit));
        for (resample, largest) in largest.iter_mut().enumerate().filter(|(resample, _)| there[*resample] > 0.0) {
            let (n, off) = (there[resample], beyond[resample] / there[resample]);
            let error = standard_error((squares[resample] - n * off * off).max(0.0), *queries) / n;
            // Resamples in which hardly anything varies do not decide.
            let missed = if off == 0.0 { 0.0 } else { (off.abs() / error).min(most) };
            *largest = largest.max(missed);
        }
    }
    largest.sort_unstable_by(f64::total_cmp);
    (!largest.is_empty()).then(|| quantile_sorted(&largest, 0.95))
}

/// Every unit of a grid that has values; `None` for others, and for all where units are unconnected.
pub fn ranked(mut grid: Grid, weights: Option<&Weights>) -> Vec<Option<Ranked>> {
    let (queries, units) = (grid.queries(), grid.units);
    let visit = |query: usize, visit: &mut dyn FnMut(usize, f64)| {
        (0..units).filter(|&unit| !grid.at(query, unit).is_nan()).for_each(|unit| visit(unit, grid.at(query, unit)));
    };
    let adjusted = adjusted::means(queries, units, visit);
    // What is resampled has the adjusted means for its means.
    let moves = match adjusted.method {
        Method::Additive(_) => adjusted::moves(queries, &adjusted.means, visit).map(|values| Grid { units, values }),
        _ => None,
    };
    let present = adjusted.means.iter().flatten().count();
    if let Method::Common(..) = adjusted.method {
        let some = |row: &&mut [f64]| row.iter().filter(|x| !x.is_nan()).count() < present;
        grid.values.chunks_exact_mut(units.max(1)).filter(some).for_each(|row| row.fill(f64::NAN));
    }
    let spread = match adjusted.method {
        Method::Additive(_) => moves.as_ref(),
        _ => Some(&grid),
    };
    let of_unit = |grid: &Grid, unit: usize| -> Vec<f64> {
        (0..queries).map(|query| grid.at(query, unit)).filter(|x| !x.is_nan()).collect()
    };
    let own: Vec<usize> = (0..units).map(|unit| of_unit(&grid, unit).len()).collect();
    let errors: Vec<Option<(f64, f64, usize)>> = (0..units)
        .map(|unit| {
            adjusted.means[unit].filter(|_| own[unit] >= LEAST)?;
            mean_and_error(of_unit(spread?, unit).into_iter())
        })
        .collect();
    let many = own.iter().zip(&errors).all(|(&own, error)| error.is_none() || own >= PERCENTILE_QUERIES);
    let work = |weights: &Weights| 2.0 * units as f64 * queries as f64 * weights.resamples() as f64;
    let resampled = weights.filter(|w| many && w.resamples() > 0 && work(w) <= WORK);
    let joint = resampled.zip(spread).and_then(|(weights, spread)| max_t(spread, &adjusted.means, &errors, weights));
    let mut student = Critical::new(present);
    let half: Vec<Option<f64>> = (errors.iter().zip(&own))
        .map(|(one, &own)| one.map(|(_, error, _)| joint.unwrap_or_else(|| student.of(own)) * error))
        .collect();
    let mut order: Vec<usize> = (0..units).filter(|&unit| adjusted.means[unit].is_some()).collect();
    let mean = |unit: usize| adjusted.means[unit].unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|&a, &b| mean(b).total_cmp(&mean(a)).then(a.cmp(&b)));
    let mut out = vec![None; units];
    let next: Vec<(usize, Option<u32>)> = (0..order.len())
        .into_par_iter()
        .map(|place| (order[place], not_separable(&grid, &order[place..], &mut Critical::new(pairs(present)))))
        .collect();
    for (unit, next) in next {
        let joint = half[unit].map(|half| Interval { low: mean(unit) - half, high: mean(unit) + half });
        out[unit] = Some(Ranked { mean: mean(unit), joint, next });
    }
    out
}

/// Of each model the one whose answers are most like its own, and how many others can't be told from that one; among
/// the models that `regular` has (or both of the two are).
pub fn most_like(sums: &Sums, regular: &[bool]) -> Vec<Option<MostLike>> {
    let one = |model: usize| {
        let grid = Grid::with_each(sums, model);
        let adjusted = adjusted::means(grid.queries(), grid.units, |query, visit| {
            let there = (0..grid.units).filter(|&unit| regular[unit] && !grid.at(query, unit).is_nan());
            there.for_each(|unit| visit(unit, grid.at(query, unit)));
        });
        let mut order: Vec<usize> = (0..grid.units).filter(|&unit| adjusted.means[unit].is_some()).collect();
        let mean = |unit: usize| adjusted.means[unit].unwrap_or(f64::NEG_INFINITY);
        order.sort_by(|&a, &b| mean(b).total_cmp(&mean(a)).then(a.cmp(&b)));
        let &first = order.first()?;
        let next = not_separable(&grid, &order, &mut Critical::new(pairs(order.len())));
        Some(MostLike { model: first as u32, mean: mean(first), next })
    };
    (0..sums.models).into_par_iter().map(one).collect()
}

/// How many pairs of models with a lower mean can't be told from the most alike pair, among those that don't answer
/// regardless of the query (of all, if there is no such pair); `None` with fewer than 2 pairs.
pub fn most_alike_next(sums: &Sums, pairs: &[ModelPairRow], models: &[ModelRow]) -> Option<u32> {
    let across = |row: &&ModelPairRow| row.model_a != row.model_b && row.mean.is_some();
    let odd = |model: u32| models[model as usize].answers_regardless;
    let regular = |row: &&ModelPairRow| across(row) && !odd(row.model_a) && !odd(row.model_b);
    let some = pairs.iter().any(|row| regular(&row));
    let counted = |row: &&ModelPairRow| if some { regular(row) } else { across(row) };
    let mean = |row: &ModelPairRow| row.mean.unwrap_or(f64::NEG_INFINITY);
    let first = pairs.iter().filter(counted).reduce(|a, b| if mean(b) > mean(a) { b } else { a })?;
    // By pair: number, sum and sum of squares of the differences over common queries.
    let place = |a: u32, b: u32| {
        let (a, b) = (a as usize, b as usize);
        a * sums.models - a * a.saturating_sub(1) / 2 + b - a
    };
    let mut differences = vec![(0usize, 0.0, 0.0); pairs.len()];
    for query in &sums.queries {
        let cell = |model: u32| query.models.binary_search(&model).ok();
        let Some((a, b)) = cell(first.model_a).zip(cell(first.model_b)) else { continue };
        let value = |a: usize, b: usize| query.pairs(a, b).0 / query.pairs(a, b).1;
        let most = value(a, b);
        for a in 0..query.cells() {
            for b in a + 1..query.cells() {
                let (d, one) = (most - value(a, b), &mut differences[place(query.models[a], query.models[b])]);
                *one = (one.0 + 1, one.1 + d, one.2 + d * d);
            }
        }
    }
    let others = || pairs.iter().filter(counted).filter(|row| !std::ptr::eq(*row, first));
    let mut critical = Critical::new(self::pairs(others().count() + 1));
    let alike = |row: &&ModelPairRow| {
        let (n, sum, squares) = differences[place(row.model_a, row.model_b)];
        if n < LEAST {
            return true;
        }
        let (count, mean) = (n as f64, sum / n as f64);
        let error = ((squares / count - mean * mean).max(0.0) / (count - 1.0)).sqrt();
        mean <= critical.of(n) * error + ROUNDING
    };
    (others().count() > 0).then(|| others().filter(alike).count() as u32)
}

/// Fills the rankings of models.parquet.
pub fn fill_models(models: &mut [ModelRow], sums: &Sums, intra: &[IntraRow], weights: &Weights) {
    let regular: Vec<bool> = models.iter().map(|model| !model.answers_regardless).collect();
    let others = ranked(Grid::with_others(sums), Some(weights));
    let within = ranked(Grid::within(sums, intra), Some(weights));
    let most_like = most_like(sums, &regular);
    for (model, ((others, within), most_like)) in models.iter_mut().zip(others.into_iter().zip(within).zip(most_like)) {
        model.with_others = others.map(|one| one.mean);
        model.with_others_joint = others.and_then(|one| one.joint);
        model.with_others_next = others.and_then(|one| one.next);
        model.intra_joint = within.and_then(|one| one.joint);
        model.intra_next = within.and_then(|one| one.next);
        model.most_like = most_like;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Stream;
    use crate::measure::intervals::RESAMPLES;

    fn grid(queries: usize, means: &[f64], seed: u64, spread: f64) -> Grid {
        let stream = Stream::new(seed, "ranking");
        let mut grid = Grid::new(queries, means.len());
        for (query, row) in grid.values.chunks_exact_mut(means.len()).enumerate() {
            let topic = stream.normal(query as u64, 1000);
            for (unit, value) in row.iter_mut().enumerate() {
                *value = means[unit] + topic + spread * stream.normal(query as u64, unit as u64);
            }
        }
        grid
    }

    #[test]
    fn models_far_apart_are_told_apart_and_models_alike_are_not() {
        for queries in [20, 80] {
            let weights = Weights::new(1, "ranking", RESAMPLES, queries);
            let found = ranked(grid(queries, &[0.0, 3.0, 3.001, -4.0], 5, 0.1), Some(&weights));
            let next: Vec<u32> = found.iter().map(|one| one.unwrap().next.unwrap()).collect();
            let best = if found[1].unwrap().mean > found[2].unwrap().mean { [1, 0] } else { [0, 1] };
            assert_eq!(next, [0, best[0], best[1], 0]);
        }
        let rounded = ranked(grid(20, &[0.0, 1e-14, 3e-14], 5, 0.0), None);
        assert_eq!(rounded.iter().map(|one| one.unwrap().next.unwrap()).collect::<Vec<_>>(), [0, 1, 2]);
        let few = ranked(grid(4, &[0.0, 3.0], 5, 0.1), None);
        assert!(few.iter().all(|one| one.unwrap().joint.is_none()) && few[1].unwrap().next.is_none());
    }

    /// How often the joint intervals of 8 models hold all 8 means, and how often some model is wrongly told from its like: in
    /// a full table, and where half of it is missing.
    #[test]
    #[expect(clippy::print_stdout, reason = "what is covered is to be read")]
    fn joint_intervals_hold_together() {
        const MODELS: usize = 8;
        for (queries, gaps) in [(20, 0.0), (50, 0.0), (50, 0.5), (110, 0.5)] {
            let seeds = 1000;
            let one = |seed: u64| {
                let weights = Weights::new(seed, "ranking", RESAMPLES, queries);
                let mut grid = grid(queries, &[0.0; MODELS], seed, 0.5);
                let missing = Stream::new(seed, "missing");
                for (place, value) in grid.values.iter_mut().enumerate() {
                    *value = if missing.uniform(place as u64, 0) < gaps { f64::NAN } else { *value };
                }
                let found = ranked(grid, Some(&weights));
                let hold = found.iter().flatten().all(|r| r.joint.is_some_and(|i| i.low <= 0.0 && 0.0 <= i.high));
                let best = found.iter().flatten().max_by(|a, b| a.mean.total_cmp(&b.mean)).unwrap();
                (hold, best.next == Some(MODELS as u32 - 1))
            };
            let held: Vec<(bool, bool)> = (0..seeds).into_par_iter().map(one).collect();
            let share = |which: fn(&(bool, bool)) -> bool| {
                100.0 * held.iter().filter(|one| which(one)).count() as f64 / seeds as f64
            };
            let (joint, alike) = (share(|one| one.0), share(|one| one.1));
            println!(
                "{queries} queries, {gaps} missing: all {MODELS} intervals held in {joint:.1} %, no difference found in {alike:.1} %"
            );
            assert!((92.5..=98.5).contains(&joint), "{queries} queries, {gaps} missing: {joint} %");
            assert!(alike >= 94.0, "{queries} queries: {alike} %");
        }
    }
}
