//! Packaging: how much of a family's similarity to itself, or of the similarity between families, stays when only the
//! context (a persona, a style, a prompt variant) changes. contexts.parquet.
//!
//! With n >= 2 responses a cell (query, family, context) the ratio is, summed over queries, (same query, other context,
//! above its floor) / (same query, same context, above its floor); with one response the denominator is (same query,
//! same context, other family, above its floor). A floor is the same mean over pairs of different queries.

use super::contexts::{self, Series};
use super::intervals::{self, Weights};
use super::tables::{Against, ContextRow, Headline, Interval, LeftOut, ModelRow};
use super::variants::Variants;
use crate::base::{Observer, Result};
use crate::corpus::{Corpus, Role};

const NAME: &str = "Packaging";
/// The lower limit of a denominator must reach this share of 1 - f.
const LEAST_SHARE: f64 = 0.05;
/// Families and contexts that a sentence names.
const NAMED: usize = 5;

/// What the corpus says about packaging.
#[derive(Debug, Default)]
pub struct Packaging {
    /// contexts.parquet.
    pub rows: Vec<ContextRow>,
    /// Over all families.
    pub headlines: Vec<Headline>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
}

/// Why a ratio is undefined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Undefined {
    OneQuery,
    FewQueries,
    Small,
}

impl Undefined {
    fn reason(self) -> &'static str {
        match self {
            Self::OneQuery => "all responses are to one query, so there is no floor",
            Self::FewQueries => "fewer than 5 queries: the denominator has no lower limit",
            Self::Small => "the lower limit of the denominator is under .05 (1 - f): a ratio to almost nothing",
        }
    }
}

/// A line of contexts.parquet but for its names and n.
struct Line {
    queries: usize,
    values: [f64; 2],
    floors: Option<[f64; 2]>,
    ratio: Result<(f64, Option<Interval>), Undefined>,
}

/// One or more families together: each query and family counts once.
fn line(queries: usize, of: &[&Series], corpus_floor: Option<f64>, weights: Option<&Weights>) -> Line {
    let mut terms: Vec<Option<(f64, f64)>> = vec![None; queries];
    let mut counts = vec![0.0; queries];
    let (mut values, mut floors) = ([0.0; 2], [0.0; 2]);
    for series in of {
        for point in &series.points {
            let above = |which: usize| point.values[which] - point.floors[which];
            let term = terms[point.query].get_or_insert((0.0, 0.0));
            *term = (term.0 + above(0), term.1 + above(1));
            counts[point.query] += 1.0;
            for which in 0..2 {
                values[which] += point.values[which];
                floors[which] += series.floors.map_or(0.0, |floors| floors[which]);
            }
        }
    }
    let count: f64 = counts.iter().sum();
    let (values, floors) = (values.map(|x| x / count), floors.map(|x| x / count));
    let floors = of.iter().all(|series| series.floors.is_some()).then_some(floors);
    let ratio = || {
        let (Some(floors), Some(f)) = (floors, corpus_floor) else { return Err(Undefined::OneQuery) };
        let denominators: Vec<_> = terms.iter().zip(&counts).map(|(term, &n)| term.map(|t| (t.1, n))).collect();
        let limits = intervals::quotient(&denominators, weights).ok_or(Undefined::FewQueries)?;
        if limits.low < LEAST_SHARE * (1.0 - f) {
            return Err(Undefined::Small);
        }
        let ratio = (values[0] - floors[0]) / (values[1] - floors[1]);
        Ok((ratio, intervals::quotient(&terms, weights)))
    };
    Line { queries: terms.iter().flatten().count(), values, floors, ratio: ratio() }
}

/// The first names of a list.
pub fn named(names: &[String]) -> String {
    let first = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > NAMED { format!("{first} and {} more", names.len() - NAMED) } else { first }
}

/// The names of some ids, each once, in their order.
fn names_of(ids: impl Iterator<Item = u32>, dictionary: &crate::corpus::Dictionary) -> Vec<String> {
    let mut ids: Vec<u32> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().map(|id| dictionary.name(id).to_owned()).collect()
}

/// What stays fixed while families are compared.
struct Comparison<'a> {
    variants: &'a Variants<'a>,
    queries: usize,
    floor: Option<f64>,
    weights: Option<&'a Weights>,
    observer: &'a dyn Observer,
}

impl Comparison<'_> {
    fn line(&self, of: &[&Series]) -> Line {
        line(self.queries, of, self.floor, self.weights)
    }

    /// Lines against one reference, those of all families first; the headline; why a line has no ratio.
    fn rows(&self, against: Against, regardless: &[bool], out: &mut Packaging) -> Result<()> {
        let (all, cells) = contexts::series(self.variants, against, &vec![false; regardless.len()], self.observer)?;
        if all.is_empty() {
            return Ok(());
        }
        let row = |family: Option<u32>, line: &Line| {
            let own = || cells.iter().filter(|cell| family.is_none_or(|family| cell.family == family));
            let ratio = line.ratio.ok();
            ContextRow {
                against,
                family: family.map(|family| self.variants.families.name(family).to_owned()),
                contexts: names_of(own().map(|cell| cell.variant), self.variants.names),
                n: own().map(|cell| cell.n() as u32).min().unwrap_or(0),
                queries: line.queries as u64,
                other_context: line.values[0],
                other_context_floor: line.floors.map(|floors| floors[0]),
                reference: line.values[1],
                reference_floor: line.floors.map(|floors| floors[1]),
                ratio: ratio.map(|ratio| ratio.0),
                ci: ratio.and_then(|ratio| ratio.1),
            }
        };
        let together = self.line(&all.iter().collect::<Vec<_>>());
        let first = row(None, &together);
        let mut undefined: Vec<(Undefined, String)> = Vec::new();
        let families: Vec<ContextRow> = (all.iter())
            .map(|one| {
                let line = self.line(&[one]);
                let row = row(Some(one.family), &line);
                undefined.extend(line.ratio.err().map(|why| (why, row.family.clone().unwrap_or_default())));
                row
            })
            .collect();
        undefined.sort();
        for of_reason in undefined.chunk_by(|a, b| a.0 == b.0) {
            let names: Vec<String> = of_reason.iter().map(|one| one.1.clone()).collect();
            let measure = format!("{NAME} of {} ({})", named(&names), against.words());
            out.left_out.push(LeftOut { measure, reason: of_reason[0].0.reason().into() });
        }
        match together.ratio {
            Ok((value, interval)) => {
                let mut headline = headline(against, value, interval, &first, families.len());
                if all.iter().any(|one| regardless[one.family as usize]) {
                    let (rest, _) = contexts::series(self.variants, against, regardless, self.observer)?;
                    let without = self.line(&rest.iter().collect::<Vec<_>>());
                    headline.without_regardless = without.ratio.ok().map(|ratio| ratio.0);
                }
                out.headlines.push(headline);
            }
            Err(why) => {
                let measure = format!("{NAME} ({})", against.words());
                out.left_out.push(LeftOut { measure, reason: why.reason().into() });
            }
        }
        out.rows.push(first);
        out.rows.extend(families);
        Ok(())
    }
}

fn headline(against: Against, value: f64, interval: Option<Interval>, row: &ContextRow, families: usize) -> Headline {
    let (name, label, reference, floor) = match against {
        Against::SameContext => (
            "packaging",
            "Similarity that stays when only the context changes, as a share of that within one context",
            "same context",
            "if the context changed nothing",
        ),
        Against::OtherFamily => (
            "packaging_vendor",
            "Similarity of one family across contexts, as a multiple of that of different families in one context",
            "other family, same context",
            "if another context changed as much as another family",
        ),
    };
    let means = |value: f64, floor: Option<f64>| match floor {
        Some(floor) => format!("{value:.3} (floor {floor:.3})"),
        None => format!("{value:.3}"),
    };
    let mut notes: Vec<String> = intervals::warning(row.queries as usize).into_iter().collect();
    notes.push(format!(
        "contexts: {}; {families} {}",
        named(&row.contexts),
        if families == 1 { "family" } else { "families" }
    ));
    notes.push(format!(
        "other context {}; {reference} {}",
        means(row.other_context, row.other_context_floor),
        means(row.reference, row.reference_floor)
    ));
    Headline {
        name: name.into(),
        label: label.into(),
        value,
        interval,
        floor: Some(1.0),
        floor_label: Some(floor.into()),
        queries: row.queries,
        notes,
        ..Headline::default()
    }
}

/// Packaging of the families that answered one query in two or more contexts; `floor` is the corpus floor f, `people`
/// says of each row whether a person wrote it (empty: nobody).
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn packaging(
    corpus: &Corpus,
    people: &[bool],
    models: &[ModelRow],
    floor: Option<f64>,
    weights: Option<&Weights>,
    observer: &dyn Observer,
) -> Result<Packaging> {
    let mut out = Packaging::default();
    let left_out = |reason: &str| LeftOut { measure: NAME.into(), reason: reason.into() };
    let Some(variants) = Variants::new(corpus, Role::Context, people) else {
        out.left_out.push(left_out("no context column"));
        return Ok(out);
    };
    let regardless = variants.families_of(|model| models[model as usize].answers_regardless);
    let queries = corpus.layout.canonical.len();
    let comparison = Comparison { variants: &variants, queries, floor, weights, observer };
    for against in [Against::SameContext, Against::OtherFamily] {
        comparison.rows(against, &regardless, &mut out)?;
    }
    if out.rows.is_empty() {
        let reason = if contexts::chosen(&variants, Against::OtherFamily, &vec![false; regardless.len()]).is_empty() {
            "no family answered a query in two contexts (--family names the model that contexts are variants of)"
        } else {
            "one response per family, query and context, and no second family in the same contexts to set it against"
        };
        out.left_out.push(left_out(reason));
    }
    Ok(out)
}
