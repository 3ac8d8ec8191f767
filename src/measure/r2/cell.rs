//! R2_cell: the share between the means of the models of a query.

use super::super::cells::{Cells, add_unit_row};
use super::super::sums::{QuerySums, Sums};
use super::{Fold, PERMUTATIONS, Split, Test, add};
use crate::base::random::Stream;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use rayon::prelude::*;

/// The cells of a query that count: of kept models with n >= 2.
pub(super) fn repeated(query: &QuerySums, keep: &[bool]) -> Vec<usize> {
    (0..query.cells()).filter(|&a| keep[query.models[a] as usize] && query.counts[a] >= 2.0).collect()
}

/// (between, expected, total) of a query by cells; `None` with fewer than 2 models of n >= 2.
pub fn of_query(query: &QuerySums, keep: &[bool]) -> Option<(f64, f64, f64)> {
    let cells = repeated(query, keep);
    if cells.len() < 2 {
        return None;
    }
    let n: f64 = cells.iter().map(|&a| query.counts[a]).sum();
    let whole: f64 = cells.iter().flat_map(|&a| cells.iter().map(move |&b| query.gram.at(a, b))).sum();
    let means: f64 = cells.iter().map(|&a| query.gram.at(a, a) / query.counts[a]).sum();
    let total = (n - whole / n).max(0.0);
    Some((means - whole / n, total * (cells.len() as f64 - 1.0) / (n - 1.0), total))
}

pub(super) fn by_cells(sums: &Sums, keep: &[bool]) -> Split {
    let mut split = Split::default();
    for query in &sums.queries {
        let (between, expected, total) = of_query(query, keep).unwrap_or_default();
        split.between += between;
        split.expected += expected;
        split.total += total;
        split.terms.push((between - expected, total - expected));
    }
    split
}

/// The test by cells.
pub(super) fn test_by_cells(
    corpus: &Corpus,
    sums: &Sums,
    keep: &[bool],
    seed: u64,
    observer: &dyn Observer,
) -> Result<Test> {
    let dim = corpus.dim();
    let used: Vec<usize> = (0..sums.queries.len()).filter(|&q| of_query(&sums.queries[q], keep).is_some()).collect();
    let rows = used.iter().map(|&q| corpus.layout.query_positions[q].len()).sum();
    let fold = Fold::new(seed, rows, dim);
    let stream = Stream::new(seed, "r2 by cells");
    // Sums of |S|^2 / n of the models, permutation after permutation; the last is what was found.
    let one = |&query: &usize| -> Result<Vec<f64>> {
        observer.check_stop()?;
        let cells = Cells::new(corpus, &[query], keep).retain_cells(2);
        let mut rows = Vec::with_capacity(cells.rows() * fold.size);
        let mut row = vec![0.0; dim];
        for &p in &cells.positions {
            row.fill(0.0);
            add_unit_row(corpus, p, &mut row);
            fold.fold(&row, &mut rows);
        }
        let counts = cells.counts();
        let value = |order: &[usize]| {
            let mut first = 0;
            counts.iter().fold(0.0, |total, &n| {
                let mut sum = vec![0.0; fold.size];
                for &i in &order[first..first + n] {
                    add(&mut sum, &rows[i * fold.size..(i + 1) * fold.size]);
                }
                first += n;
                total + sum.iter().map(|x| x * x).sum::<f64>() / n as f64
            })
        };
        let as_found: Vec<usize> = (0..cells.rows()).collect();
        let mut values = Vec::with_capacity(PERMUTATIONS + 1);
        for permutation in 0..PERMUTATIONS {
            let mut order = as_found.clone();
            stream.shuffle(permutation as u32, query as u64, &mut order);
            values.push(value(&order));
        }
        values.push(value(&as_found));
        Ok(values)
    };
    let mut totals = vec![0.0; PERMUTATIONS + 1];
    for chunk in used.chunks(64) {
        let found: Vec<Vec<f64>> = chunk.par_iter().map(one).collect::<Result<_>>()?;
        found.iter().for_each(|values| add(&mut totals, values));
    }
    let found = totals.pop().unwrap_or_default();
    Ok(Test { found, permuted: totals, folded: fold.places.is_some() })
}
