//! Numbers of the whole corpus that other numbers rest on, such as the floor that clusters are cut from, and how far they move
//! with each query. An interval over queries carries that: drawing a query twice moves the cut, and the cut the number.

use super::cells::{Cells, add_unit_row, by_model};
use super::effective::Effects;
use super::intervals::standard_error;
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

    /// Those of a mean of one value a query, where it has one.
    pub fn of_mean(values: &[Option<f64>]) -> Self {
        let (sum, count) = values.iter().flatten().fold((0.0, 0.0), |t, x| (t.0 + x, t.1 + 1.0));
        Self { of_query: values.iter().map(|x| x.map_or(0.0, |x| (x - sum / count) / count)).collect() }
    }

    /// Those of the corpus floor: pairs of different queries and different models (of different queries, if there is one
    /// model). One pass over the vectors; models x d values are held.
    pub fn of_floor(corpus: &Corpus, sums: &Sums) -> Self {
        let dim = corpus.dim();
        let everyone = vec![true; sums.models];
        let sum_of = |positions: &[usize]| {
            let mut sum = vec![0.0; dim];
            positions.iter().for_each(|&p| add_unit_row(corpus, p, &mut sum));
            sum
        };
        let of_models: Vec<Vec<f64>> = by_model(corpus).par_iter().map(|positions| sum_of(positions)).collect();
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

    /// `terms` of a ratio that grows by `slope` with the number that moves, (0, 0) where there is none; the ratio stays what it
    /// is.
    pub fn carried(&self, terms: &[(f64, f64)], slope: f64) -> Vec<(f64, f64)> {
        if self.of_query.is_empty() || !slope.is_finite() {
            return terms.to_vec();
        }
        let used = || terms.iter().zip(&self.of_query).filter(|(term, _)| term.1 != 0.0);
        let (below, moves, count) = used().fold((0.0, 0.0, 0.0), |t, (term, x)| (t.0 + term.1, t.1 + x, t.2 + 1.0));
        let carry = |(&(x, y), own): (&(f64, f64), &f64)| {
            if y != 0.0 { (x + slope * below * (own - moves / count), y) } else { (x, y) }
        };
        terms.iter().zip(&self.of_query).map(carry).collect()
    }

    /// Standard error of the number.
    pub fn error(&self) -> f64 {
        let squares: f64 = self.of_query.iter().map(|x| x * x).sum();
        if self.of_query.len() < 2 { 0.0 } else { standard_error(squares, self.of_query.len()) }
    }

    /// By query.
    pub fn of_queries(&self) -> &[f64] {
        &self.of_query
    }
}

/// Squared similarities of some answers to each query with all other queries' answers of other models, while they are gathered
/// from second moments. Copies of a query count as others here: they move it a little together.
pub struct Squares<'a> {
    corpus: &'a Corpus,
    sums: &'a Sums,
    /// By model: (position, group of queries).
    looked: Vec<Vec<(usize, usize)>>,
    /// By group: sum over the answers that are looked at, and how many they are.
    found: Vec<(f64, f64)>,
}

impl<'a> Squares<'a> {
    /// At most [`MOST`] answers to a query are looked at, evenly spaced.
    pub fn new(corpus: &'a Corpus, sums: &'a Sums) -> Self {
        let mut looked = vec![Vec::new(); sums.models];
        let mut found = Vec::with_capacity(sums.groups.len());
        for (place, group) in sums.groups.iter().enumerate() {
            let positions: Vec<usize> =
                group.iter().flat_map(|&query| corpus.layout.query_positions[query].clone()).collect();
            let some = positions.len().min(MOST);
            for position in (0..some).map(|i| positions[i * positions.len() / some]) {
                looked[corpus.rows.model[corpus.layout.row_at[position] as usize] as usize].push((position, place));
            }
            found.push((0.0, some as f64));
        }
        Self { corpus, sums, looked, found }
    }

    /// Adds `sign e^T C e` of the answers that are looked at, C being the second moment of everyone.
    fn add(&mut self, of: impl Fn(usize) -> bool, sign: f64, moment: &Triangle) {
        let all: Vec<(usize, usize)> =
            (0..self.looked.len()).filter(|&model| of(model)).flat_map(|model| self.looked[model].clone()).collect();
        let form = |&(position, group): &(usize, usize)| {
            let mut row = vec![0.0; self.corpus.dim()];
            add_unit_row(self.corpus, position, &mut row);
            (group, moment.form(&row))
        };
        for (group, form) in all.par_iter().map(form).collect::<Vec<_>>() {
            self.found[group].0 += sign * form;
        }
    }

    /// Takes out what a model's answers have with their own model's, whose second moment this is.
    pub fn less(&mut self, model: usize, own: &Triangle) {
        self.add(|other| other == model, -1.0, own);
    }

    /// How the mean moves with each query; `moment` is the second moment of all responses.
    pub fn moves(mut self, moment: &Triangle, effects: &Effects) -> Moves {
        self.add(|_| true, 1.0, moment);
        let (n, layout) = (self.corpus.len() as f64, &self.corpus.layout);
        let one = |(group, &(sum, looked)): (&Vec<usize>, &(f64, f64))| {
            let cells = Cells::new(self.corpus, group, &vec![true; self.sums.models]);
            let of = group.iter().map(|&query| layout.query_positions[query].len()).sum::<usize>() as f64;
            let within = |a: usize| (cells.of(a).len() as f64, self.sums.counts[cells.models[a] as usize]);
            let same_model: f64 = (0..cells.len()).map(within).map(|(own, all)| own * (all - own)).sum();
            let same: f64 = group.iter().map(|&query| effects.queries[query].same_query()).sum();
            (sum / looked * of - same, of * (n - of) - same_model)
        };
        let found: Vec<(f64, f64)> = self.sums.groups.iter().zip(&self.found).map(one).collect();
        Moves::new(self.sums.queries.len(), &self.sums.groups, &found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{by_query, ensemble, floors, planted};
    use super::*;
    use crate::base::events::Silent;
    use crate::base::random::Stream;

    /// Responses of 3 models to some of 40 queries, two of which are copies; queries and models have directions.
    fn corpus(queries: impl Iterator<Item = usize>) -> Corpus {
        let stream = Stream::new(6, "moves");
        let of_cell = |q: usize, m: usize| (0..1 + (q + m) % 3).map(move |sample| (q, m, sample));
        let keys: Vec<(usize, usize, usize)> = queries.flat_map(|q| (0..3).flat_map(move |m| of_cell(q, m))).collect();
        let name = |q: usize| if q == 1 { "000 ".to_owned() } else { format!("{q:03}") };
        let names = keys.iter().map(|&(q, m, _)| (name(q), m.to_string()));
        planted::corpus(names, 24, |row, i| {
            let (q, m, sample) = keys[row];
            let of = |place: usize| stream.normal(place as u64, i as u64);
            let common = if i == 0 { 2.0 * stream.uniform(1 << 40 | q as u64, 0) } else { 0.0 };
            (common + of(q) + 0.5 * of(1000 + m) + 0.5 * of(2000 + 9 * q + 3 * m + sample)) as f32
        })
    }

    /// Without a query the number is less by what it moves with its weight, but for what is of second order.
    #[test]
    fn a_number_moves_as_it_does_without_a_query() {
        let whole = corpus(0..40);
        let sums = Sums::new(&whole, &[], &Silent).unwrap();
        let everyone = vec![true; 3];
        let squares = |corpus: &Corpus| {
            let sums = Sums::new(corpus, &[], &Silent).unwrap();
            let effects = by_query::effects(corpus, &sums, &everyone, false);
            ensemble::unrelated_squares(corpus, &sums, (&[(&everyone, &effects)], true), &Silent).unwrap()
        };
        let (of_all, _, of_squares) = squares(&whole);
        let of_floor = Moves::of_floor(&whole, &sums);
        let floor = floors::corpus(&sums, &everyone).unwrap();
        let largest = |moves: &Moves| moves.of_queries().iter().fold(0.0f64, |t, x| t.max(x.abs()));
        assert!(of_floor.of_queries().iter().sum::<f64>().abs() < 1e-12);
        let mut within = 0.0f64;
        for query in 2..40 {
            let left = corpus((0..40).filter(|&other| other != query));
            let sums = Sums::new(&left, &[], &Silent).unwrap();
            let found = floor - floors::corpus(&sums, &everyone).unwrap();
            assert!((found - of_floor.of_queries()[query]).abs() < 0.1 * largest(&of_floor), "{query}: {found}");
            let found = of_all[0].unwrap() - squares(&left).0[0].unwrap();
            within = within.max((found - of_squares.of_queries()[query]).abs() / largest(&of_squares));
        }
        assert!(within < 0.1, "{within}");
        // Queries 0 and 1 are copies: one question, whose weight they share.
        assert_eq!(of_floor.of_queries()[0], of_floor.of_queries()[1]);
    }

    #[test]
    fn what_is_carried_leaves_the_ratio_alone() {
        let moves = Moves { of_query: vec![0.1, -0.2, 0.05, 0.05] };
        let terms = [(1.0, 2.0), (3.0, 1.0), (0.0, 0.0), (2.0, 2.0)];
        let carried = moves.carried(&terms, 3.0);
        let sum: f64 = carried.iter().map(|term| term.0).sum();
        assert!((sum - 6.0).abs() < 1e-12 && carried[2] == (0.0, 0.0));
        // 1 + 3 * 5 * (.1 - mean of .1, -.2 and .05)
        assert!((carried[0].0 - (1.0 + 15.0 * (0.1 + 0.05 / 3.0))).abs() < 1e-12, "{carried:?}");
        assert_eq!(Moves::default().carried(&terms, 3.0), terms);
    }
}
