//! The headline and its floor again: of some of the responses, or of some of their pairs.
//!
//! Neither forms a pair. With `own(A)` the sum over the ordered pairs of a set A that count, pairs of different models
//! to one query add up to half of `own(query) - sum own(cells)`, and those of different models to different queries to
//! half of `own(all) - sum own(queries) - sum own(models) + sum own(cells)`: what a response has with itself cancels.

use super::cells::{Cells, add_unit_row};
use super::floors;
use super::intervals::total;
use super::sums::{Sums, minus, plus};
use super::variants::dot;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use rayon::prelude::*;

/// Sum of cosines over the ordered pairs of the responses at some positions, and the number of these pairs.
pub type Own<'a> = &'a (dyn Fn(&[usize]) -> (f64, f64) + Sync);

/// Similarity of different models' answers, of what was chosen.
#[derive(Debug, Clone, Default)]
pub struct Again {
    /// By query: sum of cosines and number of pairs of different models.
    pub terms: Vec<(f64, f64)>,
    /// Mean cosine of pairs of different models and different queries, of the queries that have terms.
    pub floor: Option<f64>,
}

impl Again {
    /// Pair-weighted mean over queries.
    pub fn value(&self) -> Option<f64> {
        total(&self.terms)
    }
}

/// All pairs count: the square of the sum.
pub fn all_pairs(corpus: &Corpus, positions: &[usize]) -> (f64, f64) {
    let mut sum = vec![0.0; corpus.dim()];
    positions.iter().for_each(|&p| add_unit_row(corpus, p, &mut sum));
    let n = positions.len() as f64;
    (dot(&sum, &sum), n * n)
}

/// The headline and its floor as they are, of the models that `keep` has.
pub fn whole(sums: &Sums, keep: &[bool]) -> Again {
    Again { terms: sums.queries.iter().map(|query| query.inter(keep)).collect(), floor: floors::corpus(sums, keep) }
}

/// The headline and its floor, of the positions that `chosen` has. `groups` are the queries by canonical query.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn again(
    corpus: &Corpus,
    groups: &[Vec<usize>],
    chosen: &[bool],
    own: Own<'_>,
    observer: &dyn Observer,
) -> Result<Again> {
    let models = vec![true; corpus.rows.models.len()];
    let cells_of = |queries: &[usize]| Cells::new(corpus, queries, &models).retain(|p| chosen[p]);
    // What a response has with itself is in the query's sum too.
    let whole_and_cells = |cells: &Cells| {
        let of_cell = |a: usize| if cells.of(a).len() == 1 { (1.0, 1.0) } else { own(cells.of(a)) };
        let each = (0..cells.len()).map(of_cell).fold((0.0, 0.0), plus);
        (if cells.len() == 1 { each } else { own(&cells.positions) }, each)
    };
    type OfGroup = (Vec<(usize, (f64, f64))>, (f64, f64));
    let one_group = |members: &Vec<usize>| -> Result<OfGroup> {
        observer.check_stop()?;
        let (mut terms, mut same) = (Vec::new(), (0.0, 0.0));
        for &query in members {
            let (whole, each) = whole_and_cells(&cells_of(&[query]));
            let (sum, pairs) = minus(whole, each);
            if pairs > 0.5 {
                terms.push((query, (sum / 2.0, pairs / 2.0)));
                same = (sum, pairs);
            }
        }
        if terms.len() > 1 {
            let (whole, each) = whole_and_cells(&cells_of(&terms.iter().map(|one| one.0).collect::<Vec<_>>()));
            same = minus(whole, each);
        }
        Ok((terms, same))
    };
    let found: Vec<OfGroup> = groups.par_iter().map(one_group).collect::<Result<_>>()?;
    let mut again = Again { terms: vec![(0.0, 0.0); corpus.layout.canonical.len()], floor: None };
    let mut same = (0.0, 0.0);
    for (terms, of_group) in found {
        terms.into_iter().for_each(|(query, term)| again.terms[query] = term);
        same = plus(same, of_group);
    }
    let mut by_model: Vec<Vec<usize>> = vec![Vec::new(); corpus.rows.models.len()];
    let mut all = Vec::new();
    for (query, _) in again.terms.iter().enumerate().filter(|(_, term)| term.1 > 0.0) {
        for p in corpus.layout.query_positions[query].clone().filter(|&p| chosen[p]) {
            by_model[corpus.rows.model[corpus.layout.row_at[p] as usize] as usize].push(p);
            all.push(p);
        }
    }
    let (all, by_model) = rayon::join(
        || own(&all),
        || -> Result<Vec<(f64, f64)>> {
            by_model.par_iter().map(|of| observer.check_stop().map(|()| own(of))).collect::<Result<_>>()
        },
    );
    let of_models = by_model?.into_iter().fold((0.0, 0.0), plus);
    let (sum, pairs) = minus(minus(all, of_models), same);
    again.floor = (pairs > 0.5).then(|| sum / pairs);
    Ok(again)
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;
    use crate::base::events::Silent;

    /// `a` and ` A ` are copies of one query.
    #[test]
    fn some_of_the_responses_agree_with_all_pairs() {
        let keys = (0..60).map(|i| (["a", " A ", "b", "c"][i % 4].to_string(), format!("{}", i % 7 % 3)));
        let (corpus, _) = planted::planted(keys, 5);
        let chosen: Vec<bool> = (0..60).map(|p| p % 5 > 0).collect();
        let groups = super::super::chunks::groups(&corpus);
        let found = again(&corpus, &groups, &chosen, &|of| all_pairs(&corpus, of), &Silent).unwrap();
        let unit = |p: usize| super::super::cells::unit_rows(&corpus, &[p]);
        let row = |p: usize| corpus.layout.row_at[p];
        let (mut same, mut apart) = ((0.0, 0.0), (0.0, 0.0));
        for i in (0..60).filter(|&i| chosen[i]) {
            for j in (i + 1..60).filter(|&j| chosen[j]) {
                if corpus.rows.model[row(i) as usize] != corpus.rows.model[row(j) as usize] {
                    let one = (dot(&unit(i), &unit(j)), 1.0);
                    if corpus.question(row(i)) != corpus.question(row(j)) {
                        apart = plus(apart, one);
                    } else if corpus.rows.query[row(i) as usize] == corpus.rows.query[row(j) as usize] {
                        same = plus(same, one);
                    }
                }
            }
        }
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{got} vs {want}");
        close(found.value().unwrap(), same.0 / same.1);
        close(found.terms.iter().map(|t| t.1).sum(), same.1);
        close(found.floor.unwrap(), apart.0 / apart.1);
    }
}
