//! Draws progress from the library's events.
//!
//! On a terminal a bar with rate and time left after two seconds of a stage; elsewhere a plain line every thirty
//! seconds. `--json` writes events as lines on stdout, `--quiet` leaves only warnings.

use super::args::Messages;
use super::{interrupt, messages};
use crate::base::units::{show_count, show_seconds};
use crate::base::{Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A stage shorter than this draws no bar.
const BAR_AFTER: Duration = Duration::from_secs(2);

/// Off a terminal, one line this often.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// With `--json`, progress of one stage this often.
const EVENT_EVERY: Duration = Duration::from_millis(500);

struct Current {
    stage: String,
    unit: String,
    total: u64,
    started: Instant,
    shown: Instant,
    bar: Option<ProgressBar>,
}

/// The observer of the command line.
pub struct Console {
    json: bool,
    quiet: bool,
    verbose: bool,
    terminal: bool,
    colour: bool,
    current: Mutex<Option<Current>>,
}

impl Console {
    /// As the flags say.
    pub fn new(flags: &Messages) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self {
            json: flags.json,
            quiet: flags.quiet,
            verbose: flags.verbose,
            terminal,
            colour: terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            current: Mutex::new(None),
        }
    }

    fn line(&self, current: Option<&Current>, text: &str) {
        match current.and_then(|current| current.bar.as_ref()) {
            Some(bar) => bar.suspend(|| messages::say(text)),
            None => messages::say(text),
        }
    }

    fn bar(&self, total: u64, stage: &str, started: Instant) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let template = if self.colour {
            "{prefix} {wide_bar:.cyan} {percent} %  {per_sec} {msg}  {eta} left"
        } else {
            "{prefix} {wide_bar} {percent} %  {per_sec} {msg}  {eta} left"
        };
        let bar = bar.with_prefix(stage.to_owned()).with_elapsed(started.elapsed());
        match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    fn advance(&self, current: &mut Current, done: u64) {
        if self.quiet {
            return;
        }
        if self.terminal {
            if current.bar.is_none() && current.started.elapsed() >= BAR_AFTER {
                current.bar =
                    Some(self.bar(current.total, &current.stage, current.started).with_message(current.unit.clone()));
            }
            if let Some(bar) = &current.bar {
                bar.set_position(done);
            }
        } else if current.shown.elapsed() >= LINE_EVERY {
            current.shown = Instant::now();
            let seconds = current.started.elapsed().as_secs_f64();
            let left = if done > 0 && current.total >= done {
                format!(", about {} left", show_seconds(seconds * (current.total - done) as f64 / done as f64))
            } else {
                String::new()
            };
            messages::say(&format!(
                "{}: {} of {} {}, {}{left}",
                current.stage,
                show_count(done),
                show_count(current.total),
                current.unit,
                show_seconds(seconds)
            ));
        }
    }
}

impl Observer for Console {
    fn event(&self, event: Event) {
        let mut guard = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if self.json {
            let due = match (&event, guard.as_mut()) {
                (Event::StageAdvanced { .. }, Some(current)) => {
                    let due = current.shown.elapsed() >= EVENT_EVERY;
                    if due {
                        current.shown = Instant::now();
                    }
                    due
                }
                (Event::Detail { .. }, _) => self.verbose,
                _ => true,
            };
            if due {
                messages::json(&event);
            }
        }
        match event {
            Event::StageStarted { stage, unit, total } => {
                let now = Instant::now();
                *guard = Some(Current { stage, unit, total, started: now, shown: now, bar: None });
            }
            Event::StageAdvanced { stage, done } => {
                if let Some(current) = guard.as_mut().filter(|current| current.stage == stage && !self.json) {
                    self.advance(current, done);
                }
            }
            Event::StageFinished { stage, seconds } => {
                if let Some(current) = guard.take_if(|current| current.stage == stage)
                    && let Some(bar) = current.bar
                {
                    bar.finish_and_clear();
                }
                if !self.quiet && !self.json && (self.verbose || seconds >= BAR_AFTER.as_secs_f64()) {
                    self.line(guard.as_ref(), &format!("{stage}: {}", show_seconds(seconds)));
                }
            }
            Event::Note { message } => {
                if !self.quiet && !self.json {
                    self.line(guard.as_ref(), &format!("note: {message}"));
                }
            }
            Event::Warning { message } => {
                if !self.json {
                    self.line(guard.as_ref(), &format!("warning: {message}"));
                }
            }
            Event::Detail { message } => {
                if self.verbose && !self.json {
                    self.line(guard.as_ref(), &message);
                }
            }
        }
    }

    fn stop_requested(&self) -> bool {
        interrupt::requested()
    }
}
