//! Numbers of the whole corpus that other numbers rest on, such as the floor that clusters are cut from, and how far they move
//! with each query. An interval over queries carries that: drawing a query twice moves the cut, and the cut the number.

use super::cells::{Cells, add_unit_row};
use super::effective::Effects;
use super::products::Triangle;
use super::sums::Sums;
use crate::corpus::Corpus;
use rayon::prelude::*;

/// Most responses of a query whose squared similarities with all others are looked at; of more, as many evenly spaced ones.
const MOST: usize = 64;

/// By query, how far a number moves with the query's weight: with weights w it is `value + sum (w_q - 1) of_query_q`, to
/// first order. They add up to 0. Empty for a number that does not move.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moves {
    of_query: Vec<f64>,
}

impl Moves {
    /// From the sums of each group of queries that are copies, such as cosines with all other queries and their number; every
    /// pair is in the sums of both of its queries.
    fn new(queries: usize, groups: &[Vec<usize>], sums: &[(f64, f64)]) -> Self {
        let (sum, count) = sums.iter().fold((0.0, 0.0), |t, one| (t.0 + one.0, t.1 + one.1));
        if count <= 0.0 {
            return Self::default();
        }
        let mut of_query = vec![0.0; queries];
        for (group, one) in groups.iter().zip(sums) {
            let of_group = 2.0 * (one.0 - sum / count * one.1) / count;
            group.iter().for_each(|&query| of_query[query] = of_group / group.len() as f64);
        }
        Self { of_query }
    }

    /// Those of the corpus floor: pairs of different queries and different models (of different queries, if there is one
    /// model). One pass over the vectors; models x d values are held.
    pub fn of_floor(corpus: &Corpus, sums: &Sums) -> Self {
        let dim = corpus.dim();
        let everyone = vec![true; sums.models];
        let mut positions: Vec<Vec<usize>> = vec![Vec::new(); sums.models];
        for (p, &row) in corpus.layout.row_at.iter().enumerate() {
            positions[corpus.rows.model[row as usize] as usize].push(p);
        }
        let sum_of = |positions: &[usize]| {
            let mut sum = vec![0.0; dim];
            positions.iter().for_each(|&p| add_unit_row(corpus, p, &mut sum));
            sum
        };
        let of_models: Vec<Vec<f64>> = positions.par_iter().map(|positions| sum_of(positions)).collect();
        let mut all = vec![0.0; dim];
        of_models.iter().for_each(|of| all.iter_mut().zip(of).for_each(|(s, x)| *s += x));
        // Cosines of a sum with the others that it is a part of.
        let rest = |own: &[f64], whole: &[f64]| own.iter().zip(whole).map(|(x, y)| x * (y - x)).sum::<f64>();
        let one = |group: &Vec<usize>| {
            let cells = Cells::new(corpus, group, &everyone);
            let mut own = vec![0.0; dim];
            let (mut sum, mut count) = (0.0, 0.0);
            for (a, &model) in cells.models.iter().enumerate() {
                let (of_cell, n) = (sum_of(cells.of(a)), cells.of(a).len() as f64);
                own.iter_mut().zip(&of_cell).for_each(|(s, x)| *s += x);
                if sums.models > 1 {
                    sum -= rest(&of_cell, &of_models[model as usize]);
                    count -= n * (sums.counts[model as usize] - n);
                }
            }
            let n = cells.rows() as f64;
            (sum + rest(&own, &all), count + n * (corpus.len() as f64 - n))
        };
        let found: Vec<(f64, f64)> = sums.groups.par_iter().map(one).collect();
        Self::new(sums.queries.len(), &sums.groups, &found)
    }

    /// Those of the mean squared similarity of answers to different queries; `moment` is the sum of e e^T over all responses.
    pub fn of_squares(corpus: &Corpus, sums: &Sums, effects: &Effects, moment: &Triangle) -> Self {
        let n = corpus.len() as f64;
        let one = |group: &Vec<usize>| {
            let positions: Vec<usize> =
                group.iter().flat_map(|&query| corpus.layout.query_positions[query].clone()).collect();
            let of = positions.len() as f64;
            let looked: Vec<usize> = (0..positions.len().min(MOST))
                .map(|i| positions[i * positions.len() / positions.len().min(MOST)])
                .collect();
            let with_all: f64 = looked
                .iter()
                .map(|&position| {
                    let mut row = vec![0.0; corpus.dim()];
                    add_unit_row(corpus, position, &mut row);
                    moment.form(&row)
                })
                .sum();
            let own: f64 = group.iter().map(|&query| effects.queries[query].same_query()).sum();
            (with_all / looked.len() as f64 * of - own, of * (n - of))
        };
        let found: Vec<(f64, f64)> = sums.groups.par_iter().map(one).collect();
        Self::new(sums.queries.len(), &sums.groups, &found)
    }

    /// `terms` of a ratio that grows by `slope` with the number that moves; the ratio stays what it is.
    pub fn carried(&self, terms: &[(f64, f64)], slope: f64) -> Vec<(f64, f64)> {
        if self.of_query.is_empty() || !slope.is_finite() {
            return terms.to_vec();
        }
        let used = || terms.iter().zip(&self.of_query).filter(|(term, _)| term.1 > 0.0);
        let (below, moves, count) = used().fold((0.0, 0.0, 0.0), |t, (term, x)| (t.0 + term.1, t.1 + x, t.2 + 1.0));
        let carry = |(&(x, y), own): (&(f64, f64), &f64)| {
            if y > 0.0 { (x + slope * below * (own - moves / count), y) } else { (x, y) }
        };
        terms.iter().zip(&self.of_query).map(carry).collect()
    }

    /// By query.
    pub fn of_queries(&self) -> &[f64] {
        &self.of_query
    }
}
