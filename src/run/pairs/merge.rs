//! What becomes of a dispatch: true similarities, then bins, thresholds and lists.

use super::super::lists::{Candidate, SHARD};
use super::Pass;
use crate::base::Result;
use crate::compute::certificate::SLACK;
use crate::compute::outcome::bin_of;
use crate::compute::{Stream, Survivor};
use rayon::prelude::*;
use std::ops::Range;
use std::time::Instant;

impl Pass<'_> {
    /// Takes one dispatch: true similarities, then bins, thresholds and lists. The blocks begin at `row` and `column`.
    pub fn merge(&mut self, row: usize, column: usize, stream: &mut Stream) -> Result<()> {
        // One order whatever the backend's, and a pair that came twice counts once.
        stream.survivors.par_sort_unstable_by_key(|s| (s.row, s.column()));
        stream.survivors.dedup_by_key(|s| (s.row, s.column()));
        self.stats.survivors += stream.survivors.len() as u64;
        self.stats.refined += stream.refined;
        for (total, part) in self.histogram.iter_mut().zip(stream.histogram.iter()) {
            for (sum, count) in total.iter_mut().zip(part) {
                *sum += count;
            }
        }
        let started = Instant::now();
        self.rescore(row, column, &mut stream.survivors);
        *self.stats.seconds.entry("rescore".into()).or_default() += started.elapsed().as_secs_f64();
        self.settle(row, column, &stream.survivors)?;
        self.list(row, column, &stream.survivors);
        Ok(())
    }

    /// Puts the true similarity in the place of the coarse one, and minus infinity where it does not matter any more:
    /// L has risen since.
    fn rescore(&mut self, row: usize, column: usize, survivors: &mut [Survivor]) {
        let (corpus, similarity) = (self.corpus, &self.similarity);
        let least = self.thresholds.least();
        let (lists, copies, half_bound) = (&self.lists, &self.copies, &self.half_bound);
        let listed = |i: usize, j: usize| copies.is_representative(i as u32) && copies.is_representative(j as u32);
        let reaches = |position: usize, most: f64| lists.lower(position).is_some_and(|lower| most >= f64::from(lower));
        let rescored: u64 = (survivors.par_iter_mut().with_min_len(256))
            .map(|s| {
                let (i, j) = (row + s.row as usize, column + s.column() as usize);
                let most = f64::from(s.coarse) + f64::from(half_bound[i]) + f64::from(half_bound[j]) + SLACK;
                let matters =
                    s.near_edge() || most >= least || (listed(i, j) && (reaches(i, most) || reaches(j, most)));
                s.coarse = if matters { corpus.embeddings.similarity(similarity, i, j) } else { f32::NEG_INFINITY };
                u64::from(matters)
            })
            .sum();
        self.stats.rescored += rescored;
    }

    /// Bins and thresholds, from true similarities.
    fn settle(&mut self, row: usize, column: usize, survivors: &[Survivor]) -> Result<()> {
        let corpus = self.corpus;
        let least = self.thresholds.least();
        let row_at = &corpus.layout.row_at;
        let model = &corpus.rows.model;
        for s in survivors.iter().filter(|s| s.near_edge() || f64::from(s.coarse) >= least) {
            let (i, j) = (row_at[row + s.row as usize], row_at[column + s.column() as usize]);
            if s.near_edge() {
                let relation = 2 * usize::from(corpus.question(i) != corpus.question(j))
                    + usize::from(model[i as usize] != model[j as usize]);
                self.histogram[relation][bin_of(s.coarse)] += 1;
                self.stats.settled += 1;
            }
            if f64::from(s.coarse) >= least {
                self.thresholds.add(i, j, s.coarse)?;
            }
        }
        Ok(())
    }

    /// Offers survivors, sorted by row, to the lists of both of their rows. Each shard takes its own in stream order,
    /// so the lists do not depend on threads.
    fn list(&mut self, row: usize, column: usize, survivors: &[Survivor]) {
        let (Some(first), Some(last)) = (survivors.first(), survivors.last()) else { return };
        let touched_rows = row + first.row as usize..row + last.row as usize + 1;
        let columns = survivors.iter().map(|s| column + s.column() as usize);
        let (low, high) = columns.fold((usize::MAX, 0), |(low, high), c| (low.min(c), high.max(c)));
        let touched_columns = low..high + 1;
        let overlaps = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
        let copies = &self.copies;
        let touched = touched_rows.start.min(low) / SHARD..(touched_rows.end.max(high + 1)).div_ceil(SHARD);
        self.lists.shards[touched].par_iter_mut().for_each(|shard| {
            let positions = shard.first..shard.first + shard.len();
            let mut offer = |own: usize, other: usize, similarity: f32| {
                let (a, b) = (own as u32, other as u32);
                if copies.is_representative(a) && copies.is_representative(b) {
                    shard.offer(own - positions.start, Candidate { position: b, similarity });
                }
            };
            if overlaps(&positions, &touched_rows) {
                let from = survivors.partition_point(|s| row + (s.row as usize) < positions.start);
                for s in survivors[from..].iter().take_while(|s| row + (s.row as usize) < positions.end) {
                    offer(row + s.row as usize, column + s.column() as usize, s.coarse);
                }
            }
            if overlaps(&positions, &touched_columns) {
                for s in survivors.iter().filter(|s| positions.contains(&(column + s.column() as usize))) {
                    offer(column + s.column() as usize, row + s.row as usize, s.coarse);
                }
            }
        });
    }
}
