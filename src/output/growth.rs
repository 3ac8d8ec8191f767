//! growth.parquet: one line a query, group and number of responses; absent where no query has enough of them.

use super::Source;
use super::table;
use crate::base::Result;
use crate::corpus::Role;
use crate::measure::Measures;
use crate::measure::tables::{Group, GrowthRow};
use std::path::Path;

pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let rows = &source.content.growth;
    if rows.is_empty() {
        return Ok(());
    }
    let kinds = table::names(&["all", "source"].map(str::to_owned));
    let sources = source.corpus.rows.categories.get(&Role::Source);
    let names = table::names(sources.map_or(&[], |category| category.dictionary.names()));
    let name = |row: &GrowthRow| if let Group::Source(id) = row.group { Some(id) } else { None };
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        c.name("query", rows.iter().map(|r| r.query), &source.queries)?;
        c.name("kind", rows.iter().map(|r| u32::from(name(r).is_some())), &kinds)?;
        c.name_or_null("name", rows.iter().map(name), &names)?;
        c.u32("n", rows.iter().map(|r| r.n));
        c.f64("distinct", rows.iter().map(|r| r.distinct));
        c.f64_or_null("exponent", rows.iter().map(|r| r.exponent));
        c.f64_or_null("time", rows.iter().map(|r| r.time));
        c.f64_or_null("distinct_in_time", rows.iter().map(|r| r.distinct_in_time));
        Ok(())
    })
}
