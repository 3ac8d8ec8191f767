//! From candidate lists to neighbours: rescoring in f64, copies expanded, ties counted, overflowed rows redone.

use super::copies::Copies;
use super::lists::{List, Rule};
use crate::base::similarity::Similarity;
use crate::base::{Observer, Result};
use crate::compute::outcome::{Nearest, Neighbors, PairStats};
use crate::corpus::Corpus;
use rayon::prelude::*;
use std::cmp::Ordering;

/// A neighbour: similarity and row.
type Scored = (f32, u32);

/// Similarity descending, then row ascending.
fn by_rank(a: &Scored, b: &Scored) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

/// Neighbours and nearest ties of one row.
struct RowResult {
    row: u32,
    neighbors: Vec<Scored>,
    nearest: Nearest,
}

/// Rescores every list and expands it to rows.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn finish(
    corpus: &Corpus,
    copies: &Copies,
    rule: Rule,
    half_bounds: &[f32],
    mut lists: Vec<List>,
    stats: &mut PairStats,
    observer: &dyn Observer,
) -> Result<(Neighbors, Vec<Nearest>)> {
    observer.check_stop()?;
    lists
        .par_iter_mut()
        .enumerate()
        .for_each(|(position, list)| list.compact(rule, half_bounds[position], half_bounds));
    let positions: Vec<u32> = (0..corpus.len() as u32).filter(|&p| copies.is_representative(p)).collect();
    stats.rescored = lists.iter().map(|list| list.candidates.len() as u64).sum();
    stats.rows_redone =
        positions.iter().filter(|&&p| lists[p as usize].overflowed).map(|p| copies.group(p).len() as u64).sum();
    let results: Vec<Vec<RowResult>> = positions
        .par_iter()
        .map(|&position| {
            let list = &lists[position as usize];
            if observer.stop_requested() {
                Vec::new()
            } else if list.overflowed {
                redo(corpus, copies, rule.k, position)
            } else {
                expand(corpus, copies, rule.k, position, list)
            }
        })
        .collect();
    observer.check_stop()?;
    let mut by_row: Vec<Option<RowResult>> = Vec::new();
    by_row.resize_with(corpus.len(), || None);
    for result in results.into_iter().flatten() {
        let row = result.row as usize;
        by_row[row] = Some(result);
    }
    let mut neighbors = Neighbors { starts: vec![0], ..Neighbors::default() };
    let mut nearest = vec![Nearest::default(); corpus.len()];
    for (row, result) in by_row.into_iter().enumerate() {
        if let Some(result) = result {
            nearest[row] = result.nearest;
            neighbors.dst.extend(result.neighbors.iter().map(|(_, row)| row));
            neighbors.similarity.extend(result.neighbors.iter().map(|(similarity, _)| similarity));
        }
        neighbors.starts.push(neighbors.dst.len() as u64);
    }
    Ok((neighbors, nearest))
}

/// Results of every row of a group from its list: candidates expanded to all copies, the row itself left out.
fn expand(corpus: &Corpus, copies: &Copies, k: usize, position: u32, list: &List) -> Vec<RowResult> {
    let similarity = Similarity::new();
    let embeddings = &corpus.embeddings;
    let mut groups: Vec<(f32, u32)> = (list.candidates.iter())
        .map(|c| (embeddings.similarity(&similarity, position as usize, c.position as usize), c.position))
        .collect();
    let own = copies.group(&position);
    if own.len() > 1 {
        groups.push((embeddings.similarity(&similarity, position as usize, position as usize), position));
    }
    groups.sort_unstable_by(by_rank);
    let row_at = &corpus.layout.row_at;
    // One row more than k, since the row itself may be among them.
    let mut ranked: Vec<Scored> = Vec::with_capacity(k + 1);
    let mut first_ties: Vec<Scored> = Vec::new();
    let mut start = 0;
    while start < groups.len() && (ranked.len() <= k || start == 0) {
        let end = start + groups[start..].iter().take_while(|group| group.0 == groups[start].0).count();
        let mut tied: Vec<Scored> = (groups[start..end].iter())
            .flat_map(|(s, group)| copies.group(group).iter().map(|&member| (*s, row_at[member as usize])))
            .collect();
        tied.sort_unstable_by(by_rank);
        // A tie class that is the row alone does not count as the nearest.
        if first_ties.len() < 2 {
            first_ties.extend_from_slice(&tied);
        }
        ranked.extend(tied);
        start = end;
    }
    own.iter().map(|&member| result(corpus, k, row_at[member as usize], &ranked, &first_ties)).collect()
}

/// Results of every row of a group by forming all its pairs in f64: bounded memory however many candidates tie.
fn redo(corpus: &Corpus, copies: &Copies, k: usize, position: u32) -> Vec<RowResult> {
    let similarity = Similarity::new();
    let embeddings = &corpus.embeddings;
    let mut values = Vec::with_capacity(corpus.len());
    let others = (0..corpus.len()).map(|p| (embeddings.row(p), embeddings.norms()[p]));
    similarity.one_to_many(
        embeddings.row(position as usize),
        embeddings.norms()[position as usize],
        others,
        &mut values,
    );
    let row_at = &corpus.layout.row_at;
    let mut scored: Vec<Scored> = values.into_iter().zip(row_at.iter().copied()).collect();
    let best = scored.iter().fold(f32::NEG_INFINITY, |best, s| best.max(s.0));
    let top: Vec<Scored> = scored.iter().filter(|s| s.0 == best).copied().collect();
    let second = scored.iter().filter(|s| s.0 < best).fold(f32::NEG_INFINITY, |best, s| best.max(s.0));
    let first_ties = if top.len() > 1 { top } else { scored.iter().filter(|s| s.0 >= second).copied().collect() };
    let take = (k + 1).min(scored.len());
    if take < scored.len() {
        scored.select_nth_unstable_by(take - 1, by_rank);
        scored.truncate(take);
    }
    scored.sort_unstable_by(by_rank);
    copies
        .group(&position)
        .iter()
        .map(|&member| result(corpus, k, row_at[member as usize], &scored, &first_ties))
        .collect()
}

/// Cuts ranked rows to one row's k neighbours and counts the ties at its nearest.
fn result(corpus: &Corpus, k: usize, row: u32, ranked: &[Scored], first_ties: &[Scored]) -> RowResult {
    let neighbors: Vec<Scored> = ranked.iter().filter(|(_, other)| *other != row).take(k).copied().collect();
    let mut nearest = Nearest::default();
    if let Some(&(best, _)) = neighbors.first() {
        nearest.similarity = best;
        let (query, model) = (&corpus.rows.query, &corpus.rows.model);
        for &(_, other) in first_ties.iter().filter(|(s, other)| *s == best && *other != row) {
            nearest.ties += 1;
            nearest.ties_other_model += u64::from(model[other as usize] != model[row as usize]);
            nearest.ties_other_query += u64::from(query[other as usize] != query[row as usize]);
        }
    }
    RowResult { row, neighbors, nearest }
}
