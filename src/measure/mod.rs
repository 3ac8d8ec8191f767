//! Floor 3: the measures, one file per family.
//!
//! Every function takes a [`crate::corpus::Corpus`] (and, where it needs pairs, a
//! [`crate::compute::PairOutcome`]) and returns rows of [`tables`]. Not here: wgpu, Parquet, HTML, flags.

mod adjusted;
mod by_query;
mod cells;
mod chunks;
mod coarse;
mod contexts;
#[cfg(test)]
mod coverage;
mod draws;
mod duplicates;
mod effective;
mod ensemble;
mod examples;
mod fine_print;
mod floors;
mod form;
mod growth;
mod histogram;
mod inter;
mod intervals;
mod intra;
mod jackknife;
mod length;
mod map;
mod meanings;
mod memory;
mod moves;
mod nearest;
#[cfg(test)]
mod odd;
mod order;
mod packaging;
mod pca;
mod people;
#[cfg(test)]
mod planted;
mod products;
mod r2;
mod ranking;
mod rating_lag;
pub mod reproduce;
mod restricted;
mod similarities;
mod spearman;
mod summary;
mod sums;
pub mod tables;
mod teams;
mod texts;
mod times;
mod topn;
mod training;
mod u_statistic;
mod variants;
mod vendi;
mod view;

pub use memory::memory;
pub use tables::{Headline, Interval, LeftOut, Measures, Summary};

use crate::base::{Observer, Result};
use crate::compute::PairOutcome;
use crate::corpus::Corpus;
use by_query::Asked;
use draws::Drawn;
use effective::Effects;
use intervals::Weights;
use length::Correlations;
use meanings::Counted;
use moves::Moves;
use sums::Sums;
use tables::QueryRow;
use view::View;

/// What changes a measure.
#[derive(Debug, Clone)]
pub struct MeasureSettings {
    /// `--seed`.
    pub seed: u64,
    /// Bootstrap resamples.
    pub resamples: usize,
    /// `--human`: values of the source column that are people.
    pub human: Vec<String>,
    /// `--tau`: where clusters are cut, a cosine; `None` for floor + .7 (1 - floor).
    pub tau: Option<f64>,
    /// `--quality-bar`: quality from which on a response is good; `None` for the median.
    pub quality_bar: Option<f64>,
}

impl Default for MeasureSettings {
    fn default() -> Self {
        Self { seed: 0, resamples: intervals::RESAMPLES, human: vec!["human".into()], tau: None, quality_bar: None }
    }
}

/// Every measure that the corpus has the columns and the n for.
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
    let everyone = vec![true; sums.models];
    let weights = Weights::new(settings.seed, "intervals", settings.resamples, sums.queries.len());
    let floor = floors::corpus(&sums, &everyone);
    let intra = intra::rows(&sums);
    let repeated = !intra.is_empty();
    // Tables show everyone. Headlines are about models, and stand without those that answer regardless as well.
    let regardless = floors::regardless(&sums, floor);
    let kept = summary::kept(corpus, &people);
    let regular: Vec<bool> = kept.iter().zip(&regardless).map(|(&kept, odd)| kept && !odd).collect();
    let further = |keep: &Vec<bool>, than: &Vec<bool>| keep != than && keep.contains(&true);
    let mut keeps: Vec<&[bool]> = vec![&everyone];
    keeps.extend(further(&kept, &everyone).then_some(kept.as_slice()));
    let view = keeps.len() - 1;
    keeps.extend(further(&regular, &kept).then_some(regular.as_slice()));
    let asked = Asked { floor, keeps: &keeps, lengths: view + 1, by_model: repeated };
    let by_query::Found { effects, lengths, counted: Counted { meanings, views: counted } } =
        by_query::by_query(corpus, &sums, &asked, settings, observer)?;
    let (mut models, compared) = intra::models(&sums, &effects[0], &intra, &regardless, Some(&weights));
    observer.check_stop()?;
    ranking::fill_models(&mut models, &sums, &intra, &weights);
    texts::fill_models(corpus, &mut models);
    let model_pairs = inter::rows(&sums, &models, Some(&weights), settings.resamples);
    observer.check_stop()?;
    let mut topn = Vec::new();
    let mut views = Vec::new();
    for ((&keep, effects), meanings) in keeps.iter().zip(effects).zip(counted) {
        let shares = match (repeated, views.is_empty()) {
            (true, true) => {
                let (rows, shares) = topn::all(corpus, keep, settings.seed, observer)?;
                topn = rows;
                shares
            }
            (true, false) => topn::shares(corpus, keep, settings.seed, observer)?,
            (false, _) => vec![None; sums.queries.len()],
        };
        views.push(View { keep: keep.to_vec(), effects, shares, unrelated: None, meanings });
    }
    let (mut moment, mut squares) = (None, Moves::default());
    if sums.models > 1 {
        let parts: Vec<(&[bool], &Effects)> = views.iter().map(|v| (v.keep.as_slice(), &v.effects)).collect();
        let (unrelated, of_all, moves) = ensemble::unrelated_squares(corpus, &sums, (&parts, repeated), observer)?;
        views.iter_mut().zip(unrelated).for_each(|(view, unrelated)| view.unrelated = unrelated);
        (moment, squares) = (of_all, moves);
    }
    let map = map::map(corpus, &people, moment, settings.seed, observer)?;
    // In tables everyone, in the summary the models.
    let drawn = |one: &View| draws::drawn(corpus, &one.keep, &one.effects, settings.seed, observer);
    let drawn_of: Vec<Drawn> = views[..=view].iter().map(drawn).collect::<Result<_>>()?;
    meanings::fill_models(&mut models, &meanings, sums.queries.len(), &weights);
    let growth = growth::growth(corpus, &meanings, &keeps[view..], &weights, observer)?;
    let chosen = meanings.labels.iter().position(|labels| labels.chosen);
    let queries = query_rows(&sums, &views[0], chosen, (&lengths[0].0, &drawn_of[0]));
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
        meanings: &meanings,
        view: &views[view],
        regular: views.get(view + 1),
        compared,
        floor,
        squares,
        repeated,
    };
    let mut summary = parts.summary();
    observer.check_stop()?;
    let keep = &views[view].keep;
    let (of, length) = ((corpus, &sums), &lengths[view]);
    summary.ensemble = if repeated {
        drawn_of[view].summary((&views[view].effects, &parts.squares), &weights, &mut summary.left_out)
    } else {
        draws::worth(of, keep, &views[view].effects, (&weights, settings.seed), &mut summary.left_out)
    };
    let without = views.get(view + 1).map(|view| view.keep.as_slice());
    let variation = r2::variation(of, (keep, without), (&weights, settings), observer)?;
    summary.variation = variation.summary;
    summary.headlines.extend(variation.headlines);
    summary.left_out.extend(variation.left_out);
    summary.texts = texts::summary(corpus, &sums, keep, &weights, observer)?;
    if summary.texts.is_none() {
        summary.left_out.push(tables::left_out("Empty and refusal-like answers", "no text column"));
    }
    let (found, left) = length::summary(of, keep, (&length.0, length.1), &weights, observer)?;
    summary.length = found;
    summary.left_out.extend(left);
    summary.most_alike_next = ranking::most_alike_next(&sums, &model_pairs, &models);
    let packaging = packaging::packaging(corpus, &people, &models, floor, Some(&weights), observer)?;
    summary.headlines.extend(packaging.headlines);
    summary.left_out.extend(packaging.left_out);
    let trained = training::training(corpus, &people, &models, &meanings, Some(&weights), observer)?;
    summary.headlines.extend(trained.headlines);
    summary.left_out.extend(trained.left_out);
    let form = form::form(corpus, (&people, &kept, &regular), settings, Some(&weights), observer)?;
    summary.headlines.extend(form.headlines);
    summary.left_out.extend(form.left_out);
    summary.form = form.summary;
    let tau = summary.meanings.as_ref().and_then(|meanings| meanings.tau);
    let teams = teams::teams(corpus, tau, settings, observer)?;
    summary.headlines.extend(teams.headlines);
    summary.left_out.extend(teams.left_out);
    summary.teams = teams.summary;
    summary.growth = growth.summary;
    summary.headlines.extend(growth.headlines);
    summary.left_out.extend(growth.left_out);
    let lag = rating_lag::rating_lag(corpus, keep, &weights);
    summary.rating_lag = lag.summary;
    summary.headlines.extend(lag.headlines);
    summary.left_out.extend(lag.left_out);
    let beside = people::people(corpus, &people, &models, settings.seed, &weights, observer)?;
    summary.headlines.extend(beside.headlines);
    summary.left_out.extend(beside.left_out);
    summary.map = map.summary;
    summary.left_out.extend(map.left_out);
    fine_print::add(&mut summary);
    Ok(Measures {
        intra,
        models,
        model_pairs,
        queries,
        topn,
        meanings,
        contexts: packaging.rows,
        stages: trained.rows,
        trends: trained.trends,
        form: form.rows,
        teams: teams.rows,
        growth: growth.rows,
        sources: beside.rows,
        map: map.rows,
        summary,
    })
}

/// Lines of queries.parquet; `chosen` is the labelling whose meanings they have.
fn query_rows(
    sums: &Sums,
    view: &View,
    chosen: Option<usize>,
    (lengths, drawn): (&[Correlations], &Drawn),
) -> Vec<QueryRow> {
    let mean = |(sum, pairs): (f64, f64)| (pairs > 0.0).then(|| sum / pairs);
    let row = |(query, one): (usize, &sums::QuerySums)| {
        let (intra, inter) = (one.intra(&view.keep), one.inter(&view.keep));
        let (vendi, share, gain) = (view.vendi(query), view.shares[query], view.gain(query));
        let meanings = chosen.and_then(|labels| view.meanings[labels][query].all);
        QueryRow {
            query: query as u32,
            n: one.n() as u64,
            models: one.cells() as u64,
            mean: mean((intra.0 + 2.0 * inter.0, intra.1 + 2.0 * inter.1)),
            intra_mean: mean(intra),
            inter_mean: mean(inter),
            vendi_1: vendi.map(|v| v.one),
            vendi_2: vendi.map(|v| v.two),
            vendi_inf: vendi.map(|v| v.inf),
            hill: meanings.map(|m| m.hill),
            seen: meanings.map(|m| m.seen),
            nearest_other_model: share.map(|s| s.credit / s.responses),
            nearest_null: share.map(|s| s.null / s.responses),
            ensemble_gain: gain.map(|g| g.gain),
            ensemble_gain_unrelated: gain.and_then(|g| g.unrelated),
            ensemble_gain_1: drawn.queries[query].map(|g| g.gain),
            ensemble_gain_1_error: drawn.queries[query].map(|g| g.error),
            ensemble_gain_1_unrelated: drawn.queries[query].and_then(|g| g.unrelated),
            r2_cell: r2::of_query(one, &view.keep).filter(|r2| r2.2 > 1e-9).map(|r2| r2.0 / r2.2),
            length_ratio_rho: lengths[query].ratio,
            shorter_length_rho: lengths[query].shorter,
        }
    };
    sums.queries.iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests;
