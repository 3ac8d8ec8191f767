//! topn.parquet: distinct models among the N nearest.

use super::Source;
use super::table;
use crate::base::Result;
use crate::measure::Measures;
use std::path::Path;

pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let rows = &source.content.topn;
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        c.name("query", rows.iter().map(|r| r.query), &source.queries)?;
        c.u16("top_n", rows.iter().map(|r| r.top_n));
        c.f64("distinct_models_mean", rows.iter().map(|r| r.distinct_models_mean));
        c.f64("null", rows.iter().map(|r| r.null));
        c.f64("least", rows.iter().map(|r| r.least));
        Ok(())
    })
}
