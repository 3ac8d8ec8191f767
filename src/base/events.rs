//! What a run tells its caller while it works, and how the caller stops it.
//!
//! The library prints nothing: it sends [`Event`]s to an [`Observer`]. The command line draws progress from them or
//! writes them as JSON lines; tests ignore them ([`Silent`]).

use crate::base::{Error, Result};
use serde::Serialize;

/// One thing that happened. Serialised as a JSON object with a `type` field (`--json`).
#[derive(Debug, Clone, Serialize, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A stage begins; `total` is in `unit`s (rows, pairs, queries, ...).
    StageStarted {
        /// Name of the stage, e.g. `reading`, `pairs`.
        stage: String,
        /// What is counted.
        unit: String,
        /// How many of them there are.
        total: u64,
    },
    /// Work done in a stage so far.
    StageAdvanced {
        /// Name of the stage.
        stage: String,
        /// How many units are done.
        done: u64,
    },
    /// A stage ended.
    StageFinished {
        /// Name of the stage.
        stage: String,
        /// Wall-clock seconds.
        seconds: f64,
    },
    /// Something the user should know that does not stop the run.
    Note {
        /// One sentence.
        message: String,
    },
    /// Something that deserves a warning: the result holds, but look here.
    Warning {
        /// One sentence.
        message: String,
    },
    /// Detail for `-v`.
    Detail {
        /// One sentence.
        message: String,
    },
}

/// Receives events; may ask the run to stop.
pub trait Observer: Send + Sync {
    /// Takes one event. Called from any thread.
    fn event(&self, event: Event);

    /// Whether the user asked to stop. Polled between pieces of work.
    fn stop_requested(&self) -> bool {
        false
    }

    /// [`Error::Interrupted`] if the user asked to stop.
    ///
    /// # Errors
    /// [`Error::Interrupted`], and nothing else.
    fn check_stop(&self) -> Result<()> {
        if self.stop_requested() { Err(Error::Interrupted) } else { Ok(()) }
    }
}

/// An observer that ignores everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _event: Event) {}
}

/// A stage in progress: sends the three stage events and keeps the clock.
pub struct Stage<'a> {
    observer: &'a dyn Observer,
    name: &'static str,
    started: std::time::Instant,
}

impl<'a> Stage<'a> {
    /// Announces a stage of `total` `unit`s.
    pub fn start(observer: &'a dyn Observer, name: &'static str, unit: &str, total: u64) -> Self {
        observer.event(Event::StageStarted { stage: name.into(), unit: unit.into(), total });
        Self { observer, name, started: std::time::Instant::now() }
    }

    /// Reports that `done` units are done in all.
    pub fn advance(&self, done: u64) {
        self.observer.event(Event::StageAdvanced { stage: self.name.into(), done });
    }

    /// Ends the stage and returns its wall-clock seconds.
    pub fn finish(self) -> f64 {
        let seconds = self.started.elapsed().as_secs_f64();
        self.observer.event(Event::StageFinished { stage: self.name.into(), seconds });
        seconds
    }
}
