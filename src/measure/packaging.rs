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
/// And this, where f is 1 but for rounding: what rounding leaves of a denominator divides nothing.
const ROUNDING: f64 = 1e-9;
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
        let floor = series.floors.unwrap_or_default();
        for point in &series.points {
            let term = terms[point.query].get_or_insert((0.0, 0.0));
            *term = (term.0 - point.moves[0], term.1 - point.moves[1]);
            let Some(here) = point.values else { continue };
            *term = (term.0 + here[0] - floor[0], term.1 + here[1] - floor[1]);
            counts[point.query] += 1.0;
            for which in 0..2 {
                values[which] += here[which];
                floors[which] += floor[which];
            }
        }
    }
    let used = counts.iter().filter(|count| **count > 0.0).count();
    let count: f64 = counts.iter().sum();
    let (values, floors) = (values.map(|x| x / count), floors.map(|x| x / count));
    let floors = of.iter().all(|series| series.floors.is_some()).then_some(floors);
    let ratio = || {
        let (Some(floors), Some(f)) = (floors, corpus_floor) else { return Err(Undefined::OneQuery) };
        let denominators: Vec<_> = terms.iter().zip(&counts).map(|(term, &n)| term.map(|t| (t.1, n))).collect();
        let limits = intervals::quotient_over(&denominators, used, weights).ok_or(Undefined::FewQueries)?;
        if limits.low < (LEAST_SHARE * (1.0 - f)).max(ROUNDING) {
            return Err(Undefined::Small);
        }
        let ratio = (values[0] - floors[0]) / (values[1] - floors[1]);
        Ok((ratio, intervals::quotient_over(&terms, used, weights)))
    };
    Line { queries: used, values, floors, ratio: ratio() }
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
            "Similarity across contexts, as a share of that within one context",
            "same context",
            "if the context changed nothing",
        ),
        Against::OtherFamily => (
            "packaging_vendor",
            "Similarity across contexts, over that of different families in one context",
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
    let mut lacking = Vec::new();
    for (against, reason) in [
        (Against::SameContext, "one response per family, query and context; needs at least 2"),
        (Against::OtherFamily, "no second family answered a query in the same contexts"),
    ] {
        let rows = out.rows.len();
        comparison.rows(against, &regardless, &mut out)?;
        if out.rows.len() == rows {
            lacking.push(LeftOut { measure: format!("{NAME} ({})", against.words()), reason: reason.into() });
        }
    }
    if !out.rows.is_empty() {
        out.left_out.extend(lacking);
    } else {
        let reason = if contexts::chosen(&variants, Against::OtherFamily, &vec![false; regardless.len()]).is_empty() {
            "no family answered a query in two contexts (--family names the model that contexts are variants of)"
        } else {
            "one response per family, query and context, and no second family in the same contexts to set it against"
        };
        out.left_out.push(left_out(reason));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;
    use crate::base::events::Silent;
    use crate::corpus::{Category, Dictionary};

    const CONTEXTS: [&str; 2] = ["plain", "poem"];

    /// `queries` queries of 2 families in 2 contexts, 2 responses each. The first answers the query; the second
    /// says one thing, whatever is asked.
    fn corpus(queries: usize) -> Corpus {
        let keys = (0..queries * 8).map(|row| (format!("{}", row / 8), format!("{}", row / 4 % 2)));
        let stream = crate::base::random::Stream::new(1, "packaging");
        let mut corpus = planted::corpus(keys, 16, |row, i| {
            let noise = |of: usize, scale: f32| scale * stream.normal(of as u64, i as u64) as f32;
            let common = if i == 0 { 4.0 } else { 0.0 };
            if row / 4 % 2 == 1 { common + noise(row, 0.01) } else { noise(row / 8, 1.0) + noise(row, 0.3) }
        });
        let names: Vec<String> = (0..queries * 8).map(|row| CONTEXTS[row / 2 % 2].to_string()).collect();
        let (dictionary, ids) = Dictionary::from_names(&names);
        corpus.rows.categories.insert(Role::Context, Category { dictionary, ids });
        corpus
    }

    fn found(corpus: &Corpus) -> Packaging {
        let models = [false, true].map(|answers_regardless| ModelRow { answers_regardless, ..ModelRow::default() });
        packaging(corpus, &[], &models, Some(0.0), None, &Silent).unwrap()
    }

    #[test]
    fn a_family_near_its_floor_has_no_ratio_and_hardly_moves_that_of_all() {
        let found = found(&corpus(12));
        let same: Vec<&ContextRow> = found.rows.iter().filter(|row| row.against == Against::SameContext).collect();
        assert_eq!(same.iter().map(|row| row.family.as_deref()).collect::<Vec<_>>(), [None, Some("0"), Some("1")]);
        assert!(same.iter().all(|row| row.contexts == CONTEXTS && row.n == 2 && row.queries == 12));
        let ratio = same[1].ratio.unwrap();
        assert!((ratio - 1.0).abs() < 0.1 && same[2].ratio.is_none() && same[2].ci.is_none());
        let line = &found.headlines[0];
        assert_eq!(line.name, "packaging");
        assert!((line.value - ratio).abs() < 0.01 && (line.without_regardless.unwrap() - ratio).abs() < 1e-12);
        let left: Vec<&str> = found.left_out.iter().map(|left| left.measure.as_str()).collect();
        assert!(left.contains(&"Packaging of 1 (against the same context)"), "{left:?}");
    }

    #[test]
    fn answers_that_are_all_equal_have_no_ratio() {
        let mut equal = corpus(12);
        let ones = vec![1.0; equal.len() * 16];
        equal.embeddings = std::sync::Arc::new(crate::corpus::Embeddings::from_rows(ones, 16));
        let models = vec![ModelRow::default(); 2];
        let found = packaging(&equal, &[], &models, Some(1.0), None, &Silent).unwrap();
        assert!(
            found.headlines.is_empty() && found.rows.len() == 6 && found.rows.iter().all(|row| row.ratio.is_none())
        );
        assert!(found.left_out.iter().any(|left| left.reason == Undefined::Small.reason()));
    }

    #[test]
    fn what_the_corpus_lacks_is_named() {
        let mut corpus = corpus(4);
        let few = found(&corpus);
        assert!(few.rows.iter().all(|row| row.ratio.is_none() && row.other_context_floor.is_some()));
        assert!(few.left_out.iter().any(|left| left.reason.starts_with("fewer than 5 queries")));
        corpus.rows.categories.insert(
            Role::Context,
            Category { dictionary: Dictionary::from_names(&["plain".into()]).0, ids: vec![0; corpus.len()] },
        );
        let one = found(&corpus);
        assert!(
            one.rows.is_empty() && one.left_out[0].reason.starts_with("no family answered a query in two contexts")
        );
        // One response in each context, then one family.
        for (role, names, of, says) in [
            (Role::Context, 4, 1, "Packaging (against the same context): one response per family"),
            (Role::Family, 1, 8, "Packaging (against other families): no second family"),
        ] {
            corpus = self::corpus(6);
            let names: Vec<String> = (0..corpus.len()).map(|row| (row / of % names).to_string()).collect();
            let (dictionary, ids) = Dictionary::from_names(&names);
            corpus.rows.categories.insert(role, Category { dictionary, ids });
            let found = packaging(&corpus, &[], &[ModelRow::default(), ModelRow::default()], Some(0.0), None, &Silent);
            let found = found.unwrap();
            let left: Vec<String> = found.left_out.iter().map(|l| format!("{}: {}", l.measure, l.reason)).collect();
            assert!(!found.rows.is_empty() && left.iter().any(|line| line.starts_with(says)), "{left:?}");
        }
        corpus.rows.categories.clear();
        let none = found(&corpus);
        assert!(none.rows.is_empty() && none.headlines.is_empty() && none.left_out[0].reason == "no context column");
    }
}
