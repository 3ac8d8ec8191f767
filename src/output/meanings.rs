//! meanings.parquet: one line a query, group and labelling; absent where nothing could be counted.

use super::Source;
use super::table;
use crate::base::Result;
use crate::corpus::{Dictionary, Role};
use crate::measure::Measures;
use crate::measure::tables::{Group, MeaningRow};
use std::path::Path;

/// Kinds of groups, in table order.
const KINDS: [&str; 5] = ["all", "model", "source", "stage", "time"];

pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let (rows, labels) = (&source.content.meanings.rows, &source.content.meanings.labels);
    if rows.is_empty() {
        return Ok(());
    }
    // Models, sources, stages and times share one dictionary, in which no name may stand twice.
    let known = &source.corpus.rows;
    let parts = [
        Some(&known.models),
        known.categories.get(&Role::Source).map(|category| &category.dictionary),
        known.categories.get(&Role::Stage).map(|category| &category.dictionary),
        Some(&source.content.meanings.periods.names),
    ];
    let all: Vec<String> = parts.iter().flatten().flat_map(|part| part.names().iter().cloned()).collect();
    let (dictionary, ids) = Dictionary::from_names(&all);
    let starts = [0, 1, 2, 3].map(|part| parts[..part].iter().flatten().map(|p| p.len()).sum::<usize>());
    let name = |row: &MeaningRow| match row.group {
        Group::All => None,
        Group::Model(id) => Some(ids[starts[0] + id as usize]),
        Group::Source(id) => Some(ids[starts[1] + id as usize]),
        Group::Stage(id) => Some(ids[starts[2] + id as usize]),
        Group::Time(id) => Some(ids[starts[3] + id as usize]),
    };
    let kind = |row: &MeaningRow| match row.group {
        Group::All => 0,
        Group::Model(_) => 1,
        Group::Source(_) => 2,
        Group::Stage(_) => 3,
        Group::Time(_) => 4,
    };
    let names = table::names(dictionary.names());
    let kinds = table::names(&KINDS.map(str::to_owned));
    let sources = table::names(&["class", "cluster"].map(str::to_owned));
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        let of = |row: &MeaningRow| labels[row.labels];
        c.name("query", rows.iter().map(|r| r.query), &source.queries)?;
        c.name("kind", rows.iter().map(kind), &kinds)?;
        c.name_or_null("name", rows.iter().map(name), &names)?;
        c.name("labels", rows.iter().map(|r| u32::from(of(r).tau.is_some())), &sources)?;
        c.f64_or_null("c", rows.iter().map(|r| of(r).c));
        c.f64_or_null("tau", rows.iter().map(|r| of(r).tau));
        c.bool("chosen", rows.iter().map(|r| of(r).chosen));
        c.u32("n", rows.iter().map(|r| r.seen.n));
        c.u32("distinct", rows.iter().map(|r| r.seen.distinct));
        c.u32("singletons", rows.iter().map(|r| r.seen.singletons));
        c.u32("doubletons", rows.iter().map(|r| r.seen.doubletons));
        c.f64("coverage", rows.iter().map(|r| r.seen.coverage()));
        c.f64_or_null("chao1", rows.iter().map(|r| r.seen.chao1()));
        c.u32("at_n", rows.iter().map(|r| r.at_n));
        c.f64("hill_0", rows.iter().map(|r| r.hill.zero));
        c.f64("hill_1", rows.iter().map(|r| r.hill.one));
        c.f64("hill_2", rows.iter().map(|r| r.hill.two));
        c.f64_or_null("per_1000", rows.iter().map(|r| r.per_1000));
        c.bool("extrapolated", rows.iter().map(|r| r.per_1000.is_some() && r.seen.n < 1000));
        c.f64_or_null("adjusted_rand", rows.iter().map(|r| r.adjusted_rand));
        Ok(())
    })
}
