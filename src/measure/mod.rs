//! Floor 3: the measures of section A, one file per family.
//!
//! Every function takes a [`crate::corpus::Corpus`] (and, where it needs pairs, a
//! [`crate::compute::PairOutcome`]) and returns rows of [`tables`]. Not here: wgpu, Parquet, HTML, flags.

mod duplicates;
mod ensemble;
mod floors;
mod histogram;
mod inter;
mod intervals;
mod intra;
mod nearest;
mod order;
mod sums;
pub mod tables;
mod topn;
mod vendi;

pub use tables::{Headline, Interval, LeftOut, Measures, Summary};

use crate::base::{Observer, Result};
use crate::compute::PairOutcome;
use crate::corpus::Corpus;
use intervals::Weights;
use sums::Sums;

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
    corpus: &Corpus,
    _outcome: &PairOutcome,
    settings: &MeasureSettings,
    observer: &dyn Observer,
) -> Result<Measures> {
    let people: Vec<bool> = Vec::new();
    let sums = Sums::new(corpus, &people, observer)?;
    let weights = Weights::new(settings.seed, "intervals", settings.resamples, sums.queries.len());
    let everyone = vec![true; sums.models];
    let floor = floors::corpus(&sums, &everyone);
    let intra = intra::rows(&sums);
    let models = intra::models(&sums, &intra, floor, Some(&weights));
    let model_pairs = inter::rows(&sums, Some(&weights), settings.resamples);
    Ok(Measures { intra, models, model_pairs, ..Measures::default() })
}
