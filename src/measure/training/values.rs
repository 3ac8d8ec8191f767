//! What families' answers to a query are like at some training stages: one value a query and stage, of the families that
//! have all of these stages of the query.

use super::super::intervals::{self, Weights};
use super::super::length;
use super::super::meanings::{Abundances, Rarefaction};
use super::super::tables::{Interval, Meanings, Quantity};
use super::super::variants::{Answered, Cell, Chosen, Variants, dot};
use super::{slope, tails};
use crate::base::{Observer, Result};
use crate::corpus::Corpus;

/// One family's answers to a query, a cell a stage.
pub type Cells<'a> = Vec<&'a Cell>;

/// The families of one query.
pub type Families<'a> = Vec<Cells<'a>>;

/// By query, the families that have all of some stages, but those to skip.
pub fn families_at<'a>(variants: &'a Variants<'_>, stages: &[u32], skip: &[bool]) -> Vec<Families<'a>> {
    let of_family = |family: &'a [Cell]| -> Option<Cells<'a>> {
        let at = |stage: &u32| family.iter().find(|cell| cell.variant == *stage);
        stages.iter().map(at).collect::<Option<Cells<'a>>>().filter(|cells| !skip[cells[0].family as usize])
    };
    (variants.queries())
        .map(|query| query.chunk_by(|a, b| a.family == b.family).filter_map(of_family).collect())
        .filter(|found: &Families<'a>| !found.is_empty())
        .collect()
}

/// A value a stage, of one query.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Query id.
    pub query: usize,
    /// By stage.
    pub at: Vec<f64>,
}

/// Everything that is known of some families at some stages.
#[derive(Debug, Default)]
pub struct Values {
    /// Mean cosine of different families' responses, each pair of families counting once.
    pub inter: Vec<Value>,
    /// By stage, sum of cosines and number of pairs of cells of different families to different queries.
    pub floors: Vec<(f64, f64)>,
    /// `inter` on pairs of like length.
    pub matched: Vec<Value>,
    /// `inter` on the queries of `matched`.
    pub unmatched: Vec<Value>,
    /// By stage, response pairs of like length and all of them.
    pub kept: Vec<(u64, u64)>,
    /// Mean cosine of a family's own responses, equally many at every stage.
    pub intra: Vec<Value>,
    /// Distinct meanings, rarefied to the least n of the stages.
    pub distinct: Vec<Value>,
    /// Hill number of order 2 over that of order 0, likewise.
    pub evenness: Vec<Value>,
    /// Slope of the log frequency of meanings over their log rank.
    pub frequency: Vec<Value>,
    /// From where on a response is in the first stage's tail.
    pub tail_threshold: Option<f64>,
    /// Share of responses in that tail.
    pub tail: Vec<Value>,
    /// Share of the first stage's meanings that are met again.
    pub coverage: Vec<Value>,
    /// Families that have a part in it.
    pub families: Vec<u32>,
}

impl Values {
    /// The values of a quantity.
    pub fn of(&self, quantity: Quantity) -> &[Value] {
        match quantity {
            Quantity::Inter => &self.inter,
            Quantity::Intra => &self.intra,
            Quantity::Distinct => &self.distinct,
            Quantity::Evenness => &self.evenness,
            Quantity::Tail => &self.tail,
            Quantity::Coverage => &self.coverage,
        }
    }

    /// Several groups of answers together, each compared within itself: a query's value is the mean over the groups that
    /// have one. Tails have no threshold in common.
    pub fn together(groups: &[Self]) -> Self {
        let mean = |of: fn(&Self) -> &Vec<Value>| {
            let mut all: Vec<Value> = groups.iter().flat_map(|group| of(group).iter().cloned()).collect();
            all.sort_by_key(|value| value.query);
            let one = |same: &[Value]| mean_of(&same.iter().map(|value| value.at.as_slice()).collect::<Vec<_>>());
            let values = all.chunk_by(|a, b| a.query == b.query);
            values.filter_map(|same| Some(Value { query: same[0].query, at: one(same)? })).collect()
        };
        let stages = groups.iter().map(|group| group.floors.len()).max().unwrap_or(0);
        let mut all = Self {
            inter: mean(|group| &group.inter),
            matched: mean(|group| &group.matched),
            unmatched: mean(|group| &group.unmatched),
            intra: mean(|group| &group.intra),
            distinct: mean(|group| &group.distinct),
            evenness: mean(|group| &group.evenness),
            frequency: mean(|group| &group.frequency),
            tail: mean(|group| &group.tail),
            coverage: mean(|group| &group.coverage),
            floors: vec![(0.0, 0.0); stages],
            kept: vec![(0, 0); stages],
            ..Self::default()
        };
        for group in groups {
            all.floors.iter_mut().zip(&group.floors).for_each(|(t, one)| *t = (t.0 + one.0, t.1 + one.1));
            all.kept.iter_mut().zip(&group.kept).for_each(|(t, one)| *t = (t.0 + one.0, t.1 + one.1));
            all.families.extend(&group.families);
        }
        all.families.sort_unstable();
        all.families.dedup();
        all
    }
}

/// The mean of equally long lists, place by place; `None` without any.
pub fn mean_of(lists: &[&[f64]]) -> Option<Vec<f64>> {
    let mut sum = vec![0.0; lists.first()?.len()];
    lists.iter().for_each(|list| sum.iter_mut().zip(*list).for_each(|(s, x)| *s += x));
    Some(sum.into_iter().map(|s| s / lists.len() as f64).collect())
}

/// Means over queries and their intervals.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Queries of the corpus.
    pub queries: usize,
    /// Resamples of them.
    pub weights: Option<&'a Weights>,
}

impl Means<'_> {
    /// Mean of a number a query, and its interval; `None` without any.
    pub fn of(&self, values: &[Value], number: impl Fn(&[f64]) -> f64) -> Option<(f64, Option<Interval>)> {
        let mut terms = vec![None; self.queries];
        let mut sum = 0.0;
        for value in values {
            let number = number(&value.at);
            sum += number;
            terms[value.query] = Some((number, 1.0));
        }
        (!values.is_empty()).then(|| (sum / values.len() as f64, intervals::quotient(&terms, self.weights)))
    }
}

/// What one query says about one stage.
struct Term {
    query: usize,
    /// Mean cosine of pairs of families, each pair counting once.
    mean: f64,
    /// Sum of cosines and number of pairs of cells of different families to different queries.
    floor: (f64, f64),
    /// Of pairs of like length.
    matched: length::Matched,
}

fn term(corpus: &Corpus, variants: &Variants<'_>, answered: &Answered<'_>, lengths: bool) -> Term {
    let cells = answered.cells();
    let own = answered.sum(|_| true);
    let elsewhere = answered.variant_elsewhere(cells[0].variant);
    let mut floor = (dot(&own.vector, &elsewhere.vector), own.count * elsewhere.count);
    let mut squares = 0.0;
    for (cell, mean) in cells.iter().zip(answered.means()) {
        let unit = answered.unit_elsewhere((cell.family, cell.variant));
        squares += dot(mean, mean);
        floor = (floor.0 - dot(mean, &unit.vector), floor.1 - unit.count);
    }
    let positions: Vec<&[usize]> = cells.iter().map(|cell| variants.positions(cell)).collect();
    Term {
        query: answered.query,
        mean: (dot(&own.vector, &own.vector) - squares) / (own.count * (own.count - 1.0)),
        floor,
        matched: if lengths { length::matched(corpus, &positions) } else { length::Matched::default() },
    }
}

/// What values are taken from.
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    /// The corpus.
    pub corpus: &'a Corpus,
    /// The clusters that are counted.
    pub meanings: &'a Meanings,
    /// The first stage of all, whose tail it is.
    pub first: u32,
    /// Told of progress.
    pub observer: &'a dyn Observer,
}

impl Pass<'_> {
    /// The values of some families at `stages`, of which they have all; with `lengths` also on pairs of like length.
    ///
    /// # Errors
    /// [`crate::base::Error::Interrupted`].
    pub fn values(
        &self,
        variants: &Variants<'_>,
        stages: &[u32],
        found: &[Families<'_>],
        lengths: bool,
    ) -> Result<Values> {
        let mut values = Values::default();
        self.between(&mut values, variants, stages.len(), found, lengths)?;
        self.within(&mut values, variants, found)?;
        if stages.first() == Some(&self.first) {
            let tau = self.meanings.labels.iter().find(|labels| labels.chosen).and_then(|labels| labels.tau);
            let pass = tails::Pass { corpus: self.corpus, variants, clusters: &self.meanings.clusters, tau };
            let tails = pass.tails(found);
            (values.tail_threshold, values.tail, values.coverage) = (tails.threshold, tails.shares, tails.coverage);
        }
        values.families.sort_unstable();
        values.families.dedup();
        Ok(values)
    }

    /// Of different families, where a query has two.
    fn between(
        &self,
        values: &mut Values,
        variants: &Variants<'_>,
        stages: usize,
        found: &[Families<'_>],
        lengths: bool,
    ) -> Result<()> {
        let several: Vec<&Cells<'_>> = found.iter().filter(|families| families.len() >= 2).flatten().collect();
        let at = |stage: usize| -> Result<Vec<Term>> {
            let chosen = Chosen::new(variants, several.iter().map(|cells| cells[stage]).collect(), self.observer)?;
            chosen.each_query(self.observer, |answered| term(self.corpus, variants, answered, lengths))
        };
        let terms: Vec<Vec<Term>> = (0..stages).map(at).collect::<Result<_>>()?;
        for place in 0..terms.first().map_or(0, Vec::len) {
            let query = terms[0][place].query;
            let all = Value { query, at: terms.iter().map(|terms| terms[place].mean).collect() };
            if let Some(at) = terms.iter().map(|terms| terms[place].matched.mean).collect() {
                values.matched.push(Value { query, at });
                values.unmatched.push(all.clone());
            }
            values.inter.push(all);
        }
        for terms in &terms {
            values.floors.push(terms.iter().fold((0.0, 0.0), |t, term| (t.0 + term.floor.0, t.1 + term.floor.1)));
            let pairs = |t: (u64, u64), term: &Term| (t.0 + term.matched.kept, t.1 + term.matched.pairs);
            values.kept.push(terms.iter().fold((0, 0), pairs));
        }
        values.families.extend(several.iter().map(|cells| cells[0].family));
        Ok(())
    }

    /// Of each family by itself.
    fn within(&self, values: &mut Values, variants: &Variants<'_>, found: &[Families<'_>]) -> Result<()> {
        for families in found {
            self.observer.check_stop()?;
            let query = families[0][0].query;
            let mut own: [Vec<Vec<f64>>; 4] = Default::default();
            for cells in families {
                // The first responses of each, as many at one stage as at the others.
                let n = cells.iter().map(|cell| cell.n()).min().unwrap_or(0);
                if n >= 2 {
                    own[0].push(cells.iter().map(|cell| variants.within(cell, n)).collect());
                    values.families.push(cells[0].family);
                }
                let labels: Vec<Vec<u32>> = cells.iter().map(|cell| self.labels(variants, cell)).collect();
                if let Some([distinct, evenness]) = hills(&labels) {
                    own[1].push(distinct);
                    own[2].push(evenness);
                }
                let n = labels.iter().map(Vec::len).min().unwrap_or(0);
                own[3].extend(slope::of_frequencies(&labels.iter().map(|labels| &labels[..n]).collect::<Vec<_>>()));
            }
            let lists = [&mut values.intra, &mut values.distinct, &mut values.evenness, &mut values.frequency];
            for (list, of_families) in lists.into_iter().zip(own) {
                let mean = mean_of(&of_families.iter().map(Vec::as_slice).collect::<Vec<_>>());
                list.extend(mean.map(|at| Value { query, at }));
            }
        }
        Ok(())
    }

    /// The meaning of each response of a cell that has one.
    fn labels(&self, variants: &Variants<'_>, cell: &Cell) -> Vec<u32> {
        let row = |position: &usize| self.corpus.layout.row_at[*position] as usize;
        let label = |position: &usize| self.meanings.clusters.get(row(position)).copied();
        variants.positions(cell).iter().filter_map(label).filter(|&label| label != u32::MAX).collect()
    }
}

/// Distinct meanings and evenness by stage, at the least n; `None` under 2.
fn hills(labels: &[Vec<u32>]) -> Option<[Vec<f64>; 2]> {
    let n = labels.iter().map(Vec::len).min().filter(|&n| n >= 2)?;
    let rarefaction = Rarefaction::new(n as u32);
    let hill = |labels: &Vec<u32>| rarefaction.hill(&Abundances::new(&mut labels.clone()));
    let hills: Vec<_> = labels.iter().map(hill).collect();
    Some([hills.iter().map(|hill| hill.zero).collect(), hills.iter().map(|hill| hill.two / hill.zero).collect()])
}
