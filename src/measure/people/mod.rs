//! People beside models (MEASURES section H): is what models say to one query as varied as what people say to it?
//! sources.parquet.
//!
//! Every value of the source column is a side; people are one side, whatever their values. Means are over pairs of
//! responses to one query, each query counts once, and only queries that both sides have count. An added direction that
//! all vectors have in common scales 1 - cosine of everyone alike, so rho does not depend on it.

mod adds;
mod distance;
mod parity;
mod sides;

use super::intervals::total;
use super::intervals::{self, Weights};
use super::meanings::{MOST, drawn};
use super::tables::left_out;
use super::tables::{Adds, Headline, LeftOut, ModelRow, Nearest, Parity, SourceRow};
use crate::base::random::Stream;
use crate::base::{Observer, Result};
use crate::corpus::Corpus;
use adds::Share;
use distance::Distances;
use rayon::prelude::*;
use sides::{AnsweredBy, Sides};

/// Mean 1 - cosine of people under which rounding alone would make rho.
const ROUNDING: f64 = 1e-9;
/// Name of the section in what is left out.
const NAME: &str = "People beside models";

/// What the corpus says about people and models.
#[derive(Debug, Default)]
pub struct People {
    /// sources.parquet.
    pub rows: Vec<SourceRow>,
    /// Over all models, and what people add.
    pub headlines: Vec<Headline>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
}

/// Which models' responses are set against people's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    /// Those of every source but people.
    All,
    /// The same without models that answer regardless of the query.
    Regular,
    /// Those of one side.
    Side(u32),
}

/// What one query says.
struct Query {
    /// Mean cosine of pairs of people.
    people: Option<f64>,
    /// By group: mean cosines (individual, population), distances.
    groups: Vec<(parity::Cosines, Option<Distances>)>,
    /// (place of the model, mean cosine of its own responses).
    models: Vec<(usize, f64)>,
    /// By side: what it adds.
    adds: Vec<Option<Share>>,
}

/// What queries are worked from.
struct Pass<'a> {
    corpus: &'a Corpus,
    sides: &'a Sides,
    groups: &'a [Group],
    regardless: &'a [bool],
    draw: Stream,
    placebo: Stream,
    draws: usize,
}

impl Pass<'_> {
    fn one_query(&self, query: usize) -> Query {
        let positions = drawn(self.corpus, query, MOST, &self.draw);
        let answered = AnsweredBy::new(self.corpus, self.sides, &positions);
        let people = self.sides.people.and_then(|side| answered.within_side(side));
        let in_group = |group: Group, cell: usize| {
            let (side, model) = answered.cells[cell].by;
            match group {
                Group::Side(id) => side == id,
                Group::All => Some(side) != self.sides.people,
                Group::Regular => Some(side) != self.sides.people && !self.regardless[model as usize],
            }
        };
        let of_group = |&group: &Group| {
            let cells: Vec<usize> = (0..answered.cells.len()).filter(|&cell| in_group(group, cell)).collect();
            let distances = self.sides.people.and_then(|people| {
                let rows = cells.iter().flat_map(|&cell| answered.cells[cell].rows.clone()).collect::<Vec<usize>>();
                Distances::new(&answered.cosines, &answered.rows_of(people), &rows)
            });
            (parity::Cosines::new(&answered, &cells), distances)
        };
        Query {
            people,
            groups: self.groups.iter().map(of_group).collect(),
            models: (answered.cells.iter().enumerate())
                .filter(|(_, cell)| Some(cell.by.0) != self.sides.people)
                .filter_map(|(at, cell)| Some((self.sides.place(cell.by)?, answered.within(at)?)))
                .collect(),
            adds: adds::shares(&answered, self.sides.names.len(), &self.placebo, query, self.draws),
        }
    }
}

/// One (similarity of models, similarity of people) a query.
fn parity(similarities: &[Option<(f64, f64)>], weights: &Weights) -> Option<Parity> {
    let terms = |value: &dyn Fn((f64, f64)) -> (f64, f64)| -> Vec<(f64, f64)> {
        similarities.iter().map(|one| one.map_or((0.0, 0.0), value)).collect()
    };
    let apart = terms(&|(models, people)| (1.0 - models, 1.0 - people));
    let crowding = terms(&|(models, people)| (models - people, 1.0));
    let queries = similarities.iter().flatten().count();
    let defined = apart.iter().map(|term| term.1).sum::<f64>() > ROUNDING * queries as f64;
    Some(Parity {
        queries: queries as u64,
        models: total(&terms(&|(models, _)| (models, 1.0)))?,
        people: total(&terms(&|(_, people)| (people, 1.0)))?,
        rho: total(&apart).filter(|_| defined),
        rho_ci: intervals::log_ratio(&apart, Some(weights)).filter(|_| defined).map(|i| super::tables::Interval {
            low: crate::base::math::exp(i.low),
            high: crate::base::math::exp(i.high),
        }),
        crowding_ci: intervals::ratio(&crowding, Some(weights)),
    })
}

/// Mean of a value over the queries that have it.
fn mean<T>(found: &[Option<T>], value: impl Fn(&T) -> f64) -> (Vec<(f64, f64)>, f64) {
    let terms: Vec<(f64, f64)> =
        found.iter().map(|one| one.as_ref().map_or((0.0, 0.0), |one| (value(one), 1.0))).collect();
    let mean = total(&terms).unwrap_or_default();
    (terms, mean)
}

fn nearest(found: &[Option<Distances>], weights: &Weights) -> Option<Nearest> {
    let n = || found.iter().flatten().map(|one| one.n);
    let of = |value: fn(&Distances) -> f64| mean(found, value).1;
    let difference = |value: fn(&Distances) -> f64| intervals::ratio(&mean(found, value).0, Some(weights));
    Some(Nearest {
        queries: n().count() as u64,
        n: (n().min()?, n().max()?),
        people_to_models: of(|d| d.people_to_models),
        people_to_people: of(|d| d.people_to_people),
        people_ci: difference(|d| d.people_to_models - d.people_to_people),
        models_to_people: of(|d| d.models_to_people),
        models_to_models: of(|d| d.models_to_models),
        models_ci: difference(|d| d.models_to_people - d.models_to_models),
    })
}

fn source_adds(found: &[Option<Share>], weights: &Weights) -> Option<Adds> {
    let n = || found.iter().flatten().map(|one| one.n);
    let (terms, _) = mean(found, |one| one.with - one.without);
    let draws = found.iter().flatten().map(|one| one.placebo.len()).min()?;
    let mut placebo: Vec<f64> = (0..draws).map(|draw| mean(found, |one| one.placebo[draw]).1).collect();
    Some(Adds {
        queries: n().count() as u64,
        n: (n().min()?, n().max()?),
        with: mean(found, |one| one.with).1,
        without: mean(found, |one| one.without).1,
        ci: intervals::ratio(&terms, Some(weights)),
        placebo: placebo.iter().sum::<f64>() / draws as f64,
        placebo_range: intervals::quantiles(&mut placebo, 0.025),
    })
}

/// The lines of the table: all models, then by side the side and each of its models.
struct Lines<'a> {
    sides: &'a Sides,
    groups: &'a [Group],
    found: &'a [Query],
    weights: &'a Weights,
}

impl Lines<'_> {
    fn similarities(&self, models: impl Fn(&Query) -> Option<f64>) -> Vec<Option<(f64, f64)>> {
        self.found.iter().map(|query| models(query).zip(query.people)).collect()
    }

    fn group(&self, place: usize) -> SourceRow {
        let distances: Vec<Option<Distances>> = self.found.iter().map(|query| query.groups[place].1).collect();
        SourceRow {
            individual: parity(&self.similarities(|query| query.groups[place].0.individual), self.weights),
            population: parity(&self.similarities(|query| query.groups[place].0.population), self.weights),
            nearest: nearest(&distances, self.weights),
            ..SourceRow::default()
        }
    }

    fn side(&self, side: u32) -> SourceRow {
        let shares: Vec<Option<Share>> = self.found.iter().map(|query| query.adds[side as usize].clone()).collect();
        let place = self.groups.iter().position(|&group| group == Group::Side(side));
        SourceRow {
            source: Some(self.sides.names[side as usize].clone()),
            people: Some(side) == self.sides.people,
            adds: source_adds(&shares, self.weights),
            ..place.map_or_else(SourceRow::default, |place| self.group(place))
        }
    }

    /// One line a model of a side.
    fn models(&self, corpus: &Corpus) -> Vec<(u32, SourceRow)> {
        let mut own: Vec<Vec<Option<(f64, f64)>>> = Vec::new();
        own.resize_with(self.sides.models.len(), || vec![None; self.found.len()]);
        for (query, one) in self.found.iter().enumerate() {
            one.models.iter().for_each(|&(place, mean)| own[place][query] = one.people.map(|people| (mean, people)));
        }
        (own.par_iter().zip(&self.sides.models))
            .filter_map(|(similarities, &(side, model))| {
                let row = SourceRow {
                    source: Some(self.sides.names[side as usize].clone()),
                    model: Some(corpus.rows.models.name(model).to_owned()),
                    individual: Some(parity(similarities, self.weights)?),
                    ..SourceRow::default()
                };
                Some((side, row))
            })
            .collect()
    }
}

fn parity_headline(name: &str, label: &str, of: &Parity, without: Option<&Parity>) -> Option<Headline> {
    let crowding = match of.crowding_ci {
        Some(ci) => format!("{:+.3} ({:+.3} to {:+.3})", of.crowding(), ci.low, ci.high),
        None => format!("{:+.3}", of.crowding()),
    };
    let mut notes: Vec<String> = intervals::warning(of.queries as usize).into_iter().collect();
    notes.push(format!(
        "mean similarity {:.3}, of people’s answers {:.3}: excess crowding {crowding}",
        of.models, of.people
    ));
    Some(Headline {
        name: name.into(),
        label: label.into(),
        value: of.rho?,
        interval: of.rho_ci,
        floor: Some(1.0),
        floor_label: Some("as varied as people".into()),
        without_regardless: without.and_then(|one| one.rho),
        queries: of.queries,
        notes,
        ..Headline::default()
    })
}

fn distance_headlines(of: &Nearest, without: Option<&Nearest>) -> [Headline; 2] {
    let candidates = |(least, most): (u32, u32)| {
        if least == most { format!("the nearest of {least}") } else { format!("the nearest of {least} to {most}") }
    };
    let one = |name: &str, label: &str, (value, other): (f64, Option<f64>), interval, means: String| Headline {
        name: name.into(),
        label: label.into(),
        value,
        interval,
        floor: Some(0.0),
        floor_label: Some("as near as to their own side".into()),
        without_regardless: other,
        queries: of.queries,
        notes: (intervals::warning(of.queries as usize).into_iter())
            .chain([format!("1 - cosine to {}: {means}", candidates(of.n))])
            .collect(),
        ..Headline::default()
    };
    [
        one(
            "nearest_to_models",
            "How much farther a person’s nearest model answer is than the nearest other person",
            (of.people_difference(), without.map(Nearest::people_difference)),
            of.people_ci,
            format!("models {:.3}, other people {:.3}", of.people_to_models, of.people_to_people),
        ),
        one(
            "nearest_to_people",
            "How much farther a model answer’s nearest person is than the nearest other model answer",
            (of.models_difference(), without.map(Nearest::models_difference)),
            of.models_ci,
            format!("people {:.3}, other model answers {:.3}", of.models_to_people, of.models_to_models),
        ),
    ]
}

fn adds_headline(name: &str, of: &Adds) -> Headline {
    let n = if of.n.0 == of.n.1 { format!("{}", of.n.0) } else { format!("{} to {}", of.n.0, of.n.1) };
    Headline {
        name: "source_adds:people".into(),
        label: format!("What people ({name}) add to the effective number of answers"),
        value: of.adds(),
        interval: of.ci,
        floor: Some(of.placebo),
        floor_label: Some("a group of the same size drawn from everyone’s answers".into()),
        queries: of.queries,
        notes: (intervals::warning(of.queries as usize).into_iter())
            .chain([format!(
                "{n} answers to a query are worth {:.3} with them and {:.3} without; what sources add does not add up",
                of.with, of.without
            )])
            .collect(),
        ..Headline::default()
    }
}

/// People and sources of a corpus; `people` says of each row whether a person wrote it (empty: nobody).
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn people(
    corpus: &Corpus,
    people: &[bool],
    models: &[ModelRow],
    seed: u64,
    weights: &Weights,
    observer: &dyn Observer,
) -> Result<People> {
    let mut out = People::default();
    let Some(sides) = Sides::new(corpus, people) else {
        out.left_out.push(left_out(NAME, "no source column"));
        out.left_out.push(left_out("What a source adds", "no source column"));
        return Ok(out);
    };
    let regardless: Vec<bool> = models.iter().map(|model| model.answers_regardless).collect();
    let others = || (0..sides.names.len() as u32).filter(|&side| Some(side) != sides.people);
    let mut groups = vec![Group::All];
    groups.extend(others().map(Group::Side));
    if regardless.contains(&true) {
        groups.push(Group::Regular);
    }
    let queries = corpus.layout.canonical.len();
    let pass = Pass {
        corpus,
        sides: &sides,
        groups: &groups,
        regardless: &regardless,
        draw: Stream::new(seed, "meanings"),
        placebo: Stream::new(seed, "placebo source"),
        draws: adds::draws(corpus),
    };
    let mut found = Vec::with_capacity(queries);
    let at_once = 16 * rayon::current_num_threads();
    for first in (0..queries).step_by(at_once) {
        observer.check_stop()?;
        let chunk = first..(first + at_once).min(queries);
        found.extend(chunk.into_par_iter().map(|query| pass.one_query(query)).collect::<Vec<Query>>());
    }
    let lines = Lines { sides: &sides, groups: &groups, found: &found, weights };
    let all = lines.group(0);
    let regular = groups.iter().position(|&group| group == Group::Regular).map(|place| lines.group(place));
    fill_headlines(&mut out.headlines, &all, regular.as_ref());
    let mut of_models = lines.models(corpus);
    if sides.people.is_some() {
        out.rows.push(all);
    }
    for side in 0..sides.names.len() as u32 {
        let row = lines.side(side);
        if row.people {
            out.headlines.extend(row.adds.as_ref().map(|adds| adds_headline(&sides.names[side as usize], adds)));
        }
        out.rows.push(row);
        out.rows.extend(of_models.extract_if(.., |(of, _)| *of == side).map(|(_, row)| row));
    }
    let adds = out.rows.iter().any(|row| row.adds.is_some());
    fill_left_out(&mut out, &sides, adds, found.iter().any(|query| query.people.is_some()));
    out.rows.retain(|row| {
        row.individual.is_some() || row.population.is_some() || row.nearest.is_some() || row.adds.is_some()
    });
    Ok(out)
}

fn fill_headlines(headlines: &mut Vec<Headline>, all: &SourceRow, regular: Option<&SourceRow>) {
    let of = |part: fn(&SourceRow) -> Option<&Parity>| part(all).map(|one| (one, regular.and_then(part)));
    headlines.extend(of(|row| row.population.as_ref()).and_then(|(one, without)| {
        parity_headline("rho_population", "Variety of different models’ answers over that of people’s", one, without)
    }));
    headlines.extend(of(|row| row.individual.as_ref()).and_then(|(one, without)| {
        parity_headline("rho_individual", "Variety of one model’s answers over that of people’s", one, without)
    }));
    if let Some(nearest) = &all.nearest {
        headlines.extend(distance_headlines(nearest, regular.and_then(|row| row.nearest.as_ref())));
    }
}

/// Names what the corpus lacks.
fn fill_left_out(out: &mut People, sides: &Sides, adds: bool, pairs_of_people: bool) {
    if !adds {
        let reason = "no query has 2 sources with at least 2 responses each, and as many as there are sources";
        out.left_out.push(left_out("What a source adds", reason));
    }
    if sides.people.is_none() {
        out.left_out.push(left_out(NAME, "no value of the source column is people (--human names them)"));
        return;
    }
    if sides.names.len() < 2 {
        out.left_out.push(left_out(NAME, "people only: nobody to set them against"));
        return;
    }
    if !pairs_of_people {
        out.left_out.push(left_out(NAME, "no query has 2 answers of people"));
        return;
    }
    let Some(all) = out.rows.first() else { return };
    let lacking = [
        (
            all.individual.is_none(),
            "Variety of one model beside people",
            "one response per model and query; needs at least 2",
        ),
        (
            all.population.is_none(),
            "Variety of different models beside people",
            "no query was answered by two models and by people",
        ),
        (
            [&all.individual, &all.population].into_iter().flatten().any(|one| one.rho.is_none()),
            "Variety of models over that of people (rho)",
            "people’s answers to each query are all the same",
        ),
        (
            all.nearest.is_none(),
            "Nearest distance between people and models",
            "no query has 2 responses of either side",
        ),
    ];
    let lacking = lacking.into_iter().filter(|one| one.0).map(|(_, measure, reason)| left_out(measure, reason));
    out.left_out.extend(lacking.collect::<Vec<LeftOut>>());
}

#[cfg(test)]
mod tests;
