//! From candidate lists to neighbours: copies expanded, ties counted, overflowed rows redone.

use super::buffer::Buffer;
use super::copies::Copies;
use super::lists::{Lists, SHARD, Shard};
use super::ranking::{Ranking, Scored};
use super::redo::{Overflowed, redo};
use crate::base::similarity::Similarity;
use crate::base::{Observer, Result};
use crate::compute::outcome::{Nearest, Neighbors, PairStats};
use crate::corpus::Corpus;
use rayon::prelude::*;

/// The ranked rows of every representative, by shards of positions.
struct Ranked {
    /// Places a row has: one more than k, since a group's ranking holds its own members.
    places: usize,
    shards: Vec<(Buffer<Scored>, Vec<u16>)>,
}

impl Ranked {
    fn put(&mut self, position: u32, ranked: &[Scored]) {
        let (shard, local) = (&mut self.shards[position as usize / SHARD], position as usize % SHARD);
        shard.0[local * self.places..][..ranked.len()].copy_from_slice(ranked);
        shard.1[local] = ranked.len() as u16;
    }

    fn get(&self, position: u32) -> &[Scored] {
        let (shard, local) = (&self.shards[position as usize / SHARD], position as usize % SHARD);
        &shard.0[local * self.places..][..usize::from(shard.1[local])]
    }
}

/// Ranks every list and expands it to rows. Lists go as their results come; rows whose list overflowed are redone at
/// the end, `block` at a time.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn finish(
    corpus: &Corpus,
    copies: &Copies,
    lists: Lists,
    k: usize,
    block: usize,
    stats: &mut PairStats,
    observer: &dyn Observer,
) -> Result<(Neighbors, Vec<Nearest>)> {
    let n = corpus.len();
    let mut nearest = vec![Nearest::default(); n];
    let mut ranked = Ranked { places: k + 1, shards: Vec::with_capacity(lists.shards.len()) };
    let mut overflowed: Vec<Overflowed> = Vec::new();
    let mut shards = lists.shards.into_iter();
    loop {
        observer.check_stop()?;
        let mut some: Vec<Shard> = shards.by_ref().take(rayon::current_num_threads()).collect();
        if some.is_empty() {
            break;
        }
        let rankings: Vec<_> = some.par_iter_mut().map(|shard| rank(corpus, copies, shard, k)).collect();
        for length in some.iter().flat_map(|shard| (0..shard.len()).map(|local| shard.candidates(local).len() as u64)) {
            stats.listed += length;
            stats.longest_list = stats.longest_list.max(length);
        }
        for (shard, rankings) in some.into_iter().zip(rankings) {
            ranked.shards.push((Buffer::zeroed(shard.len() * ranked.places)?, vec![0; shard.len()]));
            for (local, ranking) in rankings.into_iter().enumerate() {
                let position = (shard.first + local) as u32;
                match ranking {
                    Some(mut ranking) => {
                        ranked.put(position, ranking.ranked());
                        ranking.nearest().for_each(|(row, of_row)| nearest[row as usize] = of_row);
                    }
                    None if copies.is_representative(position) => {
                        stats.rows_redone += copies.group(&position).len() as u64;
                        overflowed.push(Overflowed { position, lower: shard.lower(local) });
                    }
                    None => {}
                }
            }
        }
    }
    redo(corpus, copies, k, &overflowed, block, observer, |mut ranking| {
        ranked.put(ranking.representative, ranking.ranked());
        ranking.nearest().for_each(|(row, of_row)| nearest[row as usize] = of_row);
    })?;
    let mut neighbors = Neighbors {
        starts: Vec::with_capacity(n + 1),
        dst: Vec::with_capacity(n * k.min(n.saturating_sub(1))),
        similarity: Vec::with_capacity(n * k.min(n.saturating_sub(1))),
    };
    neighbors.starts.push(0);
    for (row, &position) in (0u32..).zip(&corpus.layout.position_of) {
        let ranked = ranked.get(copies.representative[position as usize]);
        for other in ranked.iter().filter(|other| other.row != row).take(k) {
            neighbors.dst.push(other.row);
            neighbors.similarity.push(other.similarity);
        }
        neighbors.starts.push(neighbors.dst.len() as u64);
    }
    Ok((neighbors, nearest))
}

/// The ranking of each row of a shard; `None` for copies of an earlier row and for lists that overflowed.
fn rank<'a>(corpus: &'a Corpus, copies: &'a Copies, shard: &mut Shard, k: usize) -> Vec<Option<Ranking<'a>>> {
    for local in 0..shard.len() {
        shard.compact(local);
    }
    let (shard, similarity, embeddings) = (&*shard, Similarity::new(), &corpus.embeddings);
    (0..shard.len())
        .into_par_iter()
        .map(|local| {
            let position = shard.first + local;
            if shard.overflowed(local) || !copies.is_representative(position as u32) {
                return None;
            }
            let own = embeddings.similarity(&similarity, position, position);
            let mut ranking = Ranking::new(corpus, copies, position as u32, k, own);
            for candidate in shard.candidates(local) {
                ranking.add(candidate.position, candidate.similarity);
            }
            Some(ranking)
        })
        .collect()
}
