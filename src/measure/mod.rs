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
mod summary;
mod sums;
pub mod tables;
mod topn;
mod vendi;

pub use tables::{Headline, Interval, LeftOut, Measures, Summary};

use crate::base::{Observer, Result};
use crate::compute::PairOutcome;
use crate::corpus::Corpus;
use ensemble::Gain;
use intervals::Weights;
use nearest::Share;
use sums::Sums;
use tables::QueryRow;

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
    outcome: &PairOutcome,
    settings: &MeasureSettings,
    observer: &dyn Observer,
) -> Result<Measures> {
    let people = summary::people(corpus, &settings.human);
    let sums = Sums::new(corpus, &people, observer)?;
    let weights = Weights::new(settings.seed, "intervals", settings.resamples, sums.queries.len());
    let floor = floors::corpus(&sums, &vec![true; sums.models]);
    let intra = intra::rows(&sums);
    let models = intra::models(&sums, &intra, floor, Some(&weights));
    observer.check_stop()?;
    let model_pairs = inter::rows(&sums, Some(&weights), settings.resamples);
    observer.check_stop()?;
    let repeated = !intra.is_empty();
    let (topn, shares) =
        if repeated { topn::all(corpus, observer)? } else { (Vec::new(), vec![None; sums.queries.len()]) };
    let unrelated = if sums.models > 1 { ensemble::unrelated_square(corpus, &sums, observer)? } else { None };
    let gains: Vec<Option<Gain>> = sums.queries.iter().map(|q| ensemble::gain(q, unrelated)).collect();
    let queries = query_rows(&sums, &shares, &gains);
    let parts = summary::Parts {
        corpus,
        outcome,
        settings,
        sums: &sums,
        weights: &weights,
        people: &people,
        models: &models,
        pairs: &model_pairs,
        queries: &queries,
        topn: &topn,
        shares: &shares,
        gains: &gains,
        unrelated,
        floor,
        repeated,
    };
    let summary = parts.summary();
    observer.check_stop()?;
    Ok(Measures { intra, models, model_pairs, queries, topn, summary })
}

/// Lines of queries.parquet.
fn query_rows(sums: &Sums, shares: &[Option<Share>], gains: &[Option<Gain>]) -> Vec<QueryRow> {
    let everyone = vec![true; sums.models];
    let mean = |(sum, pairs): (f64, f64)| (pairs > 0.0).then(|| sum / pairs);
    let row = |(query, one): (usize, &sums::QuerySums)| {
        let (intra, inter) = (one.intra(&everyone), one.inter(&everyone));
        let some = |value: f64| (one.cells() > 0 && value.is_finite()).then_some(value);
        let share = shares[query];
        QueryRow {
            query: query as u32,
            n: one.n() as u64,
            models: one.cells() as u64,
            mean: mean((intra.0 + 2.0 * inter.0, intra.1 + 2.0 * inter.1)),
            intra_mean: mean(intra),
            inter_mean: mean(inter),
            vendi_1: some(one.vendi.one),
            vendi_2: some(one.vendi.two),
            vendi_inf: some(one.vendi.inf),
            nearest_other_model: share.map(|s| s.credit / s.responses),
            nearest_null: share.map(|s| s.null / s.responses),
            ensemble_gain: gains[query].map(|g| g.gain),
            ensemble_gain_unrelated: gains[query].and_then(|g| g.unrelated),
        }
    };
    sums.queries.iter().enumerate().map(row).collect()
}
