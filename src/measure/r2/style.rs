//! R2_style: the share of each model's mean over all queries.

use super::super::cells::{Cells, add_unit_row};
use super::super::chunks;
use super::super::intervals::Noise;
use super::super::sums::Sums;
use super::super::u_statistic;
use super::super::variants::dot;
use super::{AT_ONCE, FOLDED, Fold, PERMUTATIONS, Split, Test, add};
use crate::base::events::Stage;
use crate::base::random::Stream;
use crate::base::simd::widest;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use pulp::Arch;
use rayon::prelude::*;

/// Adds the sums of cells, rows of `size` of `from`, to the models that they are handed to, rows of `to`.
#[inline(always)]
fn hand<const N: usize>(from: &[f64], to: &mut [f64], cells: &[usize], models: &[usize]) {
    let (from, _) = from.as_chunks::<N>();
    let (to, _) = to.as_chunks_mut::<N>();
    for (&cell, &model) in cells.iter().zip(models) {
        let (sum, x) = (&mut to[model], &from[cell]);
        (0..N).for_each(|i| sum[i] += x[i]);
    }
}

/// What takes part in R2_style: models with 2 queries and more, queries with 2 such models and more; copies of a query
/// are one.
struct Part {
    models: Vec<bool>,
    queries: Vec<bool>,
}

impl Part {
    fn new(corpus: &Corpus, keep: &[bool]) -> Self {
        let mut part = Self { models: keep.to_vec(), queries: vec![true; corpus.layout.canonical.len()] };
        loop {
            let mut asked: Vec<Vec<u32>> = vec![Vec::new(); part.models.len()];
            let mut changed = false;
            for (query, cells) in corpus.layout.cells.iter().enumerate() {
                if !part.queries[query] {
                    continue;
                }
                let of: Vec<u32> = cells.iter().map(|cell| cell.model).filter(|&m| part.models[m as usize]).collect();
                if of.len() < 2 {
                    (part.queries[query], changed) = (false, true);
                } else {
                    of.iter().for_each(|&model| asked[model as usize].push(corpus.layout.canonical[query]));
                }
            }
            for (kept, asked) in part.models.iter_mut().zip(&mut asked).filter(|(kept, _)| **kept) {
                asked.sort_unstable();
                asked.dedup();
                if asked.len() < 2 {
                    (*kept, changed) = (false, true);
                }
            }
            if !changed {
                return part;
            }
        }
    }
}

/// A query's cells: what their responses, less the mean of the query, add up to.
struct Centred {
    query: usize,
    models: Vec<u32>,
    counts: Vec<f64>,
    /// Sums, row-major: cells x d.
    sums: Vec<f64>,
    /// Squared distances of the responses from the query's mean.
    total: f64,
    /// Places of cells with equally many responses.
    strata: Vec<Vec<usize>>,
    /// By cell, the mean of those with equally many responses, cells x d; empty where all have, and it is 0.
    means: Vec<f64>,
}

impl Centred {
    fn new(corpus: &Corpus, query: usize, keep: &[bool]) -> Self {
        let dim = corpus.dim();
        let cells = Cells::new(corpus, &[query], keep);
        let counts: Vec<f64> = cells.counts().into_iter().map(|n| n as f64).collect();
        let n: f64 = counts.iter().sum();
        let mut sums = vec![0.0; cells.len() * dim];
        let mut mean = vec![0.0; dim];
        for (a, sum) in sums.chunks_exact_mut(dim).enumerate() {
            cells.of(a).iter().for_each(|&p| add_unit_row(corpus, p, sum));
            add(&mut mean, sum);
        }
        mean.iter_mut().for_each(|x| *x /= n);
        for (sum, n) in sums.chunks_exact_mut(dim).zip(&counts) {
            sum.iter_mut().zip(&mean).for_each(|(s, x)| *s -= n * x);
        }
        let total = (n - n * dot(&mean, &mean)).max(0.0);
        let mut strata: Vec<Vec<usize>> = Vec::new();
        for a in 0..counts.len() {
            match strata.iter_mut().find(|of| counts[of[0]] == counts[a]) {
                Some(of) => of.push(a),
                None => strata.push(vec![a]),
            }
        }
        let mut means = vec![0.0; if strata.len() > 1 { sums.len() } else { 0 }];
        for stratum in strata.iter().filter(|_| strata.len() > 1) {
            let mut mean = vec![0.0; dim];
            stratum.iter().for_each(|&a| add(&mut mean, &sums[a * dim..(a + 1) * dim]));
            mean.iter_mut().for_each(|x| *x /= stratum.len() as f64);
            stratum.iter().for_each(|&a| means[a * dim..(a + 1) * dim].copy_from_slice(&mean));
        }
        Self { query, models: cells.models, counts, sums, total, strata, means }
    }

    fn sum(&self, cell: usize, dim: usize) -> &[f64] {
        &self.sums[cell * dim..(cell + 1) * dim]
    }

    /// Mean of the cells that a cell could be exchanged with; `None` for 0.
    fn mean(&self, cell: usize, dim: usize) -> Option<&[f64]> {
        self.means.get(cell * dim..(cell + 1) * dim)
    }

    /// Mean square of the cells that each could be exchanged with.
    fn squares(&self, dim: usize) -> Vec<f64> {
        let mut found = vec![0.0; self.counts.len()];
        for stratum in &self.strata {
            let all: f64 = stratum.iter().map(|&a| dot(self.sum(a, dim), self.sum(a, dim))).sum();
            stratum.iter().for_each(|&a| found[a] = all / stratum.len() as f64);
        }
        found
    }
}

/// The folded sums of a query's cells, which permutations hand to its models.
struct Folded {
    query: usize,
    models: Vec<u32>,
    sums: Vec<f64>,
    strata: Vec<Vec<usize>>,
}

/// R2_style in parts; `None` where nothing takes part or no cell can be handed to another model.
pub(super) struct Style {
    /// The share in parts.
    pub(super) split: Split,
    /// Responses of each model.
    counts: Vec<f64>,
    folded: Vec<Folded>,
    whole: bool,
    size: usize,
    models: usize,
}

/// A model's sums over queries.
#[derive(Clone, Default)]
struct OfModel {
    n: f64,
    /// Sum of |R_mq|^2.
    squares: f64,
    /// Sum of the squared lengths of the means of the cells it could have been handed.
    of_means: f64,
    /// Sum of the variances of the cells it could have been handed.
    variance: f64,
}

pub(super) fn style(
    corpus: &Corpus,
    sums: &Sums,
    keep: &[bool],
    seed: u64,
    test: bool,
    observer: &dyn Observer,
) -> Result<Option<Style>> {
    let part = Part::new(corpus, keep);
    let (dim, models) = (corpus.dim(), sums.models);
    let groups: Vec<Vec<usize>> = (sums.groups.iter())
        .map(|of| of.iter().copied().filter(|&q| part.queries[q]).collect::<Vec<usize>>())
        .filter(|of| !of.is_empty())
        .collect();
    let cells = groups.iter().flatten().map(|&q| corpus.layout.cells[q].len()).sum();
    let fold = Fold::new(seed, cells, dim);
    let stage = Stage::start(observer, "measures: variation", "queries", groups.len() as u64);
    let mut totals = vec![0.0; models * dim];
    // Means of strata: 0 where all cells of a query have equally many responses.
    let mut drift: Vec<f64> = Vec::new();
    let mut of_models = vec![OfModel::default(); models];
    // By query: (total, its folded sums).
    let mut queries: Vec<(f64, Folded)> = Vec::new();
    let mut movable = false;
    let chunks = chunks::chunks(corpus, &groups);
    for chunk in &chunks {
        observer.check_stop()?;
        let found: Vec<Vec<Centred>> = (chunk.par_iter())
            .map(|members| members.iter().map(|&q| Centred::new(corpus, q, &part.models)).collect())
            .collect();
        for one in found.into_iter().flatten() {
            movable |= one.strata.iter().any(|stratum| stratum.len() > 1);
            let squares = one.squares(dim);
            let mut folded = Vec::new();
            for (a, &model) in one.models.iter().enumerate() {
                let model = model as usize;
                let (of, row) = (&mut of_models[model], model * dim..(model + 1) * dim);
                of.n += one.counts[a];
                of.squares += dot(one.sum(a, dim), one.sum(a, dim));
                let mut of_mean = 0.0;
                if let Some(mean) = one.mean(a, dim) {
                    drift.resize(models * dim, 0.0);
                    add(&mut drift[row.clone()], mean);
                    of_mean = dot(mean, mean);
                }
                of.of_means += of_mean;
                of.variance += (squares[a] - of_mean).max(0.0);
                add(&mut totals[row], one.sum(a, dim));
                if test {
                    fold.fold(one.sum(a, dim), &mut folded);
                }
            }
            queries
                .push((one.total, Folded { query: one.query, models: one.models, sums: folded, strata: one.strata }));
        }
    }
    stage.finish();
    if !movable {
        return Ok(None);
    }
    let row = |of: &[f64], m: usize| of.get(m * dim..(m + 1) * dim).map_or(0.0, |row| dot(row, row));
    let used = || (0..models).filter(|&m| of_models[m].n > 0.0);
    let mut split = Split {
        between: used().map(|m| row(&totals, m) / of_models[m].n).sum(),
        expected: used().map(|m| (row(&drift, m) + of_models[m].variance) / of_models[m].n).sum(),
        total: queries.iter().map(|one| one.0).sum(),
        terms: Vec::new(),
        noise: None,
    };
    if test {
        let known: Vec<(usize, f64)> = queries.iter().map(|(total, one)| (one.query, *total)).collect();
        split.terms = terms(corpus, &part, &known, (&totals, &drift, &of_models), &split, observer)?;
        let known: Vec<usize> = known.iter().map(|one| one.0).collect();
        let means: f64 = used().map(|m| (row(&drift, m) - of_models[m].of_means) / of_models[m].n).sum();
        let in_pairs = in_pairs(corpus, &part, &known, &of_models, observer)?;
        split.noise = in_pairs.map(|at_zero| Noise { at_zero, with_noise: split.between - means });
    }
    Ok(Some(Style {
        split,
        counts: of_models.iter().map(|of| of.n).collect(),
        folded: queries.into_iter().map(|one| one.1).collect(),
        whole: fold.places.is_none(),
        size: fold.size,
        models,
    }))
}

/// What each query has a part in: with R_m the sum of a model over n_m responses and R_mq its part in query q,
/// `sum_m 2 <R_mq, R_m - R_mq> / n_m - (|R_m|^2 - sum_q |R_mq|^2) n_mq / n_m^2`, the derivative of the sum over pairs of
/// different queries (Hájek's projection), less the same of U_mq, the means of the cells it could have been handed; moved so
/// that the terms add up to what was found less what is expected.
fn terms(
    corpus: &Corpus,
    part: &Part,
    known: &[(usize, f64)],
    (totals, drift, of_models): (&[f64], &[f64], &[OfModel]),
    split: &Split,
    observer: &dyn Observer,
) -> Result<Vec<(f64, f64)>> {
    let dim = corpus.dim();
    let row = |of: &[f64], m: usize| of.get(m * dim..(m + 1) * dim).map_or(0.0, |row| dot(row, row));
    let apart = |m: usize, of: &OfModel| [row(totals, m) - of.squares, row(drift, m) - of.of_means];
    let apart: Vec<[f64; 2]> = of_models.iter().enumerate().map(|(m, of)| apart(m, of)).collect();
    // What was found, and what is expected.
    let one = |&(query, _): &(usize, f64)| -> Result<(f64, f64)> {
        observer.check_stop()?;
        let here = Centred::new(corpus, query, &part.models);
        let squares = here.squares(dim);
        let mut parts = (0.0, 0.0);
        for (a, &model) in here.models.iter().enumerate() {
            let m = model as usize;
            let n = of_models[m].n;
            let part = |of: &[f64], all: &[f64], apart: f64| {
                let elsewhere = dot(of, &all[m * dim..(m + 1) * dim]) - dot(of, of);
                2.0 * elsewhere / n - apart * here.counts[a] / (n * n)
            };
            let of_means = here
                .mean(a, dim)
                .map_or(-apart[m][1] * here.counts[a] / (n * n), |mean| part(mean, drift, apart[m][1]));
            parts.0 += part(here.sum(a, dim), totals, apart[m][0]) - of_means;
            parts.1 += of_means + squares[a] / n;
        }
        Ok(parts)
    };
    let found: Vec<(f64, f64)> = known.par_iter().map(one).collect::<Result<_>>()?;
    let n = known.len() as f64;
    let more = (split.between - split.expected - found.iter().map(|one| one.0).sum::<f64>()) / n;
    let less = (split.expected - found.iter().map(|one| one.1).sum::<f64>()) / n;
    let mut terms = vec![(0.0, 0.0); corpus.layout.canonical.len()];
    for (&(query, total), (found, expected)) in known.iter().zip(found) {
        terms[query] = (found + more, total - expected - less);
    }
    Ok(terms)
}

/// The variance of the sum over pairs of different queries, `sum_m 2 (<R_mq, R_mr> - <U_mq, U_mr>) / n_m`, that lies in pairs
/// alone.
fn in_pairs(
    corpus: &Corpus,
    part: &Part,
    queries: &[usize],
    of_models: &[OfModel],
    observer: &dyn Observer,
) -> Result<Option<f64>> {
    let dim = corpus.dim();
    let places = u_statistic::some(queries.len());
    let one = |&place: &usize| {
        observer.check_stop()?;
        Ok(Centred::new(corpus, queries[place], &part.models))
    };
    let some: Vec<Centred> = places.par_iter().map(one).collect::<Result<_>>()?;
    let row = |i: usize| -> Vec<f64> {
        let together = |j: usize| -> f64 {
            let (here, there) = (&some[i], &some[j]);
            let of_model = |(a, model): (usize, &u32)| {
                let b = there.models.binary_search(model).ok()?;
                let means = here.mean(a, dim).zip(there.mean(b, dim)).map_or(0.0, |(x, y)| dot(x, y));
                Some(2.0 * (dot(here.sum(a, dim), there.sum(b, dim)) - means) / of_models[*model as usize].n)
            };
            here.models.iter().enumerate().filter_map(of_model).sum()
        };
        (0..some.len()).map(|j| if j > i { together(j) } else { 0.0 }).collect()
    };
    let pairs: Vec<Vec<f64>> = (0..some.len()).into_par_iter().map(row).collect();
    Ok(u_statistic::variance(queries.len(), some.len(), |i, j| pairs[i][j]))
}

/// The test for style.
pub(super) fn test_style(style: &Style, seed: u64, observer: &dyn Observer) -> Result<Test> {
    let size = style.size;
    let (stream, arch) = (Stream::new(seed, "r2 style"), Arch::new());
    let value = |sums: &[f64]| -> f64 {
        let of = sums.chunks_exact(size).zip(&style.counts).filter(|(_, n)| **n > 0.0);
        of.map(|(sum, n)| sum.iter().map(|x| x * x).sum::<f64>() / n).sum()
    };
    // `None` is the order as it was found.
    let values = |permutations: &[Option<u32>]| -> Result<Vec<f64>> {
        observer.check_stop()?;
        let mut sums = vec![0.0; permutations.len() * style.models * size];
        let (mut order, mut to): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for of in &style.folded {
            for (permutation, sums) in permutations.iter().zip(sums.chunks_exact_mut(style.models * size)) {
                for (number, stratum) in of.strata.iter().enumerate() {
                    order.clone_from(stratum);
                    if let Some(permutation) = permutation {
                        stream.shuffle(*permutation, of.query as u64 | (number as u64) << 32, &mut order);
                    }
                    to.clear();
                    to.extend(stratum.iter().map(|&cell| of.models[cell] as usize));
                    if size == FOLDED {
                        widest(
                            arch,
                            #[inline(always)]
                            || hand::<FOLDED>(&of.sums, sums, &order, &to),
                        );
                        continue;
                    }
                    for (&cell, &model) in order.iter().zip(&to) {
                        add(&mut sums[model * size..(model + 1) * size], &of.sums[cell * size..(cell + 1) * size]);
                    }
                }
            }
        }
        Ok(sums.chunks_exact(style.models * size).map(value).collect())
    };
    let found = values(&[None])?[0];
    let permutations: Vec<Option<u32>> = (0..PERMUTATIONS as u32).map(Some).collect();
    let permuted: Vec<Vec<f64>> = permutations.par_chunks(AT_ONCE).map(values).collect::<Result<_>>()?;
    Ok(Test { found, permuted: permuted.concat(), folded: !style.whole })
}
