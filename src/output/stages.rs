//! stages.parquet: each training stage with the one before it and with the first; absent without stages to compare.

use super::Source;
use super::table::{self, Columns};
use crate::base::Result;
use crate::measure::Measures;
use crate::measure::tables::{Paired, StageRow};
use std::path::Path;

/// A mean at both stages, their difference and its interval.
fn paired<'a>(c: &mut Columns, name: &str, rows: &'a [StageRow], of: impl Fn(&'a StageRow) -> Option<&'a Paired>) {
    let part = |value: fn(&Paired) -> Option<f64>| rows.iter().map(&of).map(move |one| one.and_then(value));
    c.u64(&format!("{name}_queries"), rows.iter().map(|r| of(r).map_or(0, |p| p.queries)));
    c.f64_or_null(&format!("{name}_a"), part(|p| Some(p.a)));
    c.f64_or_null(&format!("{name}_b"), part(|p| Some(p.b)));
    c.f64_or_null(&format!("{name}_difference"), part(|p| Some(p.difference())));
    c.f64_or_null(&format!("{name}_ci_low"), part(|p| p.ci.map(|i| i.low)));
    c.f64_or_null(&format!("{name}_ci_high"), part(|p| p.ci.map(|i| i.high)));
}

pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let rows = &source.content.stages;
    if rows.is_empty() {
        return Ok(());
    }
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        c.text("stage_a", rows.iter().map(|r| Some(r.stage_a.as_str())), false);
        c.text("stage_b", rows.iter().map(|r| Some(r.stage_b.as_str())), false);
        c.text("arm", rows.iter().map(|r| r.arm.as_deref()), true);
        c.texts("families", rows.iter().map(|r| r.families.as_slice()));
        paired(c, "inter", rows, |r| r.inter.as_ref());
        let inter = |value: fn(&Paired) -> Option<f64>| rows.iter().map(move |r| r.inter.as_ref().and_then(value));
        c.f64_or_null("inter_a_ci_low", inter(|p| p.ci_a.map(|i| i.low)));
        c.f64_or_null("inter_a_ci_high", inter(|p| p.ci_a.map(|i| i.high)));
        c.f64_or_null("inter_b_ci_low", inter(|p| p.ci_b.map(|i| i.low)));
        c.f64_or_null("inter_b_ci_high", inter(|p| p.ci_b.map(|i| i.high)));
        c.f64_or_null("floor_a", rows.iter().map(|r| r.floor_a));
        c.f64_or_null("floor_b", rows.iter().map(|r| r.floor_b));
        c.f64_or_null("kept_a", rows.iter().map(|r| r.matched.as_ref().map(|m| m.kept_a)));
        c.f64_or_null("kept_b", rows.iter().map(|r| r.matched.as_ref().map(|m| m.kept_b)));
        paired(c, "matched", rows, |r| r.matched.as_ref().map(|m| &m.matched));
        paired(c, "unmatched", rows, |r| r.matched.as_ref().map(|m| &m.unmatched));
        paired(c, "intra", rows, |r| r.intra.as_ref());
        paired(c, "distinct", rows, |r| r.distinct.as_ref());
        paired(c, "evenness", rows, |r| r.evenness.as_ref());
        let frequency = |value: fn(&Paired) -> f64| rows.iter().map(move |r| r.frequency.as_ref().map(value));
        c.u64("frequency_slope_queries", rows.iter().map(|r| r.frequency.as_ref().map_or(0, |p| p.queries)));
        c.f64_or_null("frequency_slope_a", frequency(|p| p.a));
        c.f64_or_null("frequency_slope_b", frequency(|p| p.b));
        c.f64_or_null("frequency_slope_difference", frequency(Paired::difference));
        c.f64_or_null("tail_threshold", rows.iter().map(|r| r.tail_threshold));
        paired(c, "tail", rows, |r| r.tail.as_ref());
        paired(c, "coverage", rows, |r| r.coverage.as_ref());
        Ok(())
    })
}
