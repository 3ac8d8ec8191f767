//! Ensemble gain of order 1, by seeded draws: the effective number of order 1 has no closed form of means.
//!
//! A draw takes n / M of each model's responses to a query (M models, n as for order 2), and n of each model alone.
//! `G = mean effective number of the drawn / mean over draws and models of that of one model`. The unrelated reference
//! draws each model's responses from another query, the same for all queries with as many models and responses. Monte
//! Carlo errors are those of ratios of means over draws, linearised.
//!
//! 200 draws; where these would take longer than a small share of the pair pass, as many as that allows, at least 20.

mod unrelated;

use super::cells::Cells;
use super::effective::{Effects, Squares, of_rows};
use super::intervals::{self, Weights};
use super::moves::Moves;
use super::sums::Sums;
use super::tables::left_out;
use super::tables::{EnsembleSummary, LeftOut, OrderOne, WorthOne};
use crate::base::events::Stage;
use crate::base::random::Stream;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use rayon::prelude::*;
use std::collections::BTreeMap;
use unrelated::Unrelated;

/// Draws, and the fewest.
const DRAWS: std::ops::RangeInclusive<usize> = 20..=200;
/// Multiply-adds that all draws may take in any case, and the part of those of the pair pass that they may.
const WORK: (f64, f64) = (1e9, 1.0 / 100.0);
/// Times the least number of draws may go beyond that before the measure is left out.
const BEYOND: f64 = 40.0;
/// An eigenvalue decomposition takes about so many multiply-adds, in n^3.
const EIGENVALUES: f64 = 12.0;
/// Queries taken at once.
const AT_ONCE: usize = 32;

/// Order 1 of one query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GainOne {
    /// G.
    pub gain: f64,
    /// Its Monte Carlo error: the standard error of the mean over draws.
    pub error: f64,
    /// G with each model's responses from a different query.
    pub unrelated: Option<f64>,
}

/// Order 1 of all queries.
#[derive(Debug, Clone, Default)]
pub struct Drawn {
    /// By query.
    pub queries: Vec<Option<GainOne>>,
    /// Draws made; 0 if none was.
    draws: usize,
    /// Whether draws would take too long.
    lasting: bool,
    /// By draw: how far the queries' gains are from their means, and their unrelated gains.
    moved: Vec<(f64, f64)>,
    /// What the sum of the queries' unrelated gains grows by with the mean squared similarities that it rests on.
    slopes: Squared,
}

/// Something of squared similarities within a cell, and of answers to different queries by different models.
type Squared = (f64, f64);
/// (models used, responses of each).
type Design = (usize, usize);

/// What draws are made from.
struct Draws<'a> {
    corpus: &'a Corpus,
    keep: &'a [bool],
    stream: Stream,
    /// By model, its cells: (canonical query, positions).
    cells: Vec<Vec<(u32, std::ops::Range<usize>)>>,
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard error of a mean over draws whose deviations are given.
fn error(deviations: impl Iterator<Item = f64>, draws: usize) -> f64 {
    (deviations.map(|d| d * d).sum::<f64>() / (draws as f64 * (draws as f64 - 1.0))).sqrt()
}

impl<'a> Draws<'a> {
    fn new(corpus: &'a Corpus, keep: &'a [bool], seed: u64) -> Self {
        let mut cells: Vec<Vec<(u32, std::ops::Range<usize>)>> = vec![Vec::new(); keep.len()];
        for cell in corpus.layout.cells.iter().flatten().filter(|cell| keep[cell.model as usize]) {
            let question = corpus.layout.canonical[cell.query as usize];
            cells[cell.model as usize].push((question, cell.positions.clone()));
        }
        Self { corpus, keep, stream: Stream::new(seed, "ensemble draws"), cells }
    }

    /// `n` of some positions, at random counters (draw, what).
    fn some(&self, positions: &[usize], n: usize, draw: usize, what: u64, out: &mut Vec<usize>) {
        if positions.len() == n {
            out.extend(positions);
            return;
        }
        let mut order = positions.to_vec();
        self.stream.shuffle(draw as u32, what, &mut order);
        out.extend(&order[..n]);
    }

    /// Effective numbers of one query by draw: (of the models together, mean of one model).
    fn query(&self, query: usize, (used, each): Design, draws: usize) -> Vec<(f64, f64)> {
        let cells = Cells::new(self.corpus, &[query], self.keep);
        let n = used * each;
        let alone = |a: usize, draw: usize| {
            let mut rows = Vec::with_capacity(n);
            self.some(cells.of(a), n, draw, what(1, query, a), &mut rows);
            of_rows(self.corpus, &rows).one
        };
        // Nothing is drawn of a model with n responses, nor of all where each gives all that it has.
        let fixed: Vec<Option<f64>> = (0..cells.len()).map(|a| (cells.of(a).len() == n).then(|| alone(a, 0))).collect();
        let together = |draw: usize| {
            let mut chosen: Vec<usize> = (0..cells.len()).collect();
            if used < cells.len() {
                self.stream.shuffle(draw as u32, what(2, query, 0), &mut chosen);
            }
            let mut rows = Vec::with_capacity(n);
            chosen[..used].iter().for_each(|&a| self.some(cells.of(a), each, draw, what(3, query, a), &mut rows));
            of_rows(self.corpus, &rows).one
        };
        (0..draws)
            .map(|draw| {
                let single: Vec<f64> =
                    fixed.iter().enumerate().map(|(a, known)| known.unwrap_or_else(|| alone(a, draw))).collect();
                (together(draw), mean(&single))
            })
            .collect()
    }

    /// Multiply-adds of one effective number of n responses.
    fn work(&self, n: usize) -> f64 {
        let (n, d) = (n as f64, self.corpus.dim() as f64);
        let side = n.min(d);
        n * side * d.min(n.max(d)) / 2.0 + EIGENVALUES * side * side * side
    }

    /// Draws that may be made where one takes `work`; `None` if the fewest would take far too long.
    fn count(&self, work: f64) -> Option<usize> {
        let pairs = (self.corpus.len() as f64).powi(2) / 2.0;
        let may = WORK.0.max(WORK.1 * pairs * self.corpus.dim() as f64);
        let draws = (may / work.max(1.0)).min(*DRAWS.end() as f64) as usize;
        (work * *DRAWS.start() as f64 <= BEYOND * may).then_some(draws.max(*DRAWS.start()))
    }
}

/// The second counter of a draw: what is drawn, of which query or design, of which model.
fn what(kind: u64, query: usize, model: usize) -> u64 {
    kind << 61 | (query as u64) << 30 | model as u64
}

/// Models used and responses of each, of a query whose draw is defined.
fn design(squares: &Squares) -> Option<Design> {
    let (used, n) = Squares::draw(squares.cells, squares.least)?;
    squares.single.map(|_| (used, n / used))
}

/// Order 1 by query, of the models that `keep` has.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn drawn(corpus: &Corpus, keep: &[bool], effects: &Effects, seed: u64, observer: &dyn Observer) -> Result<Drawn> {
    let designs: Vec<(usize, Design)> =
        (effects.queries.iter().enumerate()).filter_map(|(query, one)| Some((query, design(&one.squares)?))).collect();
    let mut out = Drawn { queries: vec![None; effects.queries.len()], ..Drawn::default() };
    let draws = Draws::new(corpus, keep, seed);
    let mut unrelated: BTreeMap<Design, Option<Unrelated>> = designs.iter().map(|one| (one.1, None)).collect();
    let alone = |query: usize, n: usize| {
        let cells = corpus.layout.cells[query].iter().filter(|cell| keep[cell.model as usize]);
        cells.filter(|cell| cell.positions.len() != n).count()
    };
    let work: f64 = designs.iter().map(|&(query, (m, s))| draws.work(m * s) * (1 + alone(query, m * s)) as f64).sum();
    let work = work + unrelated.keys().map(|&(m, s)| draws.work(m * s)).sum::<f64>();
    out.lasting = draws.count(work).is_none();
    let Some(count) = draws.count(work).filter(|_| !designs.is_empty()) else { return Ok(out) };
    (out.draws, out.moved) = (count, vec![(0.0, 0.0); count]);
    for (design, values) in &mut unrelated {
        observer.check_stop()?;
        *values = draws.unrelated(*design, count);
    }
    let stage = Stage::start(observer, "measures: ensemble draws", "queries", designs.len() as u64);
    for (chunk, queries) in designs.chunks(AT_ONCE).enumerate() {
        observer.check_stop()?;
        stage.advance((chunk * AT_ONCE) as u64);
        let found: Vec<Vec<(f64, f64)>> =
            queries.par_iter().map(|&(query, design)| draws.query(query, design, count)).collect();
        for (&(query, design), values) in queries.iter().zip(&found) {
            let pool = mean(&values.iter().map(|v| v.0).collect::<Vec<_>>());
            let single = mean(&values.iter().map(|v| v.1).collect::<Vec<_>>());
            let gain = pool / single;
            let moved: Vec<f64> = values.iter().map(|v| (v.0 - gain * v.1) / single).collect();
            let reference = unrelated[&design].as_ref();
            let far = reference.map(|of| mean(&of.values) / single);
            out.queries[query] = Some(GainOne { gain, error: error(moved.iter().copied(), count), unrelated: far });
            if let Some((reference, far)) = reference.zip(far) {
                out.slopes = (out.slopes.0 + reference.slopes.0 / single, out.slopes.1 + reference.slopes.1 / single);
                let all = out.moved.iter_mut().zip(moved).zip(reference.values.iter().zip(values));
                all.for_each(|((total, moved), (u, v))| {
                    *total = (total.0 + moved, total.1 + (u - far * v.1) / single);
                });
            }
        }
    }
    stage.finish();
    Ok(out)
}

impl Drawn {
    /// The share of what unrelated answers would gain; what can't be told goes to `left`. `effects` are those that it was drawn
    /// for, and `squares` moves the mean squared similarity of unrelated answers.
    pub fn summary(
        &self,
        (effects, squares): (&Effects, &Moves),
        weights: &Weights,
        left: &mut Vec<LeftOut>,
    ) -> EnsembleSummary {
        let mut out = EnsembleSummary::default();
        if self.draws == 0 {
            if self.lasting {
                left.push(left_out("Ensemble gain of order 1", "draws would take too long beside the pair pass"));
            }
            return out;
        }
        let defined: Vec<(f64, f64)> =
            self.queries.iter().flatten().filter_map(|g| Some((g.gain, g.unrelated?))).collect();
        let count = defined.len() as f64;
        let (gain, unrelated) = defined.iter().fold((0.0, 0.0), |t, g| (t.0 + g.0 / count, t.1 + g.1 / count));
        if count == 0.0 || unrelated < 1.1 {
            let reason = if count == 0.0 {
                "too few queries for each model to answer another one"
            } else {
                "the gain of unrelated answers is under 1.1, so a share of it says nothing"
            };
            left.push(left_out("Ensemble gain of order 1", reason));
            return out;
        }
        let term = |g: &GainOne| Some((g.gain - 1.0, g.unrelated? - 1.0));
        let terms: Vec<(f64, f64)> =
            self.queries.iter().map(|g| g.as_ref().and_then(term).unwrap_or((0.0, 0.0))).collect();
        let value = (gain - 1.0) / (unrelated - 1.0);
        let below = count * (unrelated - 1.0);
        // The draws' reference moves with the queries too.
        let within: Vec<Option<f64>> = effects.queries.iter().map(|one| one.squares.within).collect();
        let slope = |of: f64| -value * of / below;
        let slopes = (slope(self.slopes.0), slope(self.slopes.1));
        let carried = Moves::of_mean(&within).carried(&squares.carried(&terms, slopes.1), slopes.0);
        out.draws = self.draws as u32;
        out.order_1 = Some(OrderOne {
            value,
            error: error(self.moved.iter().map(|m| (m.0 - value * m.1) / below), self.draws),
            interval: intervals::quotient_of(&carried, Some(weights)),
            slopes,
            gain,
            unrelated,
            queries: count as u64,
        });
        out
    }
}

/// One response a model: the effective number of order 1 of the models' answers to one query, of the queries with the
/// commonest number of models, beside that of as many answers to different queries.
pub fn worth(
    (corpus, sums): (&Corpus, &Sums),
    keep: &[bool],
    effects: &Effects,
    (weights, seed): (&Weights, u64),
    left: &mut Vec<LeftOut>,
) -> EnsembleSummary {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let single = |query: usize| {
        let n = Cells::new(corpus, &[query], keep);
        (n.len() == n.rows() && n.len() > 1).then_some(n.len())
    };
    let models: Vec<Option<usize>> = (0..sums.queries.len()).map(single).collect();
    models.iter().flatten().for_each(|&m| *counts.entry(m).or_insert(0) += 1);
    let Some((&used, _)) = counts.iter().max_by_key(|(m, n)| (**n, **m)) else { return EnsembleSummary::default() };
    let terms: Vec<(f64, f64)> = (models.iter().zip(&effects.queries))
        .map(|(m, one)| if *m == Some(used) { (one.vendi.one, 1.0) } else { (0.0, 0.0) })
        .collect();
    let draws = Draws::new(corpus, keep, seed);
    let name = "What unrelated answers are worth by order 1";
    let reference = match draws.count(draws.work(used)) {
        None => {
            left.push(left_out(name, "draws would take too long beside the pair pass"));
            None
        }
        Some(count) => {
            let values = draws.unrelated((used, 1), count).map(|of| of.values);
            if values.is_none() {
                left.push(left_out(name, "too few queries for each model to answer another one"));
            }
            values
        }
    };
    let n: f64 = terms.iter().map(|t| t.1).sum();
    let unrelated = reference.as_deref().map(mean);
    EnsembleSummary {
        draws: reference.as_ref().map_or(0, Vec::len) as u32,
        order_1: None,
        worth_1: Some(WorthOne {
            models: used as u32,
            queries: n as u64,
            value: terms.iter().map(|t| t.0).sum::<f64>() / n,
            interval: intervals::ratio(&terms, Some(weights)),
            unrelated,
            error: reference.as_deref().zip(unrelated).map(|(v, mean)| error(v.iter().map(|x| x - mean), v.len())),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;
    use crate::base::events::Silent;
    use crate::measure::intervals::RESAMPLES;

    fn found(corpus: &Corpus, models: usize, seed: u64) -> (Drawn, EnsembleSummary) {
        let sums = Sums::new(corpus, &[], &Silent).unwrap();
        let keep = vec![true; models];
        let effects = crate::measure::by_query::effects(corpus, &sums, &keep, true);
        let drawn = drawn(corpus, &keep, &effects, seed, &Silent).unwrap();
        let weights = Weights::new(0, "intervals", RESAMPLES, sums.queries.len());
        let summary = drawn.summary((&effects, &Moves::default()), &weights, &mut Vec::new());
        (drawn, summary)
    }

    /// Each model repeats itself in a direction of its own, or all in one of the query.
    #[test]
    fn models_that_repeat_themselves_gain_as_many_as_they_are_and_copies_nothing() {
        for (own, gain) in [(true, 2.0), (false, 1.0)] {
            let keys = (0..6 * 8).map(|i| (format!("{}", i / 8), format!("{}", i / 4 % 2)));
            let corpus = planted::corpus(keys, 12, |row, d| {
                let direction = if own { row / 4 } else { row / 8 };
                f32::from(d == direction)
            });
            let (drawn, summary) = found(&corpus, 2, 0);
            let one = drawn.queries[0].unwrap();
            assert!((one.gain - gain).abs() < 1e-12 && one.error < 1e-12, "{one:?}");
            let all = summary.order_1.unwrap();
            assert!((all.value - (gain - 1.0)).abs() < 1e-12 && all.error < 1e-12 && summary.draws == 200);
        }
    }

    /// The mean over all ways to draw 2 of 4 responses of each of 2 models, against the mean over draws: within the Monte
    /// Carlo error, which says how far off the draws of many seeds are.
    #[test]
    fn draws_agree_with_all_ways_to_draw_and_their_error_with_their_spread() {
        let keys = (0..4 * 8).map(|i| (format!("{}", i / 8), format!("{}", i / 4 % 2)));
        let (corpus, _) = planted::planted(keys, 6);
        let pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
        let cells = Cells::new(&corpus, &[1], &[true; 2]);
        let at = |a: usize, i: usize| cells.of(a)[i];
        let all = pairs
            .iter()
            .flat_map(|&(i, j)| pairs.iter().map(move |&(k, l)| [(0, i), (0, j), (1, k), (1, l)]).collect::<Vec<_>>());
        let every: Vec<f64> = all.map(|rows| of_rows(&corpus, &rows.map(|(a, i)| at(a, i))).one).collect();
        let single = (of_rows(&corpus, cells.of(0)).one + of_rows(&corpus, cells.of(1)).one) / 2.0;
        let truth = mean(&every) / single;
        let seeds: Vec<GainOne> = (0..200).map(|seed| found(&corpus, 2, seed).0.queries[1].unwrap()).collect();
        let off: f64 = seeds.iter().map(|one| ((one.gain - truth) / one.error).powi(2)).sum::<f64>() / 200.0;
        // A mean of 200 squared standard normal deviates: 1 with a standard deviation of .1.
        assert!((0.6..1.4).contains(&off), "{off}");
        assert!(seeds[0].gain != seeds[1].gain);
    }
}
