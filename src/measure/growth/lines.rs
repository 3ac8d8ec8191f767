//! All queries together: the exponent with its curve, inflation, and their headlines.

use super::super::intervals::{self, Weights, total};
use super::super::meanings::{interval, slope_of_chosen};
use super::super::tables::{GrowthLine, GrowthPoint, GrowthSummary, Headline, Inflation, Interval, Meanings};
use super::Found;
use super::series::{FACTOR, Span, exponent};
use crate::base::math::ln;
use std::collections::BTreeMap;

/// (d log n/dt, d log D/dt) of spans added up over so many queries.
fn rates([n, some, labels, of_some, time]: Span, queries: f64) -> (f64, f64) {
    let time = time / queries;
    (ln(n / some) / time, ln(labels / of_some) / time)
}

/// The mean curve of the queries that reach at least as far as half of them do, at the points that all of these have.
fn curve(found: &[(usize, &Found)]) -> (Vec<GrowthPoint>, u64) {
    let reach = |found: &Found| found.points.last().map_or(0, |point| point.n);
    let mut reaches: Vec<u32> = found.iter().map(|one| reach(one.1)).collect();
    reaches.sort_unstable_by(|a, b| b.cmp(a));
    let Some(&top) = reaches.get(reaches.len().saturating_sub(1) / 2) else { return (Vec::new(), 0) };
    let chosen: Vec<&Found> = found.iter().map(|one| one.1).filter(|one| reach(one) >= top).collect();
    let mut sums: BTreeMap<u32, (usize, f64, Option<f64>)> = BTreeMap::new();
    for point in chosen.iter().flat_map(|one| &one.points) {
        let sum = sums.entry(point.n).or_insert((0, 0.0, Some(0.0)));
        *sum = (sum.0 + 1, sum.1 + point.distinct, sum.2.zip(point.distinct_in_time).map(|(s, x)| s + x));
    }
    let queries = chosen.len() as f64;
    let shared = sums.into_iter().filter(|(_, sum)| sum.0 == chosen.len());
    let points = shared.map(|(n, (_, sum, in_time))| GrowthPoint {
        n,
        distinct: sum / queries,
        distinct_in_time: in_time.map(|sum| sum / queries),
    });
    (points.collect(), chosen.len() as u64)
}

/// One value a query.
fn terms(queries: usize, found: &[(usize, &Found)], value: impl Fn(&Found) -> Option<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut terms = vec![(0.0, 0.0); queries];
    found.iter().for_each(|(query, one)| terms[*query] = value(one).unwrap_or((0.0, 0.0)));
    terms
}

/// (n, n when a quarter was there, D, D then, time, 1) of the queries that have an order of time, added up.
type Spans = [f64; 6];

/// d log n/dt less d log D/dt of spans added up, and its gradient.
fn difference([n, some, labels, of_some, time, queries]: Spans) -> (f64, Spans) {
    let (answers, meanings) = rates([n, some, labels, of_some, time], queries);
    let (value, mean) = (answers - meanings, time / queries);
    let [a, b, c, d] = [1.0 / n, -1.0 / some, -1.0 / labels, 1.0 / of_some].map(|x| x / mean);
    (value, [a, b, c, d, -value / time, value / queries])
}

/// Some answers to each query that has enough, at the chosen cut and where it may move to.
pub struct Answers<'a> {
    /// At the chosen cut.
    pub found: Vec<(usize, &'a Found)>,
    /// Looser and tighter; empty where the cut does not move.
    pub beside: Vec<Vec<(usize, &'a Found)>>,
}

/// What numbers over queries rest on.
pub struct Over<'a> {
    /// Queries of the corpus.
    pub queries: usize,
    /// Cuts, and how they move with the queries.
    pub meanings: &'a Meanings,
    /// Resamples.
    pub weights: &'a Weights,
}

impl Over<'_> {
    /// Exponent and curve; `None` without any query.
    pub fn line(&self, name: Option<&str>, of: &Answers<'_>) -> Option<GrowthLine> {
        let (found, queries) = (&of.found, self.queries);
        let ends = |found: &[(usize, &Found)]| terms(queries, found, |one| Some(one.ends));
        let (terms_of_all, ratio) = (ends(found), total(&ends(found))?);
        let most: Vec<f64> = terms_of_all.iter().map(|term| FACTOR * term.1).collect();
        let slope = slope_of_chosen(self.meanings, |side| total(&ends(&of.beside[side])));
        let (curve, curve_queries) = curve(found);
        // In time and in any order, on the same queries.
        let dated = |value: fn(&Found) -> (f64, f64)| {
            let terms = terms(queries, found, |one| one.in_time.map(|_| value(one)));
            total(&terms).map(exponent)
        };
        Some(GrowthLine {
            name: name.map(str::to_owned),
            queries: found.len() as u64,
            n: (found.iter().map(|one| one.1.n).min()?, found.iter().map(|one| one.1.n).max()?),
            ratio,
            exponent: exponent(ratio),
            interval: interval(self.meanings, (&terms_of_all, &most), slope, (0.0, self.weights))
                .map(|i| Interval { low: exponent(i.low), high: exponent(i.high) }),
            exponent_in_time: dated(|one| one.in_time.unwrap_or_default()),
            exponent_of_dated: dated(|one| one.ends),
            curve,
            curve_queries,
        })
    }

    /// How much faster answers grow in number than their meanings.
    pub fn inflation(&self, of: &Answers<'_>, unit: &str) -> Option<Inflation> {
        let span = |one: &Found| one.span.map(|[a, b, c, d, time]| [a, b, c, d, time, 1.0]);
        let added = |found: &[(usize, &Found)]| {
            let mut sums = [0.0; 6];
            let spans = found.iter().filter_map(|(_, one)| span(one));
            spans.for_each(|term| sums.iter_mut().zip(term).for_each(|(sum, x)| *sum += x));
            (sums[5] > 0.0).then_some(sums)
        };
        let sums = added(&of.found)?;
        let slope = slope_of_chosen(self.meanings, |side| Some(difference(added(&of.beside[side])?).0));
        // The last term moves the cut: what it adds up to is 0.
        let moves = self.meanings.floor.of_queries();
        let own = |query: usize| moves.get(query).copied().unwrap_or(0.0);
        let used: Vec<(usize, Spans)> = of.found.iter().filter_map(|(query, one)| Some((*query, span(one)?))).collect();
        let (count, mean) = (sums[5], used.iter().map(|(query, _)| own(*query)).sum::<f64>() / sums[5]);
        let mut terms: Vec<Option<[f64; 7]>> = vec![None; self.queries];
        for (query, [a, b, c, d, time, one]) in used {
            terms[query] = Some([a, b, c, d, time, one, own(query) - mean]);
        }
        let moved = |[a, b, c, d, time, queries, moves]: [f64; 7]| {
            let (value, [of_a, of_b, of_c, of_d, of_time, of_queries]) = difference([a, b, c, d, time, queries]);
            let each = slope * count / queries;
            (value + each * moves, [of_a, of_b, of_c, of_d, of_time, of_queries - each * moves / queries, each])
        };
        let (answers, meanings) = rates([sums[0], sums[1], sums[2], sums[3], sums[4]], sums[5]);
        Some(Inflation {
            unit: unit.into(),
            queries: sums[5] as u64,
            value: answers - meanings,
            interval: intervals::of_sums(&terms, Some(self.weights), moved),
            answers,
            meanings,
            span: sums[4] / sums[5],
        })
    }
}

/// `8 answers` or `8 to 30 answers`.
fn answers((least, most): (u32, u32)) -> String {
    if least == most { format!("{least} answers") } else { format!("{least} to {most} answers") }
}

/// Exponent and inflation, each beside its value without models that answer regardless of the query.
pub fn headlines(summary: &GrowthSummary, without: Option<f64>, without_inflation: Option<f64>) -> Vec<Headline> {
    let warnings = |queries: u64| intervals::warning(queries as usize).into_iter().collect::<Vec<String>>();
    let mut found = Vec::new();
    if let Some(line) = &summary.all {
        let mut notes = warnings(line.queries);
        notes.push(format!(
            "over the last factor of 4 of {} a query: four times as many answers hold {:.2} times as many meanings",
            answers(line.n),
            line.ratio
        ));
        found.push(Headline {
            name: "growth".into(),
            label: "Growth of distinct meanings with the number of answers (exponent)".into(),
            value: line.exponent,
            interval: line.interval,
            floor: Some(1.0),
            floor_label: Some("if every answer held a new meaning".into()),
            without_regardless: without,
            queries: line.queries,
            notes,
            ..Headline::default()
        });
    }
    if let Some(inflation) = &summary.inflation {
        let mut notes = warnings(inflation.queries);
        notes.push(format!(
            "d log n/dt {:.4}, d log D/dt {:.4}, from a query's first quarter of the answers on, over {:.4} on average",
            inflation.answers, inflation.meanings, inflation.span
        ));
        found.push(Headline {
            name: "inflation".into(),
            label: format!("Answers grow faster than their meanings, per {}", inflation.unit),
            value: inflation.value,
            interval: inflation.interval,
            floor: Some(0.0),
            floor_label: Some("if every answer held a new meaning".into()),
            without_regardless: without_inflation,
            queries: inflation.queries,
            notes,
            ..Headline::default()
        });
    }
    found
}
