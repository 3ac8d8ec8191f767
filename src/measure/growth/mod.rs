//! Growth (MEASURES section G): how many more meanings more answers hold. growth.parquet.
//!
//! The labels are those of [`super::meanings`] at the chosen cut. D(m) is the number of labels that m of a group's n
//! responses have: order-free the expected number of a draw (rarefaction, so nothing is drawn), and in the order of time
//! where there is a time column. The local exponent of `D ~ n^b` is that of the last factor of 4 in n,
//! `b = ln(D(n) / D(n/4)) / ln 4`; between whole numbers D is linear.

mod lines;
mod series;

use super::intervals::Weights;
use super::tables::{Group, GrowthRow, GrowthSummary, Headline, LeftOut, Meanings, left_out};
use super::times::Times;
use crate::base::{Observer, Result};
use crate::corpus::{Corpus, Role};
use lines::{Answers, Over, headlines};
use rayon::prelude::*;
use series::{InTime, LEAST, Series, Span};
use std::collections::BTreeMap;
use std::mem::size_of;

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

/// What queries are worked from; without points for the ends alone.
struct Pass<'a> {
    corpus: &'a Corpus,
    clusters: &'a [u32],
    keeps: &'a [&'a [bool]],
    times: Option<&'a Times>,
    points: bool,
}

/// Every query at one cut.
struct AtCut(Vec<Query>);

impl AtCut {
    /// The queries of a view.
    fn view(&self, view: usize) -> Vec<(usize, &Found)> {
        self.0.iter().enumerate().filter_map(|(q, one)| Some((q, one.views.get(view)?.as_ref()?))).collect()
    }

    /// The queries of a source.
    fn source(&self, id: u32) -> Vec<(usize, &Found)> {
        let of = |(q, one): (usize, &'_ Query)| Some((q, one.sources.iter().position(|s| s.0 == id)?));
        self.0.iter().enumerate().filter_map(of).map(|(q, at)| (q, &self.0[q].sources[at].1)).collect()
    }
}

impl Pass<'_> {
    fn all(&self, queries: usize, observer: &dyn Observer) -> Result<AtCut> {
        let mut found = Vec::with_capacity(queries);
        for first in (0..queries).step_by(rayon::current_num_threads() * 16) {
            observer.check_stop()?;
            let chunk = first..(first + rayon::current_num_threads() * 16).min(queries);
            found.extend(chunk.into_par_iter().map(|query| self.one_query(query)).collect::<Vec<Query>>());
        }
        Ok(AtCut(found))
    }

    fn points(&self, series: &Series, group: Group) -> Vec<GrowthRow> {
        if self.points { series.points(group) } else { Vec::new() }
    }

    fn one_query(&self, query: usize) -> Query {
        let rows = &self.corpus.rows;
        let labelled: Vec<(usize, u32)> = (self.corpus.layout.query_positions[query].clone())
            .map(|position| self.corpus.layout.row_at[position] as usize)
            .map(|row| (row, self.clusters[row]))
            .filter(|one| one.1 != NONE)
            .collect();
        let series = |members: &[(usize, u32)]| Series::new(query, members, self.times);
        let all = series(&labelled);
        let mut lines = all.as_ref().map_or_else(Vec::new, |all| self.points(all, Group::All));
        let views = (self.keeps.iter().enumerate())
            .map(|(view, keep)| {
                let kept = labelled.iter().copied().filter(|one| keep[rows.model[one.0] as usize]);
                let one = series(&kept.collect::<Vec<_>>())?;
                let points = if view == 0 { self.points(&one, Group::All) } else { Vec::new() };
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
                let points = self.points(series, Group::Source(*source));
                lines.extend(points.iter().cloned());
                (*source, Found::new(series, least, points))
            })
            .collect();
        Query { rows: lines, views, sources }
    }
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
    let at_cut = |clusters: &[u32], points: bool| {
        Pass { corpus, clusters, keeps, times: times.as_ref().ok(), points }.all(queries, observer)
    };
    let mut chosen = at_cut(&meanings.clusters, true)?;
    let beside: Vec<AtCut> = meanings.beside.iter().map(|clusters| at_cut(clusters, false)).collect::<Result<_>>()?;
    out.rows = chosen.0.iter_mut().flat_map(|query| std::mem::take(&mut query.rows)).collect();
    let over = Over { queries, meanings, weights };
    let of_view = |view: usize| Answers {
        found: chosen.view(view),
        beside: beside.iter().map(|at_cut| at_cut.view(view)).collect(),
    };
    let of_source =
        |id: u32| Answers { found: chosen.source(id), beside: beside.iter().map(|at_cut| at_cut.source(id)).collect() };
    let names = corpus.rows.categories.get(&Role::Source).map_or(&[][..], |source| source.dictionary.names());
    let unit = times.as_ref().map_or("", |times| times.unit);
    let summary = GrowthSummary {
        all: over.line(None, &of_view(0)),
        sources: names.iter().zip(0..).filter_map(|(name, id)| over.line(Some(name), &of_source(id))).collect(),
        inflation: over.inflation(&of_view(0), unit),
    };
    if summary.all.is_none() {
        out.left_out.push(left_out("Growth", "no query has 8 responses"));
    } else if let Err(reason) = &times {
        out.left_out.push(left_out("Inflation (growth in time)", reason));
    } else if summary.inflation.is_none() {
        let reason = "no query has 8 responses that all have a time, the last later than the first quarter";
        out.left_out.push(left_out("Inflation (growth in time)", reason));
    }
    let without = over.line(None, &of_view(1)).map(|line| line.exponent);
    let without_inflation = over.inflation(&of_view(1), unit).map(|one| one.value);
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
