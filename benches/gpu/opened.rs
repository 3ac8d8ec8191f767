//! The adapter that is measured.

use super::journal::Journal;
use anyhow::Context;
use hivescope::base::{Event, Observer};
use hivescope::compute::gpu::{self, AdapterReport, CardLimits, Request};
use hivescope::compute::{Backend, BackendInfo};
use std::time::Instant;

/// What every command works with.
pub struct Setup {
    device: Option<String>,
    /// `--kernel`.
    pub kernel: Option<String>,
    /// Share of the queries.
    pub scale: f64,
    /// The measurements.
    pub journal: Journal,
    limits: Option<CardLimits>,
}

impl Setup {
    pub fn new(device: Option<String>, kernel: Option<String>, scale: f64, journal: Journal) -> Self {
        Self { device, kernel, scale, journal, limits: None }
    }

    /// The adapter with `kernel`, or with the fastest.
    ///
    /// # Errors
    /// If there is no such adapter or kernel.
    pub fn open(&self, kernel: Option<&str>) -> anyhow::Result<Box<dyn Backend>> {
        let request = Request {
            selector: self.device.clone(),
            kernel: kernel.map(String::from),
            cache: self.journal.cache(),
            ..Request::default()
        };
        let (backend, why) = gpu::open(&request)?;
        let info = backend.info();
        eprintln!("{}, {}: {}, {why}", info.device, info.driver, info.kernel);
        Ok(backend)
    }

    /// What the opened adapter is; its kernels are examined if `examine` says so.
    ///
    /// # Errors
    /// If it is gone.
    pub fn adapter(&self, info: &BackendInfo, examine: bool) -> anyhow::Result<AdapterReport> {
        let same = |adapter: &AdapterReport| adapter.name == info.device && adapter.driver == info.driver;
        gpu::adapters(examine).into_iter().find(same).context("the adapter is gone")
    }

    /// What the opened adapter can do at most; measured once.
    ///
    /// # Errors
    /// If it fails.
    pub fn limits(&mut self, info: &BackendInfo) -> anyhow::Result<CardLimits> {
        if let Some(limits) = self.limits {
            return Ok(limits);
        }
        let limits = gpu::card_limits(self.adapter(info, false)?.index)?;
        self.limits = Some(limits);
        Ok(limits)
    }
}

/// Prints what a pass tells, with the time.
pub struct Aloud(Instant);

impl Aloud {
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Observer for Aloud {
    fn event(&self, event: Event) {
        if let Event::Detail { message } | Event::Note { message } | Event::Warning { message } = event {
            eprintln!("{:8.2} s  {message}", self.0.elapsed().as_secs_f64());
        }
    }
}

/// The middle one.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
