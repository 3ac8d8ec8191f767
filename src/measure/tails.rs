//! Tails of the first training stage (MEASURES section D): what lay far out there, and whether a later stage still says it.
//!
//! The distance of a response is `t = 1 - mean cosine` to the responses of the same family to the same query at the first
//! stage, one of these left out: itself, or of a later stage's each in turn, so that the two can be compared. No centroid
//! is normalised. The tail begins at the 90th percentile of the first stage's own t, pooled over queries.

use super::cells::unit_rows;
use super::products::add_products;
use super::topn::none_drawn;
use super::variants::{Cell, Variants};
use crate::base::math::quantile_sorted;
use crate::corpus::Corpus;
use rayon::prelude::*;

/// Where the tail begins.
const QUANTILE: f64 = 0.9;
/// Fewest responses of a family to a query at the first stage.
const LEAST: usize = 5;

/// One value a query at the first stage and at a later one.
pub type Values = Vec<(usize, f64, f64)>;

/// Tails of one comparison.
#[derive(Debug, Default)]
pub struct Tails {
    /// Distance from which a response is in the tail.
    pub threshold: Option<f64>,
    /// Share of responses in the tail.
    pub shares: Values,
    /// Share of the first stage's meanings that are met again: by its other half, by as many of a later stage's responses.
    pub coverage: Values,
}

/// One family's responses to a query at both stages.
struct Distances<'a> {
    cells: (&'a Cell, &'a Cell),
    /// Of each response of the first stage.
    first: Vec<f64>,
    /// Meanings met again: by the other half, by the later stage.
    met: Option<(f64, f64)>,
}

/// Cosines of the rows of `x` with those of `y`, row-major.
fn cosines(x: &[f64], y: &[f64], dim: usize) -> Vec<f64> {
    let mut found = vec![0.0; x.len() / dim * (y.len() / dim)];
    add_products(x, y, dim, &mut found);
    found
}

/// The distance of a response that has these cosines with the first stage's, one of them left out.
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

    fn one<'a>(&self, cells: (&'a Cell, &'a Cell)) -> Distances<'a> {
        let dim = self.corpus.dim();
        let (first, later) = (self.rows(cells.0), self.rows(cells.1));
        let (own, across) = (cosines(&first, &first, dim), cosines(&later, &first, dim));
        let n = cells.0.n();
        let own_left_out = |(i, row): (usize, &[f64])| distance(row.iter().sum(), row[i], n);
        let first = own.chunks_exact(n).enumerate().map(own_left_out).collect();
        Distances { cells, first, met: self.met(cells.0, &own, &across) }
    }

    /// Share of the later stage's responses that are farther than the threshold, each of the first left out in turn.
    fn beyond(&self, (first, later): (&Cell, &Cell), threshold: f64) -> f64 {
        let across = cosines(&self.rows(later), &self.rows(first), self.corpus.dim());
        let of_row = |row: &[f64]| {
            let sum = row.iter().sum();
            row.iter().filter(|left| distance(sum, **left, row.len()) > threshold).count()
        };
        across.chunks_exact(first.n()).map(of_row).sum::<usize>() as f64 / across.len() as f64
    }

    /// The medoids of the meanings in either half of the first stage (every other response), and the shares of them that
    /// have a response within tau in the other half, and among as many drawn from the later stage.
    fn met(&self, first: &Cell, own: &[f64], across: &[f64]) -> Option<(f64, f64)> {
        let (tau, n) = (self.tau?, first.n());
        let cluster = |i: &usize| self.clusters[self.corpus.layout.row_at[self.variants.positions(first)[*i]] as usize];
        let halves = [0, 1].map(|start| (start..n).step_by(2).collect::<Vec<usize>>());
        let (mut by_half, mut by_later, mut count) = (0.0, 0.0, 0.0);
        for (half, other) in [(&halves[0], &halves[1]), (&halves[1], &halves[0])] {
            let later = across.len() / n;
            if later < other.len() || half.iter().any(|i| cluster(i) == u32::MAX) {
                return None;
            }
            let mut meanings: Vec<u32> = half.iter().map(cluster).collect();
            meanings.sort_unstable();
            meanings.dedup();
            let (mut again, mut still) = (0.0, 0.0);
            for meaning in &meanings {
                let members: Vec<usize> = half.iter().copied().filter(|i| cluster(i) == *meaning).collect();
                // Of two, both are as central to the last bit, and the first is taken.
                let central = |i: usize| members.iter().filter(|&&j| j != i).map(|j| own[i * n + j]).sum::<f64>();
                let medoid = members.iter().copied().reduce(|a, b| if central(b) > central(a) { b } else { a })?;
                if other.iter().any(|j| own[medoid * n + j] >= tau) {
                    again += 1.0;
                }
                let near = across.chunks_exact(n).filter(|row| row[medoid] >= tau).count();
                still += 1.0 - none_drawn(later as u64, near as u64, other.len() as u64);
            }
            by_half += again / meanings.len() as f64;
            by_later += still / meanings.len() as f64;
            count += 1.0;
        }
        Some((by_half / count, by_later / count))
    }

    /// Tails over queries, given the cells of each family that has both stages; families with fewer than 5 responses at the
    /// first take no part.
    pub fn tails<'a>(&self, found: &[Vec<(&'a Cell, &'a Cell)>]) -> Tails {
        let of_query = |query: &Vec<(&'a Cell, &'a Cell)>| {
            let enough = query.iter().filter(|(first, _)| first.n() >= LEAST);
            enough.map(|&cells| self.one(cells)).collect::<Vec<_>>()
        };
        let each: Vec<Vec<Distances<'_>>> = found.par_iter().map(of_query).filter(|query| !query.is_empty()).collect();
        let mut pooled: Vec<f64> = each.iter().flatten().flat_map(|one| one.first.iter().copied()).collect();
        if pooled.is_empty() {
            return Tails::default();
        }
        pooled.sort_unstable_by(f64::total_cmp);
        let threshold = quantile_sorted(&pooled, QUANTILE);
        let beyond = |values: &[f64]| values.iter().filter(|&&t| t > threshold).count() as f64 / values.len() as f64;
        let share = |one: &Distances<'_>| Some((beyond(&one.first), self.beyond(one.cells, threshold)));
        let mean = |query: &Vec<Distances<'_>>, value: &dyn Fn(&Distances<'_>) -> Option<(f64, f64)>| {
            let values: Vec<(f64, f64)> = query.iter().filter_map(value).collect();
            let n = values.len() as f64;
            let (a, b) = values.iter().fold((0.0, 0.0), |t, v| (t.0 + v.0, t.1 + v.1));
            (n > 0.0).then(|| (query[0].cells.0.query, a / n, b / n))
        };
        Tails {
            threshold: Some(threshold),
            shares: each.par_iter().filter_map(|query| mean(query, &share)).collect(),
            coverage: each.iter().filter_map(|query| mean(query, &|one| one.met)).collect(),
        }
    }
}
