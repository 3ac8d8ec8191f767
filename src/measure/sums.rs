//! The sums over queries that every mean rests on: cell sums and their Gram matrices.
//!
//! Queries are computed in parallel and folded in their order, so the sums have the same bits at any thread count.
//! What stays of a query of c models is a triangle: 4 c (c + 1) bytes, and 12 c more for names and counts. What stays of
//! the corpus is three triangles of M models and, until the pass ends, M x d sums.

use super::cells::{Cells, add_unit_row};
use super::chunks;
use super::products::Triangle;
use crate::base::events::Stage;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use rayon::prelude::*;

/// Sums of one query; cells in the order of `layout.cells`.
#[derive(Debug, Clone, Default)]
pub struct QuerySums {
    /// Model of each cell.
    pub models: Vec<u32>,
    /// Responses of each cell.
    pub counts: Vec<f64>,
    /// `<S_a, S_b>`, cells x cells.
    pub gram: Triangle,
    /// Sum of similarities of ordered pairs of people, and their number.
    pub people: (f64, f64),
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
        let product = self.gram.at(a, b);
        let n = self.counts[a];
        if a == b { (product - n, n * (n - 1.0)) } else { (product, n * self.counts[b]) }
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
    /// Query ids by canonical query: queries that are copies of each other stand together.
    pub groups: Vec<Vec<usize>>,
    /// Number of models M.
    pub models: usize,
    /// Responses of each model.
    pub counts: Vec<f64>,
    /// `<T_a, T_b>` of the models' sums over everything, M x M.
    pub gram: Triangle,
    /// Sum over canonical queries of `<S_a, S_b>`, M x M.
    pub same_gram: Triangle,
    /// Sum over canonical queries of n_a n_b, M x M.
    pub same_counts: Triangle,
}

/// Sums of the queries of one canonical query.
struct Group {
    queries: Vec<(usize, QuerySums)>,
    models: Vec<u32>,
    counts: Vec<f64>,
    /// Sum of each model, row-major.
    vectors: Vec<f64>,
    /// Gram matrix of `vectors`; `None` if it is that of the only query.
    gram: Option<Triangle>,
}

/// A sum and a count, added.
pub fn plus(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 + b.0, a.1 + b.1)
}

/// A sum and a count less another.
pub fn minus(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 - b.0, a.1 - b.1)
}

/// Sum and number of the similarities of ordered pairs of people among the rows of a query.
fn of_people(corpus: &Corpus, query: usize, people: &[bool]) -> (f64, f64) {
    let person = |p: &usize| people.get(corpus.layout.row_at[*p] as usize).copied().unwrap_or(false);
    let positions: Vec<usize> = corpus.layout.query_positions[query].clone().filter(person).collect();
    if positions.is_empty() {
        return (0.0, 0.0);
    }
    let n = positions.len() as f64;
    let mut sum = vec![0.0; corpus.dim()];
    positions.iter().for_each(|&p| add_unit_row(corpus, p, &mut sum));
    (Triangle::gram(&sum, corpus.dim()).at(0, 0) - n, n * (n - 1.0))
}

/// Counts and sums of the cells, the sums row-major.
fn cell_sums(corpus: &Corpus, cells: &Cells) -> (Vec<f64>, Vec<f64>) {
    let dim = corpus.dim();
    let mut vectors = vec![0.0; cells.len() * dim];
    for (a, sum) in vectors.chunks_exact_mut(dim).enumerate() {
        cells.of(a).iter().for_each(|&p| add_unit_row(corpus, p, sum));
    }
    (cells.counts().into_iter().map(|n| n as f64).collect(), vectors)
}

fn one_group(corpus: &Corpus, members: &[usize], people: &[bool], everyone: &[bool]) -> Group {
    let dim = corpus.dim();
    let mut queries = Vec::with_capacity(members.len());
    let mut last = (Vec::new(), Vec::new(), Vec::new());
    for &query in members {
        let cells = Cells::new(corpus, &[query], everyone);
        let (counts, vectors) = cell_sums(corpus, &cells);
        let gram = Triangle::gram(&vectors, dim);
        last = (cells.models.clone(), counts.clone(), vectors);
        let people = of_people(corpus, query, people);
        queries.push((query, QuerySums { models: cells.models, counts, gram, people }));
    }
    let mut gram = None;
    if members.len() > 1 {
        let cells = Cells::new(corpus, members, everyone);
        let (counts, vectors) = cell_sums(corpus, &cells);
        gram = Some(Triangle::gram(&vectors, dim));
        last = (cells.models, counts, vectors);
    }
    Group { queries, models: last.0, counts: last.1, vectors: last.2, gram }
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
        let stage = Stage::start(observer, "measures: sums", "queries", queries as u64);
        let everyone = vec![true; models];
        let mut sums = Self {
            queries: vec![QuerySums::default(); queries],
            groups: chunks::groups(corpus),
            models,
            counts: vec![0.0; models],
            gram: Triangle::default(),
            same_gram: Triangle::zeros(models),
            same_counts: Triangle::zeros(models),
        };
        let groups = std::mem::take(&mut sums.groups);
        let mut totals = vec![0.0; models * dim];
        let mut done = 0u64;
        for chunk in chunks::chunks(corpus, &groups) {
            observer.check_stop()?;
            let folded: Vec<Group> = chunk.par_iter().map(|g| one_group(corpus, g, people, &everyone)).collect();
            for group in folded {
                done += group.queries.len() as u64;
                sums.fold(group, &mut totals, dim);
            }
            stage.advance(done);
        }
        sums.groups = groups;
        sums.gram = Triangle::zeros(models);
        sums.gram.add_gram_parallel(&totals, dim);
        stage.finish();
        Ok(sums)
    }

    fn fold(&mut self, group: Group, totals: &mut [f64], dim: usize) {
        for (query, one) in group.queries {
            if group.gram.is_none() {
                self.fold_pairs(&group.models, &group.counts, &one.gram);
            }
            self.queries[query] = one;
        }
        if let Some(gram) = &group.gram {
            self.fold_pairs(&group.models, &group.counts, gram);
        }
        for (a, vector) in group.vectors.chunks_exact(dim).enumerate() {
            let model = group.models[a] as usize;
            self.counts[model] += group.counts[a];
            totals[model * dim..(model + 1) * dim].iter_mut().zip(vector).for_each(|(s, x)| *s += x);
        }
    }

    fn fold_pairs(&mut self, models: &[u32], counts: &[f64], gram: &Triangle) {
        for a in 0..models.len() {
            for (b, value) in (a..models.len()).zip(gram.row(a)) {
                let (x, y) = (models[a] as usize, models[b] as usize);
                self.same_gram.add(x, y, *value);
                self.same_counts.add(x, y, counts[a] * counts[b]);
            }
        }
    }
}
