//! How much of the variation within queries goes with the model.
//!
//! By cells (R2_cell): of the squared distances of a query's responses from their mean, the share between the models'
//! means; cells of n >= 2. By style (R2_style): the share that each model's mean over all queries takes of responses
//! less the mean of their query: what is the model's own whatever is asked; models with 2 queries and more. Both from
//! sums, never from pairs.
//!
//! Each is set against its mean over permutations, R2_0, in closed form, and tested by 999 seeded ones at once in all
//! queries. By cells a permutation hands the responses of a query to its models anew, as many to each as before:
//! `R2_0 = sum_q SST (k - 1) / (n - 1) / sum_q SST` for k models and n responses. For style it hands whole cells to the
//! query's models of equally many responses, since answers of one model to one query belong together even where it has no
//! style: a model's sum then has for its mean the mean of these cells, and their variance, independently from query to
//! query.
//!
//! Where 999 permutations of whole vectors would take long, the test (never R2, R2_0 or the interval) is made on sums
//! folded by seeded signs into [`FOLDED`] numbers a response: a test of the same hypothesis at the same level, as any
//! statistic may be permuted.

use super::MeasureSettings;
use super::cells::{Cells, add_unit_row};
use super::intervals::{self, Weights};
use super::memory;
use super::summary::{ONE_SAMPLE, left_out};
use super::sums::{QuerySums, Sums};
use super::tables::{Headline, LeftOut, R2, VariationSummary};
use super::variants::dot;
use crate::base::events::Stage;
use crate::base::random::Stream;
use crate::base::simd::widest;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use pulp::Arch;
use rayon::prelude::*;

/// Permutations of a test.
const PERMUTATIONS: usize = 999;
/// Permutations whose sums are held at once.
const AT_ONCE: usize = 8;
/// Additions that all permutations of whole vectors may take; beyond it vectors are folded.
const WORK: usize = 500_000_000;
/// Numbers a vector is folded into.
const FOLDED: usize = 8;
/// A permuted sum counts as at least as large as what was found if it is less by no more than this share of it.
const ROUNDING: f64 = 1e-12;

/// What was found, what is expected of permutations, and all there is; and how they are spread over queries.
#[derive(Debug, Clone, Default)]
struct Split {
    between: f64,
    expected: f64,
    total: f64,
    /// By query: (between - expected, total - expected); they add up to those of the corpus.
    terms: Vec<(f64, f64)>,
}

impl Split {
    fn adjusted(&self) -> Option<f64> {
        let room = self.total - self.expected;
        (room > 1e-9 * self.total.max(1.0)).then(|| (self.between - self.expected) / room)
    }
}

/// Folds vectors by adding coordinates, with seeded signs, where a seeded draw says; `None` keeps them whole.
struct Fold {
    places: Option<Vec<(usize, f64)>>,
    size: usize,
}

impl Fold {
    /// For `vectors` vectors.
    fn new(seed: u64, vectors: usize, dim: usize) -> Self {
        if dim <= FOLDED || vectors.saturating_mul(dim * PERMUTATIONS) <= WORK {
            return Self { places: None, size: dim };
        }
        let stream = Stream::new(seed, "r2 folding");
        let sign = |i: u64| if stream.bits(i, 1) & 1 == 0 { 1.0 } else { -1.0 };
        let place = |i: u64| (stream.below(i, 0, FOLDED as u64) as usize, sign(i));
        Self { places: Some((0..dim as u64).map(place).collect()), size: FOLDED }
    }

    fn fold(&self, vector: &[f64], out: &mut Vec<f64>) {
        let Some(places) = &self.places else {
            out.extend(vector);
            return;
        };
        let mut folded = [0.0; FOLDED];
        vector.iter().zip(places).for_each(|(x, (place, sign))| folded[*place] += sign * x);
        out.extend(folded);
    }
}

/// Adds one vector to another.
fn add(sum: &mut [f64], x: &[f64]) {
    sum.iter_mut().zip(x).for_each(|(s, x)| *s += x);
}

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

/// The cells of a query that count: of kept models with n >= 2.
fn repeated(query: &QuerySums, keep: &[bool]) -> Vec<usize> {
    (0..query.cells()).filter(|&a| keep[query.models[a] as usize] && query.counts[a] >= 2.0).collect()
}

/// (between, expected, total) of a query by cells; `None` with fewer than 2 models of n >= 2.
pub fn of_query(query: &QuerySums, keep: &[bool]) -> Option<(f64, f64, f64)> {
    let cells = repeated(query, keep);
    if cells.len() < 2 {
        return None;
    }
    let n: f64 = cells.iter().map(|&a| query.counts[a]).sum();
    let whole: f64 = cells.iter().flat_map(|&a| cells.iter().map(move |&b| query.gram.at(a, b))).sum();
    let means: f64 = cells.iter().map(|&a| query.gram.at(a, a) / query.counts[a]).sum();
    let total = (n - whole / n).max(0.0);
    Some((means - whole / n, total * (cells.len() as f64 - 1.0) / (n - 1.0), total))
}

fn by_cells(sums: &Sums, keep: &[bool]) -> Split {
    let mut split = Split::default();
    for query in &sums.queries {
        let (between, expected, total) = of_query(query, keep).unwrap_or_default();
        split.between += between;
        split.expected += expected;
        split.total += total;
        split.terms.push((between - expected, total - expected));
    }
    split
}

/// What was found and its permutations, up to a constant that they share; and whether vectors were folded.
struct Test {
    found: f64,
    permuted: Vec<f64>,
    folded: bool,
}

impl Test {
    /// The share of the permutations, what was found among them, whose value is at least that of what was found.
    fn p(&self) -> f64 {
        let least = self.found - ROUNDING * self.found.abs();
        let as_large = self.permuted.iter().filter(|&&value| value >= least).count();
        (1 + as_large) as f64 / (1 + self.permuted.len()) as f64
    }
}

/// The test by cells.
fn test_by_cells(corpus: &Corpus, sums: &Sums, keep: &[bool], seed: u64, observer: &dyn Observer) -> Result<Test> {
    let dim = corpus.dim();
    let used: Vec<usize> = (0..sums.queries.len()).filter(|&q| of_query(&sums.queries[q], keep).is_some()).collect();
    let rows = used.iter().map(|&q| corpus.layout.query_positions[q].len()).sum();
    let fold = Fold::new(seed, rows, dim);
    let stream = Stream::new(seed, "r2 by cells");
    // Sums of |S|^2 / n of the models, permutation after permutation; the last is what was found.
    let one = |&query: &usize| -> Result<Vec<f64>> {
        observer.check_stop()?;
        let cells = Cells::new(corpus, &[query], keep).retain_cells(2);
        let mut rows = Vec::with_capacity(cells.rows() * fold.size);
        let mut row = vec![0.0; dim];
        for &p in &cells.positions {
            row.fill(0.0);
            add_unit_row(corpus, p, &mut row);
            fold.fold(&row, &mut rows);
        }
        let counts = cells.counts();
        let value = |order: &[usize]| {
            let mut first = 0;
            counts.iter().fold(0.0, |total, &n| {
                let mut sum = vec![0.0; fold.size];
                for &i in &order[first..first + n] {
                    add(&mut sum, &rows[i * fold.size..(i + 1) * fold.size]);
                }
                first += n;
                total + sum.iter().map(|x| x * x).sum::<f64>() / n as f64
            })
        };
        let as_found: Vec<usize> = (0..cells.rows()).collect();
        let mut values = Vec::with_capacity(PERMUTATIONS + 1);
        for permutation in 0..PERMUTATIONS {
            let mut order = as_found.clone();
            stream.shuffle(permutation as u32, query as u64, &mut order);
            values.push(value(&order));
        }
        values.push(value(&as_found));
        Ok(values)
    };
    let mut totals = vec![0.0; PERMUTATIONS + 1];
    for chunk in used.chunks(64) {
        let found: Vec<Vec<f64>> = chunk.par_iter().map(one).collect::<Result<_>>()?;
        found.iter().for_each(|values| add(&mut totals, values));
    }
    let found = totals.pop().unwrap_or_default();
    Ok(Test { found, permuted: totals, folded: fold.places.is_some() })
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
        Self { query, models: cells.models, counts, sums, total, strata }
    }

    fn sum(&self, cell: usize, dim: usize) -> &[f64] {
        &self.sums[cell * dim..(cell + 1) * dim]
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
struct Style {
    split: Split,
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
    /// Sum of the variances of the cells it could have been handed.
    variance: f64,
}

fn style(
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
    // By query: (total, its variances by cell, its folded sums).
    let mut queries: Vec<(f64, Vec<f64>, Folded)> = Vec::new();
    let mut movable = false;
    let chunks = memory::chunks(corpus, &groups);
    for chunk in &chunks {
        observer.check_stop()?;
        let found: Vec<Vec<Centred>> = (chunk.par_iter())
            .map(|members| members.iter().map(|&q| Centred::new(corpus, q, &part.models)).collect())
            .collect();
        for one in found.into_iter().flatten() {
            let squares: Vec<f64> = (0..one.models.len()).map(|a| dot(one.sum(a, dim), one.sum(a, dim))).collect();
            let mut variances = vec![0.0; squares.len()];
            for stratum in &one.strata {
                movable |= stratum.len() > 1;
                let k = stratum.len() as f64;
                let mut variance = stratum.iter().map(|&a| squares[a]).sum::<f64>() / k;
                if one.strata.len() > 1 {
                    let mut mean = vec![0.0; dim];
                    stratum.iter().for_each(|&a| add(&mut mean, one.sum(a, dim)));
                    mean.iter_mut().for_each(|x| *x /= k);
                    variance = (variance - dot(&mean, &mean)).max(0.0);
                    drift.resize(models * dim, 0.0);
                    for &a in stratum {
                        let model = one.models[a] as usize;
                        add(&mut drift[model * dim..(model + 1) * dim], &mean);
                    }
                }
                stratum.iter().for_each(|&a| variances[a] = variance);
            }
            let mut folded = Vec::new();
            for (a, &model) in one.models.iter().enumerate() {
                let of = &mut of_models[model as usize];
                of.n += one.counts[a];
                of.squares += squares[a];
                of.variance += variances[a];
                let model = model as usize;
                add(&mut totals[model * dim..(model + 1) * dim], one.sum(a, dim));
                if test {
                    fold.fold(one.sum(a, dim), &mut folded);
                }
            }
            queries.push((
                one.total,
                variances,
                Folded { query: one.query, models: one.models, sums: folded, strata: one.strata },
            ));
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
    };
    if test {
        let known: Vec<(usize, f64, f64)> = queries
            .iter()
            .map(|(total, variances, one)| {
                let of_query: f64 = one.models.iter().zip(variances).map(|(&m, v)| v / of_models[m as usize].n).sum();
                (one.query, *total, of_query)
            })
            .collect();
        split.terms = terms(corpus, &part, &known, (&totals, &of_models), &split, observer)?;
    }
    Ok(Some(Style {
        split,
        counts: of_models.iter().map(|of| of.n).collect(),
        folded: queries.into_iter().map(|one| one.2).collect(),
        whole: fold.places.is_none(),
        size: fold.size,
        models,
    }))
}

/// What each query has a part in: with R_m the sum of a model over n_m responses and R_mq its part in query q,
/// `sum_m 2 <R_mq, R_m - R_mq> / n_m - (|R_m|^2 - sum_q |R_mq|^2) n_mq / n_m^2`, the derivative of the sum over pairs of
/// different queries (Hájek's projection), moved so that the terms add up to what was found less what is expected.
fn terms(
    corpus: &Corpus,
    part: &Part,
    known: &[(usize, f64, f64)],
    (totals, of_models): (&[f64], &[OfModel]),
    split: &Split,
    observer: &dyn Observer,
) -> Result<Vec<(f64, f64)>> {
    let dim = corpus.dim();
    let apart: Vec<f64> = of_models
        .iter()
        .enumerate()
        .map(|(m, of)| {
            let row = &totals[m * dim..(m + 1) * dim];
            dot(row, row) - of.squares
        })
        .collect();
    let one = |&(query, ..): &(usize, f64, f64)| -> Result<f64> {
        observer.check_stop()?;
        let here = Centred::new(corpus, query, &part.models);
        Ok((0..here.models.len())
            .map(|a| {
                let (m, sum) = (here.models[a] as usize, here.sum(a, dim));
                let n = of_models[m].n;
                let elsewhere = dot(sum, &totals[m * dim..(m + 1) * dim]) - dot(sum, sum);
                2.0 * elsewhere / n - apart[m] * here.counts[a] / (n * n)
            })
            .sum())
    };
    let found: Vec<f64> = known.par_iter().map(one).collect::<Result<_>>()?;
    let n = known.len() as f64;
    let more = (split.between - split.expected - found.iter().sum::<f64>()) / n;
    let less = (split.expected - known.iter().map(|one| one.2).sum::<f64>()) / n;
    let mut terms = vec![(0.0, 0.0); corpus.layout.canonical.len()];
    for (&(query, total, expected), found) in known.iter().zip(found) {
        terms[query] = (found + more, total - expected - less);
    }
    Ok(terms)
}

/// The test for style.
fn test_style(style: &Style, seed: u64, observer: &dyn Observer) -> Result<Test> {
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

/// Bytes that the measure holds at most.
pub fn bytes(corpus: &Corpus) -> usize {
    let (dim, models) = (corpus.dim(), corpus.rows.models.len());
    let cells: usize = corpus.layout.cells.iter().map(Vec::len).sum();
    let size = Fold::new(0, cells, dim).size;
    8 * (models * dim + cells * (size + 3)) + rayon::current_num_threads() * 8 * AT_ONCE * models * size
}

/// The measure.
#[derive(Debug, Default)]
pub struct Variation {
    /// For summary.json.
    pub summary: VariationSummary,
    /// Both shares, adjusted.
    pub headlines: Vec<Headline>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
}

impl Variation {
    fn put(&mut self, name: &str, split: &Split, test: &Test, without: Option<f64>, weights: &Weights) -> Option<R2> {
        let adjusted = split.adjusted()?;
        let queries = split.terms.iter().filter(|t| t.1 > 0.0).count() as u64;
        let found = R2 {
            r2: split.between / split.total,
            permuted: split.expected / split.total,
            adjusted,
            interval: intervals::ratio(&split.terms, Some(weights)),
            without_regardless: without,
            p: test.p(),
            permutations: PERMUTATIONS as u32,
            folded: test.folded.then_some(FOLDED as u32),
            queries,
        };
        let label = match name {
            "r2_cell" => "Share of the variation within a query that goes with the model",
            _ => "Share of the variation within a query that is a model’s own style, the same in all queries",
        };
        let mut notes: Vec<String> = intervals::warning(queries as usize).into_iter().collect();
        notes.push(format!(
            "{:.2} % as found, {:.2} % on average if models were exchanged; p = {:.3} ({PERMUTATIONS} permutations)",
            100.0 * found.r2,
            100.0 * found.permuted,
            found.p
        ));
        self.headlines.push(Headline {
            name: name.into(),
            label: label.into(),
            value: adjusted,
            interval: found.interval,
            floor: Some(0.0),
            floor_label: Some("if models were exchanged".into()),
            without_regardless: without,
            queries,
            notes,
            ..Headline::default()
        });
        Some(found)
    }
}

/// Both shares of the models that `keep` has; `regular` are those that don't answer regardless of the query.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn variation(
    (corpus, sums): (&Corpus, &Sums),
    (keep, regular): (&[bool], Option<&[bool]>),
    (weights, settings): (&Weights, &MeasureSettings),
    observer: &dyn Observer,
) -> Result<Variation> {
    let mut out = Variation::default();
    let seed = settings.seed;
    let names = ["Share of variation by model (R2_cell)", "Share of variation by style (R2_style)"];
    if keep.iter().filter(|&&kept| kept).count() < 2 {
        out.left_out = names.map(|name| left_out(name, "one model; needs at least 2")).into();
        return Ok(out);
    }
    let cell = by_cells(sums, keep);
    if cell.adjusted().is_some() {
        let test = test_by_cells(corpus, sums, keep, seed, observer)?;
        let without = regular.and_then(|keep| by_cells(sums, keep).adjusted());
        out.summary.cell = out.put("r2_cell", &cell, &test, without, weights);
    } else if cell.total > 0.0 || sums.queries.iter().any(|query| !repeated(query, keep).is_empty()) {
        out.left_out.push(left_out(names[0], "no query whose answers vary has two models with 2 responses each"));
    } else {
        out.left_out.push(left_out(names[0], ONE_SAMPLE));
    }
    let Some(found) = style(corpus, sums, keep, seed, true, observer)?.filter(|one| one.split.adjusted().is_some())
    else {
        let reason = "no two models have equally many responses to each of two queries whose answers vary";
        out.left_out.push(left_out(names[1], reason));
        return Ok(out);
    };
    let test = test_style(&found, seed, observer)?;
    let without = match regular {
        Some(keep) => style(corpus, sums, keep, seed, false, observer)?.and_then(|one| one.split.adjusted()),
        None => None,
    };
    out.summary.style = out.put("r2_style", &found.split, &test, without, weights);
    Ok(out)
}

#[cfg(test)]
mod tests;
