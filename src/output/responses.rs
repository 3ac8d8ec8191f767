//! responses.parquet: one line a row.

use super::Source;
use super::table;
use crate::base::Result;
use crate::compute::PairOutcome;
use crate::compute::outcome::Neighbors;
use crate::corpus::{Role, Samples};
use std::path::Path;

/// Optional columns that this table repeats, in table order.
const ROLES: [(Role, &str); 7] = [
    (Role::Source, "source"),
    (Role::Family, "family"),
    (Role::Stage, "stage"),
    (Role::Arm, "arm"),
    (Role::Context, "context"),
    (Role::Team, "team"),
    (Role::Time, "time"),
];

/// The nearest neighbour of each row and its similarity; `None` without neighbours. What this table needs of the graph.
pub fn nearest(graph: &Neighbors) -> Vec<Option<(u32, f32)>> {
    let first = |range: &[u64]| {
        let at = usize::try_from(range[0]).ok().filter(|_| range[0] < range[1])?;
        Some((graph.dst[at], graph.similarity[at]))
    };
    graph.starts.windows(2).map(first).collect()
}

/// What the pair pass and the measures found of each row.
pub(super) struct Found<'a> {
    /// The pair pass.
    pub(super) outcome: &'a PairOutcome,
    /// [`nearest`] of its graph.
    pub(super) nearest: &'a [Option<(u32, f32)>],
    /// Clusters of the measures; `u32::MAX` for none, empty if there are none.
    pub(super) clusters: &'a [u32],
}

pub(super) fn write(path: &Path, source: &Source<'_, Found<'_>>) -> Result<()> {
    let rows = &source.corpus.rows;
    let component = &source.content.outcome.duplicates.component;
    let mut members = vec![0u32; component.len()];
    for &lowest in component {
        members[lowest as usize] += 1;
    }
    let first = |row: usize| source.content.nearest.get(row).copied().flatten();
    let files: Vec<String> = source.corpus.files.iter().map(|file| file.name.clone()).collect();
    let files = table::names(&files);
    let present = |id: u32| (id != u32::MAX).then_some(id);
    let categories: Vec<_> = (ROLES.iter())
        .filter_map(|(role, name)| rows.categories.get(role).map(|c| (*name, c, table::names(c.dictionary.names()))))
        .collect();
    let sample_names = match &rows.sample {
        Samples::Number(_) => None,
        Samples::Name(category) => Some(table::names(category.dictionary.names())),
    };
    table::write(path, source.corpus.len(), |range, c| {
        c.u32("row", range.clone().map(|row| row as u32));
        c.name("file", rows.file[range.clone()].iter().copied(), &files)?;
        c.u64("file_row", rows.file_row[range.clone()].iter().copied());
        c.name("query", rows.query[range.clone()].iter().copied(), &source.queries)?;
        c.name("model", rows.model[range.clone()].iter().copied(), &source.models)?;
        match (&rows.sample, &sample_names) {
            (Samples::Name(category), Some(names)) => {
                c.name_or_null("sample", category.ids[range.clone()].iter().map(|&id| present(id)), names)?;
            }
            (Samples::Number(numbers), _) => c.i64("sample", numbers[range.clone()].iter().copied()),
            _ => {}
        }
        for (name, category, names) in &categories {
            c.name_or_null(name, category.ids[range.clone()].iter().map(|&id| present(id)), names)?;
        }
        c.u32_or_null("nn_row", range.clone().map(|row| first(row).map(|(row, _)| row)));
        c.f32_or_null("nn_similarity", range.clone().map(|row| first(row).map(|(_, similarity)| similarity)));
        let model = |row| first(row).map(|(row, _)| rows.model[row as usize]);
        c.name_or_null("nn_model", range.clone().map(model), &source.models)?;
        let group = |row: usize| component.get(row).copied().filter(|&lowest| members[lowest as usize] > 1);
        c.u32_or_null("duplicate_group", range.clone().map(group));
        let cluster = |row: usize| source.content.clusters.get(row).copied().and_then(present);
        c.u32_or_null("cluster", range.map(cluster));
        Ok(())
    })
}
