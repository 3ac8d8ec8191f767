//! The two principal components of the answers to one query: the paper's figure of two clusters.
//!
//! On the raw vectors, as [`crate::measure::pca`] has components.

use crate::corpus::Corpus;
use crate::measure::pca::of_rows;
use serde::Serialize;

/// Answers to one query on two components.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pca {
    /// The query.
    pub query: String,
    /// Share of the variance on each component.
    pub explained: [f64; 2],
    /// By model, then row.
    pub points: Vec<Point>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Model.
    pub model: String,
    /// Place of its file among the input files, and row within it.
    pub file: u32,
    /// See `file`.
    pub file_row: u64,
    /// Coordinates.
    pub at: [f64; 2],
}

/// The answers of the kept models to query `query`; `None` with fewer than 3 answers, or where they are all alike.
pub fn pca(corpus: &Corpus, query: usize, keep: &[bool]) -> Option<Pca> {
    let dim = corpus.dim();
    let cells = corpus.layout.cells[query].iter().filter(|cell| keep[cell.model as usize]);
    let positions: Vec<(u32, usize)> = cells.flat_map(|c| c.positions.clone().map(|p| (c.model, p))).collect();
    let n = positions.len();
    if n < 3 || dim < 2 {
        return None;
    }
    let raw = positions.iter().flat_map(|&(_, p)| corpus.embeddings.row(p)).map(|&x| f64::from(x));
    let mut rows: Vec<f64> = raw.collect();
    let whole: f64 = rows.iter().map(|x| x * x).sum();
    let mut mean = vec![0.0; dim];
    rows.chunks_exact(dim).for_each(|row| mean.iter_mut().zip(row).for_each(|(m, x)| *m += x));
    mean.iter_mut().for_each(|m| *m /= n as f64);
    rows.chunks_exact_mut(dim).for_each(|row| row.iter_mut().zip(&mean).for_each(|(x, m)| *x -= m));
    let variance: f64 = rows.iter().map(|x| x * x).sum();
    // What is left of copies is the rounding of their mean.
    if variance <= 1e-28 * whole {
        return None;
    }
    let [first, second] = of_rows(&rows, dim)?.map(|component| component.direction);
    let along = |row: &[f64], direction: &[f64]| row.iter().zip(direction).map(|(x, d)| x * d).sum::<f64>();
    let points: Vec<Point> = (rows.chunks_exact(dim).zip(&positions))
        .map(|(row, &(model, position))| {
            let at = corpus.layout.row_at[position] as usize;
            Point {
                model: corpus.rows.models.name(model).to_owned(),
                file: corpus.rows.file[at],
                file_row: corpus.rows.file_row[at],
                at: [along(row, &first), along(row, &second)],
            }
        })
        .collect();
    let explained = [0, 1].map(|k| points.iter().map(|point| point.at[k] * point.at[k]).sum::<f64>() / variance);
    Some(Pca { query: corpus.rows.queries.name(query as u32).to_owned(), explained, points })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::planted;

    /// Points on a line with a little of a second direction; by products of rows, and of columns.
    #[test]
    fn planted_directions_come_back() {
        for (rows, dim) in [(8, 40), (40, 5)] {
            let side = |row: usize| row as f32 - (rows - 1) as f32 / 2.0;
            let off = |row: usize| if [0, 3].contains(&(row % 4)) { 0.25 } else { -0.25 };
            let value = |row: usize, i: usize| match i {
                0 => 3.0 - side(row),
                1 => off(row),
                _ => 1.0,
            };
            let keys = (0..rows).map(|row| ("q".to_owned(), format!("m{}", row % 2)));
            let corpus = planted::corpus(keys, dim, value);
            let found = pca(&corpus, 0, &[true, true]).unwrap();
            assert!((found.explained.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            for point in &found.points {
                let row = point.file_row as usize;
                // The largest loading, of element 0, is positive: coordinates run against `side`.
                assert!((point.at[0] + f64::from(side(row))).abs() < 1e-9, "{rows} x {dim}: {point:?}");
                assert!((point.at[1] - f64::from(off(row))).abs() < 1e-9, "{rows} x {dim}: {point:?}");
                assert_eq!(point.model, format!("m{}", row % 2));
            }
            assert_eq!(pca(&corpus, 0, &[false, true]).unwrap().points.len(), rows / 2);
            assert_eq!(pca(&corpus, 0, &[false, false]), None);
        }
        let alike = planted::corpus((0..4).map(|_| ("q".to_owned(), "m".to_owned())), 3, |_, i| i as f32 + 1.0);
        assert_eq!(pca(&alike, 0, &[true]), None, "no variance, no component");
    }
}
