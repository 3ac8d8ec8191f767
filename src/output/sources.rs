//! sources.parquet: models and sources beside people; absent without a source column or where nothing can be compared.

use super::Source;
use super::table::{self, Columns};
use crate::base::Result;
use crate::measure::Measures;
use crate::measure::tables::{Adds, Interval, Nearest, Parity, SourceRow};
use std::path::Path;

/// A number of a part of a line.
type Value<T> = fn(&T) -> Option<f64>;

/// Some numbers of a part of each line, null where it has none.
fn numbers<'a, T: 'a>(
    c: &mut Columns,
    rows: &'a [SourceRow],
    part: impl Fn(&'a SourceRow) -> Option<&'a T> + Copy,
    of: &[(&str, Value<T>)],
) {
    for (name, value) in of {
        c.f64_or_null(name, rows.iter().map(|row| part(row).and_then(value)));
    }
}

fn low(interval: Option<Interval>) -> Option<f64> {
    interval.map(|i| i.low)
}

fn high(interval: Option<Interval>) -> Option<f64> {
    interval.map(|i| i.high)
}

fn parity<'a>(
    c: &mut Columns,
    kind: &str,
    rows: &'a [SourceRow],
    of: impl Fn(&'a SourceRow) -> Option<&'a Parity> + Copy,
) {
    let named = |part: &str| format!("{kind}_{part}");
    c.u64(&named("queries"), rows.iter().map(|row| of(row).map_or(0, |p| p.queries)));
    let mut put = |part: &str, value: Value<Parity>| numbers(c, rows, of, &[(&named(part), value)]);
    put("models", |p| Some(p.models));
    put("people", |p| Some(p.people));
    put("rho", |p| p.rho);
    put("rho_ci_low", |p| low(p.rho_ci));
    put("rho_ci_high", |p| high(p.rho_ci));
    put("crowding", |p| Some(p.crowding()));
    put("crowding_ci_low", |p| low(p.crowding_ci));
    put("crowding_ci_high", |p| high(p.crowding_ci));
}

fn nearest(c: &mut Columns, rows: &[SourceRow]) {
    let n = |row: &SourceRow| row.nearest.as_ref().map(|nearest| nearest.n);
    c.u64("nearest_queries", rows.iter().map(|row| row.nearest.as_ref().map_or(0, |nearest| nearest.queries)));
    c.u32_or_null("nearest_n_least", rows.iter().map(|row| n(row).map(|n| n.0)));
    c.u32_or_null("nearest_n_most", rows.iter().map(|row| n(row).map(|n| n.1)));
    let columns: [(&str, Value<Nearest>); 10] = [
        ("people_to_models", |d| Some(d.people_to_models)),
        ("people_to_people", |d| Some(d.people_to_people)),
        ("people_difference", |d| Some(d.people_difference())),
        ("people_ci_low", |d| low(d.people_ci)),
        ("people_ci_high", |d| high(d.people_ci)),
        ("models_to_people", |d| Some(d.models_to_people)),
        ("models_to_models", |d| Some(d.models_to_models)),
        ("models_difference", |d| Some(d.models_difference())),
        ("models_ci_low", |d| low(d.models_ci)),
        ("models_ci_high", |d| high(d.models_ci)),
    ];
    numbers(c, rows, |row| row.nearest.as_ref(), &columns);
}

fn adds(c: &mut Columns, rows: &[SourceRow]) {
    let n = |row: &SourceRow| row.adds.as_ref().map(|adds| adds.n);
    c.u64("adds_queries", rows.iter().map(|row| row.adds.as_ref().map_or(0, |adds| adds.queries)));
    c.u32_or_null("adds_n_least", rows.iter().map(|row| n(row).map(|n| n.0)));
    c.u32_or_null("adds_n_most", rows.iter().map(|row| n(row).map(|n| n.1)));
    let columns: [(&str, Value<Adds>); 8] = [
        ("adds_with", |a| Some(a.with)),
        ("adds_without", |a| Some(a.without)),
        ("adds", |a| Some(a.adds())),
        ("adds_ci_low", |a| low(a.ci)),
        ("adds_ci_high", |a| high(a.ci)),
        ("placebo", |a| Some(a.placebo)),
        ("placebo_low", |a| low(a.placebo_range)),
        ("placebo_high", |a| high(a.placebo_range)),
    ];
    numbers(c, rows, |row| row.adds.as_ref(), &columns);
}

pub(super) fn write(path: &Path, source: &Source<'_, Measures>) -> Result<()> {
    let rows = &source.content.sources;
    if rows.is_empty() {
        return Ok(());
    }
    table::write(path, rows.len(), |range, c| {
        let rows = &rows[range];
        c.text("source", rows.iter().map(|r| r.source.as_deref()), true);
        c.text("model", rows.iter().map(|r| r.model.as_deref()), true);
        c.bool("people", rows.iter().map(|r| r.people));
        parity(c, "individual", rows, |r| r.individual.as_ref());
        parity(c, "population", rows, |r| r.population.as_ref());
        nearest(c, rows);
        adds(c, rows);
        Ok(())
    })
}
