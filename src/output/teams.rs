//! teams.parquet: one line a query and team; absent without teams whose responses have a quality.

use super::Source;
use super::table;
use crate::base::Result;
use crate::corpus::Role;
use crate::measure::Measures;
use std::path::Path;

pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let rows = &source.content.teams;
    let Some(team) = source.corpus.rows.categories.get(&Role::Team).filter(|_| !rows.is_empty()) else {
        return Ok(());
    };
    let teams = table::names(team.dictionary.names());
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        c.name("query", rows.iter().map(|r| r.query), &source.queries)?;
        c.name("team", rows.iter().map(|r| r.team), &teams)?;
        c.u64("n", rows.iter().map(|r| r.n));
        c.f64("quality", rows.iter().map(|r| r.quality));
        c.f64_or_null("expertise", rows.iter().map(|r| r.expertise));
        c.f64_or_null("diversity", rows.iter().map(|r| r.diversity));
        c.u64("pairs", rows.iter().map(|r| r.pairs));
        c.u64("good", rows.iter().map(|r| r.good));
        c.u64("distinct_pairs", rows.iter().map(|r| r.distinct_pairs));
        c.u64("effective_pairs", rows.iter().map(|r| r.effective_pairs));
        c.f64_or_null("effective", rows.iter().map(|r| r.effective));
        c.f64_or_null("null", rows.iter().map(|r| r.null));
        Ok(())
    })
}
