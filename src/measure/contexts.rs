//! A family's similarity across contexts and what it is set against, by query, each with its floor.
//!
//! A floor is a mean over pairs of queries, so that each query moves it from both ends, by its first-order influence (Hájek's
//! projection); a query without cells of a family moves the floor of that family to others by what others have there.

use super::sums::plus;
use super::tables::Against;
use super::variants::{self, Answered, Cell, Chosen, Sum, Variants, dot};
use crate::base::{Observer, Result};
use crate::corpus::Corpus;

/// Pairs of a query and a family up to which families that did not answer a query are looked at too.
const PAIRS: usize = 1 << 21;

/// A floor as sums over pairs of cells of different queries, from one query's side.
#[derive(Debug, Clone, Copy, Default)]
struct Floor {
    /// Sum of cosines and number of the pairs whose first cell is this query's.
    pairs: (f64, f64),
    /// The same of all pairs that this query has a part in: by how much it moves the floor.
    part: (f64, f64),
}

/// What one query says about one family.
struct Term {
    query: usize,
    family: u32,
    /// Mean cosine across contexts and what it is set against; `None` if there is no other family, or not this one.
    values: Option<[f64; 2]>,
    /// Floors of both.
    floors: [Floor; 2],
}

/// Pairs of different queries are counted from both sides: a query has a part in twice those it is first in.
fn both_sides(pairs: (f64, f64)) -> Floor {
    Floor { pairs, part: plus(pairs, pairs) }
}

/// A context of a query: its id, the sum of its cells, and that of its cells to other queries.
type OfContext = (u32, Sum, Sum);

/// A query's cells of one family, with their means.
type OfFamily<'a> = [(&'a Cell, &'a [f64])];

/// Pairs of a family with the others in the same context: sum and number of those of this query; the floor.
fn with_others(answered: &Answered<'_>, contexts: &[OfContext], cells: &OfFamily<'_>) -> ((f64, f64), Floor) {
    let (mut across, mut floor) = ((0.0, 0.0), Floor::default());
    for (context, here, elsewhere) in contexts {
        let own = cells.iter().find(|(cell, _)| cell.variant == *context).map(|cell| cell.1);
        let unit = answered.unit_elsewhere((cells[0].0.family, *context));
        let mut others = here.clone();
        if let Some(mean) = own {
            others.put(mean, -1.0);
            across = plus(across, (dot(mean, &others.vector), others.count));
            let pairs = (dot(mean, &elsewhere.vector) - dot(mean, &unit.vector), elsewhere.count - unit.count);
            floor = Floor { pairs: plus(floor.pairs, pairs), part: plus(floor.part, pairs) };
        }
        floor.part = plus(floor.part, (dot(&others.vector, &unit.vector), others.count * unit.count));
    }
    (across, floor)
}

/// The terms of all families in a query, of cells chosen by [`chosen`].
fn terms(variants: &Variants<'_>, answered: &Answered<'_>, against: Against, families: &[u32]) -> Vec<Term> {
    let all: Vec<(&Cell, &[f64])> =
        answered.cells().iter().copied().zip(answered.means().iter().map(Vec::as_slice)).collect();
    let mut contexts: Vec<u32> = all.iter().map(|(cell, _)| cell.variant).collect();
    contexts.sort_unstable();
    contexts.dedup();
    let sums = |id: u32| (id, answered.sum(|cell| cell.variant == id), answered.variant_elsewhere(id));
    let contexts: Vec<OfContext> = match against {
        Against::SameContext => Vec::new(),
        Against::OtherFamily => contexts.into_iter().map(sums).collect(),
    };
    let one = |cells: &OfFamily<'_>| {
        let family = cells[0].0.family;
        let own = answered.sum(|cell| cell.family == family);
        let elsewhere = answered.family_elsewhere(family);
        let (mut squares, mut same) = (0.0, (0.0, 0.0));
        for (cell, mean) in cells {
            let unit = answered.unit_elsewhere((family, cell.variant));
            squares += dot(mean, mean);
            same = plus(same, (dot(mean, &unit.vector), unit.count));
        }
        let other = (dot(&own.vector, &elsewhere.vector) - same.0, own.count * elsewhere.count - same.1);
        let (reference, floor) = match against {
            Against::SameContext => {
                let within: f64 = cells.iter().map(|(cell, _)| variants.within(cell, cell.n())).sum();
                (Some(within / own.count), both_sides(same))
            }
            Against::OtherFamily => {
                let (across, floor) = with_others(answered, &contexts, cells);
                ((across.1 > 0.5).then(|| across.0 / across.1), floor)
            }
        };
        let other_context = (dot(&own.vector, &own.vector) - squares) / (own.count * (own.count - 1.0));
        let values = reference.map(|reference| [other_context, reference]);
        Term { query: answered.query, family, values, floors: [both_sides(other), floor] }
    };
    let mut found: Vec<Term> = all.chunk_by(|a, b| a.0.family == b.0.family).map(one).collect();
    if against == Against::OtherFamily {
        let here = |family: &u32| all.binary_search_by_key(family, |(cell, _)| cell.family).is_ok();
        let absent = families.iter().filter(|family| !here(family));
        found.extend(absent.map(|&family| {
            let part = contexts.iter().fold((0.0, 0.0), |part, (context, here, _)| {
                let unit = answered.unit_elsewhere((family, *context));
                plus(part, (dot(&here.vector, &unit.vector), here.count * unit.count))
            });
            let floors = [Floor::default(), Floor { pairs: (0.0, 0.0), part }];
            Term { query: answered.query, family, values: None, floors }
        }));
    }
    found
}

/// The cells that the comparison rests on: those with enough responses, of families that have two or more such contexts
/// for the query.
pub fn chosen<'a>(variants: &'a Variants<'_>, against: Against, skip: &[bool]) -> Vec<&'a Cell> {
    let least = if against == Against::SameContext { 2 } else { 1 };
    let mut cells = Vec::new();
    for query in variants.queries() {
        for family in query.chunk_by(|a, b| a.family == b.family).filter(|f| !skip[f[0].family as usize]) {
            let enough: Vec<&Cell> = family.iter().filter(|cell| cell.n() >= least).collect();
            if enough.len() >= 2 {
                cells.extend(enough);
            }
        }
    }
    cells
}

/// A family's values by query.
pub struct Series {
    /// Family id.
    pub family: u32,
    /// By query.
    pub points: Vec<Point>,
    /// Floors; `None` if all queries are copies of one.
    pub floors: Option<[f64; 2]>,
}

/// What a query says about a family, and does to its floors.
pub struct Point {
    /// Query id.
    pub query: usize,
    /// Mean cosine across contexts, and what it is set against; `None` if the query does not have both.
    pub values: Option<[f64; 2]>,
    /// By how much the query moves the floors, times the queries that have both: over all queries 0 in sum.
    pub moves: [f64; 2],
}

/// The series of a family from its terms; `None` if no query has both values.
fn of_family(terms: &[&Term]) -> Option<Series> {
    let used = terms.iter().filter(|term| term.values.is_some()).count() as f64;
    let floor = |which: usize| {
        let total = terms.iter().map(|t| t.floors[which].pairs).fold((0.0, 0.0), plus);
        (total.1 > 0.5).then(|| (total.0 / total.1, total.1))
    };
    let floors = floor(0).zip(floor(1));
    let influence = |term: &Term, which: usize, (value, pairs): (f64, f64)| {
        let part = term.floors[which].part;
        used * (part.0 - value * part.1) / pairs
    };
    let point = |term: &&Term| {
        let moves = floors.map_or([0.0; 2], |(a, b)| [influence(term, 0, a), influence(term, 1, b)]);
        Point { query: term.query, values: term.values, moves }
    };
    let mut points: Vec<Point> = terms.iter().map(point).collect();
    // They add up to 0 but for rounding, and for what was not looked at.
    for which in 0..2 {
        let mean = points.iter().map(|point| point.moves[which]).sum::<f64>() / points.len() as f64;
        points.iter_mut().for_each(|point| point.moves[which] -= mean);
    }
    let floors = floors.map(|(a, b)| [a.0, b.0]);
    (used > 0.5).then(|| Series { family: terms[0].family, points, floors })
}

/// Bytes of what queries say about families, at most.
pub fn bytes(corpus: &Corpus) -> usize {
    let cells: usize = corpus.layout.cells.iter().map(Vec::len).sum();
    let all = variants::families(corpus).0.len().saturating_mul(corpus.layout.cells.len());
    (size_of::<Term>() + size_of::<Point>()) * if all > PAIRS { cells } else { all }
}

/// Series of all families but those to skip, and the cells they rest on.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn series<'a>(
    variants: &'a Variants<'_>,
    against: Against,
    skip: &[bool],
    observer: &dyn Observer,
) -> Result<(Vec<Series>, Vec<&'a Cell>)> {
    let chosen = Chosen::new(variants, chosen(variants, against, skip), observer)?;
    let mut families: Vec<u32> = chosen.cells.iter().map(|cell| cell.family).collect();
    families.sort_unstable();
    families.dedup();
    if families.len().saturating_mul(variants.queries().count()) > PAIRS {
        families.clear();
    }
    let found = chosen.each_query(observer, |answered| terms(variants, answered, against, &families))?;
    let mut by_family: Vec<&Term> = found.iter().flatten().collect();
    by_family.sort_by_key(|term| (term.family, term.query));
    let all = by_family.chunk_by(|a, b| a.family == b.family).filter_map(of_family).collect();
    Ok((all, chosen.cells))
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;
    use crate::base::events::Silent;
    use crate::base::random::Stream;
    use crate::corpus::{Category, Dictionary, Role};
    use std::collections::BTreeMap;

    /// By family: its floors by query, and of all.
    type Floors = BTreeMap<String, (Vec<(String, [Floor; 2])>, Option<[f64; 2]>)>;

    /// Four families in two contexts, one answer each; nothing of a family to every third query or so.
    fn with_gaps() -> Corpus {
        let stream = Stream::new(1, "contexts");
        let keys: Vec<(usize, usize, usize)> = (0..9 * 8)
            .map(|i| (i / 8, i / 2 % 4, i % 2))
            .filter(|&(query, family, _)| stream.below((4 * query + family) as u64, 0, 3) > 0)
            .collect();
        let names = keys.iter().map(|key| (key.0.to_string(), key.1.to_string()));
        let mut corpus = planted::corpus(names, 5, |row, i| stream.normal(row as u64, 10 + i as u64) as f32 + 0.5);
        let contexts: Vec<String> = keys.iter().map(|key| key.2.to_string()).collect();
        let (dictionary, ids) = Dictionary::from_names(&contexts);
        corpus.rows.categories.insert(Role::Context, Category { dictionary, ids });
        corpus
    }

    /// A floor without a query is that of the pairs that the query has no part in, whether or not the family answered it.
    #[test]
    fn a_query_takes_its_pairs_from_all_floors() {
        let corpus = with_gaps();
        let all = |corpus: &Corpus| -> Floors {
            let variants = Variants::new(corpus, Role::Context, &[]).unwrap();
            let cells = chosen(&variants, Against::OtherFamily, &[false; 4]);
            let families: Vec<u32> = (0..variants.families.len() as u32).collect();
            let chosen = Chosen::new(&variants, cells, &Silent).unwrap();
            let terms = |answered: &Answered<'_>| terms(&variants, answered, Against::OtherFamily, &families);
            let found: Vec<Term> = chosen.each_query(&Silent, terms).unwrap().into_iter().flatten().collect();
            let of_family = |family: u32| {
                let own: Vec<&Term> = found.iter().filter(|term| term.family == family).collect();
                let query = |term: &&Term| (corpus.rows.queries.name(term.query as u32).to_owned(), term.floors);
                let floors = of_family(&own).and_then(|series| series.floors);
                (variants.families.name(family).to_owned(), (own.iter().map(query).collect(), floors))
            };
            families.iter().map(|&family| of_family(family)).collect()
        };
        let found = all(&corpus);
        let mut absent = 0;
        for query in corpus.rows.queries.names() {
            let there: Vec<bool> =
                corpus.rows.query.iter().map(|&id| corpus.rows.queries.name(id) != query.as_str()).collect();
            let rest = all(&corpus.subset(&there, None).unwrap());
            for (family, (terms, _)) in &found {
                let part = terms.iter().find(|term| term.0 == *query).unwrap().1;
                absent += usize::from(part[0].part.1 == 0.0 && part[1].part.1 > 0.0);
                for (which, of) in part.into_iter().enumerate() {
                    let pairs = terms.iter().map(|term| term.1[which].pairs).fold((0.0, 0.0), plus);
                    let (sum, count) = (pairs.0 - of.part.0, pairs.1 - of.part.1);
                    assert!((sum / count - rest[family].1.unwrap()[which]).abs() < 1e-12, "{query} {family} {which}");
                }
            }
        }
        assert!(absent > 5, "{absent}");
    }
}
