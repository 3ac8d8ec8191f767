//! responses.parquet: one line a row.

use super::Source;
use super::table;
use crate::base::Result;
use crate::compute::PairOutcome;
use std::path::Path;

use crate::corpus::{Role, Samples};

/// Optional columns that this table repeats, in table order.
const ROLES: [(Role, &str); 5] = [
    (Role::Source, "source"),
    (Role::Stage, "stage"),
    (Role::Arm, "arm"),
    (Role::Context, "context"),
    (Role::Team, "team"),
];

pub(super) fn write(path: &Path, source: &Source<'_, PairOutcome>) -> Result<()> {
    let rows = &source.corpus.rows;
    let graph = &source.content.neighbors;
    let component = &source.content.duplicates.component;
    let mut members = vec![0u32; component.len()];
    for &lowest in component {
        members[lowest as usize] += 1;
    }
    let first = |row: usize| -> Option<usize> {
        let (start, end) = (*graph.starts.get(row)?, *graph.starts.get(row + 1)?);
        (start < end).then_some(start as usize)
    };
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
        c.u32_or_null("nn_row", range.clone().map(|row| first(row).map(|i| graph.dst[i])));
        c.f32_or_null("nn_similarity", range.clone().map(|row| first(row).map(|i| graph.similarity[i])));
        let model = |row| first(row).map(|i| rows.model[graph.dst[i] as usize]);
        c.name_or_null("nn_model", range.clone().map(model), &source.models)?;
        let group = |row: usize| component.get(row).copied().filter(|&lowest| members[lowest as usize] > 1);
        c.u32_or_null("duplicate_group", range.clone().map(group));
        c.u32_or_null("cluster", range.map(|_| None));
        Ok(())
    })
}
