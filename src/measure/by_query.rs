//! One pass over the queries, for all that is asked of the pairs of single responses to one query.

use super::MeasureSettings;
use super::effective::{self, Effective, Effects};
use super::length::{self, Confound, Correlations};
use super::meanings::{Counted, Counting};
use super::similarities::Similarities;
use super::sums::Sums;
use crate::base::events::Stage;
use crate::base::random::Stream;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use rayon::prelude::*;

/// Queries that are worked before progress is told.
const AT_ONCE: usize = 64;

/// What is asked.
pub struct Asked<'a> {
    /// The corpus floor.
    pub floor: Option<f64>,
    /// The models of each view, everyone first.
    pub keeps: &'a [&'a [bool]],
    /// Views, the first ones, of which similarity is set against length.
    pub lengths: usize,
    /// Whether each model stands by itself in the first view.
    pub by_model: bool,
}

/// What is found.
pub struct Found {
    /// By view.
    pub effects: Vec<Effects>,
    /// By view: rank correlations by query, and of how many queries responses were drawn.
    pub lengths: Vec<(Vec<Correlations>, usize)>,
    /// Distinct meanings.
    pub counted: Counted,
}

/// Works all queries, in their order whatever the threads.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn by_query(
    corpus: &Corpus,
    sums: &Sums,
    asked: &Asked<'_>,
    settings: &MeasureSettings,
    observer: &dyn Observer,
) -> Result<Found> {
    let (counting, counted) = Counting::new(corpus, sums, asked.floor, asked.keeps, settings);
    let confound = Confound { corpus, most: length::MOST, draw: Stream::new(settings.seed, "length") };
    let queries = sums.queries.len();
    let effects = asked.keeps.iter().map(|_| Effects::new(sums.models)).collect();
    let lengths = vec![(Vec::with_capacity(queries), 0); asked.lengths];
    let mut found = Found { effects, lengths, counted };
    let one = |query: usize| {
        observer.check_stop()?;
        let positions = counting.positions(query);
        let at_once = counting.clusters() || effective::by_similarities(positions.len(), corpus);
        let similarities = Similarities::new(corpus, sums, query, positions, at_once);
        let of_view = |(view, keep): (usize, &&[bool])| {
            effective::of_query(corpus, query, keep, asked.by_model && view == 0, &similarities)
        };
        let effective: Vec<Effective> = asked.keeps.iter().enumerate().map(of_view).collect();
        let lengths: Vec<(Correlations, bool)> =
            asked.keeps[..asked.lengths].iter().map(|keep| confound.query(query, keep, &similarities)).collect();
        Ok((effective, lengths, counting.query(query, similarities)))
    };
    let stage = Stage::start(observer, "measures: pairs of each query", "queries", queries as u64);
    for first in (0..queries).step_by(AT_ONCE) {
        stage.advance(first as u64);
        let chunk = first..(first + AT_ONCE).min(queries);
        for (effective, lengths, meanings) in chunk.into_par_iter().map(one).collect::<Result<Vec<_>>>()? {
            found.effects.iter_mut().zip(effective).for_each(|(all, one)| all.push(one));
            for (all, (one, drawn)) in found.lengths.iter_mut().zip(lengths) {
                all.0.push(one);
                all.1 += usize::from(drawn);
            }
            found.counted.push(meanings);
        }
    }
    stage.finish();
    observer.check_stop()?;
    found.effects.iter_mut().zip(asked.keeps).for_each(|(effects, keep)| effects.add_up(corpus, sums, keep));
    Ok(found)
}

/// Effective numbers alone.
#[cfg(test)]
pub fn effects(corpus: &Corpus, sums: &Sums, keep: &[bool], by_model: bool) -> Effects {
    let asked = Asked { floor: None, keeps: &[keep], lengths: 0, by_model };
    let found = by_query(corpus, sums, &asked, &MeasureSettings::default(), &crate::base::events::Silent);
    found.unwrap().effects.remove(0)
}
