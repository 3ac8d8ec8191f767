//! The pair pass: seed, sweep the upper triangle block by block, merge survivors, finish.

use super::budget::{self, Budget};
use super::copies::Copies;
use super::lists::{Candidate, Lists, SHARD};
use super::settings::{HistogramChoice, PairSettings};
use super::thresholds::{Thresholds, check_edge_count};
use super::{finish, seed};
use crate::base::events::Stage;
use crate::base::similarity::Similarity;
use crate::base::units::{show_count, show_seconds};
use crate::base::{Event, Observer, Result};
use crate::compute::certificate::{SLACK, keep_value, unit_half_bound};
use crate::compute::outcome::{BINS, Histogram, PairOutcome, PairStats, bin_of};
use crate::compute::tile::Vectors;
use crate::compute::{Backend, Block, Dispatch, HistogramMode, Job, Side, Stream, Survivor};
use crate::corpus::Corpus;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// Pairs up to which `--histogram auto` is exact (DESIGN "Histogram").
const EXACT_PAIRS: f64 = 1e9;

/// Rounding of the bin arithmetic and of the f32 similarity, in units of similarity (see `similarity_f32`).
const BIN_ROUNDING: f32 = 5e-7;

/// Forms all pairs of `corpus` on `backend`.
///
/// # Errors
/// What the backend reports, [`crate::base::Error::Interrupted`], [`crate::base::Error::Usage`] if `threshold` would
/// give more edges than `max_edges` or the disk allows, [`crate::base::Error::Run`] if `memory` is too little,
/// [`crate::base::Error::Io`] if edges can't be spilled.
pub fn pair_pass(
    corpus: &Corpus,
    backend: &mut dyn Backend,
    settings: &PairSettings,
    observer: &dyn Observer,
) -> Result<PairOutcome> {
    check_edge_count(corpus, settings)?;
    let n = corpus.len();
    let budget = Budget::new(n, corpus.dim(), settings, backend)?;
    observer.event(Event::Detail {
        message: format!(
            "blocks of {} and {} rows, {} slots a list, {} survivors a dispatch",
            show_count(budget.rows as u64),
            show_count(budget.columns as u64),
            budget.slots,
            show_count(budget.stream as u64)
        ),
    });
    let pairs = n as u64 * (n as u64).saturating_sub(1) / 2;
    let stage = Stage::start(observer, "pairs", "pairs", pairs);
    let step = |name: &str| observer.event(Event::Detail { message: format!("pairs: {name}") });
    step("preparing");
    let mut pass = Pass::new(corpus, backend, settings, budget)?;
    let started = Instant::now();
    step("seeding");
    seed::seed(corpus, &pass.copies, pass.k, budget.seed, &mut pass.lists);
    pass.stats.seconds.insert("seed".into(), started.elapsed().as_secs_f64());
    step("sweeping");
    pass.sweep(backend, &stage, observer)?;
    step("ranking");
    let outcome = pass.finish(settings, observer)?;
    stage.finish();
    let seconds: f64 = outcome.stats.seconds.values().sum();
    observer.event(Event::Detail {
        message: format!(
            "{} pairs in {}: {} looked at again in f32, {} survivors, {} computed in f64, {} rows redone",
            show_count(pairs),
            show_seconds(seconds),
            show_count(outcome.stats.refined),
            show_count(outcome.stats.survivors),
            show_count(outcome.stats.rescored),
            show_count(outcome.stats.rows_redone)
        ),
    });
    Ok(outcome)
}

/// The state of a pass.
struct Pass<'a> {
    corpus: &'a Corpus,
    budget: Budget,
    copies: Copies,
    k: usize,
    /// b of every row: |true - coarse| is at most twice that for what the backend reports.
    half_bound: f32,
    lists: Lists,
    thresholds: Thresholds,
    mode: HistogramMode,
    histogram: Box<[[u64; BINS]; 4]>,
    /// How far a pair of a coarse histogram can be from its place.
    histogram_bound: f64,
    similarity: Similarity,
    stats: PairStats,
}

impl<'a> Pass<'a> {
    fn new(corpus: &'a Corpus, backend: &dyn Backend, settings: &PairSettings, budget: Budget) -> Result<Self> {
        let (n, dim) = (corpus.len(), corpus.dim());
        let started = Instant::now();
        let copies = Copies::find(&corpus.embeddings);
        let half_bound = unit_half_bound(backend.gamma(dim));
        let exact = match settings.histogram {
            HistogramChoice::Auto => n as f64 * n as f64 / 2.0 <= EXACT_PAIRS,
            choice => choice == HistogramChoice::Exact,
        };
        let mode = match settings.histogram {
            HistogramChoice::Off => HistogramMode::Off,
            _ if exact => HistogramMode::Exact { width: 2.0 * half_bound + BIN_ROUNDING },
            _ => HistogramMode::Coarse,
        };
        let mut stats = PairStats {
            pairs: n as u64 * (n as u64).saturating_sub(1) / 2,
            copies: copies.count(),
            half_bound_max: f64::from(half_bound),
            ..PairStats::default()
        };
        stats.seconds.insert("prepare".into(), started.elapsed().as_secs_f64());
        Ok(Self {
            corpus,
            budget,
            copies,
            k: budget::neighbors(settings, n),
            half_bound,
            lists: Lists::new(n, budget.rule(settings, n))?,
            thresholds: Thresholds::new(n, budget.edges, settings),
            mode,
            histogram: Box::new([[0; BINS]; 4]),
            histogram_bound: 0.0,
            similarity: Similarity::new(),
            stats,
        })
    }

    /// The positions `range`, with what the filter needs of them.
    fn block(&self, range: &Range<usize>) -> Arc<Block> {
        let row_at = &self.corpus.layout.row_at[range.clone()];
        Arc::new(Block {
            first: range.start,
            vectors: Vectors::Stored { embeddings: Arc::clone(&self.corpus.embeddings), start: range.start },
            half_bound: vec![self.half_bound; range.len()],
            query: row_at.iter().map(|&row| self.corpus.question(row)).collect(),
            model: row_at.iter().map(|&row| self.corpus.rows.model[row as usize]).collect(),
        })
    }

    /// The value that survivors of the positions `range` must reach, for lists and thresholds together.
    fn keep(&self, range: Range<usize>) -> Vec<f32> {
        let half_bound = self.half_bound;
        let for_threshold = keep_value(self.thresholds.least(), half_bound);
        range
            .map(|p| {
                // Copies of an earlier row have no list of their own; an overflowed row is redone anyway.
                match self.lists.lower(p) {
                    Some(lower) if self.copies.is_representative(p as u32) => {
                        for_threshold.min(keep_value(f64::from(lower), half_bound))
                    }
                    _ => for_threshold,
                }
            })
            .collect()
    }

    /// All block pairs of the upper triangle: a block of rows is held while blocks of columns pass, back and forth.
    fn sweep(&mut self, backend: &mut dyn Backend, stage: &Stage<'_>, observer: &dyn Observer) -> Result<()> {
        let n = self.corpus.len();
        let mut stream = Stream::new(self.budget.stream);
        let mut done = 0u64;
        let mut seconds = Seconds::default();
        let mut loaded: Option<(Range<usize>, Arc<Block>)> = None;
        for (sweep, rows) in blocks(0..n, self.budget.rows).enumerate() {
            // A block goes before the next is made, so that there are never more than one of each side.
            backend.unload(Side::Rows);
            let block = self.block(&rows);
            seconds.time("load", || backend.load(Side::Rows, Arc::clone(&block)))?;
            let mut order: Vec<Range<usize>> = blocks(rows.start..n, self.budget.columns).collect();
            if sweep % 2 == 1 {
                order.reverse();
            }
            for columns in order {
                if loaded.as_ref().is_none_or(|(range, _)| *range != columns) {
                    backend.unload(Side::Columns);
                    drop(loaded.take());
                    // The same rows on both sides are one block.
                    let block = if columns == rows { Arc::clone(&block) } else { self.block(&columns) };
                    seconds.time("load", || backend.load(Side::Columns, Arc::clone(&block)))?;
                    loaded = Some((columns.clone(), block));
                }
                let mut jobs = rectangles(&rows, &columns, backend.info().dispatch_rows);
                while let Some((job_rows, job_columns)) = jobs.pop() {
                    observer.check_stop()?;
                    let job = Job {
                        keep_rows: self.keep(job_rows.clone()),
                        keep_columns: self.keep(job_columns.clone()),
                        rows: job_rows.start - rows.start..job_rows.end - rows.start,
                        columns: job_columns.start - columns.start..job_columns.end - columns.start,
                        histogram: self.mode,
                    };
                    stream.clear();
                    let dispatch = seconds.time("multiply", || backend.dispatch(&job, &mut stream))?;
                    if dispatch == Dispatch::StreamFull && job_rows.len() * job_columns.len() > 1 {
                        self.stats.repeated += 1;
                        jobs.extend(halves(job_rows, job_columns));
                        continue;
                    }
                    seconds.time("merge", || self.merge(rows.start, columns.start, &mut stream))?;
                    done += pairs_between(&job_rows, &job_columns);
                    stage.advance(done);
                }
            }
        }
        backend.unload(Side::Rows);
        backend.unload(Side::Columns);
        self.stats.seconds.extend(seconds.0);
        self.histogram_bound =
            backend.histogram_bound().max(2.0 * f64::from(self.half_bound)) + f64::from(BIN_ROUNDING);
        Ok(())
    }

    /// Takes one dispatch: true similarities, then bins, thresholds and lists. The blocks begin at `row` and `column`.
    fn merge(&mut self, row: usize, column: usize, stream: &mut Stream) -> Result<()> {
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
        self.rescore(row, column, &mut stream.survivors);
        self.settle(row, column, &stream.survivors)?;
        self.list(row, column, &stream.survivors);
        Ok(())
    }

    /// Puts the true similarity in the place of the coarse one, and minus infinity where it does not matter any more:
    /// L has risen since.
    fn rescore(&mut self, row: usize, column: usize, survivors: &mut [Survivor]) {
        let (corpus, similarity) = (self.corpus, &self.similarity);
        let reach = 2.0 * f64::from(self.half_bound) + SLACK;
        let least = self.thresholds.least();
        let (lists, copies) = (&self.lists, &self.copies);
        let listed = |i: usize, j: usize| copies.is_representative(i as u32) && copies.is_representative(j as u32);
        let reaches = |position: usize, most: f64| lists.lower(position).is_some_and(|lower| most >= f64::from(lower));
        let rescored: u64 = (survivors.par_iter_mut().with_min_len(256))
            .map(|s| {
                let (i, j) = (row + s.row as usize, column + s.column() as usize);
                let most = f64::from(s.coarse) + reach;
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

    fn finish(mut self, settings: &PairSettings, observer: &dyn Observer) -> Result<PairOutcome> {
        let started = Instant::now();
        let (neighbors, nearest) =
            finish::finish(self.corpus, &self.copies, self.lists, self.k, self.budget.redo, &mut self.stats, observer)?;
        let (duplicates, edges) = self.thresholds.finish()?;
        self.stats.seconds.insert("rank".into(), started.elapsed().as_secs_f64());
        let histogram = match self.mode {
            HistogramMode::Off => None,
            mode => {
                let exact = mode != HistogramMode::Coarse;
                let bound = if exact { 0.0 } else { self.histogram_bound };
                Some(Histogram { counts: self.histogram, exact, bound })
            }
        };
        Ok(PairOutcome { k: settings.k, neighbors, nearest, duplicates, histogram, edges, stats: self.stats })
    }
}

/// Wall-clock seconds by phase.
#[derive(Default)]
struct Seconds(BTreeMap<String, f64>);

impl Seconds {
    fn time<T>(&mut self, phase: &str, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = work();
        *self.0.entry(phase.into()).or_default() += started.elapsed().as_secs_f64();
        result
    }
}

/// Rows and columns of a dispatch.
type Rectangle = (Range<usize>, Range<usize>);

/// The rectangles of at most `side` rows and columns that hold pairs (i, j), j > i, those near the diagonal last.
fn rectangles(rows: &Range<usize>, columns: &Range<usize>, side: usize) -> Vec<Rectangle> {
    let all = blocks(rows.clone(), side).flat_map(|r| blocks(columns.clone(), side).map(move |c| (r.clone(), c)));
    let mut some: Vec<_> = all.filter(|(r, c)| c.end > r.start + 1 || c.start > r.start).collect();
    some.sort_by_key(|(r, c)| std::cmp::Reverse(c.start.saturating_sub(r.start)));
    some
}

/// `range` in pieces of `rows`; the last may be shorter.
fn blocks(range: Range<usize>, rows: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(rows).map(move |first| first..end.min(first + rows))
}

/// A rectangle cut in two along its longer side.
fn halves(rows: Range<usize>, columns: Range<usize>) -> [(Range<usize>, Range<usize>); 2] {
    if rows.len() >= columns.len() {
        let middle = rows.start + rows.len() / 2;
        [(rows.start..middle, columns.clone()), (middle..rows.end, columns)]
    } else {
        let middle = columns.start + columns.len() / 2;
        [(rows.clone(), columns.start..middle), (rows, middle..columns.end)]
    }
}

/// Unordered pairs (i, j), j > i, with i in `rows` and j in `columns`.
fn pairs_between(rows: &Range<usize>, columns: &Range<usize>) -> u64 {
    columns.clone().map(|j| (j.min(rows.end).max(rows.start) - rows.start) as u64).sum()
}
