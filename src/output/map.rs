//! map.parquet: where responses lie on the map.

use super::Source;
use super::table;
use crate::base::Result;
use crate::measure::Measures;
use std::path::Path;

/// Without a map nothing is written.
pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let rows = &source.content.map;
    if rows.is_empty() {
        return Ok(());
    }
    let texts = source.corpus.rows.text_hash.is_some();
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        c.u32("row", rows.iter().map(|r| r.row));
        c.f64("x", rows.iter().map(|r| r.x));
        c.f64("y", rows.iter().map(|r| r.y));
        if texts {
            c.text("text", rows.iter().map(|r| r.text.as_deref()), true);
        }
        Ok(())
    })
}
