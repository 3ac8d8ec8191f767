//! Tails of the first training stage (MEASURES section D): what lay far out there, and whether a later stage still says it.
//!
//! The distance of a response is `t = 1 - mean cosine` to the responses of the same family to the same query at the first
//! stage, one of these left out: itself, or of a later stage's each in turn, so that the two can be compared. No centroid
//! is normalised. The tail begins at the 90th percentile of the first stage's own t, pooled over queries.

use super::super::cells::unit_rows;
use super::super::products::add_products;
use super::super::topn::none_drawn;
use super::super::variants::{Cell, Variants};
use super::values::{Cells, Families, Value, mean_of};
use crate::base::math::quantile_sorted;
use crate::corpus::Corpus;
use rayon::prelude::*;

/// Where the tail begins.
const QUANTILE: f64 = 0.9;
/// Fewest responses of a family to a query at the first stage.
const LEAST: usize = 5;

/// Tails of the first of some stages.
#[derive(Debug, Default)]
pub struct Tails {
    /// Distance from which a response is in the tail.
    pub threshold: Option<f64>,
    /// By stage, the share of responses in the tail.
    pub shares: Vec<Value>,
    /// Share of the first stage's meanings that are met again: by its other half, by as many of a later stage's responses.
    pub coverage: Vec<Value>,
}

/// One family's responses to a query.
struct Distances<'a> {
    cells: &'a Cells<'a>,
    /// Of each response of the first stage.
    first: Vec<f64>,
    /// Meanings met again: by the other half, by each later stage.
    met: Option<Vec<f64>>,
}

/// Cosines of the rows of `x` with those of `y`, row-major.
fn cosines(x: &[f64], y: &[f64], dim: usize) -> Vec<f64> {
    let mut found = vec![0.0; x.len() / dim * (y.len() / dim)];
    add_products(x, y, dim, &mut found);
    found
}

/// The distance of a response whose cosines with the first stage's add up to `sum`, one of them left out.
fn distance(sum: f64, left: f64, n: usize) -> f64 {
    1.0 - (sum - left) / (n - 1) as f64
}

/// What a comparison is made from.
pub struct Pass<'a> {
    /// The corpus.
    pub corpus: &'a Corpus,
    /// Its cells.
    pub variants: &'a Variants<'a>,
    /// Cluster of each row; `u32::MAX` for none.
    pub clusters: &'a [u32],
    /// The cosine at which two responses have one meaning.
    pub tau: Option<f64>,
}

impl Pass<'_> {
    fn rows(&self, cell: &Cell) -> Vec<f64> {
        unit_rows(self.corpus, self.variants.positions(cell))
    }

    fn one<'a>(&self, cells: &'a Cells<'a>) -> Distances<'a> {
        let (dim, first, n) = (self.corpus.dim(), self.rows(cells[0]), cells[0].n());
        let own = cosines(&first, &first, dim);
        let across: Vec<Vec<f64>> = cells[1..].iter().map(|later| cosines(&self.rows(later), &first, dim)).collect();
        let own_left_out = |(i, row): (usize, &[f64])| distance(row.iter().sum(), row[i], n);
        let first = own.chunks_exact(n).enumerate().map(own_left_out).collect();
        Distances { cells, first, met: self.met(cells[0], &own, &across) }
    }

    /// By stage, the share of responses that are farther than the threshold; of a later stage's with each of the first left
    /// out in turn. Products are formed again rather than kept: for all queries they would be a matrix a cell.
    fn beyond(&self, of: &Distances<'_>, threshold: f64) -> Vec<f64> {
        let (first, n) = (self.rows(of.cells[0]), of.first.len());
        let later = of.cells[1..].iter().map(|later| {
            let across = cosines(&self.rows(later), &first, self.corpus.dim());
            let of_row = |row: &[f64]| {
                let sum = row.iter().sum();
                row.iter().filter(|left| distance(sum, **left, n) > threshold).count()
            };
            across.chunks_exact(n).map(of_row).sum::<usize>() as f64 / across.len() as f64
        });
        let own = of.first.iter().filter(|&&t| t > threshold).count() as f64 / n as f64;
        std::iter::once(own).chain(later).collect()
    }

    /// The medoids of the meanings in either half of the first stage (every other response), and the shares of them that
    /// have a response within tau in the other half, and among as many drawn from each later stage.
    fn met(&self, first: &Cell, own: &[f64], across: &[Vec<f64>]) -> Option<Vec<f64>> {
        let (tau, n) = (self.tau?, first.n());
        let cluster = |i: &usize| self.clusters[self.corpus.layout.row_at[self.variants.positions(first)[*i]] as usize];
        let halves = [0, 1].map(|start| (start..n).step_by(2).collect::<Vec<usize>>());
        let mut shares = Vec::new();
        for (half, other) in [(&halves[0], &halves[1]), (&halves[1], &halves[0])] {
            let few = across.iter().any(|later| later.len() / n < other.len());
            if few || half.iter().any(|i| cluster(i) == u32::MAX) {
                return None;
            }
            let mut meanings: Vec<u32> = half.iter().map(cluster).collect();
            meanings.sort_unstable();
            meanings.dedup();
            let mut met = vec![0.0; 1 + across.len()];
            for meaning in &meanings {
                let members: Vec<usize> = half.iter().copied().filter(|i| cluster(i) == *meaning).collect();
                // Of two, both are as central to the last bit, and the first is taken.
                let central = |i: usize| members.iter().filter(|&&j| j != i).map(|j| own[i * n + j]).sum::<f64>();
                let medoid = members.iter().copied().reduce(|a, b| if central(b) > central(a) { b } else { a })?;
                if other.iter().any(|j| own[medoid * n + j] >= tau) {
                    met[0] += 1.0;
                }
                for (met, later) in met[1..].iter_mut().zip(across) {
                    let near = later.chunks_exact(n).filter(|row| row[medoid] >= tau).count();
                    *met += 1.0 - none_drawn((later.len() / n) as u64, near as u64, other.len() as u64);
                }
            }
            shares.push(met.into_iter().map(|met| met / meanings.len() as f64).collect::<Vec<f64>>());
        }
        mean_of(&shares.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// Tails over queries, given the cells of each family at all stages; families with fewer than 5 responses at the first
    /// take no part.
    pub fn tails(&self, found: &[Families<'_>]) -> Tails {
        let each: Vec<Vec<Distances<'_>>> = (found.par_iter())
            .map(|query| query.iter().filter(|cells| cells[0].n() >= LEAST).map(|cells| self.one(cells)).collect())
            .filter(|query: &Vec<Distances<'_>>| !query.is_empty())
            .collect();
        let mut pooled: Vec<f64> = each.iter().flatten().flat_map(|one| one.first.iter().copied()).collect();
        if pooled.is_empty() {
            return Tails::default();
        }
        pooled.sort_unstable_by(f64::total_cmp);
        let threshold = quantile_sorted(&pooled, QUANTILE);
        let mean = |query: &Vec<Distances<'_>>, value: &dyn Fn(&Distances<'_>) -> Option<Vec<f64>>| {
            let values: Vec<Vec<f64>> = query.iter().filter_map(value).collect();
            let at = mean_of(&values.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
            Some(Value { query: query[0].cells[0].query, at })
        };
        let shares = |one: &Distances<'_>| Some(self.beyond(one, threshold));
        Tails {
            threshold: Some(threshold),
            shares: each.par_iter().filter_map(|query| mean(query, &shares)).collect(),
            coverage: each.iter().filter_map(|query| mean(query, &|one| one.met.clone())).collect(),
        }
    }
}
