//! Tables of optional columns, line by line.

use super::super::values::{cut, rounded_or_null};
use super::{Distribution, TABLE_MODELS};
use crate::base::Result;
use crate::output::read::Table;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

const CONTEXT_NUMBERS: [&str; 8] =
    ["queries", "other_context", "other_context_floor", "reference", "reference_floor", "ratio", "ci_low", "ci_high"];

/// contexts.parquet, at most [`TABLE_MODELS`] lines against each reference; null if it is left out.
pub(super) fn contexts(directory: &Path) -> Result<Value> {
    let names = ["against", "family", "contexts"];
    let Some(lines) = lines(directory, "contexts.parquet", &names[..2], &names[2..], &CONTEXT_NUMBERS)? else {
        return Ok(Value::Null);
    };
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    let few = |line: &Value| {
        let so_far = shown.entry(line["against"].to_string()).or_default();
        *so_far += 1;
        *so_far <= TABLE_MODELS
    };
    Ok(lines.into_iter().filter(few).collect())
}

const STAGE_NUMBERS: [&str; 57] = [
    "inter_queries",
    "inter_a",
    "inter_b",
    "inter_difference",
    "inter_ci_low",
    "inter_ci_high",
    "inter_a_ci_low",
    "inter_a_ci_high",
    "inter_b_ci_low",
    "inter_b_ci_high",
    "floor_a",
    "floor_b",
    "kept_a",
    "kept_b",
    "matched_queries",
    "matched_a",
    "matched_b",
    "matched_difference",
    "matched_ci_low",
    "matched_ci_high",
    "unmatched_difference",
    "unmatched_ci_low",
    "unmatched_ci_high",
    "intra_queries",
    "intra_a",
    "intra_b",
    "intra_difference",
    "intra_ci_low",
    "intra_ci_high",
    "distinct_queries",
    "distinct_a",
    "distinct_b",
    "distinct_difference",
    "distinct_ci_low",
    "distinct_ci_high",
    "evenness_queries",
    "evenness_a",
    "evenness_b",
    "evenness_difference",
    "evenness_ci_low",
    "evenness_ci_high",
    "tail_queries",
    "tail_a",
    "tail_b",
    "tail_difference",
    "tail_ci_low",
    "tail_ci_high",
    "coverage_queries",
    "coverage_a",
    "coverage_b",
    "coverage_difference",
    "coverage_ci_low",
    "coverage_ci_high",
    "tail_threshold",
    "frequency_slope_queries",
    "frequency_slope_a",
    "frequency_slope_b",
];

/// stages.parquet, at most [`TABLE_MODELS`] lines; null if it is left out.
pub(super) fn stages(directory: &Path) -> Result<Value> {
    let lines = lines(directory, "stages.parquet", &["stage_a", "stage_b", "arm"], &["families"], &STAGE_NUMBERS)?;
    Ok(lines.map_or(Value::Null, |lines| lines.into_iter().take(TABLE_MODELS).collect()))
}

/// trends.parquet, at most [`TABLE_MODELS`] lines; null if it is left out. A slope may be small: nothing is rounded.
pub(super) fn trends(directory: &Path) -> Result<Value> {
    let texts = ["course", "measure", "arm", "reference", "stage_a", "stage_b", "paired_by"];
    let numbers = [
        "stages",
        "queries",
        "value",
        "ci_low",
        "ci_high",
        "arm_value",
        "arm_ci_low",
        "arm_ci_high",
        "reference_value",
        "reference_ci_low",
        "reference_ci_high",
    ];
    let exact = |value: Option<f64>| json!(value);
    let lines = lines_with(directory, "trends.parquet", (&texts, &["families"], &numbers), exact)?;
    Ok(lines.map_or(Value::Null, |lines| lines.into_iter().take(TABLE_MODELS).collect()))
}

const FORM_NUMBERS: [&str; 13] = [
    "responses",
    "queries",
    "other_query_form",
    "other_query_form_ci_low",
    "other_query_form_ci_high",
    "other_query_content",
    "other_query_opening",
    "same_query_form",
    "same_query_form_ci_low",
    "same_query_form_ci_high",
    "same_query_content",
    "same_query_opening",
    "compression",
];

/// form.parquet, at most [`TABLE_MODELS`] models; null if it is left out.
pub(super) fn form(directory: &Path) -> Result<Value> {
    let lines = lines(directory, "form.parquet", &["pairs", "model"], &[], &FORM_NUMBERS)?;
    let mut models = 0;
    let few = |line: &Value| {
        models += usize::from(!line["model"].is_null());
        line["model"].is_null() || models <= TABLE_MODELS
    };
    Ok(lines.map_or(Value::Null, |lines| lines.into_iter().filter(few).collect()))
}

/// teams.parquet: how the shares of effective pairs are distributed; null if it is left out.
pub(super) fn teams(directory: &Path) -> Result<Value> {
    let Some(table) = Table::read(directory, "teams.parquet", &["effective"])? else { return Ok(Value::Null) };
    let effective: Vec<f64> = table.numbers("effective")?.into_iter().flatten().collect();
    Ok(json!({"effective": Distribution::of(effective)}))
}

const SOURCE_NUMBERS: [&str; 43] = [
    "people",
    "individual_queries",
    "individual_models",
    "individual_people",
    "individual_rho",
    "individual_rho_ci_low",
    "individual_rho_ci_high",
    "individual_crowding",
    "individual_crowding_ci_low",
    "individual_crowding_ci_high",
    "population_queries",
    "population_models",
    "population_people",
    "population_rho",
    "population_rho_ci_low",
    "population_rho_ci_high",
    "population_crowding",
    "population_crowding_ci_low",
    "population_crowding_ci_high",
    "nearest_queries",
    "nearest_n_least",
    "nearest_n_most",
    "people_to_models",
    "people_to_people",
    "people_difference",
    "people_ci_low",
    "people_ci_high",
    "models_to_people",
    "models_to_models",
    "models_difference",
    "models_ci_low",
    "models_ci_high",
    "adds_queries",
    "adds_n_least",
    "adds_n_most",
    "adds_with",
    "adds_without",
    "adds",
    "adds_ci_low",
    "adds_ci_high",
    "placebo",
    "placebo_low",
    "placebo_high",
];

/// sources.parquet, at most [`TABLE_MODELS`] lines; null if it is left out.
pub(super) fn sources(directory: &Path) -> Result<Value> {
    let lines = lines(directory, "sources.parquet", &["source", "model"], &[], &SOURCE_NUMBERS)?;
    Ok(lines.map_or(Value::Null, |lines| lines.into_iter().take(TABLE_MODELS).collect()))
}

/// A table as objects, its names cut and its numbers rounded; `None` if there is no such table.
fn lines(directory: &Path, name: &str, texts: &[&str], lists: &[&str], numbers: &[&str]) -> Result<Option<Vec<Value>>> {
    lines_with(directory, name, (texts, lists, numbers), rounded_or_null)
}

/// The same with numbers as `shown`.
fn lines_with(
    directory: &Path,
    name: &str,
    (texts, lists, numbers): (&[&str], &[&str], &[&str]),
    shown: impl Fn(Option<f64>) -> Value,
) -> Result<Option<Vec<Value>>> {
    let columns: Vec<&str> = texts.iter().chain(lists).chain(numbers).copied().collect();
    let Some(table) = Table::read(directory, name, &columns)? else { return Ok(None) };
    let mut lines: Vec<Map<String, Value>> = Vec::new();
    let mut put = |column: &str, values: Vec<Value>| {
        lines.resize_with(values.len(), Map::new);
        lines.iter_mut().zip(values).for_each(|(line, value)| {
            line.insert(column.into(), value);
        });
    };
    for column in texts {
        put(column, table.names(column)?.into_iter().map(|text| text.map(|text| cut(&text)).into()).collect());
    }
    for column in lists {
        put(column, table.texts(column)?.into_iter().map(|list| list.iter().map(|text| cut(text)).collect()).collect());
    }
    for column in numbers {
        put(column, table.numbers(column)?.into_iter().map(&shown).collect());
    }
    Ok(Some(lines.into_iter().map(Value::Object).collect()))
}
