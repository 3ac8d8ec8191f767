//! The pair pass: seed, sweep the upper triangle block by block, merge survivors, finish.

mod blocks;
mod merge;
mod sweep;

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
use crate::compute::certificate::keep_value;
use crate::compute::outcome::{BINS, Histogram, PairOutcome, PairStats};
use crate::compute::tile::Vectors;
use crate::compute::{Backend, Block, HistogramMode};
use crate::corpus::Corpus;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;
use sweep::Sweep;

/// Pairs up to which `--histogram auto` is exact (DESIGN "Histogram").
const EXACT_PAIRS: f64 = 1e9;

/// Whether `--histogram auto` is exact for a corpus of `rows` rows.
pub fn is_exact(rows: usize) -> bool {
    rows as f64 * rows as f64 / 2.0 <= EXACT_PAIRS
}

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
    let begun = Instant::now();
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
    observer.event(Event::Detail {
        message: format!(
            "{} pairs in {}: {} looked at again in f32, {} survivors, {} computed in f64, {} rows redone",
            show_count(pairs),
            show_seconds(begun.elapsed().as_secs_f64()),
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
    /// b of every position: |true - coarse| <= b_i + b_j for what the backend reports.
    half_bound: Vec<f32>,
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
        let n = corpus.len();
        let started = Instant::now();
        let copies = Copies::find(&corpus.embeddings);
        let half_bound = backend.half_bounds(&corpus.embeddings);
        let half_bound_max = half_bound.iter().fold(0.0f32, |most, &b| most.max(b));
        let exact = match settings.histogram {
            HistogramChoice::Auto => is_exact(n),
            choice => choice == HistogramChoice::Exact,
        };
        let mode = match settings.histogram {
            HistogramChoice::Off => HistogramMode::Off,
            _ if exact => HistogramMode::Exact { width: 2.0 * half_bound_max + BIN_ROUNDING },
            _ => HistogramMode::Coarse,
        };
        let mut stats = PairStats {
            pairs: n as u64 * (n as u64).saturating_sub(1) / 2,
            copies: copies.count(),
            half_bound_max: f64::from(half_bound_max),
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
            half_bound: self.half_bound[range.clone()].to_vec(),
            query: row_at.iter().map(|&row| self.corpus.question(row)).collect(),
            model: row_at.iter().map(|&row| self.corpus.rows.model[row as usize]).collect(),
        })
    }

    /// The value that survivors of the positions `range` must reach, for lists and thresholds together.
    fn keep(&self, range: Range<usize>) -> Vec<f32> {
        let least = self.thresholds.least();
        range
            .map(|p| {
                let half_bound = self.half_bound[p];
                let for_threshold = keep_value(least, half_bound);
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

    /// Forms all pairs on `backend`.
    fn sweep(&mut self, backend: &mut dyn Backend, stage: &Stage<'_>, observer: &dyn Observer) -> Result<()> {
        Sweep::new(self, backend, stage, observer).run()?;
        let half_bounds = 2.0 * self.stats.half_bound_max;
        self.histogram_bound = backend.histogram_bound().max(half_bounds) + f64::from(BIN_ROUNDING);
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
