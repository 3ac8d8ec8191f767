//! What squared similarities and eigenvalues say of each query: effective numbers, and what the ensemble gain needs.
//!
//! A query of n responses is worked from its n x n similarities where n <= d, otherwise from d x d second-moment
//! matrices, a block of rows at a time: no query needs more than a few matrices of min(n, d)^2 values. Of all squared
//! similarities [`Effective`] keeps a few numbers a query.

use super::cells::{BLOCK, Cells, for_each_block, second_moment, unit_rows};
use super::products::Triangle;
use super::similarities::Similarities;
use super::sums::{Sums, plus};
use super::vendi::{self, Vendi, vendi};
use crate::corpus::Corpus;
use rayon::prelude::*;
use std::borrow::Cow;

/// Mean squared similarities of one query.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Squares {
    /// Models.
    pub cells: usize,
    /// Responses of the model with the fewest.
    pub least: usize,
    /// Mean over models with n >= 2 of the mean over their pairs.
    pub within: Option<f64>,
    /// Mean over pairs of models of the mean over their pairs of responses.
    pub across: Option<f64>,
    /// Mean over models with n >= 2 of the Vendi score of order 2 of [`Squares::draw`]'s n responses.
    pub single: Option<f64>,
}

impl Squares {
    /// (models used, n) of the ensemble gain: n is the largest that all models have and the models used divide; where
    /// there are more models than n, n of them with one response each. `None` under 2 models or n = 4.
    pub fn draw(cells: usize, least: usize) -> Option<(usize, usize)> {
        let (used, n) = if cells <= least { (cells, least / cells.max(1) * cells) } else { (least, least) };
        (cells >= 2 && n >= 4).then_some((used, n))
    }

    /// From the sums of squared similarities: `within[a]` over ordered pairs i, j of model a with i = j counting 1,
    /// `across` the mean over pairs of models.
    fn new(counts: &[usize], within: &[f64], across: Option<f64>) -> Self {
        let least = counts.iter().copied().min().unwrap_or(0);
        let means: Vec<f64> = (counts.iter().zip(within))
            .filter(|(n, _)| **n >= 2)
            .map(|(&n, sum)| ((sum - n as f64) / (n as f64 * (n as f64 - 1.0))).max(0.0))
            .collect();
        let mean = |of: &dyn Fn(f64) -> f64| {
            (!means.is_empty()).then(|| means.iter().map(|&a| of(a)).sum::<f64>() / means.len() as f64)
        };
        let single = Self::draw(counts.len(), least).and_then(|(_, n)| {
            let n = n as f64;
            mean(&|a| n * n / (n + n * (n - 1.0) * a))
        });
        Self { cells: counts.len(), least, within: mean(&|a| a), across: across.map(|b| b.max(0.0)), single }
    }
}

/// One query.
#[derive(Debug, Clone, Default)]
pub struct Effective {
    /// Effective numbers of all responses.
    pub vendi: Vendi,
    /// Mean squared similarities.
    pub squares: Squares,
    /// Sum of squared similarities over ordered pairs (i = j included) within models, and of all.
    sums: (f64, f64),
    /// (model, order 1, order 2) of each model with n >= 2, at the same n: the least such n of the query, the first
    /// responses of each.
    cells: Vec<(u32, f64, f64)>,
}

impl Effective {
    /// Sum of squared similarities over ordered pairs of different models' responses to the query.
    pub fn same_query(&self) -> f64 {
        self.sums.1 - self.sums.0
    }
}

/// Effective numbers of the models at the same n; `of(a, n)` gives those of the first n responses of cell a.
fn at_same_n(cells: &Cells, of: impl Fn(usize, usize) -> Vendi) -> Vec<(u32, f64, f64)> {
    let counts = cells.counts();
    let Some(n) = counts.iter().copied().filter(|&n| n >= 2).min() else { return Vec::new() };
    (0..cells.len())
        .filter(|&a| counts[a] >= 2)
        .map(|a| {
            let vendi = of(a, n);
            (cells.models[a], vendi.one, vendi.two)
        })
        .collect()
}

/// From the similarities of all responses.
fn from_similarities(k: &Triangle, cells: &Cells, by_model: bool) -> Effective {
    let counts = cells.counts();
    let mut within = vec![0.0; cells.len()];
    let (mut across, mut cross) = (0.0, 0.0);
    for a in 0..cells.len() {
        let own = cells.range(a);
        for i in own.clone() {
            let row = k.row(i);
            let sum = |from: usize, to: usize| row[from - i..to - i].iter().map(|x| x * x).sum::<f64>();
            within[a] += row[0] * row[0] + 2.0 * sum(i + 1, own.end);
            for b in a + 1..cells.len() {
                let other = cells.range(b);
                let squares = sum(other.start, other.end);
                cross += squares;
                across += squares / (counts[a] * counts[b]) as f64;
            }
        }
    }
    let pairs = cells.len() * (cells.len() - 1) / 2;
    let in_cells: f64 = within.iter().sum();
    let all = vendi(k, cells.rows());
    let alone = |a: usize, n: usize| {
        let whole = n == cells.rows();
        if whole { all } else { vendi(&k.part(cells.range(a).start, n), n) }
    };
    Effective {
        vendi: all,
        squares: Squares::new(&counts, &within, (pairs > 0).then(|| across / pairs as f64)),
        sums: (in_cells, in_cells + 2.0 * cross),
        cells: if by_model { at_same_n(cells, alone) } else { Vec::new() },
    }
}

/// From second moments: with C_a those of model a, the squared similarities of models a and b sum to <C_a, C_b>.
fn from_moments(corpus: &Corpus, cells: &Cells, by_model: bool) -> Effective {
    let dim = corpus.dim();
    let counts = cells.counts();
    let (mut all, mut by_mean) = (Triangle::zeros(dim), Triangle::zeros(dim));
    let mut within = vec![0.0; cells.len()];
    // Models with equal n stand in one part, which then counts 1 / n in the matrix of means.
    let mut part = Triangle::zeros(dim);
    for a in 0..cells.len() {
        let positions = cells.of(a);
        if counts[a] <= dim {
            within[a] = Triangle::gram(&unit_rows(corpus, positions), dim).frobenius2();
            for_each_block(corpus, positions, |columns, rows| part.add_gram(columns, rows));
        } else {
            let own = second_moment(corpus, positions);
            within[a] = own.frobenius2();
            part.add_scaled(&own, 1.0);
        }
        if counts.get(a + 1) != Some(&counts[a]) {
            all.add_scaled(&part, 1.0);
            by_mean.add_scaled(&part, 1.0 / counts[a] as f64);
            part.clear();
        }
    }
    drop(part);
    let squared_means: f64 = counts.iter().zip(&within).map(|(&n, sum)| sum / (n * n) as f64).sum();
    let pairs = (cells.len() * (cells.len() - 1)) as f64;
    let across = (pairs > 0.0).then(|| (by_mean.frobenius2() - squared_means) / pairs);
    drop(by_mean);
    let scores = vendi(&all, cells.rows());
    let alone = |a: usize, n: usize| if n == cells.rows() { scores } else { of_rows(corpus, &cells.of(a)[..n]) };
    Effective {
        vendi: scores,
        squares: Squares::new(&counts, &within, across),
        sums: (within.iter().sum(), all.frobenius2()),
        cells: if by_model { at_same_n(cells, alone) } else { Vec::new() },
    }
}

/// Effective numbers of the responses at some positions.
pub fn of_rows(corpus: &Corpus, positions: &[usize]) -> Vendi {
    let n = positions.len();
    if n <= corpus.dim() {
        vendi(&Triangle::gram(&unit_rows(corpus, positions), corpus.dim()), n)
    } else {
        vendi(&second_moment(corpus, positions), n)
    }
}

/// Of the responses in some cells; `similarities` gives those at some positions.
fn effective<'a>(
    corpus: &Corpus,
    cells: &Cells,
    by_model: bool,
    similarities: impl FnOnce(&[usize]) -> Cow<'a, Triangle>,
) -> Effective {
    if cells.rows() == 0 {
        Effective::default()
    } else if by_similarities(cells.rows(), corpus) {
        from_similarities(&similarities(&cells.positions), cells, by_model)
    } else {
        from_moments(corpus, cells, by_model)
    }
}

/// Whether so many responses to a query are worked from their similarities, not from second moments.
pub fn by_similarities(rows: usize, corpus: &Corpus) -> bool {
    rows <= corpus.dim()
}

/// Bytes that a query of `rows` responses, at most `cell` of them of one model, takes while its effective numbers are
/// found, its similarities included where they are formed.
pub fn bytes(rows: usize, cell: usize, dim: usize) -> usize {
    let triangle = |n: usize| 8 * Triangle::len(n);
    if rows <= dim {
        return (8 * rows * dim + triangle(rows)).max(triangle(rows) + vendi::bytes(rows));
    }
    let own = if cell <= dim { 8 * cell * dim + triangle(cell) } else { triangle(dim) };
    let moments = 3 * triangle(dim) + own.max(16 * BLOCK * dim);
    moments.max(triangle(dim) + vendi::bytes(dim))
}

/// Of one query, of the models that `keep` has; with `by_model` also of each model alone.
pub fn of_query(
    corpus: &Corpus,
    query: usize,
    keep: &[bool],
    by_model: bool,
    similarities: &Similarities<'_>,
) -> Effective {
    effective(corpus, &Cells::new(corpus, &[query], keep), by_model, |positions| similarities.of(positions))
}

/// Effective numbers of all queries, of some of the models.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// By query id.
    pub queries: Vec<Effective>,
    /// Sums over canonical queries of squared similarities within (model, query), and within query.
    pub same_squares: (f64, f64),
    /// By model: sums over queries of the effective numbers of order 1 and 2 of a cell, and how many.
    pub models: Vec<(f64, f64, f64)>,
}

impl Effects {
    /// Of no query yet.
    pub fn new(models: usize) -> Self {
        Self { models: vec![(0.0, 0.0, 0.0); models], ..Self::default() }
    }

    /// Adds the next query.
    pub fn push(&mut self, mut one: Effective) {
        for (model, order_1, order_2) in std::mem::take(&mut one.cells) {
            let total = &mut self.models[model as usize];
            *total = (total.0 + order_1, total.1 + order_2, total.2 + 1.0);
        }
        self.queries.push(one);
    }

    /// Adds up what copies of a query have together, when all queries are there.
    pub fn add_up(&mut self, corpus: &Corpus, sums: &Sums, keep: &[bool]) {
        let formed = |positions: &[usize]| Cow::Owned(Triangle::gram(&unit_rows(corpus, positions), corpus.dim()));
        let of_group = |members: &Vec<usize>| match members.as_slice() {
            &[only] => self.queries[only].sums,
            _ => effective(corpus, &Cells::new(corpus, members, keep), false, formed).sums,
        };
        let found: Vec<(f64, f64)> = sums.groups.par_iter().map(of_group).collect();
        self.same_squares = found.into_iter().fold((0.0, 0.0), plus);
    }
}

#[cfg(test)]
mod tests {
    use super::super::by_query;
    use super::super::planted::{corpus, planted};
    use super::*;
    use crate::base::events::Silent;

    #[derive(serde::Deserialize)]
    struct Golden {
        name: String,
        dim: usize,
        rows: Vec<f32>,
        one: f64,
        two: f64,
        inf: f64,
    }

    fn effects(corpus: &Corpus) -> Effects {
        let sums = Sums::new(corpus, &[], &Silent).unwrap();
        by_query::effects(corpus, &sums, &vec![true; sums.models], true)
    }

    /// By `tests/goldens.py`: numpy, and vendi-score.
    #[test]
    fn vendi_scores_are_those_of_numpy() {
        let goldens: Vec<Golden> = serde_json::from_str(include_str!("vendi_goldens.json")).unwrap();
        assert!(goldens.len() >= 7);
        for golden in goldens {
            let n = golden.rows.len() / golden.dim;
            // Once as samples of one model, once as one response of each of n models.
            for models in [1, n] {
                let keys = (0..n).map(|i| ("q".to_string(), format!("{:03}", i % models)));
                let corpus = corpus(keys, golden.dim, |row, i| golden.rows[row * golden.dim + i]);
                let got = effects(&corpus).queries[0].vendi;
                for (got, want) in [(got.one, golden.one), (got.two, golden.two), (got.inf, golden.inf)] {
                    assert!((got - want).abs() < 1e-9 * want, "{}: {got} vs {want}", golden.name);
                }
            }
        }
    }

    /// Squared similarities of all pairs against second moments (dim 9 and 64) and similarities (dim 400): 300 rows,
    /// more than a block of 256, models with 150, 90 and 60.
    #[test]
    fn a_large_query_agrees_with_all_pairs() {
        for dim in [9, 64, 400] {
            let models = |i: usize| if i.is_multiple_of(2) { 0 } else { 1 + usize::from(i % 5 < 2) };
            let (corpus, _) = planted((0..300).map(|i| ("q".to_string(), models(i).to_string())), dim);
            let cells = Cells::new(&corpus, &[0], &[true; 3]);
            assert_eq!(cells.counts(), [150, 90, 60]);
            let unit = unit_rows(&corpus, &cells.positions);
            let similarity = |i: usize, j: usize| (0..dim).map(|k| unit[i * dim + k] * unit[j * dim + k]).sum::<f64>();
            let sum = |a: usize, b: usize| {
                let pairs = cells.range(a).flat_map(|i| cells.range(b).map(move |j| (i, j)));
                pairs.map(|(i, j)| similarity(i, j).powi(2)).sum::<f64>()
            };
            let effects = effects(&corpus);
            let got = &effects.queries[0];
            let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-10 * want, "dim {dim}: {got} vs {want}");
            let n = [150.0, 90.0, 60.0];
            let within: Vec<f64> = (0..3).map(|a| (sum(a, a) - n[a]) / (n[a] * (n[a] - 1.0))).collect();
            close(got.squares.within.unwrap(), within.iter().sum::<f64>() / 3.0);
            let across = [(0, 1), (0, 2), (1, 2)].map(|(a, b)| sum(a, b) / (n[a] * n[b]));
            close(got.squares.across.unwrap(), across.iter().sum::<f64>() / 3.0);
            close(got.squares.single.unwrap(), within.iter().map(|a| 60.0 / (1.0 + 59.0 * a)).sum::<f64>() / 3.0);
            let all: f64 = (0..3).flat_map(|a| (0..3).map(move |b| (a, b))).map(|(a, b)| sum(a, b)).sum();
            close(got.vendi.two, 90_000.0 / all);
            close(effects.same_squares.0, (0..3).map(|a| sum(a, a)).sum());
            close(effects.same_squares.1, all);
            let k = Triangle::gram(&unit, dim);
            let whole = vendi(&k, 300);
            close(got.vendi.one, whole.one);
            close(got.vendi.inf, whole.inf);
            // Each model alone, at the 60 responses that the third one has.
            for a in 0..3 {
                let alone = vendi(&k.part(cells.range(a).start, 60), 60);
                close(effects.models[a].0, alone.one);
                close(effects.models[a].1, alone.two);
            }
        }
    }
}
