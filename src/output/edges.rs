//! edges.parquet: every pair at or above the threshold; absent without one.

use super::Source;
use super::table;
use crate::base::Result;
use crate::compute::PairOutcome;
use std::path::Path;

pub(super) fn write(path: &Path, source: &Source<'_, PairOutcome>) -> Result<()> {
    let Some(edges) = &source.content.edges else { return Ok(()) };
    let mut rest = edges.iter();
    table::write(path, edges.len(), |range, c| {
        let rows: Vec<_> = rest.by_ref().take(range.len()).collect();
        c.u32("src", rows.iter().map(|e| e.src));
        c.u32("dst", rows.iter().map(|e| e.dst));
        c.f32("similarity", rows.iter().map(|e| e.similarity));
        Ok(())
    })
}
