//! contexts.parquet: packaging, one line a family and one of all; absent without contexts to compare.

use super::Source;
use super::table;
use crate::base::Result;
use crate::measure::Measures;
use std::path::Path;

pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let rows = &source.content.contexts;
    if rows.is_empty() {
        return Ok(());
    }
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        c.text("against", rows.iter().map(|r| Some(r.against.name())), false);
        c.text("family", rows.iter().map(|r| r.family.as_deref()), true);
        c.texts("contexts", rows.iter().map(|r| r.contexts.as_slice()));
        c.u32("n", rows.iter().map(|r| r.n));
        c.u64("queries", rows.iter().map(|r| r.queries));
        c.f64("other_context", rows.iter().map(|r| r.other_context));
        c.f64_or_null("other_context_floor", rows.iter().map(|r| r.other_context_floor));
        c.f64("reference", rows.iter().map(|r| r.reference));
        c.f64_or_null("reference_floor", rows.iter().map(|r| r.reference_floor));
        c.f64_or_null("ratio", rows.iter().map(|r| r.ratio));
        c.f64_or_null("ci_low", rows.iter().map(|r| r.ci.map(|i| i.low)));
        c.f64_or_null("ci_high", rows.iter().map(|r| r.ci.map(|i| i.high)));
        Ok(())
    })
}
