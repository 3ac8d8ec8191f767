//! The sweep: blocks are loaded, dispatches submitted and collected, results merged; full streams and device faults are
//! answered with smaller pieces.
//!
//! Several dispatches may be under way, so keep values are a dispatch or two old: L only rises, so an old one only keeps
//! more. What a collected dispatch found is merged at once and stays, whatever becomes of the device afterwards.

use super::Pass;
use super::blocks::{BlockPairs, Rectangle, halves, pairs_between, rectangles};
use crate::base::events::Stage;
use crate::base::{Error, Event, Observer, Result};
use crate::compute::{Backend, Block, Dispatch, Job, Side, Stream};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// Device faults without a finished dispatch between them after which the pass gives up.
const MOST_FAULTS: u32 = 6;

/// Blocks are not made smaller than this many rows.
const LEAST_ROWS: usize = 16;

/// Rectangles of one pair of blocks that wait.
struct Work {
    rows: Range<usize>,
    columns: Range<usize>,
    todo: Vec<Rectangle>,
}

/// A dispatch under way.
struct Pending {
    /// The blocks of its rows and columns.
    blocks: Rectangle,
    rectangle: Rectangle,
}

/// The state of a sweep over the upper triangle.
pub(super) struct Sweep<'s, 'a> {
    pass: &'s mut Pass<'a>,
    backend: &'s mut dyn Backend,
    stage: &'s Stage<'s>,
    observer: &'s dyn Observer,
    plan: BlockPairs,
    /// Blocks longer than this are cut: it shrinks where the device fails.
    limit: usize,
    /// Taken from the end.
    work: Vec<Work>,
    pending: VecDeque<Pending>,
    /// By [`Side`].
    loaded: [Option<(Range<usize>, Arc<Block>)>; 2],
    stream: Stream,
    seconds: Seconds,
    done: u64,
    faults: u32,
}

impl<'s, 'a> Sweep<'s, 'a> {
    pub(super) fn new(
        pass: &'s mut Pass<'a>,
        backend: &'s mut dyn Backend,
        stage: &'s Stage<'s>,
        observer: &'s dyn Observer,
    ) -> Self {
        let budget = pass.budget;
        Self {
            plan: BlockPairs::new(pass.corpus.len(), budget.rows, budget.columns),
            stream: Stream::new(budget.stream),
            pass,
            backend,
            stage,
            observer,
            limit: usize::MAX,
            work: Vec::new(),
            pending: VecDeque::new(),
            loaded: [None, None],
            seconds: Seconds::default(),
            done: 0,
            faults: 0,
        }
    }

    /// Forms all pairs.
    pub(super) fn run(mut self) -> Result<()> {
        loop {
            match self.step() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    if let Err(error) = self.recover(error) {
                        self.abandon();
                        return Err(error);
                    }
                }
            }
        }
        self.backend.unload(Side::Rows);
        self.backend.unload(Side::Columns);
        for (phase, seconds) in self.seconds.0 {
            *self.pass.stats.seconds.entry(phase.into()).or_default() += seconds;
        }
        Ok(())
    }

    /// Submits or collects one dispatch; false once there is none left.
    fn step(&mut self) -> Result<bool> {
        self.observer.check_stop()?;
        let wait = self.pending.len() >= self.backend.in_flight().max(1);
        match if wait { None } else { self.next() } {
            Some((blocks, rectangle)) => self.submit(blocks, rectangle)?,
            None if self.pending.is_empty() => return Ok(false),
            None => self.collect()?,
        }
        Ok(true)
    }

    /// The blocks and the rectangle of the next dispatch, which stays in `work` until it is submitted.
    fn next(&mut self) -> Option<(Rectangle, Rectangle)> {
        loop {
            let Some(work) = self.work.pop() else {
                let (rows, columns) = self.plan.next()?;
                let todo = self.rectangles(&rows, &columns);
                self.work.push(Work { rows, columns, todo });
                continue;
            };
            let Some(rectangle) = work.todo.last().cloned() else { continue };
            if work.rows.len().max(work.columns.len()) <= self.limit {
                let blocks = (work.rows.clone(), work.columns.clone());
                self.work.push(work);
                return Some((blocks, rectangle));
            }
            for (rows, columns) in work.todo.iter().flat_map(|(rows, columns)| rectangles(rows, columns, self.limit)) {
                let todo = self.rectangles(&rows, &columns);
                self.work.push(Work { rows, columns, todo });
            }
        }
    }

    fn rectangles(&self, rows: &Range<usize>, columns: &Range<usize>) -> Vec<Rectangle> {
        rectangles(rows, columns, self.backend.dispatch_rows(self.pass.corpus.dim()).min(self.limit))
    }

    /// Loads the positions `range`, unless they are.
    fn load(&mut self, side: Side, range: &Range<usize>) -> Result<()> {
        let (own, other) = match side {
            Side::Rows => (0, 1),
            Side::Columns => (1, 0),
        };
        if self.loaded[own].as_ref().is_some_and(|(loaded, _)| loaded == range) {
            return Ok(());
        }
        // A block goes before the next is made, so that there are never more than one of each side.
        self.backend.unload(side);
        self.loaded[own] = None;
        let block = match &self.loaded[other] {
            // The same rows on both sides are one block.
            Some((loaded, block)) if loaded == range => Arc::clone(block),
            _ => self.pass.block(range),
        };
        self.seconds.time("load", || self.backend.load(side, Arc::clone(&block)))?;
        self.loaded[own] = Some((range.clone(), block));
        Ok(())
    }

    fn submit(&mut self, blocks: Rectangle, rectangle: Rectangle) -> Result<()> {
        self.load(Side::Rows, &blocks.0)?;
        self.load(Side::Columns, &blocks.1)?;
        let within = |range: &Range<usize>, block: &Range<usize>| range.start - block.start..range.end - block.start;
        let job = Job {
            keep_rows: self.pass.keep(rectangle.0.clone()),
            keep_columns: self.pass.keep(rectangle.1.clone()),
            rows: within(&rectangle.0, &blocks.0),
            columns: within(&rectangle.1, &blocks.1),
            histogram: self.pass.mode,
        };
        self.seconds.time("multiply", || self.backend.submit(job, self.stream.capacity))?;
        if let Some(work) = self.work.last_mut() {
            work.todo.pop();
        }
        self.pending.push_back(Pending { blocks, rectangle });
        Ok(())
    }

    /// Waits for the oldest dispatch and merges what it found.
    fn collect(&mut self) -> Result<()> {
        self.stream.clear();
        let end = self.seconds.time("multiply", || self.backend.collect(&mut self.stream))?;
        let Some(Pending { blocks, rectangle }) = self.pending.pop_front() else { return Ok(()) };
        self.faults = 0;
        if end == Dispatch::StreamFull {
            return self.repeat(blocks, rectangle);
        }
        self.seconds.add("device", self.stream.device_seconds);
        self.seconds.time("merge", || self.pass.merge(blocks.0.start, blocks.1.start, &mut self.stream))?;
        self.done += pairs_between(&rectangle.0, &rectangle.1);
        self.stage.advance(self.done);
        Ok(())
    }

    /// A dispatch whose stream was full comes again in halves, with the L of now.
    fn repeat(&mut self, blocks: Rectangle, (rows, columns): Rectangle) -> Result<()> {
        if rows.len() * columns.len() < 2 {
            return Err(Error::Run("a stream of survivors has no room for a single pair".into()));
        }
        self.pass.stats.repeated += 1;
        let halves = halves(rows, columns);
        match self.work.last_mut() {
            Some(work) if (&work.rows, &work.columns) == (&blocks.0, &blocks.1) => work.todo.extend(halves),
            _ => self.work.push(Work { rows: blocks.0, columns: blocks.1, todo: halves.into() }),
        }
        Ok(())
    }

    /// Collects what is under way for nobody: the next pass on this backend must not find it.
    fn abandon(&mut self) {
        for _ in self.pending.drain(..) {
            self.stream.clear();
            drop(self.backend.collect(&mut self.stream));
        }
    }

    /// After a fault of the device: what is not collected is done again in smaller blocks.
    ///
    /// # Errors
    /// `error`, if it is none of the device, or there is no hope left.
    fn recover(&mut self, error: Error) -> Result<()> {
        let Error::Device(message) = &error else { return Err(error) };
        self.faults += 1;
        let blocks = self.work.iter().map(|work| work.rows.len().max(work.columns.len()));
        let largest = blocks.chain(self.pending.iter().map(|p| p.blocks.0.len().max(p.blocks.1.len()))).max();
        if self.faults > MOST_FAULTS || !self.backend.recover() {
            return Err(error);
        }
        let limit = (largest.unwrap_or(self.limit).min(self.limit) / 2).max(LEAST_ROWS);
        self.limit = limit;
        self.pass.stats.device_faults += 1;
        self.observer.event(Event::Note { message: format!("{message}; going on with blocks of {limit} rows") });
        self.loaded = [None, None];
        let again = self.pending.drain(..).map(|Pending { blocks: (rows, columns), rectangle }| Work {
            rows,
            columns,
            todo: vec![rectangle],
        });
        self.work.extend(again);
        Ok(())
    }
}

/// Seconds by phase.
#[derive(Default)]
struct Seconds(BTreeMap<&'static str, f64>);

impl Seconds {
    fn time<T>(&mut self, phase: &'static str, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = work();
        self.add(phase, started.elapsed().as_secs_f64());
        result
    }

    fn add(&mut self, phase: &'static str, seconds: f64) {
        if seconds > 0.0 {
            *self.0.entry(phase).or_default() += seconds;
        }
    }
}
