//! Distinct meanings (MEASURES section C): clusters of a query's responses, counted in every group of them.
//!
//! The responses to a query are clustered once, all together, and cut where the mean cosine of two clusters falls under
//! `tau = f + c (1 - f)`, with f the corpus floor: the cut stands a share c of the way from unrelated answers to equal
//! ones, so a direction that all vectors have in common does not move it. The same labels are counted in the query as a
//! whole, in every model, source, stage and time; given classes are counted the same way. A labelling says how many topics and
//! wordings there are, not how many views.

mod adjusted_rand;
mod cut;
mod groups;
mod hill;
mod linkage;
mod periods;
mod summary;

pub use cut::{interval, slope_of_chosen};
pub use groups::fill_models;
pub use hill::{Abundances, Hill, LEAST_PER_1000, Rarefaction, Seen};

use super::MeasureSettings;
use super::cells::{self, unit_rows};
use super::moves::Moves;
use super::products::Triangle;
use super::sums::Sums;
use super::tables::{Group, Labels, MeaningRow, Meanings};
use crate::base::events::Stage;
use crate::base::random::Stream;
use crate::base::{Observer, Result};
use crate::corpus::{Corpus, Role};
use adjusted_rand::Agreement;
use linkage::Tree;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Shares c of the curve.
const CURVE: [f64; 5] = [0.5, 0.6, 0.7, 0.8, 0.9];
/// The default c.
const CHOSEN: f64 = 0.7;
/// Most responses of a query that are clustered: a matrix of 268 MB. Of more, this many are drawn.
pub const MOST: usize = 8192;
/// Queries that are computed before progress is told.
const AT_ONCE: usize = 64;
/// Stands for a response without a label.
const NONE: u32 = u32::MAX;

/// What the responses to a query have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OfAll {
    /// Responses, labels, rare labels.
    pub seen: Seen,
    /// Hill numbers at n.
    pub hill: Hill,
    /// Labels in 1,000 responses.
    pub per_1000: Option<f64>,
}

/// One query under one labelling, of the models that a view keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OfQuery {
    /// What its responses have; `None` under 2.
    pub all: Option<OfAll>,
    /// Sum over models with n >= 2 of the distinct meanings at `at_n`, and how many models.
    pub models: (f64, f64),
    /// The least n >= 2 of a model; 0 if there is none.
    pub at_n: u32,
    /// Distinct meanings of `at_n` responses drawn from all models.
    pub pooled: f64,
    /// Of clusters and given classes.
    pub agreement: Option<Agreement>,
}

/// The measure and what the summary needs beside its table.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// Labels, table, clusters.
    pub meanings: Meanings,
    /// `views[view][labelling][query]`.
    pub views: Vec<Vec<Vec<OfQuery>>>,
}

/// Labellings: given classes, then cuts from loose to tight. `floor` is the corpus floor f.
fn labellings(corpus: &Corpus, floor: Option<f64>, tau: Option<f64>) -> Vec<Labels> {
    // Without room between floor and 1 the rounding of a cosine would decide.
    let floor = floor.filter(|f| 1.0 - f > 1e-9);
    let mut cuts: Vec<Labels> = floor.map_or_else(Vec::new, |f| {
        CURVE.map(|c| Labels { c: Some(c), tau: Some(f + c * (1.0 - f)), chosen: tau.is_none() && c == CHOSEN }).into()
    });
    if let Some(tau) = tau {
        match cuts.iter_mut().find(|cut| cut.tau == Some(tau)) {
            Some(cut) => cut.chosen = true,
            None => {
                let c = floor.map(|f| (tau - f) / (1.0 - f));
                cuts.push(Labels { c, tau: Some(tau), chosen: true });
            }
        }
        cuts.sort_by(|a, b| a.tau.unwrap_or_default().total_cmp(&b.tau.unwrap_or_default()));
    }
    if corpus.rows.categories.contains_key(&Role::Class) {
        cuts.insert(0, Labels::default());
    }
    cuts
}

/// Positions of a query; of more than `most` a seeded draw.
pub fn drawn(corpus: &Corpus, query: usize, most: usize, draw: &Stream) -> Vec<usize> {
    let layout = &corpus.layout;
    cells::drawn(layout.query_positions[query].clone().collect(), most, draw, |&p| layout.row_at[p])
}

/// What a query is worked from.
struct Pass<'a> {
    corpus: &'a Corpus,
    sums: &'a Sums,
    keeps: &'a [&'a [bool]],
    labels: &'a [Labels],
    /// Further cuts that are made, where those of `labels` may move to.
    further: &'a [f64],
    /// Places of those of the chosen one among all labellings.
    beside: &'a [usize],
    /// Group by time of each row; empty without times.
    periods: &'a [u32],
    /// Most responses of a query.
    most: usize,
    draw: Stream,
}

/// One query.
struct Query {
    rows: Vec<MeaningRow>,
    /// `views[view][labelling]`.
    views: Vec<Vec<OfQuery>>,
    /// Row and cluster at the chosen cut, and where it may move to.
    clusters: Vec<(u32, u32)>,
    beside: Vec<Vec<u32>>,
    /// Distinct meanings of groups there.
    groups_beside: Vec<(Group, [f64; 2])>,
}

impl Pass<'_> {
    /// Similarities of the rows at some positions of a query.
    fn similarities(&self, query: usize, positions: &[usize]) -> Triangle {
        // With one response a model the Gram matrix of the cells is that of the responses.
        let known = &self.sums.queries[query].gram;
        if known.n() == positions.len() {
            known.clone()
        } else {
            Triangle::gram(&unit_rows(self.corpus, positions), self.corpus.dim())
        }
    }

    fn one_query(&self, query: usize) -> Query {
        let corpus = self.corpus;
        let positions = drawn(corpus, query, self.most, &self.draw);
        let rows: Vec<usize> = positions.iter().map(|&p| corpus.layout.row_at[p] as usize).collect();
        let tree =
            (self.labels.iter().any(|l| l.tau.is_some())).then(|| Tree::new(self.similarities(query, &positions)));
        let classes = corpus.rows.categories.get(&Role::Class);
        let by_labelling: Vec<Vec<u32>> = (self.labels.iter())
            .map(|labels| match (labels.tau, &tree, classes) {
                (Some(tau), Some(tree), _) => tree.cut(tau),
                (_, _, Some(classes)) => rows.iter().map(|&row| classes.ids[row]).collect(),
                _ => vec![NONE; rows.len()],
            })
            .chain(self.further.iter().filter_map(|&tau| Some(tree.as_ref()?.cut(tau))))
            .collect();
        let everyone: Vec<usize> = (0..rows.len()).collect();
        let models = grouped(&rows, &corpus.rows.model, Group::Model);
        let mut kinds = vec![vec![(Group::All, everyone.clone())], models];
        for (role, kind) in [(Role::Source, Group::Source as fn(u32) -> Group), (Role::Stage, Group::Stage)] {
            kinds.extend(corpus.rows.categories.get(&role).map(|category| grouped(&rows, &category.ids, kind)));
        }
        if !self.periods.is_empty() {
            kinds.push(grouped(&rows, self.periods, Group::Time));
        }
        let class_labels = self.labels.iter().position(|labels| labels.tau.is_none()).map(|at| &by_labelling[at]);
        let agreement = |members: &[usize], labels: usize| {
            let classes = class_labels.filter(|_| self.labels.get(labels).is_none_or(|one| one.tau.is_some()))?;
            let known = members.iter().filter(|&&i| classes[i] != NONE);
            let (a, b): (Vec<u32>, Vec<u32>) = known.map(|&i| (by_labelling[labels][i], classes[i])).unzip();
            Agreement::new(&a, &b)
        };
        let (mut lines, mut groups_beside) = (Vec::new(), Vec::new());
        for kind in &kinds {
            if let &[looser, tighter] = self.beside {
                let rarefaction = at_least(kind.iter().map(|(_, members)| members.len() as u32));
                for (group, members) in kind.iter().filter(|(_, members)| members.len() >= 2) {
                    let at = |labels: usize| {
                        let counts = abundances(&by_labelling[labels], members);
                        rarefaction.as_ref().map_or(0.0, |rarefaction| rarefaction.hill(&counts).zero)
                    };
                    groups_beside.push((*group, [at(looser), at(tighter)]));
                }
            }
            for (labels, of_row) in by_labelling[..self.labels.len()].iter().enumerate() {
                let counted: Vec<(Group, Abundances)> =
                    kind.iter().map(|(group, members)| (*group, abundances(of_row, members))).collect();
                let Some(rarefaction) = at_least(counted.iter().map(|(_, group)| group.n())) else { continue };
                for ((group, counts), (_, members)) in counted.iter().zip(kind).filter(|((_, c), _)| c.n() >= 2) {
                    lines.push(MeaningRow {
                        query: query as u32,
                        group: *group,
                        labels,
                        seen: counts.seen(),
                        at_n: rarefaction.m(),
                        hill: rarefaction.hill(counts),
                        per_1000: counts.per_1000(),
                        adjusted_rand: (*group == Group::All)
                            .then(|| agreement(members, labels))
                            .flatten()
                            .map(Agreement::index),
                    });
                }
            }
        }
        lines.sort_by_key(|line| (line.group, line.labels));
        let view = |keep: &&[bool]| {
            let kept = |i: &usize| keep[corpus.rows.model[rows[*i]] as usize];
            let members: Vec<usize> = everyone.iter().copied().filter(kept).collect();
            let cells: Vec<&[usize]> =
                (kinds[1].iter()).map(|(_, cell)| cell.as_slice()).filter(|c| kept(&c[0])).collect();
            let one = |(labels, of_row): (usize, &Vec<u32>)| OfQuery {
                agreement: agreement(&members, labels),
                ..of_models(
                    &abundances(of_row, &members),
                    &cells.iter().map(|cell| abundances(of_row, cell)).collect::<Vec<_>>(),
                )
            };
            by_labelling.iter().enumerate().map(one).collect()
        };
        let chosen = self.labels.iter().position(|labels| labels.chosen);
        let clusters = chosen.map_or_else(Vec::new, |chosen| {
            rows.iter().zip(&by_labelling[chosen]).map(|(&row, &cluster)| (row as u32, cluster)).collect()
        });
        let beside = self.beside.iter().map(|&at| by_labelling[at].clone()).collect();
        Query { rows: lines, views: self.keeps.iter().map(view).collect(), clusters, beside, groups_beside }
    }
}

/// Places in `rows` by their id, ascending; those without one are in no group.
fn grouped(rows: &[usize], ids: &[u32], kind: impl Fn(u32) -> Group) -> Vec<(Group, Vec<usize>)> {
    let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (place, &row) in rows.iter().enumerate().filter(|(_, row)| ids[**row] != NONE) {
        groups.entry(ids[row]).or_default().push(place);
    }
    groups.into_iter().map(|(id, members)| (kind(id), members)).collect()
}

fn abundances(labels: &[u32], members: &[usize]) -> Abundances {
    let mut of_members: Vec<u32> = members.iter().map(|&i| labels[i]).filter(|&label| label != NONE).collect();
    Abundances::new(&mut of_members)
}

/// Rarefaction to the least n >= 2 of some groups.
fn at_least(sizes: impl Iterator<Item = u32>) -> Option<Rarefaction> {
    sizes.filter(|&n| n >= 2).min().map(Rarefaction::new)
}

fn of_models(all: &Abundances, models: &[Abundances]) -> OfQuery {
    let of_all = || OfAll { seen: all.seen(), hill: all.hill(), per_1000: all.per_1000() };
    let mut found = OfQuery { all: (all.n() >= 2).then(of_all), ..OfQuery::default() };
    if let Some(rarefaction) = at_least(models.iter().map(Abundances::n)) {
        let repeated = models.iter().filter(|model| model.n() >= 2);
        found.models = repeated.fold((0.0, 0.0), |t, model| (t.0 + rarefaction.hill(model).zero, t.1 + 1.0));
        found.at_n = rarefaction.m();
        found.pooled = rarefaction.hill(all).zero;
    }
    found
}

/// Clusters every query and counts. `keeps` are the models of each view; `floor` is the corpus floor.
///
/// # Errors
/// [`crate::base::Error::Interrupted`].
pub fn count(
    corpus: &Corpus,
    sums: &Sums,
    floor: Option<f64>,
    keeps: &[&[bool]],
    settings: &MeasureSettings,
    observer: &dyn Observer,
) -> Result<Counted> {
    let labels = labellings(corpus, floor, settings.tau);
    let queries = sums.queries.len();
    let mut counted = Counted::default();
    if labels.is_empty() {
        counted.views = vec![Vec::new(); keeps.len()];
        return Ok(counted);
    }
    if labels.iter().any(|labels| labels.chosen) {
        counted.meanings.clusters = vec![NONE; corpus.len()];
    }
    let (periods, of_row) = periods::periods(corpus).unwrap_or_default();
    counted.meanings.periods = periods;
    let draw = Stream::new(settings.seed, "meanings");
    if labels.iter().any(|labels| labels.c.is_some()) {
        counted.meanings.floor = Moves::of_floor(corpus, sums);
    }
    let (moving, further) = cut::moving(&labels, settings.tau.is_some(), counted.meanings.floor.error());
    counted.views = vec![vec![Vec::with_capacity(queries); labels.len() + further.len()]; keeps.len()];
    let chosen = labels.iter().position(|labels| labels.chosen).and_then(|at| moving[at]);
    let beside: Vec<usize> = chosen.into_iter().flat_map(|(_, first)| [first, first + 1]).collect();
    counted.meanings.moving = moving;
    counted.meanings.beside = vec![vec![NONE; corpus.len()]; beside.len()];
    let (labels_of, further, beside) = (labels.as_slice(), further.as_slice(), beside.as_slice());
    let pass = Pass { corpus, sums, keeps, labels: labels_of, further, beside, periods: &of_row, most: MOST, draw };
    let stage = Stage::start(observer, "measures: distinct meanings", "queries", queries as u64);
    for first in (0..queries).step_by(AT_ONCE) {
        observer.check_stop()?;
        let chunk = first..(first + AT_ONCE).min(queries);
        stage.advance(chunk.start as u64);
        for query in chunk.into_par_iter().map(|query| pass.one_query(query)).collect::<Vec<Query>>() {
            counted.meanings.rows.extend(query.rows);
            for (place, (row, cluster)) in query.clusters.into_iter().enumerate() {
                counted.meanings.clusters[row as usize] = cluster;
                let others = counted.meanings.beside.iter_mut().zip(&query.beside);
                others.for_each(|(clusters, of_query)| clusters[row as usize] = of_query[place]);
            }
            for (group, values) in query.groups_beside {
                let sums = counted.meanings.groups_beside.entry(group).or_default();
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum = (sum.0 + value, sum.1 + 1.0));
            }
            for (view, found) in counted.views.iter_mut().zip(query.views) {
                view.iter_mut().zip(found).for_each(|(queries, one)| queries.push(one));
            }
        }
    }
    stage.finish();
    counted.meanings.labels = labels;
    Ok(counted)
}

/// Bytes held while the largest query is worked on each thread, and from then on.
pub fn memory(corpus: &Corpus, settings: &MeasureSettings) -> (usize, usize) {
    let questions = corpus.layout.canonical.iter().max().copied().unwrap_or(0);
    let classes = corpus.rows.categories.contains_key(&Role::Class);
    // One question has no floor.
    let cuts = if questions > 0 { CURVE.len() } else { 0 } + usize::from(settings.tau.is_some());
    let largest = corpus.layout.query_positions.iter().map(|positions| positions.len().min(MOST)).max().unwrap_or(0);
    let queries = corpus.layout.query_positions.len();
    let labels = cuts + usize::from(classes);
    let cells = corpus.layout.cells.iter().flatten().filter(|cell| cell.positions.len() >= 2).count();
    let times = if corpus.rows.categories.contains_key(&Role::Time) { periods::MOST } else { 0 };
    let lines = (queries * (1 + times) + cells) * labels * size_of::<MeaningRow>();
    let of_queries = 3 * queries * labels * size_of::<OfQuery>();
    let threads = rayon::current_num_threads().min(queries);
    // People beside models take the same matrix.
    let matrices = cuts > 0 || corpus.rows.categories.contains_key(&Role::Source);
    let clustering = if matrices { threads * linkage::bytes(largest, corpus.dim()) } else { 0 };
    (clustering, 12 * corpus.len() + lines + of_queries)
}

#[cfg(test)]
mod tests {
    use super::super::intervals::total;
    use super::super::planted::{corpus, planted};
    use super::super::{Measures, all};
    use super::*;
    use crate::base::events::Silent;
    use crate::corpus::{Category, Dictionary};

    const QUERIES: usize = 60;
    const MODELS: usize = 4;
    const SAMPLES: usize = 6;

    /// Query of a row, and its place among the rows of the query.
    fn place(row: usize) -> (usize, usize) {
        (row / (MODELS * SAMPLES), row % (MODELS * SAMPLES))
    }

    /// Unit rows (query, model, sample) whose cosine is .85 within a meaning, .5 across meanings and 0 across queries, up
    /// to noise; `meaning(query, place)` says which of at most 8 a row has. All are moved by `shift` along one more
    /// direction.
    fn with_meanings(shift: f64, meaning: impl Fn(usize, usize) -> usize) -> Corpus {
        const NOISE: usize = 40;
        let stream = Stream::new(9, "meanings test");
        let names = (0..QUERIES * MODELS * SAMPLES)
            .map(|row| (format!("{:02}", place(row).0), format!("{}", place(row).1 / SAMPLES)));
        corpus(names, 1 + QUERIES + 8 + NOISE, move |row, i| {
            let (query, at) = place(row);
            let noise = |i: usize| stream.normal(row as u64, i as u64);
            let value = match i {
                0 => shift,
                i if i == 1 + query => 0.5f64.sqrt(),
                i if i == 1 + QUERIES + meaning(query, at) => 0.35f64.sqrt(),
                i if i > QUERIES + 8 => {
                    let norm = (0..NOISE).map(|k| noise(QUERIES + 9 + k).powi(2)).sum::<f64>().sqrt();
                    0.15f64.sqrt() * noise(i) / norm
                }
                _ => 0.0,
            };
            value as f32
        })
    }

    fn measured(corpus: &Corpus, tau: Option<f64>) -> Measures {
        let outcome = planted((0..corpus.len()).map(|_| ("q".into(), "m".into())), 2).1;
        let settings = MeasureSettings { tau, resamples: 100, ..MeasureSettings::default() };
        all(corpus, &outcome, &settings, &Silent).unwrap()
    }

    fn classes(corpus: &mut Corpus, names: &[String]) {
        let (dictionary, ids) = Dictionary::from_names(names);
        corpus.rows.categories.insert(Role::Class, Category { dictionary, ids });
    }

    #[test]
    fn planted_meanings_are_found_in_queries_and_models() {
        // Query q has 1 + q mod 8 meanings; model 0 has the first one alone.
        let meaning = |query: usize, at: usize| if at < SAMPLES { 0 } else { at % (1 + query % 8) };
        let mut corpus = with_meanings(0.0, meaning);
        let names = (0..corpus.len()).map(|row| meaning(place(row).0, place(row).1).to_string()).collect::<Vec<_>>();
        classes(&mut corpus, &names);
        let found = measured(&corpus, None);
        for query in &found.queries {
            assert_eq!(query.hill.unwrap().zero, (1 + query.query % 8) as f64);
        }
        assert_eq!(found.models[0].distinct, Some(1.0));
        assert!(found.models[1].distinct.unwrap() > 2.0);
        for row in found.meanings.rows.iter().filter(|row| found.meanings.labels[row.labels].chosen) {
            assert_eq!((row.at_n, row.seen.n), if row.group == Group::All { (24, 24) } else { (6, 6) });
            assert_eq!(row.adjusted_rand, (row.group == Group::All).then_some(1.0));
        }
        // Labels follow the rows of the input, the largest cluster first.
        let of_query = |query: usize| &found.meanings.clusters[query * 24..(query + 1) * 24];
        assert_eq!(&of_query(1)[..8], [0, 0, 0, 0, 0, 0, 0, 1]);
        assert!(of_query(0).iter().all(|&cluster| cluster == 0));
        let named = |name: &str| found.summary.headlines.iter().find(|h| h.name == name).unwrap().clone();
        let (clusters, classes) = (named("distinct_meanings"), named("class_meanings"));
        // The cut moves with the queries, and the number does not with the cut.
        assert_eq!((clusters.value, clusters.interval), (classes.value, classes.interval));
        assert!((clusters.value - (0..60).map(|q| (1 + q % 8) as f64).sum::<f64>() / 60.0).abs() < 1e-12);
        assert_eq!(named("adjusted_rand").value, 1.0);
    }

    #[test]
    fn a_direction_that_all_have_in_common_changes_nothing() {
        let meaning = |query: usize, at: usize| (at * at + query) % (2 + query % 5);
        let plain = measured(&with_meanings(0.0, meaning), None);
        for shift in [1.5, 3.0] {
            let shifted = measured(&with_meanings(shift, meaning), None);
            let (before, after) = (plain.summary.floor.unwrap(), shifted.summary.floor.unwrap());
            assert!(before < 0.1 && after > 0.25, "the floor moved from {before} to {after}");
            assert!(plain.meanings.clusters == shifted.meanings.clusters);
            for (a, b) in plain.meanings.rows.iter().zip(&shifted.meanings.rows) {
                assert_eq!((a.seen, a.hill), (b.seen, b.hill), "query {}, labelling {}", a.query, a.labels);
            }
            // A fixed cosine would not do.
            let fixed = plain.summary.meanings.as_ref().unwrap().tau;
            assert!(measured(&with_meanings(shift, meaning), fixed).meanings.clusters != plain.meanings.clusters);
        }
    }

    #[test]
    fn models_that_differ_in_nothing_have_what_a_draw_of_all_has() {
        let stream = Stream::new(2, "no effect");
        let at_random = |query: usize, at: usize| stream.below(query as u64, at as u64, 6) as usize;
        let one_each = |_: usize, at: usize| at / SAMPLES;
        let gap = |meaning: &dyn Fn(usize, usize) -> usize| {
            let found = measured(&with_meanings(0.0, meaning), None);
            let line = found.summary.meanings.unwrap().curve.into_iter().find(|line| line.labels.chosen).unwrap();
            line.pooled.unwrap() - line.model.unwrap()
        };
        // 240 models a query: the standard error of their mean is about .05.
        assert!(gap(&at_random).abs() < 0.15, "{}", gap(&at_random));
        assert!(gap(&one_each) > 2.0);
    }

    #[test]
    fn one_question_needs_tau_and_a_given_tau_is_where_it_is_cut() {
        let names = || (0..12).map(|row| ("q".to_string(), (row % 2).to_string()));
        let mut one = planted(names(), 5).0;
        let found = measured(&one, None);
        assert!(found.meanings.rows.is_empty() && found.meanings.clusters.is_empty());
        assert!(found.summary.meanings.is_none() && found.queries[0].hill.is_none());
        assert!(found.summary.left_out.iter().any(|l| l.measure == "Distinct meanings" && l.reason.contains("--tau")));
        let found = measured(&one, Some(-1.0));
        assert_eq!(found.queries[0].hill.map(|hill| hill.zero), Some(1.0));
        assert_eq!(found.summary.meanings.unwrap().tau, Some(-1.0));
        // Classes need no floor; a row without one is not counted.
        classes(&mut one, &(0..12).map(|row| (row % 3).to_string()).collect::<Vec<_>>());
        if let Some(category) = one.rows.categories.get_mut(&Role::Class) {
            category.ids[0] = NONE;
        }
        let found = measured(&one, None);
        let row = &found.meanings.rows[0];
        assert_eq!((row.seen.n, row.seen.distinct, row.adjusted_rand), (11, 3, None));
        assert!(found.meanings.clusters.is_empty() && found.queries[0].hill.is_none());
    }

    #[test]
    fn models_are_compared_at_the_least_n_of_two_and_more() {
        let of = |labels: &[u32]| Abundances::new(&mut labels.to_vec());
        let (alone, pair, five) = (of(&[0]), of(&[0, 1]), of(&[0, 0, 0, 0, 1]));
        let found = of_models(&of(&[0, 0, 1, 0, 0, 0, 0, 1]), &[alone, pair, five]);
        // Two of the five are of one label at 6/10, two of all eight at 16/28.
        assert_eq!((found.at_n, found.models.1), (2, 2.0));
        assert!((found.models.0 - (2.0 + 1.4)).abs() < 1e-12, "{:?}", found.models);
        assert!((found.pooled - (2.0 - 16.0 / 28.0)).abs() < 1e-12, "{}", found.pooled);
        assert_eq!(of_models(&of(&[3]), &[of(&[3])]), OfQuery::default());
    }

    #[test]
    fn of_a_query_too_large_a_seeded_draw_is_clustered() {
        let corpus = planted((0..40).map(|row| ((row / 20).to_string(), "m".to_string())), 5).0;
        let sums = Sums::new(&corpus, &[], &Silent).unwrap();
        let draw = |seed: u64| {
            let (labels, keep) = (labellings(&corpus, Some(0.1), None), [true]);
            let keeps: [&[bool]; 1] = [&keep];
            let (most, draw) = (7, Stream::new(seed, "meanings"));
            let pass = Pass {
                corpus: &corpus,
                sums: &sums,
                keeps: &keeps,
                labels: &labels,
                further: &[],
                beside: &[],
                periods: &[],
                most,
                draw,
            };
            let one = pass.one_query(1);
            assert!(one.rows.iter().all(|row| row.seen.n == 7));
            assert_eq!(one.views[0][0].all.unwrap().seen.n, 7);
            one.clusters.iter().map(|c| c.0).collect::<Vec<u32>>()
        };
        assert!(draw(1).is_sorted() && draw(1).iter().all(|row| (20..40).contains(row)));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn one_answer_each_is_counted_over_models() {
        let keys = (0..6).flat_map(|q| (0..5).map(move |m| (q.to_string(), m.to_string())));
        let found = measured(&planted(keys, 4).0, None);
        assert!(found.meanings.rows.iter().all(|row| row.group == Group::All && row.seen.n == 5));
        assert!(found.models.iter().all(|model| model.distinct.is_none()));
        let terms: Vec<(f64, f64)> = found.queries.iter().map(|q| (q.hill.unwrap().zero, 1.0)).collect();
        let headline = found.summary.headlines.iter().find(|h| h.name == "distinct_meanings").unwrap();
        assert_eq!(Some(headline.value), total(&terms));
        assert!(headline.label.contains("the models' answers"));
    }
}
