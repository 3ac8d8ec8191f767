//! queries.parquet: one line a query.

use super::Source;
use super::table;
use crate::base::Result;
use crate::measure::Measures;
use std::path::Path;

pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let rows = &source.content.queries;
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        c.name("query", rows.iter().map(|r| r.query), &source.queries)?;
        c.u64("n", rows.iter().map(|r| r.n));
        c.u64("models", rows.iter().map(|r| r.models));
        c.f64_or_null("mean", rows.iter().map(|r| r.mean));
        c.f64_or_null("intra_mean", rows.iter().map(|r| r.intra_mean));
        c.f64_or_null("inter_mean", rows.iter().map(|r| r.inter_mean));
        c.f64_or_null("vendi_1", rows.iter().map(|r| r.vendi_1));
        c.f64_or_null("vendi_2", rows.iter().map(|r| r.vendi_2));
        c.f64_or_null("vendi_inf", rows.iter().map(|r| r.vendi_inf));
        c.f64_or_null("distinct", rows.iter().map(|r| r.hill.map(|h| h.zero)));
        c.f64_or_null("hill_1", rows.iter().map(|r| r.hill.map(|h| h.one)));
        c.f64_or_null("hill_2", rows.iter().map(|r| r.hill.map(|h| h.two)));
        c.f64_or_null("chao1", rows.iter().map(|r| r.seen.and_then(|s| s.chao1())));
        c.f64_or_null("coverage", rows.iter().map(|r| r.seen.map(|s| s.coverage())));
        c.f64_or_null("nearest_other_model", rows.iter().map(|r| r.nearest_other_model));
        c.f64_or_null("nearest_null", rows.iter().map(|r| r.nearest_null));
        c.f64_or_null("ensemble_gain", rows.iter().map(|r| r.ensemble_gain));
        c.f64_or_null("ensemble_gain_unrelated", rows.iter().map(|r| r.ensemble_gain_unrelated));
        c.f64_or_null("ensemble_gain_1", rows.iter().map(|r| r.ensemble_gain_1));
        c.f64_or_null("ensemble_gain_1_error", rows.iter().map(|r| r.ensemble_gain_1_error));
        c.f64_or_null("ensemble_gain_1_unrelated", rows.iter().map(|r| r.ensemble_gain_1_unrelated));
        c.f64_or_null("r2_cell", rows.iter().map(|r| r.r2_cell));
        c.f64_or_null("length_ratio_rho", rows.iter().map(|r| r.length_ratio_rho));
        c.f64_or_null("shorter_length_rho", rows.iter().map(|r| r.shorter_length_rho));
        Ok(())
    })
}
