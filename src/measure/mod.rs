//! Floor 3: the measures of section A, one file per family.
//!
//! Every function takes a [`crate::corpus::Corpus`] (and, where it needs pairs, a
//! [`crate::compute::PairOutcome`]) and returns rows of [`tables`]. Not here: wgpu, Parquet, HTML, flags.

pub mod tables;

pub use tables::{Headline, Interval, LeftOut, Measures, Summary};

use crate::base::{Observer, Result};
use crate::compute::PairOutcome;
use crate::corpus::Corpus;

/// What changes a measure.
#[derive(Debug, Clone)]
pub struct MeasureSettings {
    /// `--seed`.
    pub seed: u64,
    /// Bootstrap resamples.
    pub resamples: usize,
    /// `--human`: values of the source column that are people.
    pub human: Vec<String>,
}

impl Default for MeasureSettings {
    fn default() -> Self {
        Self { seed: 0, resamples: 1000, human: vec!["human".into()] }
    }
}

/// Every measure of section A that the corpus has the columns and the n for.
///
/// # Errors
/// [`crate::base::Error::Interrupted`] only: what can't be computed is left out by name and reason.
pub fn all(
    _corpus: &Corpus,
    _outcome: &PairOutcome,
    _settings: &MeasureSettings,
    _observer: &dyn Observer,
) -> Result<Measures> {
    Ok(Measures::default())
}
