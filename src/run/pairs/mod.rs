//! The pair pass: seed, sweep the upper triangle block by block, merge survivors, finish.

mod blocks;
mod merge;

use super::budget::{self, Budget};
use super::copies::Copies;
use super::lists::Lists;
use super::settings::{HistogramChoice, PairSettings};
use super::thresholds::{Thresholds, check_edge_count};
use super::{finish, seed};
use crate::base::events::Stage;
use crate::base::similarity::Similarity;
use crate::base::units::{show_count, show_seconds};
use crate::base::{Event, Observer, Result};
use crate::compute::certificate::{keep_value, unit_half_bound};
use crate::compute::outcome::{BINS, Histogram, PairOutcome, PairStats};
use crate::compute::tile::Vectors;
use crate::compute::{Backend, Block, Dispatch, HistogramMode, Job, Side, Stream};
use crate::corpus::Corpus;
use blocks::{blocks, halves, pairs_between, rectangles};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// Pairs up to which `--histogram auto` is exact (DESIGN "Histogram").
pub const EXACT_PAIRS: f64 = 1e9;

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
