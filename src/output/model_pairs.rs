//! model_pairs.parquet: one line a pair of models, the diagonal included.

use super::Source;
use super::table;
use crate::base::Result;
use crate::measure::Measures;
use std::path::Path;

pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let rows = &source.content.model_pairs;
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        c.name("model_a", rows.iter().map(|r| r.model_a), &source.models)?;
        c.name("model_b", rows.iter().map(|r| r.model_b), &source.models)?;
        c.u64("queries", rows.iter().map(|r| r.queries));
        c.u64("pairs", rows.iter().map(|r| r.pairs));
        c.f64_or_null("mean", rows.iter().map(|r| r.mean));
        c.f64_or_null("query_mean", rows.iter().map(|r| r.query_mean));
        c.f64_or_null("adjusted_mean", rows.iter().map(|r| r.adjusted_mean));
        c.f64_or_null("paper_mean", rows.iter().map(|r| r.paper_mean));
        c.f64_or_null("ci_low", rows.iter().map(|r| r.ci.map(|i| i.low)));
        c.f64_or_null("ci_high", rows.iter().map(|r| r.ci.map(|i| i.high)));
        c.f64_or_null("floor", rows.iter().map(|r| r.floor));
        Ok(())
    })
}
