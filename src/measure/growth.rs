//! Growth (MEASURES section G): how many more meanings more answers hold. growth.parquet.
//!
//! The labels are those of [`super::meanings`] at the chosen cut. D(m) is the number of labels that m of a group's n
//! responses have: order-free the expected number of a draw (rarefaction, so nothing is drawn), and in the order of time
//! where there is a time column. The local exponent of `D ~ n^b` is that of the last factor of 4 in n,
//! `b = ln(D(n) / D(n/4)) / ln 4`; between whole numbers D is linear.

use super::intervals::total;
use super::intervals::{self, Weights};
use super::meanings::{Abundances, Rarefaction};
use super::tables::left_out;
use super::tables::{
    Group, GrowthLine, GrowthPoint, GrowthRow, GrowthSummary, Headline, Inflation, Interval, LeftOut, Meanings,
};
use super::times::Times;
use super::topn::none_drawn;
use crate::base::math::ln;
use crate::base::{Observer, Result};
use crate::corpus::{Corpus, Role};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::mem::size_of;

/// The factor in n over which an exponent is taken.
const FACTOR: f64 = 4.0;
/// Fewest responses of a group: a quarter of them is still a pair.
const LEAST: u32 = 8;
/// Stands for a response without a label.
const NONE: u32 = u32::MAX;

/// What the corpus says about growth.
#[derive(Debug, Default)]
pub struct Growth {
    /// growth.parquet.
    pub rows: Vec<GrowthRow>,
    /// Its part of summary.json.
    pub summary: Option<GrowthSummary>,
    /// Exponent and inflation.
    pub headlines: Vec<Headline>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
}

/// Numbers of responses at which D is given: 1, 2, 3, 4, 6, 8, 11, 16, ... below n, and n.
fn grid(n: u32) -> Vec<u32> {
    let mut found = vec![1];
    let mut power = 1.0;
    while power < f64::from(n) {
        power *= std::f64::consts::SQRT_2;
        let next = libm::round(power) as u32;
        if next < n && found.last() != Some(&next) {
            found.push(next);
        }
    }
    found.retain(|&m| m < n);
    found.push(n);
    found
}

/// A value between whole numbers of responses.
fn between(m: f64, at: impl Fn(u32) -> f64) -> f64 {
    let below = libm::floor(m);
    let first = at(below as u32);
    if m > below { first + (m - below) * (at(below as u32 + 1) - first) } else { first }
}

/// Expected labels of m of a group's responses.
fn rarefied(counts: &Abundances, m: f64) -> f64 {
    between(m, |m| Rarefaction::new(m).hill(counts).zero)
}

/// Responses at the end and at the start of a time, labels at the end and at the start, and how long it was.
type Span = [f64; 5];

/// (d log n/dt, d log D/dt) of spans added up over so many queries.
fn rates([n, some, labels, of_some, time]: Span, queries: f64) -> (f64, f64) {
    let time = time / queries;
    (ln(n / some) / time, ln(labels / of_some) / time)
}

/// The labels of a group in the order of time; responses of one time come in any order.
struct InTime {
    /// (time, responses until then, labels until then), ascending.
    steps: Vec<(f64, u32, u32)>,
    /// Responses of each step, and how many of them each of its new labels has.
    new: Vec<(u32, Vec<u32>)>,
}

impl InTime {
    fn new(mut dated: Vec<(f64, u32)>) -> Self {
        dated.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut seen = std::collections::HashSet::new();
        let (mut steps, mut new, mut until) = (Vec::new(), Vec::new(), 0);
        for tied in dated.chunk_by(|a, b| a.0 == b.0) {
            let fresh: Vec<u32> = (tied.chunk_by(|a, b| a.1 == b.1))
                .filter(|same| seen.insert(same[0].1))
                .map(|same| same.len() as u32)
                .collect();
            until += tied.len() as u32;
            steps.push((tied[0].0, until, seen.len() as u32));
            new.push((tied.len() as u32, fresh));
        }
        Self { steps, new }
    }

    /// The step in which response m comes.
    fn step(&self, m: u32) -> usize {
        self.steps.partition_point(|step| step.1 < m)
    }

    /// Expected labels of the first m responses, those of one time in any order.
    fn labels(&self, m: f64) -> f64 {
        between(m, |m| {
            let step = self.step(m);
            let (tied, fresh) = &self.new[step];
            let left = m + tied - self.steps[step].1;
            let before = f64::from(self.steps[step].2) - fresh.len() as f64;
            let missed = |&of: &u32| none_drawn(u64::from(*tied), u64::from(of), u64::from(left));
            before + fresh.iter().map(|of| 1.0 - missed(of)).sum::<f64>()
        })
    }

    /// (n, D) when a quarter of the responses was there and at the end, and the time between.
    fn span(&self) -> Option<Span> {
        let &(last, n, labels) = self.steps.last()?;
        let (first, some, of_some) = self.steps[self.step(n.div_ceil(FACTOR as u32))];
        let counts = [n, some, labels, of_some].map(f64::from);
        (last > first).then(|| [counts[0], counts[1], counts[2], counts[3], last - first])
    }
}

/// One group's responses to a query.
struct Series {
    query: u32,
    counts: Abundances,
    in_time: Option<InTime>,
}

impl Series {
    /// `None` under [`LEAST`] responses.
    fn new(query: usize, labelled: &[(usize, u32)], times: Option<&Times>) -> Option<Self> {
        let mut labels: Vec<u32> = labelled.iter().map(|one| one.1).collect();
        let dated = times.and_then(|times| labelled.iter().map(|one| Some((times.of_row[one.0]?, one.1))).collect());
        let counts = Abundances::new(&mut labels);
        (counts.n() >= LEAST).then(|| Self { query: query as u32, counts, in_time: dated.map(InTime::new) })
    }

    fn points(&self, group: Group) -> Vec<GrowthRow> {
        let point = |n: u32| {
            let m = f64::from(n);
            let distinct = rarefied(&self.counts, m);
            GrowthRow {
                query: self.query,
                group,
                n,
                distinct,
                exponent: (n >= LEAST).then(|| exponent(distinct / rarefied(&self.counts, m / FACTOR))),
                time: self.in_time.as_ref().map(|in_time| in_time.steps[in_time.step(n)].0),
                distinct_in_time: self.in_time.as_ref().map(|in_time| in_time.labels(m)),
            }
        };
        grid(self.counts.n()).into_iter().map(point).collect()
    }

    /// (D(m), D(m/4)).
    fn ends(&self, m: u32) -> (f64, f64) {
        let m = f64::from(m);
        (rarefied(&self.counts, m), rarefied(&self.counts, m / FACTOR))
    }

    /// (D(n), D(n/4)) in the order of time.
    fn ends_in_time(&self) -> Option<(f64, f64)> {
        let n = f64::from(self.counts.n());
        self.in_time.as_ref().map(|in_time| (in_time.labels(n), in_time.labels(n / FACTOR)))
    }
}

/// The exponent of a growth by `ratio` over the factor.
fn exponent(ratio: f64) -> f64 {
    ln(ratio) / ln(FACTOR)
}

/// What one query gives.
struct Query {
    rows: Vec<GrowthRow>,
    /// By view: its points (of the first alone), ends, those in time.
    views: Vec<Option<Found>>,
    /// By source id, at the same n for all of them.
    sources: Vec<(u32, Found)>,
}

/// One group of one query.
struct Found {
    n: u32,
    points: Vec<GrowthRow>,
    ends: (f64, f64),
    in_time: Option<(f64, f64)>,
    span: Option<Span>,
}

impl Found {
    fn new(series: &Series, n: u32, points: Vec<GrowthRow>) -> Self {
        Self {
            n,
            points,
            ends: series.ends(n),
            in_time: series.ends_in_time(),
            span: series.in_time.as_ref().and_then(InTime::span),
        }
    }
}

/// What queries are worked from.
struct Pass<'a> {
    corpus: &'a Corpus,
    clusters: &'a [u32],
    keeps: &'a [&'a [bool]],
    times: Option<&'a Times>,
}

impl Pass<'_> {
    fn one_query(&self, query: usize) -> Query {
        let rows = &self.corpus.rows;
        let labelled: Vec<(usize, u32)> = (self.corpus.layout.query_positions[query].clone())
            .map(|position| self.corpus.layout.row_at[position] as usize)
            .map(|row| (row, self.clusters[row]))
            .filter(|one| one.1 != NONE)
            .collect();
        let series = |members: &[(usize, u32)]| Series::new(query, members, self.times);
        let all = series(&labelled);
        let mut lines = all.as_ref().map_or_else(Vec::new, |all| all.points(Group::All));
        let views = (self.keeps.iter().enumerate())
            .map(|(view, keep)| {
                let kept = labelled.iter().copied().filter(|one| keep[rows.model[one.0] as usize]);
                let one = series(&kept.collect::<Vec<_>>())?;
                let points = if view == 0 { one.points(Group::All) } else { Vec::new() };
                Some(Found::new(&one, one.counts.n(), points))
            })
            .collect();
        let mut by_source: BTreeMap<u32, Vec<(usize, u32)>> = BTreeMap::new();
        if let Some(sources) = rows.categories.get(&Role::Source) {
            for one in labelled.iter().filter(|one| sources.ids[one.0] != NONE) {
                by_source.entry(sources.ids[one.0]).or_default().push(*one);
            }
        }
        let found: Vec<(u32, Series)> =
            by_source.iter().filter_map(|(&source, members)| Some((source, series(members)?))).collect();
        let least = found.iter().map(|(_, series)| series.counts.n()).min().unwrap_or(0);
        let sources = (found.iter())
            .map(|(source, series)| {
                let points = series.points(Group::Source(*source));
                lines.extend(points.iter().cloned());
                (*source, Found::new(series, least, points))
            })
            .collect();
        Query { rows: lines, views, sources }
    }
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

/// One group over its queries; `None` without any.
fn line(queries: usize, name: Option<&str>, found: &[(usize, &Found)], weights: &Weights) -> Option<GrowthLine> {
    let ends = terms(queries, found, |one| Some(one.ends));
    let ratio = total(&ends)?;
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
        interval: intervals::log_ratio(&ends, Some(weights))
            .map(|i| Interval { low: (i.low / ln(FACTOR)).max(0.0), high: (i.high / ln(FACTOR)).min(1.0) }),
        exponent_in_time: dated(|one| one.in_time.unwrap_or_default()),
        exponent_of_dated: dated(|one| one.ends),
        curve,
        curve_queries,
    })
}

/// How much faster answers grow in number than their meanings.
fn inflation(queries: usize, found: &[(usize, &Found)], weights: &Weights, unit: &str) -> Option<Inflation> {
    // The last term counts the queries.
    let mut terms: Vec<Option<[f64; 6]>> = vec![None; queries];
    for (query, one) in found {
        terms[*query] = one.span.map(|[a, b, c, d, time]| [a, b, c, d, time, 1.0]);
    }
    let of_sums = |[a, b, c, d, time, queries]: [f64; 6]| rates([a, b, c, d, time], queries);
    let mut sums = [0.0; 6];
    terms.iter().flatten().for_each(|term| sums.iter_mut().zip(term).for_each(|(sum, x)| *sum += x));
    let (answers, meanings) = (sums[5] > 0.0).then(|| of_sums(sums))?;
    let difference = |sums: [f64; 6]| {
        let (answers, meanings) = of_sums(sums);
        let (value, [n, some, labels, of_some, time, queries]) = (answers - meanings, sums);
        let mean = time / queries;
        let of_logarithms = [1.0 / n, -1.0 / some, -1.0 / labels, 1.0 / of_some].map(|x| x / mean);
        let [a, b, c, d] = of_logarithms;
        (value, [a, b, c, d, -value / time, value / queries])
    };
    Some(Inflation {
        unit: unit.into(),
        queries: sums[5] as u64,
        value: answers - meanings,
        interval: intervals::of_sums(&terms, Some(weights), difference),
        answers,
        meanings,
        span: sums[4] / sums[5],
    })
}

/// `8 answers` or `8 to 30 answers`.
fn answers((least, most): (u32, u32)) -> String {
    if least == most { format!("{least} answers") } else { format!("{least} to {most} answers") }
}

fn headlines(summary: &GrowthSummary, without: Option<f64>, without_inflation: Option<f64>) -> Vec<Headline> {
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

/// Growth of the labels of `meanings`; `keeps` are the models that headlines rest on and, if there are others, those
/// without the ones that answer regardless of the query.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn growth(
    corpus: &Corpus,
    meanings: &Meanings,
    keeps: &[&[bool]],
    weights: &Weights,
    observer: &dyn Observer,
) -> Result<Growth> {
    let mut out = Growth::default();
    if meanings.clusters.is_empty() {
        out.left_out.push(left_out("Growth", "no clusters of meanings to count"));
        return Ok(out);
    }
    let times = Times::new(corpus);
    let queries = corpus.layout.canonical.len();
    let pass = Pass { corpus, clusters: &meanings.clusters, keeps, times: times.as_ref().ok() };
    let mut found = Vec::with_capacity(queries);
    for first in (0..queries).step_by(rayon::current_num_threads() * 16) {
        observer.check_stop()?;
        let chunk = first..(first + rayon::current_num_threads() * 16).min(queries);
        found.extend(chunk.into_par_iter().map(|query| pass.one_query(query)).collect::<Vec<Query>>());
    }
    out.rows = found.iter_mut().flat_map(|query| std::mem::take(&mut query.rows)).collect();
    let of_view = |view: usize| -> Vec<(usize, &Found)> {
        found.iter().enumerate().filter_map(|(q, one)| Some((q, one.views.get(view)?.as_ref()?))).collect()
    };
    let of_source = |id: u32| -> Vec<(usize, &Found)> {
        let of = |(q, one): (usize, &'_ Query)| Some((q, one.sources.iter().position(|s| s.0 == id)?));
        found.iter().enumerate().filter_map(of).map(|(q, at)| (q, &found[q].sources[at].1)).collect()
    };
    let names = corpus.rows.categories.get(&Role::Source).map_or(&[][..], |source| source.dictionary.names());
    let unit = times.as_ref().map_or("", |times| times.unit);
    let summary = GrowthSummary {
        all: line(queries, None, &of_view(0), weights),
        sources: (names.iter().zip(0..))
            .filter_map(|(name, id)| line(queries, Some(name), &of_source(id), weights))
            .collect(),
        inflation: inflation(queries, &of_view(0), weights, unit),
    };
    if summary.all.is_none() {
        out.left_out.push(left_out("Growth", "no query has 8 responses"));
    } else if let Err(reason) = &times {
        out.left_out.push(left_out("Inflation (growth in time)", reason));
    } else if summary.inflation.is_none() {
        let reason = "no query has 8 responses that all have a time, the last later than the first quarter";
        out.left_out.push(left_out("Inflation (growth in time)", reason));
    }
    let without = line(queries, None, &of_view(1), weights).map(|line| line.exponent);
    let without_inflation = inflation(queries, &of_view(1), weights, unit).map(|one| one.value);
    out.headlines = headlines(&summary, without, without_inflation);
    out.summary = summary.all.is_some().then_some(summary);
    Ok(out)
}

/// Bytes of growth.parquet's lines while they are held, and of the points that the summary is made from.
pub fn bytes(corpus: &Corpus) -> usize {
    let points = |n: usize| if n >= LEAST as usize { 2 * (n.ilog2() as usize + 1) } else { 0 };
    let sources = if corpus.rows.categories.contains_key(&Role::Source) { 2 } else { 1 };
    let rows: usize = corpus.layout.query_positions.iter().map(|positions| points(positions.len())).sum();
    2 * sources * rows * size_of::<GrowthRow>()
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;
    use crate::base::events::Silent;
    use crate::corpus::{Category, Dictionary};

    #[test]
    fn the_grid_is_logarithmic_and_ends_at_n() {
        assert_eq!(grid(1), [1]);
        assert_eq!(grid(8), [1, 2, 3, 4, 6, 8]);
        assert_eq!(grid(20), [1, 2, 3, 4, 6, 8, 11, 16, 20]);
    }

    #[test]
    fn responses_of_one_time_come_in_any_order() {
        let labels = [3, 3, 1, 2, 1, 0, 0, 4, 4, 4u32];
        let counts = Abundances::new(&mut labels.to_vec());
        let at_once = InTime::new(labels.iter().map(|&label| (5.0, label)).collect());
        for m in [1.0, 2.5, 4.0, 9.75, 10.0] {
            assert!((at_once.labels(m) - rarefied(&counts, m)).abs() < 1e-12, "{m}");
        }
        assert_eq!(at_once.span(), None);
        // Times 0, 1, 1, 2, ...: of the first two responses the second is one of a 3 and a 1.
        let in_time = InTime::new(labels.iter().enumerate().map(|(i, &label)| (i.div_ceil(2) as f64, label)).collect());
        assert_eq!((in_time.labels(1.0), in_time.labels(3.0), in_time.labels(10.0)), (1.0, 2.0, 5.0));
        assert!((in_time.labels(2.0) - 1.5).abs() < 1e-12 && (in_time.labels(2.5) - 1.75).abs() < 1e-12);
        // A quarter of ten is there at time 1, with three responses and two labels; the last comes at 5.
        assert_eq!(in_time.span(), Some([10.0, 3.0, 5.0, 2.0, 4.0]));
        // One after the other: the third response of nine makes a quarter.
        let apart = InTime::new((0..9).map(|i| (f64::from(i), i)).collect());
        assert_eq!(apart.span(), Some([9.0, 3.0, 9.0, 3.0, 6.0]));
    }

    /// 3 queries of 12 responses, alternately of source x and y.
    fn corpus(times: Option<fn(usize) -> String>) -> (Corpus, Meanings) {
        let keys = (0..36).map(|row| (format!("{}", row / 12), "m".to_string()));
        let mut corpus = planted::planted(keys, 3).0;
        let mut put = |role: Role, names: Vec<String>| {
            let (dictionary, ids) = Dictionary::from_names(&names);
            corpus.rows.categories.insert(role, Category { dictionary, ids });
        };
        put(Role::Source, (0..36).map(|row| ["x", "x", "y"][row % 3].to_string()).collect());
        if let Some(times) = times {
            put(Role::Time, (0..36).map(times).collect());
        }
        let clusters = (0..36).map(|row| (row % 12 / 3) as u32).collect();
        (corpus, Meanings { clusters, ..Meanings::default() })
    }

    fn found(corpus: &Corpus, meanings: &Meanings) -> Growth {
        growth(corpus, meanings, &[&[true]], &Weights::new(0, "t", 10, 3), &Silent).unwrap()
    }

    #[test]
    fn what_the_corpus_lacks_is_named() {
        let reasons = |found: &Growth| found.left_out.iter().map(|l| l.reason.clone()).collect::<Vec<_>>().join("; ");
        let (plain, meanings) = corpus(None);
        let one = found(&plain, &meanings);
        assert!(reasons(&one).contains("no time column"));
        assert_eq!(one.headlines.len(), 1);
        // Source x has 8 responses to a query, y 4: too few.
        let summary = one.summary.unwrap();
        assert_eq!(summary.sources.iter().map(|line| line.name.as_deref()).collect::<Vec<_>>(), [Some("x")]);
        assert!(one.rows.iter().all(|row| row.distinct_in_time.is_none()));
        let dated = corpus(Some(|row| format!("2024-01-{:02}", row % 12 + 1)));
        let in_time = found(&dated.0, &dated.1);
        assert!(in_time.rows.iter().all(|row| row.distinct_in_time.is_some()));
        // Responses 3 to 12 in nine days, meanings 1 to 4.
        let inflation = in_time.summary.unwrap().inflation.unwrap();
        assert_eq!((inflation.unit.as_str(), inflation.queries), ("day", 3));
        assert!((inflation.meanings - 4f64.ln() / 9.0).abs() < 1e-12 && inflation.value.abs() < 1e-12);
        let at_once = corpus(Some(|_| "7".into()));
        assert!(reasons(&found(&at_once.0, &at_once.1)).contains("the last later than"));
        let unread = corpus(Some(|row| format!("v{row}")));
        assert!(reasons(&found(&unread.0, &unread.1)).contains("neither numbers throughout nor ISO 8601 dates"));
        assert!(reasons(&found(&plain, &Meanings::default())).contains("no clusters"));
    }
}
