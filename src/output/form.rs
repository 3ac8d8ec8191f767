//! form.parquet: form, content and openings of pairs of one model, of different models, of people; absent without texts.

use super::Source;
use super::table::{self, Columns};
use crate::base::Result;
use crate::measure::Measures;
use crate::measure::tables::{FormPairs, FormRow, Mean};
use std::path::Path;

/// Means over pairs of one relation.
fn pairs<'a>(c: &mut Columns, name: &str, rows: &'a [FormRow], of: impl Fn(&'a FormRow) -> Option<&'a FormPairs>) {
    type Channel = (&'static str, fn(&FormPairs) -> &Mean);
    let channels: [Channel; 3] =
        [("form", |pairs| &pairs.form), ("content", |pairs| &pairs.content), ("opening", |pairs| &pairs.opening)];
    for (channel, mean) in channels {
        let part = |value: fn(&Mean) -> Option<f64>| {
            rows.iter().map(&of).map(move |one| one.and_then(|pairs| value(mean(pairs))))
        };
        c.f64_or_null(&format!("{name}_{channel}"), part(|mean| Some(mean.value)));
        c.f64_or_null(&format!("{name}_{channel}_ci_low"), part(|mean| mean.ci.map(|ci| ci.low)));
        c.f64_or_null(&format!("{name}_{channel}_ci_high"), part(|mean| mean.ci.map(|ci| ci.high)));
    }
}

pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let rows = &source.content.form;
    if rows.is_empty() {
        return Ok(());
    }
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        c.text("pairs", rows.iter().map(|r| Some(r.group.name())), false);
        c.text("model", rows.iter().map(|r| r.model.as_deref()), true);
        c.u64("responses", rows.iter().map(|r| r.responses));
        c.u64("queries", rows.iter().map(|r| r.queries));
        pairs(c, "other_query", rows, |r| r.other_query.as_ref());
        pairs(c, "same_query", rows, |r| r.same_query.as_ref());
        c.f64_or_null("compression", rows.iter().map(|r| r.compression));
        Ok(())
    })
}
