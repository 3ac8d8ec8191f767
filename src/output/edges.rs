//! edges.parquet: every pair at or above the threshold; absent without one.

use super::Source;
use super::table;
use crate::base::Result;
use std::path::Path;

pub(super) fn write(path: &Path, source: &Source<'_>) -> Result<()> {
    let Some(rows) = &source.outcome.edges else { return Ok(()) };
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        c.u32("src", rows.iter().map(|e| e.src));
        c.u32("dst", rows.iter().map(|e| e.dst));
        c.f32("similarity", rows.iter().map(|e| e.similarity));
        Ok(())
    })
}
