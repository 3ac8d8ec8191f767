//! The labels of one query, counted in every group of its responses; and all queries together.

use super::super::MeasureSettings;
use super::super::moves::Moves;
use super::super::similarities::Similarities;
use super::super::sums::Sums;
use super::super::tables::{Group, Labels, MeaningRow};
use super::adjusted_rand::Agreement;
use super::linkage::Tree;
use super::{Abundances, Counted, MOST, NONE, OfAll, OfQuery, Rarefaction, cut, drawn, labellings, periods};
use crate::base::random::Stream;
use crate::corpus::{Corpus, Role};
use std::collections::BTreeMap;

/// What queries are worked from.
pub struct Counting<'a> {
    corpus: &'a Corpus,
    keeps: &'a [&'a [bool]],
    labels: Vec<Labels>,
    /// Further cuts that are made, where those of `labels` may move to.
    further: Vec<f64>,
    /// Places of those of the chosen one among all labellings.
    beside: Vec<usize>,
    /// Group by time of each row; empty without times.
    periods: Vec<u32>,
    /// Most responses of a query.
    most: usize,
    draw: Stream,
}

/// One query.
pub struct Query {
    rows: Vec<MeaningRow>,
    /// `views[view][labelling]`.
    views: Vec<Vec<OfQuery>>,
    /// Row and cluster at the chosen cut, and where it may move to.
    clusters: Vec<(u32, u32)>,
    beside: Vec<Vec<u32>>,
    /// Distinct meanings of groups there.
    groups_beside: Vec<(Group, [f64; 2])>,
}

impl<'a> Counting<'a> {
    /// With all that is counted still to come; `keeps` are the models of each view, `floor` is the corpus floor.
    pub fn new(
        corpus: &'a Corpus,
        sums: &Sums,
        floor: Option<f64>,
        keeps: &'a [&'a [bool]],
        settings: &MeasureSettings,
    ) -> (Self, Counted) {
        let labels = labellings(corpus, floor, settings.tau);
        let mut counted = Counted::default();
        if labels.iter().any(|labels| labels.c.is_some()) {
            counted.meanings.floor = Moves::of_floor(corpus, sums);
        }
        let (moving, further) = cut::moving(&labels, settings.tau.is_some(), counted.meanings.floor.error());
        let queries = sums.queries.len();
        counted.views = vec![vec![Vec::with_capacity(queries); labels.len() + further.len()]; keeps.len()];
        let chosen = labels.iter().position(|labels| labels.chosen);
        if chosen.is_some() {
            counted.meanings.clusters = vec![NONE; corpus.len()];
        }
        let moves = chosen.and_then(|at| moving[at]);
        let beside: Vec<usize> = moves.into_iter().flat_map(|(_, first)| [first, first + 1]).collect();
        counted.meanings.moving = moving;
        counted.meanings.beside = vec![vec![NONE; corpus.len()]; beside.len()];
        counted.meanings.labels = labels.clone();
        let periods = if labels.is_empty() {
            Vec::new()
        } else {
            let (periods, of_row) = periods::periods(corpus).unwrap_or_default();
            counted.meanings.periods = periods;
            of_row
        };
        let draw = Stream::new(settings.seed, "meanings");
        (Self { corpus, keeps, labels, further, beside, periods, most: MOST, draw }, counted)
    }

    /// Whether queries are clustered, so that their similarities are needed.
    pub fn clusters(&self) -> bool {
        self.labels.iter().any(|labels| labels.tau.is_some())
    }

    /// Positions of the responses to a query that are looked at, ascending.
    pub fn positions(&self, query: usize) -> Vec<usize> {
        drawn(self.corpus, query, self.most, &self.draw)
    }

    /// Counts the labels of a query; the similarities are those at [`Counting::positions`].
    pub fn query(&self, query: usize, similarities: Similarities<'_>) -> Query {
        let corpus = self.corpus;
        let rows: Vec<usize> = similarities.positions().iter().map(|&p| corpus.layout.row_at[p] as usize).collect();
        let tree = self.clusters().then(|| Tree::new(similarities.into_all()));
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
            kinds.push(grouped(&rows, &self.periods, Group::Time));
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
            if let [looser, tighter] = self.beside[..] {
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

impl Counted {
    /// Adds the next query.
    pub fn push(&mut self, query: Query) {
        self.meanings.rows.extend(query.rows);
        for (place, (row, cluster)) in query.clusters.into_iter().enumerate() {
            self.meanings.clusters[row as usize] = cluster;
            let others = self.meanings.beside.iter_mut().zip(&query.beside);
            others.for_each(|(clusters, of_query)| clusters[row as usize] = of_query[place]);
        }
        for (group, values) in query.groups_beside {
            let sums = self.meanings.groups_beside.entry(group).or_default();
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum = (sum.0 + value, sum.1 + 1.0));
        }
        for (view, found) in self.views.iter_mut().zip(query.views) {
            view.iter_mut().zip(found).for_each(|(queries, one)| queries.push(one));
        }
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

#[cfg(test)]
mod tests {
    use super::super::super::planted::planted;
    use super::*;
    use crate::base::events::Silent;

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
            let (further, beside, periods) = (Vec::new(), Vec::new(), Vec::new());
            let counting = Counting { corpus: &corpus, keeps: &keeps, labels, further, beside, periods, most, draw };
            let similarities = Similarities::new(&corpus, &sums, 1, counting.positions(1), false);
            let one = counting.query(1, similarities);
            assert!(one.rows.iter().all(|row| row.seen.n == 7));
            assert_eq!(one.views[0][0].all.unwrap().seen.n, 7);
            one.clusters.iter().map(|c| c.0).collect::<Vec<u32>>()
        };
        assert!(draw(1).is_sorted() && draw(1).iter().all(|row| (20..40).contains(row)));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
