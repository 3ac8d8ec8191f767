//! trends.parquet: changes and slopes of an arm less those of the reference arm, and slopes by themselves; absent without
//! arms to compare and with fewer than 3 stages.

use super::Source;
use super::table;
use crate::base::Result;
use crate::measure::Measures;
use crate::measure::tables::{Estimated, TrendRow};
use std::path::Path;

pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let rows = &source.content.trends;
    if rows.is_empty() {
        return Ok(());
    }
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        let text = |of: fn(&TrendRow) -> &str| rows.iter().map(move |row| Some(of(row)));
        c.text("course", text(|row| row.course.name()), false);
        c.text("measure", text(|row| row.quantity.name()), false);
        c.text("arm", rows.iter().map(|row| row.arm.as_deref()), true);
        c.text("reference", rows.iter().map(|row| row.reference.as_deref()), true);
        c.text("stage_a", text(|row| &row.stage_a), false);
        c.text("stage_b", text(|row| &row.stage_b), false);
        c.u32("stages", rows.iter().map(|row| row.stages));
        c.texts("families", rows.iter().map(|row| row.families.as_slice()));
        let by = |family: bool| if family { "query_and_family" } else { "query" };
        c.text("paired_by", rows.iter().map(|row| row.paired.map(by)), true);
        c.u64("queries", rows.iter().map(|row| row.queries));
        let mut estimated = |names: [&str; 3], of: fn(&TrendRow) -> Option<Estimated>| {
            let limits = |end: fn(&crate::measure::Interval) -> f64| {
                rows.iter().map(move |row| of(row).and_then(|one| one.ci.as_ref().map(end)))
            };
            c.f64_or_null(names[0], rows.iter().map(|row| of(row).map(|one| one.value)));
            c.f64_or_null(names[1], limits(|ci| ci.low));
            c.f64_or_null(names[2], limits(|ci| ci.high));
        };
        estimated(["value", "ci_low", "ci_high"], |row| Some(row.difference));
        estimated(["arm_value", "arm_ci_low", "arm_ci_high"], |row| row.parts.map(|parts| parts.0));
        estimated(["reference_value", "reference_ci_low", "reference_ci_high"], |row| row.parts.map(|parts| parts.1));
        Ok(())
    })
}
