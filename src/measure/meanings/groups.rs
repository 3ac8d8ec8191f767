//! Distinct meanings of models, sources, stages and times: means over queries at the same n.

use super::super::adjusted;
use super::super::intervals::{Weights, total};
use super::super::tables::{Group, Interval, MeaningRow, Meanings, MeaningsGroup, ModelRow};
use super::super::training;
use super::cut::{interval, slope_of_chosen};
use crate::corpus::{Corpus, Dictionary, Role};
use rayon::prelude::*;

/// The id of a group, if it is of one kind.
type Id = fn(Group) -> Option<u32>;

/// One group over its queries.
struct Mean {
    queries: u64,
    at_n: (u32, u32),
    mean: f64,
    adjusted: Option<f64>,
    interval: Option<Interval>,
}

/// Means of the groups 0..units of the kind that `id` knows; `None` for one without a line.
fn means(meanings: &Meanings, (queries, units): (usize, usize), weights: &Weights, id: Id) -> Vec<Option<Mean>> {
    let Some(chosen) = meanings.labels.iter().position(|labels| labels.chosen) else { return Vec::new() };
    let rows = &meanings.rows;
    let mut lines: Vec<Vec<&MeaningRow>> = vec![Vec::new(); units];
    for row in rows.iter().filter(|row| row.labels == chosen) {
        if let Some(unit) = id(row.group) {
            lines[unit as usize].push(row);
        }
    }
    let adjusted = adjusted::means(queries, units, |query, visit| {
        let first = rows.partition_point(|row| (row.query as usize) < query);
        let here = rows[first..].iter().take_while(|row| row.query as usize == query);
        for row in here.filter(|row| row.labels == chosen) {
            if let Some(unit) = id(row.group) {
                visit(unit as usize, row.hill.zero);
            }
        }
    });
    let one = |(lines, adjusted): (&Vec<&MeaningRow>, &Option<f64>)| {
        let (mut terms, mut most) = (vec![(0.0, 0.0); queries], vec![0.0; queries]);
        for row in lines {
            (terms[row.query as usize], most[row.query as usize]) = ((row.hill.zero, 1.0), f64::from(row.at_n));
        }
        let beside = meanings.groups_beside.get(&lines.first()?.group);
        let slope = slope_of_chosen(meanings, |side| total(&beside?[side..=side]));
        Some(Mean {
            queries: lines.len() as u64,
            at_n: (lines.iter().map(|row| row.at_n).min()?, lines.iter().map(|row| row.at_n).max()?),
            mean: lines.iter().map(|row| row.hill.zero).sum::<f64>() / lines.len() as f64,
            adjusted: *adjusted,
            interval: interval(meanings, (&terms, &most), slope, (1.0, weights)),
        })
    };
    lines.par_iter().zip(&adjusted.means).map(one).collect()
}

/// Fills the columns of models.parquet.
pub fn fill_models(models: &mut [ModelRow], meanings: &Meanings, queries: usize, weights: &Weights) {
    let id: Id = |group| if let Group::Model(id) = group { Some(id) } else { None };
    let found = means(meanings, (queries, models.len()), weights, id);
    for (row, mean) in models.iter_mut().zip(found) {
        if let Some(mean) = mean {
            (row.distinct, row.distinct_adjusted, row.distinct_ci) = (Some(mean.mean), mean.adjusted, mean.interval);
        }
    }
}

/// Sources by name, stages in their order (by name where they have none) and times, for the summary.
pub fn others(corpus: &Corpus, meanings: &Meanings, queries: usize, weights: &Weights) -> Vec<MeaningsGroup> {
    let source: Id = |group| if let Group::Source(id) = group { Some(id) } else { None };
    let stage: Id = |group| if let Group::Stage(id) = group { Some(id) } else { None };
    let time: Id = |group| if let Group::Time(id) = group { Some(id) } else { None };
    let names = |role: Role| corpus.rows.categories.get(&role).map(|category| &category.dictionary);
    let by_name = |names: &Dictionary| -> Vec<u32> { (0..).take(names.len()).collect() };
    let in_order = |names: &Dictionary| match training::ordered(names, by_name(names)) {
        Some(order) => order.into_iter().map(|stage| stage.0).collect(),
        None => by_name(names),
    };
    let kinds = [
        names(Role::Source).map(|names| ("source", source, names, by_name(names))),
        names(Role::Stage).map(|names| ("stage", stage, names, in_order(names))),
        Some(("time", time, &meanings.periods.names, meanings.periods.order.clone())),
    ];
    let mut lines = Vec::new();
    for (kind, id, names, order) in kinds.into_iter().flatten() {
        let mut found = means(meanings, (queries, names.len()), weights, id);
        lines.extend(order.into_iter().filter_map(|id| {
            let mean = found.get_mut(id as usize)?.take()?;
            Some(MeaningsGroup {
                kind: kind.into(),
                name: names.name(id).to_owned(),
                queries: mean.queries,
                at_n: mean.at_n,
                distinct: mean.mean,
                distinct_adjusted: mean.adjusted,
                interval: mean.interval,
            })
        }));
    }
    lines
}
