//! intra.parquet: the mean of every cell of two or more responses.

use super::Source;
use super::table;
use crate::base::Result;
use crate::measure::Measures;
use std::path::Path;

pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let rows = &source.content.intra;
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        c.name("query", rows.iter().map(|r| r.query), &source.queries)?;
        c.name("model", rows.iter().map(|r| r.model), &source.models)?;
        c.u32("n", rows.iter().map(|r| r.n));
        c.f64("mean", rows.iter().map(|r| r.mean));
        Ok(())
    })
}
