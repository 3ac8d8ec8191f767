//! Distinct meanings (MEASURES section C): clusters of a query's responses, counted in every group of them.
//!
//! The responses to a query are clustered once, all together, and cut where the mean cosine of two clusters falls under
//! `tau = f + c (1 - f)`, with f the corpus floor: the cut stands a share c of the way from unrelated answers to equal
//! ones, so a direction that all vectors have in common does not move it. The same labels are counted in the query as a
//! whole, in every model, source and stage; given classes are counted the same way. A labelling says how many topics and
//! wordings there are, not how many views.

mod adjusted_rand;
mod groups;
mod hill;
mod linkage;
mod summary;

pub use groups::fill_models;
pub use hill::{Hill, LEAST_PER_1000, Seen};

use super::MeasureSettings;
use super::cells::unit_rows;
use super::products::Triangle;
use super::sums::Sums;
use super::tables::{Group, Labels, MeaningRow, Meanings};
use crate::base::events::Stage;
use crate::base::random::Stream;
use crate::base::{Observer, Result};
use crate::corpus::{Corpus, Role};
use adjusted_rand::adjusted_rand;
use hill::{Abundances, Rarefaction};
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
    /// Adjusted Rand index of clusters and given classes.
    pub adjusted_rand: Option<f64>,
}

/// The measure and what the summary needs beside its table.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// Labels, table, clusters.
    pub meanings: Meanings,
    /// `views[view][labelling][query]`.
    pub views: Vec<Vec<Vec<OfQuery>>>,
    /// Queries of which responses were drawn.
    pub drawn: usize,
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

/// What a query is worked from.
struct Pass<'a> {
    corpus: &'a Corpus,
    sums: &'a Sums,
    keeps: &'a [&'a [bool]],
    labels: &'a [Labels],
    draw: Stream,
}

/// One query.
struct Query {
    rows: Vec<MeaningRow>,
    /// `views[view][labelling]`.
    views: Vec<Vec<OfQuery>>,
    /// Row and cluster at the chosen cut.
    clusters: Vec<(u32, u32)>,
    drawn: bool,
}

impl Pass<'_> {
    /// Positions of a query; of more than [`MOST`] a seeded draw.
    fn positions(&self, query: usize) -> Vec<usize> {
        let layout = &self.corpus.layout;
        let mut positions: Vec<usize> = layout.query_positions[query].clone().collect();
        if positions.len() > MOST {
            positions.sort_by_cached_key(|&p| self.draw.bits(u64::from(layout.row_at[p]), 0));
            positions.truncate(MOST);
            positions.sort_unstable();
        }
        positions
    }

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
        let positions = self.positions(query);
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
            .collect();
        let everyone: Vec<usize> = (0..rows.len()).collect();
        let models = grouped(&rows, &corpus.rows.model, Group::Model);
        let mut kinds = vec![vec![(Group::All, everyone.clone())], models];
        for (role, kind) in [(Role::Source, Group::Source as fn(u32) -> Group), (Role::Stage, Group::Stage)] {
            kinds.extend(corpus.rows.categories.get(&role).map(|category| grouped(&rows, &category.ids, kind)));
        }
        let class_labels = self.labels.iter().position(|labels| labels.tau.is_none()).map(|at| &by_labelling[at]);
        let agreement = |members: &[usize], labels: usize| {
            let classes = class_labels.filter(|_| self.labels[labels].tau.is_some())?;
            let known = members.iter().filter(|&&i| classes[i] != NONE);
            let (a, b): (Vec<u32>, Vec<u32>) = known.map(|&i| (by_labelling[labels][i], classes[i])).unzip();
            adjusted_rand(&a, &b)
        };
        let mut lines = Vec::new();
        for kind in &kinds {
            for (labels, of_row) in by_labelling.iter().enumerate() {
                let counted: Vec<(Group, Abundances)> =
                    kind.iter().map(|(group, members)| (*group, abundances(of_row, members))).collect();
                let Some(rarefaction) = at_least(counted.iter().map(|(_, group)| group)) else { continue };
                for ((group, counts), (_, members)) in counted.iter().zip(kind).filter(|((_, c), _)| c.n() >= 2) {
                    lines.push(MeaningRow {
                        query: query as u32,
                        group: *group,
                        labels,
                        seen: counts.seen(),
                        at_n: rarefaction.m(),
                        hill: rarefaction.hill(counts),
                        per_1000: counts.per_1000(),
                        adjusted_rand: if *group == Group::All { agreement(members, labels) } else { None },
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
                adjusted_rand: agreement(&members, labels),
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
        let drawn = rows.len() < corpus.layout.query_positions[query].len();
        Query { rows: lines, views: self.keeps.iter().map(view).collect(), clusters, drawn }
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
fn at_least<'a>(groups: impl Iterator<Item = &'a Abundances>) -> Option<Rarefaction> {
    groups.map(Abundances::n).filter(|&n| n >= 2).min().map(Rarefaction::new)
}

fn of_models(all: &Abundances, models: &[Abundances]) -> OfQuery {
    let of_all = || OfAll { seen: all.seen(), hill: all.hill(), per_1000: all.per_1000() };
    let mut found = OfQuery { all: (all.n() >= 2).then(of_all), ..OfQuery::default() };
    if let Some(rarefaction) = at_least(models.iter()) {
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
    let mut counted =
        Counted { views: vec![vec![Vec::with_capacity(queries); labels.len()]; keeps.len()], ..Counted::default() };
    if labels.is_empty() {
        return Ok(counted);
    }
    if labels.iter().any(|labels| labels.chosen) {
        counted.meanings.clusters = vec![NONE; corpus.len()];
    }
    let pass = Pass { corpus, sums, keeps, labels: &labels, draw: Stream::new(settings.seed, "meanings") };
    let stage = Stage::start(observer, "measures: distinct meanings", "queries", queries as u64);
    for first in (0..queries).step_by(AT_ONCE) {
        observer.check_stop()?;
        let chunk = first..(first + AT_ONCE).min(queries);
        stage.advance(chunk.start as u64);
        for query in chunk.into_par_iter().map(|query| pass.one_query(query)).collect::<Vec<Query>>() {
            counted.drawn += usize::from(query.drawn);
            counted.meanings.rows.extend(query.rows);
            query.clusters.into_iter().for_each(|(row, cluster)| counted.meanings.clusters[row as usize] = cluster);
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
pub fn memory(corpus: &Corpus) -> (usize, usize) {
    let largest = corpus.layout.query_positions.iter().map(|positions| positions.len().min(MOST)).max().unwrap_or(0);
    let queries = corpus.layout.query_positions.len();
    let labels = CURVE.len() + usize::from(corpus.rows.categories.contains_key(&Role::Class));
    let cells = corpus.layout.cells.iter().flatten().filter(|cell| cell.positions.len() >= 2).count();
    let lines = (queries + cells) * labels * size_of::<MeaningRow>();
    let of_queries = queries * labels * size_of::<OfQuery>();
    let threads = rayon::current_num_threads().min(queries);
    (threads * linkage::bytes(largest, corpus.dim()), 4 * corpus.len() + lines + of_queries)
}
