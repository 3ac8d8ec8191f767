//! Teams: how much of a team's variety is of use, and what variety, expertise and size have to do with how good a team's
//! responses are. teams.parquet.
//!
//! A unit is a team's responses to one question (queries that are copies of each other are one). Only responses with a
//! quality count. Teams are what is sampled: intervals resample them, each with all its units.

#[cfg(test)]
pub mod coverage;
mod outcome;

use super::MeasureSettings;
use super::cells::add_unit_row;
use super::chunks::groups;
use super::intervals::{self, Weights};
use super::jackknife::Estimate;
use super::tables::{Coefficient, Contrast, Headline, Interval, LeftOut, TeamRow, TeamsSummary};
use super::variants::dot;
use crate::base::math::quantile_sorted;
use crate::base::similarity::Similarity;
use crate::base::{Observer, Result};
use crate::corpus::{Corpus, Number, Role};
use outcome::{LEAST_TEAMS, Outcome};
use rayon::prelude::*;
use std::collections::BTreeMap;

const NAME: &str = "Teams";

/// What the corpus says about teams.
#[derive(Debug, Default)]
pub struct Found {
    /// teams.parquet.
    pub rows: Vec<TeamRow>,
    /// For summary.json.
    pub summary: Option<TeamsSummary>,
    /// Of all teams.
    pub headlines: Vec<Headline>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
}

/// The responses to a question that have a team and a quality.
struct Question {
    query: u32,
    /// Positions of each team's, teams ascending.
    teams: Vec<(u32, Vec<usize>)>,
}

/// Columns that teams rest on.
struct Columns<'a> {
    corpus: &'a Corpus,
    team: &'a [u32],
    quality: &'a [f64],
    expertise: Option<&'a [f64]>,
}

impl Columns<'_> {
    /// Questions in order, and the number of a team's responses that have no quality.
    fn questions(&self) -> (Vec<Question>, u64) {
        let layout = &self.corpus.layout;
        let mut unrated = 0;
        let mut questions = Vec::new();
        for members in groups(self.corpus) {
            let mut found: Vec<(u32, usize)> = Vec::new();
            for position in members.iter().flat_map(|&query| layout.query_positions[query].clone()) {
                let row = layout.row_at[position] as usize;
                match (self.team[row], self.quality[row].is_nan()) {
                    (u32::MAX, _) => {}
                    (_, true) => unrated += 1,
                    (team, false) => found.push((team, position)),
                }
            }
            found.sort_unstable();
            let teams = found.chunk_by(|a, b| a.0 == b.0);
            let teams: Vec<_> = teams.map(|t| (t[0].0, t.iter().map(|one| one.1).collect())).collect();
            if !teams.is_empty() {
                questions.push(Question { query: members[0] as u32, teams });
            }
        }
        (questions, unrated)
    }

    fn of(&self, values: &[f64], position: usize) -> f64 {
        values[self.corpus.layout.row_at[position] as usize]
    }

    /// Lines of a question's teams.
    fn rows(&self, question: &Question, bar: f64, tau: Option<f64>) -> Vec<TeamRow> {
        let good = |&position: &usize| self.of(self.quality, position) >= bar;
        let all: Vec<usize> = question.teams.iter().flat_map(|team| team.1.iter().copied()).collect();
        let (n, above) = (all.len() as f64, all.iter().filter(|p| good(p)).count() as f64);
        let both_good = both_good(n, above);
        let row = |(team, positions): &(u32, Vec<usize>)| {
            let n = positions.len() as f64;
            let mean = |values: &[f64]| {
                let known = || positions.iter().map(|&p| self.of(values, p)).filter(|value| !value.is_nan());
                let count = known().count();
                (count > 0).then(|| known().sum::<f64>() / count as f64)
            };
            let mut sum = vec![0.0; self.corpus.dim()];
            positions.iter().for_each(|&p| add_unit_row(self.corpus, p, &mut sum));
            let pairs = (positions.len() * (positions.len() - 1) / 2) as u64;
            let several = pairs > 0;
            let (distinct, effective) = tau.map_or((0, 0), |tau| self.count(positions, tau, good));
            let share = |count: f64| (several && tau.is_some()).then(|| count / pairs as f64);
            TeamRow {
                query: question.query,
                team: *team,
                n: positions.len() as u64,
                quality: mean(self.quality).unwrap_or(f64::NAN),
                expertise: self.expertise.and_then(mean),
                diversity: several.then(|| 1.0 - (dot(&sum, &sum) - n) / (n * (n - 1.0))),
                pairs,
                good: positions.iter().filter(|p| good(p)).count() as u64,
                distinct_pairs: distinct,
                effective_pairs: effective,
                effective: share(effective as f64),
                null: share(distinct as f64 * both_good),
            }
        };
        question.teams.iter().map(row).collect()
    }

    /// Pairs of some positions with a similarity under `tau`, and how many of them are of two good responses.
    fn count(&self, positions: &[usize], tau: f64, good: impl Fn(&usize) -> bool) -> (u64, u64) {
        let similarity = Similarity::new();
        let (mut distinct, mut effective) = (0, 0);
        for (i, a) in positions.iter().enumerate() {
            for b in &positions[i + 1..] {
                if f64::from(self.corpus.embeddings.similarity(&similarity, *a, *b)) < tau {
                    distinct += 1;
                    effective += u64::from(good(a) && good(b));
                }
            }
        }
        (distinct, effective)
    }
}

/// That two responses drawn without replacement from n, of which some are good, are both good.
fn both_good(n: f64, good: f64) -> f64 {
    if n > 1.5 { good * (good - 1.0) / (n * (n - 1.0)) } else { 0.0 }
}

/// Sums over the lines of a query, or of a team's part in it.
#[derive(Clone, Copy, Default)]
struct Counts {
    n: f64,
    good: f64,
    pairs: f64,
    distinct: f64,
    effective: f64,
}

impl Counts {
    fn of(row: &TeamRow) -> Self {
        let [n, good, pairs, distinct, effective] =
            [row.n, row.good, row.pairs, row.distinct_pairs, row.effective_pairs].map(|count| count as f64);
        Self { n, good, pairs, distinct, effective }
    }

    fn plus(self, sign: f64, other: Self) -> Self {
        Self {
            n: self.n + sign * other.n,
            good: self.good + sign * other.good,
            pairs: self.pairs + sign * other.pairs,
            distinct: self.distinct + sign * other.distinct,
            effective: self.effective + sign * other.effective,
        }
    }

    /// Effective pairs, those expected of shuffled quality, and all.
    fn pairs(self) -> [f64; 3] {
        [self.effective, self.distinct * both_good(self.n, self.good), self.pairs]
    }
}

/// Share of effective pairs and its reference, each with what teams contribute, and the number of teams.
fn shares(rows: &[TeamRow]) -> (Estimate, Estimate, usize) {
    let of_query: BTreeMap<u32, Counts> = rows.iter().fold(BTreeMap::new(), |mut all, row| {
        let counts: &mut Counts = all.entry(row.query).or_default();
        *counts = counts.plus(1.0, Counts::of(row));
        all
    });
    let sum = |a: [f64; 3], sign: f64, b: [f64; 3]| std::array::from_fn(|i| a[i] + sign * b[i]);
    let total: [f64; 3] = of_query.values().fold([0.0; 3], |t, counts| sum(t, 1.0, counts.pairs()));
    let mut order: Vec<&TeamRow> = rows.iter().collect();
    order.sort_by_key(|row| (row.team, row.query));
    let teams = order.chunk_by(|a, b| a.team == b.team).filter(|team| team.iter().any(|row| row.pairs > 0));
    // A team that is left out leaves its queries with fewer responses to shuffle.
    let without: Vec<[f64; 3]> = teams
        .map(|team| {
            team.iter().fold(total, |left, row| {
                let whole = of_query[&row.query];
                sum(sum(left, -1.0, whole.pairs()), 1.0, whole.plus(-1.0, Counts::of(row)).pairs())
            })
        })
        .collect();
    let estimate = |which: usize| {
        let one = |(place, left): (usize, &[f64; 3])| (place, (left[2] > 0.5).then(|| left[which] / left[2]));
        Estimate::new(total[which] / total[2], without.iter().enumerate().map(one).collect())
    };
    (estimate(0), estimate(1), without.len())
}

fn warning(teams: usize) -> Option<String> {
    match teams {
        0..intervals::LEAST => Some("fewer than 5 teams: no interval".into()),
        intervals::LEAST..10 => Some("fewer than 10 teams".into()),
        _ => None,
    }
}

fn effective(summary: &TeamsSummary, share: Contrast, ci: Option<Interval>, queries: u64) -> Headline {
    let range = share.interval.map(|ci| format!(" ({:+.4} to {:+.4})", ci.low, ci.high)).unwrap_or_default();
    let mut notes: Vec<String> = warning(summary.teams as usize).into_iter().collect();
    notes.push(format!(
        "{} teams, {} pairs; quality at or above {}, cosine under {:.3}: {:.1} % of the pairs are distinct",
        summary.teams,
        summary.pairs,
        summary.bar,
        summary.tau.unwrap_or(f64::NAN),
        100.0 * summary.distinct.unwrap_or(f64::NAN),
    ));
    notes.push(format!("less its reference: {:+.4}{range}; teams are resampled, not queries", share.difference));
    Headline {
        name: "effective_diversity".into(),
        label: "Share of a team’s pairs of answers that are distinct and both good".into(),
        value: share.value,
        interval: ci,
        floor: Some(share.reference),
        floor_label: Some("if quality were shuffled among the answers to a query".into()),
        queries,
        notes,
        ..Headline::default()
    }
}

fn slopes(outcome: &Outcome) -> Vec<Headline> {
    let about = format!(
        "{} teams on {} queries, {} lines; teams are resampled, not queries. Coefficients: {}",
        outcome.teams,
        outcome.queries,
        outcome.units,
        outcome.coefficients.iter().map(|c| format!("{} {:+.3}", c.name, c.value)).collect::<Vec<_>>().join(", ")
    );
    let label = |name: &str| match name {
        "diversity" => Some("By how much a team’s mean quality changes with its diversity"),
        "diversity_x_expertise" => Some("By how much that changes with the team’s expertise"),
        _ => None,
    };
    let line = |c: &Coefficient| {
        Some(Headline {
            name: format!("team_outcome:{}", c.name),
            label: label(&c.name)?.into(),
            value: c.value,
            interval: c.interval,
            floor: Some(0.0),
            floor_label: Some("if it had nothing to do with quality".into()),
            queries: outcome.queries,
            notes: vec![about.clone()],
            ..Headline::default()
        })
    };
    outcome.coefficients.iter().filter_map(line).collect()
}

/// The median of some numbers.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    (!values.is_empty()).then(|| quantile_sorted(&values, 0.5))
}

/// Teams that answered queries with two or more rated responses; `tau` is the cut of distinct meanings.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn teams(corpus: &Corpus, tau: Option<f64>, settings: &MeasureSettings, observer: &dyn Observer) -> Result<Found> {
    let mut out = Found::default();
    let mut left = |measure: &str, reason: String| {
        out.left_out.push(LeftOut { measure: measure.into(), reason });
    };
    let Some(team) = corpus.rows.categories.get(&Role::Team) else {
        left(NAME, "no team column".into());
        return Ok(out);
    };
    let Some(quality) = corpus.rows.numbers.get(&Number::Quality) else {
        left(NAME, "no quality column".into());
        return Ok(out);
    };
    let expertise = corpus.rows.numbers.get(&Number::Expertise);
    let columns = Columns { corpus, team: &team.ids, quality, expertise: expertise.map(Vec::as_slice) };
    let (questions, unrated) = columns.questions();
    let rated = questions.iter().flat_map(|q| &q.teams).flat_map(|team| &team.1);
    let bar = settings.quality_bar.or_else(|| median(rated.map(|&p| columns.of(quality, p)).collect()));
    let Some(bar) = bar.filter(|_| questions.iter().flat_map(|q| &q.teams).any(|team| team.1.len() > 1)) else {
        left(NAME, "no team has 2 responses with a quality to a query".into());
        return Ok(out);
    };
    let of_question = |question: &Question| -> Result<Vec<TeamRow>> {
        observer.check_stop()?;
        Ok(columns.rows(question, bar, tau))
    };
    let found: Vec<Vec<TeamRow>> = questions.par_iter().map(of_question).collect::<Result<_>>()?;
    let mut rows: Vec<TeamRow> = found.into_iter().flatten().collect();
    rows.sort_by_key(|row| (row.query, row.team));

    let (share, null, teams) = shares(&rows);
    let mut summary = TeamsSummary {
        bar,
        tau,
        teams: teams as u64,
        units: rows.iter().filter(|row| row.pairs > 0).count() as u64,
        unrated,
        pairs: rows.iter().map(|row| row.pairs).sum(),
        ..TeamsSummary::default()
    };
    if tau.is_some() {
        let weights = Weights::new(settings.seed, "teams", settings.resamples, teams);
        let interval = share.minus(&null).interval(teams, Some(&weights));
        let (value, reference) = (share.value, null.value);
        let above = Contrast { value, reference, difference: value - reference, interval };
        let distinct = rows.iter().map(|row| row.distinct_pairs).sum::<u64>();
        summary.distinct = Some(distinct as f64 / summary.pairs as f64);
        summary.above_null = Some(above);
        let mut queries: Vec<u32> = rows.iter().filter(|row| row.pairs > 0).map(|row| row.query).collect();
        queries.dedup();
        let ci = share.interval(teams, Some(&weights));
        let ci = ci.map(|ci| Interval { low: ci.low.max(0.0), high: ci.high.min(1.0) });
        out.headlines.push(effective(&summary, above, ci, queries.len() as u64));
    } else {
        left("Effective diversity of teams", "no cut between meanings: one query only (--tau sets it)".into());
    }
    if columns.expertise.is_none() {
        left("Expertise of teams", "no expertise column".into());
    }
    let fitted = outcome::fit(&rows, columns.expertise.is_some(), settings);
    match fitted {
        Ok(outcome) => {
            out.headlines.extend(slopes(&outcome));
            for dropped in &outcome.dropped {
                left(&format!("Outcome of teams: {dropped}"), "it is the same for all teams of a query".into());
            }
            summary.model = Some((outcome.teams, outcome.units, outcome.queries));
            summary.coefficients = outcome.coefficients;
        }
        Err(outcome::Undefined::FewTeams(teams)) => left(
            "Outcome of teams",
            format!(
                "{teams} teams have 2 rated responses to a query that another such team answered; needs {LEAST_TEAMS}"
            ),
        ),
        Err(outcome::Undefined::Alike) => left(
            "Outcome of teams",
            "diversity, expertise and size can’t be told apart, or do not vary among the teams of a query".into(),
        ),
    }
    out.summary = Some(summary);
    out.rows = rows;
    Ok(out)
}
