//! Draws of unrelated answers: each model answers another query. And what their effective number grows by with the squared
//! similarities that it rests on, so that an interval can carry how it moves with the queries.

use super::super::effective::of_rows;
use super::{Design, Draws, Squared, mean, what};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Share of the pairs of an unrelated draw that may be of one query, where there are fewer queries than models.
const SHARED: f64 = 0.01;

/// Draws of one design.
#[derive(Debug, Clone, PartialEq)]
pub struct Unrelated {
    /// Effective numbers by draw.
    pub values: Vec<f64>,
    /// What their mean grows by with the mean squared similarity.
    pub slopes: Squared,
}

impl Draws<'_> {
    /// Rows of a draw where each model answers another query, those of a model together; `None` if there are not enough
    /// models or queries.
    fn unrelated_rows(&self, (used, each): Design, draw: usize) -> Option<Vec<usize>> {
        let mut models: Vec<usize> = (0..self.cells.len()).filter(|&m| self.keep[m]).collect();
        self.stream.shuffle(draw as u32, what(4, used, each), &mut models);
        let mut asked: BTreeMap<u32, usize> = BTreeMap::new();
        let (mut rows, mut taken) = (Vec::with_capacity(used * each), 0);
        for model in models {
            let mut able: Vec<&(u32, std::ops::Range<usize>)> =
                self.cells[model].iter().filter(|cell| cell.1.len() >= each).collect();
            self.stream.shuffle(draw as u32, what(5, used, model), &mut able);
            // The first of those that were asked least.
            let Some((question, positions)) =
                able.into_iter().min_by_key(|cell| asked.get(&cell.0).copied().unwrap_or(0))
            else {
                continue;
            };
            *asked.entry(*question).or_insert(0) += 1;
            self.some(&positions.clone().collect::<Vec<_>>(), each, draw, what(6, used, model), &mut rows);
            taken += 1;
            if taken == used {
                let shared: usize = asked.values().map(|n| n * (n - 1)).sum();
                return (shared as f64 <= SHARED * (used * (used - 1)) as f64).then_some(rows);
            }
        }
        None
    }

    /// Effective numbers of unrelated answers by draw.
    pub fn unrelated(&self, design: Design, draws: usize) -> Option<Unrelated> {
        let one = |draw: usize| {
            let rows = self.unrelated_rows(design, draw)?;
            let all = of_rows(self.corpus, &rows);
            let n = rows.len() as f64;
            // The reciprocal of order 2 is the mean squared similarity, each response with itself included.
            let of_all = n * n / all.two - n;
            let within: f64 = rows.chunks(design.1).map(|cell| self.squares_within(cell)).sum();
            Some((all.one, (within, of_all - within)))
        };
        let found: Vec<(f64, Squared)> = (0..draws).into_par_iter().map(one).collect::<Option<_>>()?;
        let (used, each) = (design.0 as f64, design.1 as f64);
        let pairs = (used * each * (each - 1.0), used * (used - 1.0) * each * each);
        let (within, across) = slopes(&found);
        Some(Unrelated {
            values: found.into_iter().map(|one| one.0).collect(),
            slopes: (within * pairs.0, across * pairs.1),
        })
    }

    /// Sum of squared similarities over ordered pairs of different responses of a cell.
    fn squares_within(&self, cell: &[usize]) -> f64 {
        let n = cell.len() as f64;
        if cell.len() < 2 { 0.0 } else { n * n / of_rows(self.corpus, cell).two - n }
    }
}

/// Slopes of the plane of least squares of values by draw over two sums; 0 for a sum that does not vary.
fn slopes(found: &[(f64, Squared)]) -> Squared {
    let of = |value: fn(&(f64, Squared)) -> f64| -> Vec<f64> {
        let values: Vec<f64> = found.iter().map(value).collect();
        let mean = mean(&values);
        values.into_iter().map(|x| x - mean).collect()
    };
    let (z, x, y) = (of(|one| one.0), of(|one| one.1.0), of(|one| one.1.1));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (xx, xy, yy, xz, yz) = (dot(&x, &x), dot(&x, &y), dot(&y, &y), dot(&x, &z), dot(&y, &z));
    let determinant = xx * yy - xy * xy;
    if determinant > 1e-9 * xx * yy {
        ((xz * yy - yz * xy) / determinant, (yz * xx - xz * xy) / determinant)
    } else if yy > 0.0 {
        (0.0, yz / yy)
    } else {
        (0.0, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sums::Sums;
    use super::super::super::{by_query, ensemble, planted};
    use super::*;
    use crate::base::events::Silent;
    use crate::base::random::Stream;
    use crate::corpus::Corpus;

    #[test]
    fn slopes_are_those_of_a_plane() {
        let stream = Stream::new(2, "plane");
        let of = |both: bool, noise: f64| {
            let one = |i: u64| {
                let (x, y) = (if both { stream.normal(i, 0) } else { 4.0 }, 3.0 + stream.normal(i, 1));
                (2.0 * x - 0.5 * y + noise * stream.normal(i, 2), (x, y))
            };
            slopes(&(0..200).map(one).collect::<Vec<_>>())
        };
        let (x, y) = of(true, 0.0);
        assert!((x - 2.0).abs() < 1e-12 && (y + 0.5).abs() < 1e-12);
        let (x, y) = of(true, 0.3);
        assert!((x - 2.0).abs() < 0.1 && (y + 0.5).abs() < 0.1, "{x} {y}");
        assert_eq!(of(false, 0.0).0, 0.0);
        assert_eq!(slopes(&[(1.0, (2.0, 3.0)); 20]), (0.0, 0.0));
    }

    /// Where queries are worth more the more their own answers vary, the mean of all draws moves by the slopes.
    #[test]
    fn unrelated_answers_are_worth_what_the_slopes_say() {
        const QUERIES: usize = 40;
        let stream = Stream::new(3, "unrelated");
        let corpus = |spread: f64| {
            let keys = (0..QUERIES * 8).map(|i| (format!("{:02}", i / 8), (i / 4 % 2).to_string()));
            planted::corpus(keys, 16, |row, i| {
                let noise = |kind: u64, of: usize| stream.normal(kind << 32 | of as u64, i as u64);
                let own = 0.3 + spread * stream.uniform(row as u64 / 8, 99);
                (noise(0, row / 8) + own * noise(1, row) + if i == 0 { 1.0 } else { 0.0 }) as f32
            })
        };
        let found = |corpus: &Corpus| {
            let keep = [true; 2];
            let sums = Sums::new(corpus, &[], &Silent).unwrap();
            let effects = by_query::effects(corpus, &sums, &keep, true);
            let within: f64 = effects.queries.iter().filter_map(|one| one.squares.within).sum();
            let across = ensemble::unrelated_squares(corpus, &sums, (&[(&keep, &effects)], true), &Silent);
            let unrelated = Draws::new(corpus, &keep, 5).unrelated((2, 4), 200).unwrap();
            (mean(&unrelated.values), (within / QUERIES as f64, across.unwrap().0[0].unwrap()), unrelated.slopes)
        };
        let (narrow, wide) = (found(&corpus(0.5)), found(&corpus(0.6)));
        let moved = wide.0 - narrow.0;
        let told = narrow.2.0 * (wide.1.0 - narrow.1.0) + narrow.2.1 * (wide.1.1 - narrow.1.1);
        assert!(moved > 0.02 && (told / moved - 1.0).abs() < 0.15, "{moved} {told} {narrow:?} {wide:?}");
    }
}
