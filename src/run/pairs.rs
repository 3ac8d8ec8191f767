//! The pair pass: seed, sweep the upper triangle block by block, merge survivors, finish.

use super::copies::Copies;
use super::lists::{Candidate, List, Rule};
use super::settings::{HistogramChoice, PairSettings};
use super::thresholds::{Thresholds, check_edge_count};
use super::{finish, seed};
use crate::base::events::Stage;
use crate::base::similarity::Similarity;
use crate::base::units::{show_count, show_seconds};
use crate::base::{Event, Observer, Result};
use crate::compute::certificate::{SLACK, coarse_row, keep_value};
use crate::compute::cpu::similarity_f32;
use crate::compute::outcome::{BINS, Histogram, PairOutcome, PairStats, bin_of};
use crate::compute::{Backend, Block, Dispatch, HistogramMode, Job, Side, Stream, Survivor};
use crate::corpus::Corpus;
use rayon::prelude::*;
use std::time::Instant;

/// Pairs up to which `--histogram auto` is exact (DESIGN "Histogram").
const EXACT_PAIRS: f64 = 1e9;

/// Rounding of the bin arithmetic and of the f32 similarity, in units of similarity (see `similarity_f32`).
const BIN_ROUNDING: f32 = 5e-7;

/// Forms all pairs of `corpus` on `backend`.
///
/// # Errors
/// What the backend reports, [`crate::base::Error::Interrupted`], [`crate::base::Error::Usage`] if `threshold` would
/// give more than `max_edges`.
pub fn pair_pass(
    corpus: &Corpus,
    backend: &mut dyn Backend,
    settings: &PairSettings,
    observer: &dyn Observer,
) -> Result<PairOutcome> {
    check_edge_count(corpus, settings)?;
    let n = corpus.len();
    let pairs = n as u64 * (n as u64).saturating_sub(1) / 2;
    let stage = Stage::start(observer, "pairs", "pairs", pairs);
    let mut pass = Pass::new(corpus, backend, settings);
    let started = Instant::now();
    seed::seed(corpus, &pass.copies, pass.rule, pass.gamma, &pass.half_bounds, &mut pass.lists);
    pass.stats.seconds.insert("seed".into(), started.elapsed().as_secs_f64());
    pass.sweep(backend, settings, &stage, observer)?;
    let outcome = pass.finish(settings, observer)?;
    stage.finish();
    let seconds: f64 = outcome.stats.seconds.values().sum();
    observer.event(Event::Detail {
        message: format!(
            "{} pairs in {}: {} survivors, {} rescored, {} rows redone",
            show_count(pairs),
            show_seconds(seconds),
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
    copies: Copies,
    rule: Rule,
    gamma: f64,
    half_bounds: Vec<f32>,
    lists: Vec<List>,
    thresholds: Thresholds,
    mode: HistogramMode,
    histogram: Box<[[u64; BINS]; 4]>,
    similarity: Similarity,
    stats: PairStats,
}

impl<'a> Pass<'a> {
    fn new(corpus: &'a Corpus, backend: &dyn Backend, settings: &PairSettings) -> Self {
        let (n, dim) = (corpus.len(), corpus.dim());
        let started = Instant::now();
        let copies = Copies::find(&corpus.embeddings);
        // The seed multiplies on the CPU whatever the backend.
        let gamma = backend.gamma(dim).max(similarity_f32::gamma(dim));
        let half_bounds: Vec<f32> = (0..n)
            .into_par_iter()
            .map_init(
                || vec![0.0; dim],
                |unit, p| coarse_row(corpus.embeddings.row(p), corpus.embeddings.norms()[p], gamma, unit),
            )
            .collect();
        let half_bound_max = half_bounds.iter().fold(0.0f32, |most, &b| most.max(b));
        let exact = match settings.histogram {
            HistogramChoice::Auto => n as f64 * n as f64 / 2.0 <= EXACT_PAIRS,
            choice => choice == HistogramChoice::Exact,
        };
        let mode = match settings.histogram {
            HistogramChoice::Off => HistogramMode::Off,
            _ if exact => HistogramMode::Exact { width: 2.0 * half_bound_max + BIN_ROUNDING },
            _ => HistogramMode::Coarse,
        };
        let k = settings.k.clamp(1, n.max(2) - 1);
        let rule = Rule { k, capacity: settings.list_capacity.unwrap_or(8 * k + 256) };
        let mut stats = PairStats {
            pairs: n as u64 * (n as u64).saturating_sub(1) / 2,
            copies: copies.count(),
            half_bound_max: f64::from(half_bound_max),
            ..PairStats::default()
        };
        stats.seconds.insert("prepare".into(), started.elapsed().as_secs_f64());
        Self {
            corpus,
            copies,
            rule,
            gamma,
            half_bounds,
            lists: vec![List::new(rule); n],
            thresholds: Thresholds::new(n, settings),
            mode,
            histogram: Box::new([[0; BINS]; 4]),
            similarity: Similarity::new(),
            stats,
        }
    }

    /// Coarse unit rows of the positions `range`, with what the filter needs of them.
    fn block(&self, range: std::ops::Range<usize>) -> Block {
        let dim = self.corpus.dim();
        let mut unit = vec![0.0; range.len() * dim];
        unit.par_chunks_mut(dim).zip(range.clone()).for_each(|(out, p)| {
            coarse_row(self.corpus.embeddings.row(p), self.corpus.embeddings.norms()[p], self.gamma, out);
        });
        let row_at = &self.corpus.layout.row_at[range.clone()];
        Block {
            first: range.start,
            unit,
            half_bound: self.half_bounds[range].to_vec(),
            query: row_at.iter().map(|&row| self.corpus.rows.query[row as usize]).collect(),
            model: row_at.iter().map(|&row| self.corpus.rows.model[row as usize]).collect(),
        }
    }

    /// The value that survivors of the positions `range` must reach, for lists and thresholds together.
    fn keep(&self, range: std::ops::Range<usize>) -> Vec<f32> {
        let threshold = self.thresholds.least();
        range
            .map(|p| {
                let half_bound = self.half_bounds[p];
                let list = &self.lists[p];
                let for_threshold = keep_value(threshold, half_bound);
                // Copies of an earlier row have no list of their own; an overflowed row is redone anyway.
                if self.copies.is_representative(p as u32) && !list.overflowed {
                    for_threshold.min(keep_value(list.lower, half_bound))
                } else {
                    for_threshold
                }
            })
            .collect()
    }

    /// All block pairs of the upper triangle, columns back and forth so that the last block of a sweep is reused.
    fn sweep(
        &mut self,
        backend: &mut dyn Backend,
        settings: &PairSettings,
        stage: &Stage<'_>,
        observer: &dyn Observer,
    ) -> Result<()> {
        let n = self.corpus.len();
        let block_rows = settings.block_rows.unwrap_or(backend.info().block_rows).max(1);
        let blocks: Vec<_> = (0..n).step_by(block_rows).map(|first| first..(first + block_rows).min(n)).collect();
        let mut stream = Stream::new(settings.stream_capacity.max(1));
        let mut done = 0u64;
        let (mut multiply, mut merge) = (0.0, 0.0);
        let mut loaded = None;
        for (a, rows) in blocks.iter().enumerate() {
            backend.load(Side::Rows, self.block(rows.clone()))?;
            let mut order: Vec<usize> = (a..blocks.len()).collect();
            if a % 2 == 1 {
                order.reverse();
            }
            for b in order {
                let columns = &blocks[b];
                if loaded != Some(b) {
                    backend.load(Side::Columns, self.block(columns.clone()))?;
                    loaded = Some(b);
                }
                let mut jobs = vec![(0..rows.len(), 0..columns.len())];
                while let Some((job_rows, job_columns)) = jobs.pop() {
                    observer.check_stop()?;
                    let job = Job {
                        keep_rows: self.keep(rows.start + job_rows.start..rows.start + job_rows.end),
                        keep_columns: self.keep(columns.start + job_columns.start..columns.start + job_columns.end),
                        rows: job_rows.clone(),
                        columns: job_columns.clone(),
                        histogram: self.mode,
                    };
                    stream.clear();
                    let started = Instant::now();
                    let dispatch = backend.dispatch(&job, &mut stream)?;
                    multiply += started.elapsed().as_secs_f64();
                    if dispatch == Dispatch::StreamFull && job_rows.len() * job_columns.len() > 1 {
                        self.stats.repeated += 1;
                        jobs.extend(halves(job_rows, job_columns));
                        continue;
                    }
                    let started = Instant::now();
                    self.merge(rows.start, columns.start, &stream);
                    merge += started.elapsed().as_secs_f64();
                }
                done += pairs_between(rows, columns);
                stage.advance(done);
            }
        }
        self.stats.seconds.insert("multiply".into(), multiply);
        self.stats.seconds.insert("merge".into(), merge);
        Ok(())
    }

    /// Takes one dispatch: settles bins, thresholds and lists.
    fn merge(&mut self, first_row: usize, first_column: usize, stream: &Stream) {
        let corpus = self.corpus;
        let least = self.thresholds.least();
        self.stats.survivors += stream.survivors.len() as u64;
        for (total, part) in self.histogram.iter_mut().zip(stream.histogram.iter()) {
            for (sum, count) in total.iter_mut().zip(part) {
                *sum += count;
            }
        }
        let place = |s: &Survivor| (first_row + s.row as usize, first_column + s.column() as usize);
        let bound = |i: usize, j: usize| f64::from(self.half_bounds[i]) + f64::from(self.half_bounds[j]);
        // True similarities, only where a bin or a threshold needs one.
        let exact: Vec<f32> = (stream.survivors.par_iter().with_min_len(1024))
            .map(|s| {
                let (i, j) = place(s);
                if s.near_edge() || f64::from(s.coarse) + bound(i, j) + SLACK >= least {
                    corpus.embeddings.similarity(&self.similarity, i, j)
                } else {
                    f32::NEG_INFINITY
                }
            })
            .collect();
        let row_at = &corpus.layout.row_at;
        for (s, &exact) in stream.survivors.iter().zip(&exact) {
            let (i, j) = place(s);
            let (row_i, row_j) = (row_at[i], row_at[j]);
            if s.near_edge() {
                let (query, model) = (&corpus.rows.query, &corpus.rows.model);
                let relation = 2 * usize::from(query[row_i as usize] != query[row_j as usize])
                    + usize::from(model[row_i as usize] != model[row_j as usize]);
                self.histogram[relation][bin_of(exact)] += 1;
                self.stats.settled += 1;
            }
            if f64::from(exact) >= least {
                self.thresholds.add(row_i, row_j, exact);
            }
            let (i, j) = (i as u32, j as u32);
            if self.copies.is_representative(i) && self.copies.is_representative(j) {
                let bound = f64::from(self.half_bounds[i as usize]) + f64::from(self.half_bounds[j as usize]);
                for (own, other) in [(i, j), (j, i)] {
                    let list = &mut self.lists[own as usize];
                    if list.keeps(s.coarse, bound) {
                        let candidate = Candidate { position: other, coarse: s.coarse };
                        list.push(candidate, self.rule, self.half_bounds[own as usize], &self.half_bounds);
                    }
                }
            }
        }
    }

    fn finish(mut self, settings: &PairSettings, observer: &dyn Observer) -> Result<PairOutcome> {
        let started = Instant::now();
        let lists = std::mem::take(&mut self.lists);
        let (neighbors, nearest) =
            finish::finish(self.corpus, &self.copies, self.rule, &self.half_bounds, lists, &mut self.stats, observer)?;
        let (duplicates, edges) = self.thresholds.finish();
        self.stats.seconds.insert("rescore".into(), started.elapsed().as_secs_f64());
        let histogram = match self.mode {
            HistogramMode::Off => None,
            mode => {
                let exact = mode != HistogramMode::Coarse;
                let bound = if exact { 0.0 } else { 2.0 * self.stats.half_bound_max };
                Some(Histogram { counts: self.histogram, exact, bound })
            }
        };
        Ok(PairOutcome { k: settings.k, neighbors, nearest, duplicates, histogram, edges, stats: self.stats })
    }
}

/// A rectangle cut in two along its longer side.
fn halves(
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
) -> [(std::ops::Range<usize>, std::ops::Range<usize>); 2] {
    if rows.len() >= columns.len() {
        let middle = rows.start + rows.len() / 2;
        [(rows.start..middle, columns.clone()), (middle..rows.end, columns)]
    } else {
        let middle = columns.start + columns.len() / 2;
        [(rows.clone(), columns.start..middle), (rows, middle..columns.end)]
    }
}

/// Unordered pairs (i, j), j > i, with i in `rows` and j in `columns`.
fn pairs_between(rows: &std::ops::Range<usize>, columns: &std::ops::Range<usize>) -> u64 {
    if rows == columns {
        rows.len() as u64 * (rows.len() as u64 - 1) / 2
    } else {
        rows.len() as u64 * columns.len() as u64
    }
}
