//! The one pass over queries that every mean rests on: cell sums, their Gram matrices, squared similarities, Vendi.
//!
//! Queries are computed in parallel and folded in their order, so the sums have the same bits at any thread count.

use super::vendi::{Vendi, product, vendi};
use crate::base::events::Stage;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use rayon::prelude::*;

/// Queries that are held at once with their sum vectors.
const CHUNK: usize = 32;
/// Rows of a block of similarities.
const BLOCK: usize = 256;

/// Sums of one query; cells in the order of `layout.cells`.
#[derive(Debug, Clone, Default)]
pub struct QuerySums {
    /// Model of each cell.
    pub models: Vec<u32>,
    /// Responses of each cell.
    pub counts: Vec<f64>,
    /// `<S_a, S_b>`, cells x cells.
    pub gram: Vec<f64>,
    /// Sum of squared similarities of all (i in a, j in b), i = j included; cells x cells.
    pub squares: Vec<f64>,
    /// Sum of similarities of ordered pairs of people, and their number.
    pub people: (f64, f64),
    /// Effective numbers of all responses.
    pub vendi: Vendi,
    /// Effective numbers of each cell with n >= 2.
    pub cell_vendi: Vec<Option<Vendi>>,
}

impl QuerySums {
    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.models.len()
    }

    /// Number of responses.
    pub fn n(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// Sum of similarities of ordered pairs and their number, for cells a and b (a = b: without self pairs).
    pub fn pairs(&self, a: usize, b: usize) -> (f64, f64) {
        let product = self.gram[a * self.cells() + b];
        let n = self.counts[a];
        if a == b { (product - n, n * (n - 1.0)) } else { (product, n * self.counts[b]) }
    }

    /// Mean squared similarity of cells a and b (a = b: without self pairs).
    pub fn mean_square(&self, a: usize, b: usize) -> Option<f64> {
        let sum = self.squares[a * self.cells() + b];
        let n = self.counts[a];
        let (sum, pairs) = if a == b { (sum - n, n * (n - 1.0)) } else { (sum, n * self.counts[b]) };
        (pairs > 0.0).then(|| (sum / pairs).max(0.0))
    }

    /// Ordered intra pairs of the kept models: sum and number.
    pub fn intra(&self, keep: &[bool]) -> (f64, f64) {
        let cells = (0..self.cells()).filter(|&a| keep[self.models[a] as usize]);
        cells.map(|a| self.pairs(a, a)).fold((0.0, 0.0), |t, p| (t.0 + p.0, t.1 + p.1))
    }

    /// Pairs of different kept models: sum and number.
    pub fn inter(&self, keep: &[bool]) -> (f64, f64) {
        let mut total = (0.0, 0.0);
        for a in (0..self.cells()).filter(|&a| keep[self.models[a] as usize]) {
            for b in (a + 1..self.cells()).filter(|&b| keep[self.models[b] as usize]) {
                let (sum, pairs) = self.pairs(a, b);
                total = (total.0 + sum, total.1 + pairs);
            }
        }
        total
    }
}

/// Sums of the whole corpus.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    /// By query id.
    pub queries: Vec<QuerySums>,
    /// Number of models M.
    pub models: usize,
    /// Responses of each model.
    pub counts: Vec<f64>,
    /// `<T_a, T_b>` of the models' sums over everything, M x M.
    pub gram: Vec<f64>,
    /// Sum over canonical queries of `<S_a, S_b>`, M x M.
    pub same_gram: Vec<f64>,
    /// Sum over canonical queries of n_a n_b, M x M.
    pub same_counts: Vec<f64>,
    /// Sum over canonical queries of squared similarities within (model, query), and within query.
    pub same_squares: (f64, f64),
}

struct Group {
    queries: Vec<(usize, QuerySums)>,
    models: Vec<u32>,
    counts: Vec<f64>,
    vectors: Vec<f64>,
    gram: Vec<f64>,
    squares: (f64, f64),
}

/// `<x, y>` with eight accumulators.
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let (xs, xr) = x.as_chunks::<8>();
    let (ys, yr) = y.as_chunks::<8>();
    for (a, b) in xs.iter().zip(ys) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    for (lane, (a, b)) in xr.iter().zip(yr).enumerate() {
        lanes[lane] += a * b;
    }
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

/// Unit rows in f64 of the given positions, row-major.
pub fn unit_rows(corpus: &Corpus, positions: impl Iterator<Item = usize>) -> Vec<f64> {
    let mut out = Vec::new();
    for p in positions {
        let norm = corpus.embeddings.norms()[p];
        out.extend(corpus.embeddings.row(p).iter().map(|&x| f64::from(x) / norm));
    }
    out
}

/// Gram matrix of `rows` vectors of length `dim`.
fn gram_of(vectors: &[f64], rows: usize, dim: usize) -> Vec<f64> {
    let mut gram = vec![0.0; rows * rows];
    for a in 0..rows {
        for b in a..rows {
            let value = dot(&vectors[a * dim..(a + 1) * dim], &vectors[b * dim..(b + 1) * dim]);
            gram[a * rows + b] = value;
            gram[b * rows + a] = value;
        }
    }
    gram
}

/// Sums of squared similarities between labelled rows, `labels` x `labels`.
fn squares_of(unit: &[f64], label: &[usize], labels: usize, dim: usize) -> Vec<f64> {
    let n = label.len();
    let mut squares = vec![0.0; labels * labels];
    for start in (0..n).step_by(BLOCK) {
        let end = (start + BLOCK).min(n);
        let block = product(&unit[start * dim..end * dim], end - start, unit, n, dim);
        for i in start..end {
            for j in 0..n {
                let k = block[(i - start, j)];
                squares[label[i] * labels + label[j]] += k * k;
            }
        }
    }
    squares
}

fn one_query(corpus: &Corpus, query: usize, people: &[bool]) -> (QuerySums, Vec<f64>) {
    let dim = corpus.dim();
    let range = corpus.layout.query_positions[query].clone();
    let cells = &corpus.layout.cells[query];
    if cells.is_empty() {
        return (QuerySums::default(), Vec::new());
    }
    let unit = unit_rows(corpus, range.clone());
    let mut vectors = vec![0.0; cells.len() * dim];
    let mut label = Vec::with_capacity(range.len());
    let mut cell_vendi = Vec::with_capacity(cells.len());
    for (c, cell) in cells.iter().enumerate() {
        let rows = &unit[(cell.positions.start - range.start) * dim..(cell.positions.end - range.start) * dim];
        let sum = &mut vectors[c * dim..(c + 1) * dim];
        for row in rows.chunks_exact(dim) {
            sum.iter_mut().zip(row).for_each(|(s, x)| *s += x);
            label.push(c);
        }
        let n = cell.positions.len();
        cell_vendi.push((n >= 2).then(|| vendi(rows, n, dim)));
    }
    let mut person_sum = vec![0.0; dim];
    let mut persons = 0.0;
    for (row, p) in unit.chunks_exact(dim).zip(range.clone()) {
        if people.get(corpus.layout.row_at[p] as usize).copied().unwrap_or(false) {
            person_sum.iter_mut().zip(row).for_each(|(s, x)| *s += x);
            persons += 1.0;
        }
    }
    let sums = QuerySums {
        models: cells.iter().map(|c| c.model).collect(),
        counts: cells.iter().map(|c| c.positions.len() as f64).collect(),
        gram: gram_of(&vectors, cells.len(), dim),
        squares: squares_of(&unit, &label, cells.len(), dim),
        people: (dot(&person_sum, &person_sum) - persons, persons * (persons - 1.0)),
        vendi: vendi(&unit, range.len(), dim),
        cell_vendi,
    };
    (sums, vectors)
}

fn one_group(corpus: &Corpus, queries: &[usize], people: &[bool]) -> Group {
    let dim = corpus.dim();
    let mut done: Vec<(usize, QuerySums, Vec<f64>)> = Vec::new();
    for &query in queries {
        let (sums, vectors) = one_query(corpus, query, people);
        done.push((query, sums, vectors));
    }
    let mut models: Vec<u32> = done.iter().flat_map(|(_, s, _)| s.models.iter().copied()).collect();
    models.sort_unstable();
    models.dedup();
    let mut counts = vec![0.0; models.len()];
    let mut vectors = vec![0.0; models.len() * dim];
    for (_, sums, cell_vectors) in &done {
        for (c, model) in sums.models.iter().enumerate() {
            let place = models.partition_point(|m| m < model);
            counts[place] += sums.counts[c];
            let target = &mut vectors[place * dim..(place + 1) * dim];
            target.iter_mut().zip(&cell_vectors[c * dim..(c + 1) * dim]).for_each(|(s, x)| *s += x);
        }
    }
    let gram = gram_of(&vectors, models.len(), dim);
    let squares = if let [(_, only, _)] = done.as_slice() {
        let cells = only.cells();
        ((0..cells).map(|a| only.squares[a * cells + a]).sum(), only.squares.iter().sum())
    } else {
        let positions = || queries.iter().flat_map(|&q| corpus.layout.query_positions[q].clone());
        let unit = unit_rows(corpus, positions());
        let label: Vec<usize> = positions()
            .map(|p| corpus.rows.model[corpus.layout.row_at[p] as usize])
            .map(|model| models.partition_point(|&m| m < model))
            .collect();
        let squares = squares_of(&unit, &label, models.len(), dim);
        ((0..models.len()).map(|a| squares[a * models.len() + a]).sum(), squares.iter().sum())
    };
    let queries = done.into_iter().map(|(query, sums, _)| (query, sums)).collect();
    Group { queries, models, counts, vectors, gram, squares }
}

impl Sums {
    /// The pass. `people` says of each row whether a person wrote it (empty: nobody).
    ///
    /// # Errors
    /// [`crate::base::Error::Interrupted`].
    pub fn new(corpus: &Corpus, people: &[bool], observer: &dyn Observer) -> Result<Self> {
        let dim = corpus.dim();
        let models = corpus.rows.models.len();
        let queries = corpus.layout.canonical.len();
        let stage = Stage::start(observer, "measures", "queries", queries as u64);
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); queries];
        for (query, &canonical) in corpus.layout.canonical.iter().enumerate() {
            members[canonical as usize].push(query);
        }
        members.retain(|m| !m.is_empty());
        let mut sums = Self {
            queries: vec![QuerySums::default(); queries],
            models,
            counts: vec![0.0; models],
            gram: Vec::new(),
            same_gram: vec![0.0; models * models],
            same_counts: vec![0.0; models * models],
            same_squares: (0.0, 0.0),
        };
        let mut totals = vec![0.0; models * dim];
        let mut done = 0u64;
        for chunk in members.chunks(CHUNK) {
            observer.check_stop()?;
            let groups: Vec<Group> = chunk.par_iter().map(|m| one_group(corpus, m, people)).collect();
            for group in groups {
                let c = group.models.len();
                for a in 0..c {
                    let model = group.models[a] as usize;
                    sums.counts[model] += group.counts[a];
                    let target = &mut totals[model * dim..(model + 1) * dim];
                    target.iter_mut().zip(&group.vectors[a * dim..(a + 1) * dim]).for_each(|(s, x)| *s += x);
                    for b in 0..c {
                        let place = model * models + group.models[b] as usize;
                        sums.same_gram[place] += group.gram[a * c + b];
                        sums.same_counts[place] += group.counts[a] * group.counts[b];
                    }
                }
                sums.same_squares.0 += group.squares.0;
                sums.same_squares.1 += group.squares.1;
                done += group.queries.len() as u64;
                for (query, one) in group.queries {
                    sums.queries[query] = one;
                }
            }
            stage.advance(done);
        }
        sums.gram = gram_of(&totals, models, dim);
        stage.finish();
        Ok(sums)
    }
}
