//! The map: where each response lies on the two principal components of all of them. map.parquet.
//!
//! The components are those of all unit vectors, from their second moment; of more than [`MapRow::MOST`] responses
//! some are drawn to be shown.

use super::cells::{BLOCK, add_unit_row, for_each_block, unit_rows};
use super::pca::{self, Component};
use super::products::{Triangle, add_products};
use super::tables::{LeftOut, MapRow, MapSummary, left_out};
use crate::base::events::Stage;
use crate::base::random::Stream;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use rayon::prelude::*;

/// What is left of the variance, a response, where there is none: the rounding of 32-bit vectors and of their moment.
const NOTHING: f64 = 1e-12;
/// Rows that a thread adds up at once.
const ROWS: usize = 4096;

/// The map, or why there is none.
#[derive(Debug, Default)]
pub struct Map {
    /// By row; texts are put in by who has the files.
    pub rows: Vec<MapRow>,
    /// What it shows.
    pub summary: Option<MapSummary>,
    /// Why there is none.
    pub left_out: Option<LeftOut>,
}

/// Rows that are shown, ascending. Of more than `most` those with the smallest random numbers: of what people wrote all, up
/// to half of `most`, and of the rest as many as are left.
fn shown(corpus: &Corpus, people: &[bool], most: usize, seed: u64) -> Vec<u32> {
    let n = corpus.len();
    if n <= most {
        return (0..n as u32).collect();
    }
    let draw = Stream::new(seed, "map");
    let mut order: Vec<(u64, u32)> =
        (0..n as u32).into_par_iter().map(|row| (draw.bits(u64::from(row), 0), row)).collect();
    order.par_sort_unstable();
    let person = |row: u32| people.get(row as usize).copied().unwrap_or(false);
    let (mut first, mut rest): (Vec<u32>, Vec<u32>) =
        order.into_iter().map(|(_, row)| row).partition(|&row| person(row));
    let mut rows: Vec<u32> = first.drain(..first.len().min(most / 2)).collect();
    rows.extend(rest.drain(..rest.len().min(most - rows.len())));
    // Where almost all are people the rest of them fill up what is left.
    rows.extend(first.drain(..first.len().min(most - rows.len())));
    rows.sort_unstable();
    rows
}

/// Sum of all unit rows, in chunks that are added in their order.
fn sum(corpus: &Corpus) -> Vec<f64> {
    let (n, dim) = (corpus.len(), corpus.dim());
    let mut total = vec![0.0; dim];
    let starts: Vec<usize> = (0..n).step_by(ROWS).collect();
    for group in starts.chunks(64) {
        let parts: Vec<Vec<f64>> = (group.par_iter())
            .map(|&start| {
                let mut part = vec![0.0; dim];
                (start..n.min(start + ROWS)).for_each(|p| add_unit_row(corpus, p, &mut part));
                part
            })
            .collect();
        parts.iter().for_each(|part| total.iter_mut().zip(part).for_each(|(t, x)| *t += x));
    }
    total
}

/// The components of all unit rows, whose sum is given, and the sum of squared distances from their mean: from the n x n
/// products of rows or, where there are more rows than elements, the d x d second moment.
fn components(corpus: &Corpus, sum: &[f64], moment: Option<Triangle>) -> (Option<[Component; 2]>, f64) {
    let (n, dim) = (corpus.len() as f64, corpus.dim());
    let all = || (0..corpus.len()).collect::<Vec<_>>();
    if corpus.len() < dim {
        let mut rows = unit_rows(corpus, &all());
        rows.chunks_exact_mut(dim).for_each(|row| row.iter_mut().zip(sum).for_each(|(x, s)| *x -= s / n));
        let variance = rows.iter().map(|x| x * x).sum();
        return (pca::of_rows(&rows, dim), variance);
    }
    let mut covariance = moment.unwrap_or_else(|| {
        let mut own = Triangle::zeros(dim);
        for_each_block(corpus, &all(), |columns, rows| own.add_gram_parallel(columns, rows));
        own
    });
    covariance.add_scaled(&Triangle::gram(sum, 1), -1.0 / n);
    let variance = (0..dim).map(|i| covariance.at(i, i)).sum();
    (pca::of_covariance(&covariance), variance)
}

/// The map of a corpus. `moment` is the second moment of all unit rows, the sum of e e^T, where it is known already.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn map(
    corpus: &Corpus,
    people: &[bool],
    moment: Option<Triangle>,
    seed: u64,
    observer: &dyn Observer,
) -> Result<Map> {
    observer.check_stop()?;
    let none = |reason: &str| Ok(Map { left_out: Some(left_out("Response map", reason)), ..Map::default() });
    let (n, dim) = (corpus.len() as f64, corpus.dim());
    if n < 3.0 {
        return none("needs at least 3 responses");
    }
    let stage = Stage::start(observer, "measures: map", "responses", corpus.len() as u64);
    let sum = sum(corpus);
    let (found, variance) = components(corpus, &sum, moment);
    stage.finish();
    if variance <= NOTHING * n {
        return none("all responses have the same vector");
    }
    let Some(found) = found.filter(|found| found[1].squares > NOTHING * n) else {
        return none("the responses differ along one direction only");
    };
    observer.check_stop()?;
    let shown = shown(corpus, people, MapRow::MOST, seed);
    let directions: Vec<f64> = found.iter().flat_map(|component| component.direction.iter().copied()).collect();
    let mut centre = [0.0; 2];
    add_products(&sum, &directions, dim, &mut centre);
    let of_block = |rows: &[u32]| -> Vec<MapRow> {
        let positions: Vec<usize> = rows.iter().map(|&row| corpus.layout.position_of[row as usize] as usize).collect();
        let mut at = vec![0.0; 2 * rows.len()];
        add_products(&unit_rows(corpus, &positions), &directions, dim, &mut at);
        let (pairs, _) = at.as_chunks::<2>();
        (rows.iter().zip(pairs))
            .map(|(&row, [x, y])| MapRow { row, x: x - centre[0] / n, y: y - centre[1] / n, text: None })
            .collect()
    };
    let rows: Vec<MapRow> = shown.par_chunks(BLOCK).flat_map_iter(of_block).collect();
    let summary = MapSummary {
        shown: rows.len() as u64,
        responses: corpus.len() as u64,
        explained: found.map(|component| component.squares / variance),
    };
    Ok(Map { rows, summary: Some(summary), left_out: None })
}

/// Bytes of the map of a corpus: beside the second moment while it is made, and what stays, texts left out.
pub fn bytes(corpus: &Corpus) -> (usize, usize) {
    let draws = if corpus.len() > MapRow::MOST { size_of::<(u64, u32)>() * corpus.len() } else { 0 };
    let (n, dim) = (corpus.len(), corpus.dim());
    let rows = if n < dim { 8 * n * dim + 4 * n * n } else { 0 };
    (pca::bytes(n.min(dim)) + rows + draws, size_of::<MapRow>() * corpus.len().min(MapRow::MOST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::events::Silent;
    use crate::measure::planted;

    fn of(rows: &[&[f32]]) -> Map {
        let keys = (0..rows.len()).map(|row| ("q".to_owned(), format!("m{row}")));
        let corpus = planted::corpus(keys, rows[0].len(), |row, i| rows[row][i]);
        map(&corpus, &[], None, 0, &Silent).unwrap()
    }

    /// Unit vectors `(a, b, rest)` with a and b on a grid.
    #[test]
    fn planted_directions_come_back_whoever_has_the_moment() {
        let side = |row: usize| (row % 5) as f32 * 0.1 - 0.2;
        let up = |row: usize| (row / 5) as f32 * 0.05 - 0.1;
        let value = |row: usize, i: usize| match i {
            3 => side(row),
            1 => up(row),
            2 => (1.0 - side(row) * side(row) - up(row) * up(row)).sqrt(),
            _ => 0.0,
        };
        let corpus = |dim: usize| {
            let keys = (0..25).map(|row| (format!("q{}", row % 3), format!("m{}", row % 4)));
            // Other lengths of the vectors change nothing.
            planted::corpus(keys, dim, |row, i| value(row, i) * (1 + row) as f32)
        };
        let wide = map(&corpus(40), &[], None, 0, &Silent).unwrap();
        let corpus = corpus(7);
        let own = map(&corpus, &[], None, 0, &Silent).unwrap();
        let mut moment = Triangle::zeros(7);
        for_each_block(&corpus, &(0..25).rev().collect::<Vec<_>>(), |columns, _| moment.add_gram(columns, 25));
        let given = map(&corpus, &[], Some(moment), 0, &Silent).unwrap();
        let explained = own.summary.clone().unwrap().explained;
        assert!(explained[0] > 0.7 && explained.iter().sum::<f64>() < 1.0 && explained[1] > 0.1, "{explained:?}");
        for (a, b) in own.rows.iter().zip(&given.rows).chain(own.rows.iter().zip(&wide.rows)) {
            let row = a.row as usize;
            // The third element varies a little with the squares of the others, and not along with them.
            assert!((a.x - f64::from(side(row))).abs() < 1e-6, "{a:?}");
            assert!((a.y - f64::from(up(row))).abs() < 1e-6, "{a:?}");
            assert!((a.x - b.x).abs() < 1e-12 && (a.y - b.y).abs() < 1e-12, "{a:?} {b:?}");
        }
        assert_eq!(own.rows.len(), 25);
    }

    #[test]
    fn what_has_no_two_directions_is_left_out_by_name() {
        for (rows, reason) in [
            (&[&[1.0, 2.0][..]][..], "needs at least 3 responses"),
            (&[&[1.0, 2.0], &[2.0, 1.0]], "needs at least 3 responses"),
            (&[&[0.1, 0.7], &[0.2, 1.4], &[0.3, 2.1], &[0.7, 4.9]], "all responses have the same vector"),
            (&[&[2.0], &[-3.0], &[1.0]], "the responses differ along one direction only"),
            (&[&[1.0, 0.0, 1.0], &[3.0, 0.0, 3.0], &[0.3, 1.0, 0.2]], "the responses differ along one direction only"),
        ] {
            let found = of(rows);
            assert_eq!(found.left_out, Some(left_out("Response map", reason)), "{rows:?}");
            assert!(found.rows.is_empty() && found.summary.is_none());
        }
        let flat = of(&[&[1.0, 0.0], &[0.0, 1.0], &[0.6, 0.8]]);
        let explained = flat.summary.unwrap().explained;
        assert!((explained[0] + explained[1] - 1.0).abs() < 1e-12 && explained[1] > 0.0, "{explained:?}");
        assert!(flat.rows.iter().all(|row| row.x.is_finite() && row.y.is_finite()));
    }

    #[test]
    fn a_draw_has_the_people_and_does_not_depend_on_what_else_there_is() {
        let corpus = |n: usize| {
            planted::corpus((0..n).map(|row| (format!("{}", row % 9), "m".to_owned())), 2, |row, i| {
                (row * i + 1) as f32
            })
        };
        let (small, large) = (corpus(200), corpus(2000));
        let people: Vec<bool> = (0..2000).map(|row| row < 2000 && row % 100 == 7).collect();
        assert_eq!(shown(&small, &people, 200, 5), (0..200).collect::<Vec<u32>>());
        let drawn = shown(&large, &people, 300, 5);
        assert!(drawn.len() == 300 && drawn.is_sorted() && people.iter().filter(|&&p| p).count() == 20);
        assert!((0..2000u32).filter(|&row| people[row as usize]).all(|row| drawn.binary_search(&row).is_ok()));
        assert_ne!(drawn, shown(&large, &people, 300, 6));
        // Of many people half of the places are theirs; where hardly anybody else is there, more.
        let half = shown(&large, &(0..2000).map(|row| row % 2 == 0).collect::<Vec<_>>(), 100, 5);
        assert_eq!(half.iter().filter(|&row| row % 2 == 0).count(), 50);
        let most = shown(&large, &(0..2000).map(|row| row >= 10).collect::<Vec<_>>(), 100, 5);
        assert_eq!((most.len(), most.iter().filter(|&&row| row < 10).count()), (100, 10));
        // A row is in or out whatever comes after it, as far as there is room.
        let nobody = shown(&large, &[], 300, 5);
        let early: Vec<u32> = nobody.iter().copied().filter(|&row| row < 200).collect();
        let first = shown(&small, &[], early.len(), 5);
        assert_eq!(early, first);
    }
}
