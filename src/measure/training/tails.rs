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
struct Distances {
    query: usize,
    /// By stage, of each response; of a later stage's with each of the first left out.
    at: Vec<Vec<f64>>,
    /// Meanings met again: by the other half, by each later stage.
    met: Option<Vec<f64>>,
}

/// Cosines of the rows of `x` with those of `y`, row-major.
fn cosines(x: &[f64], y: &[f64], dim: usize) -> Vec<f64> {
    let mut found = vec![0.0; x.len() / dim * (y.len() / dim)];
    add_products(x, y, dim, &mut found);
    found
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
    fn one(&self, cells: &Cells<'_>) -> Distances {
        let dim = self.corpus.dim();
        let first = cells[0];
        let rows = |cell: &Cell| unit_rows(self.corpus, self.variants.positions(cell));
        let of_first = rows(first);
        let own = cosines(&of_first, &of_first, dim);
        let across: Vec<Vec<f64>> = cells[1..].iter().map(|later| cosines(&rows(later), &of_first, dim)).collect();
        let (n, others) = (first.n(), (first.n() - 1) as f64);
        // The mean cosine with all but row `left` of the first stage.
        let without = |cosines: &[f64], left: usize| 1.0 - (cosines.iter().sum::<f64>() - cosines[left]) / others;
        let mut at: Vec<Vec<f64>> = vec![own.chunks_exact(n).enumerate().map(|(i, row)| without(row, i)).collect()];
        at.extend((across.iter()).map(|later| {
            later.chunks_exact(n).flat_map(|row| (0..n).map(move |left| without(row, left))).collect::<Vec<f64>>()
        }));
        Distances { query: first.query, at, met: self.met(first, &own, &across) }
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
        let each: Vec<Vec<Distances>> = (found.iter())
            .map(|query| query.iter().filter(|cells| cells[0].n() >= LEAST).map(|cells| self.one(cells)).collect())
            .filter(|query: &Vec<Distances>| !query.is_empty())
            .collect();
        let mut pooled: Vec<f64> = each.iter().flatten().flat_map(|one| one.at[0].iter().copied()).collect();
        if pooled.is_empty() {
            return Tails::default();
        }
        pooled.sort_unstable_by(f64::total_cmp);
        let threshold = quantile_sorted(&pooled, QUANTILE);
        let share = |values: &Vec<f64>| values.iter().filter(|&&t| t > threshold).count() as f64 / values.len() as f64;
        let mean = |query: &Vec<Distances>, value: &dyn Fn(&Distances) -> Option<Vec<f64>>| {
            let values: Vec<Vec<f64>> = query.iter().filter_map(value).collect();
            let at = mean_of(&values.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
            Some(Value { query: query[0].query, at })
        };
        let shares = |one: &Distances| Some(one.at.iter().map(share).collect());
        Tails {
            threshold: Some(threshold),
            shares: each.iter().filter_map(|query| mean(query, &shares)).collect(),
            coverage: each.iter().filter_map(|query| mean(query, &|one| one.met.clone())).collect(),
        }
    }
}
