//! Files of a result directory and what of their values a page shows.

use crate::base::{Error, Place, Result};
use crate::output::read::Table;
use serde_json::{Value, json};
use std::path::Path;

/// Longest name of a query or model, in characters.
const NAME_CHARS: usize = 400;
/// Input files that the provenance lists.
const FILES: usize = 200;

pub(super) fn damaged(name: &str, problem: &dyn std::fmt::Display) -> Error {
    Error::content(Place::file(name), format!("is damaged or of another version ({problem}); run hivescope again"))
}

pub(super) fn read_json(directory: &Path, name: &str) -> Result<Value> {
    let path = directory.join(name);
    let bytes = std::fs::read(&path).map_err(|e| {
        if e.kind() == std::io::ErrorKind::NotFound {
            Error::Usage(format!("{} is not a result of hivescope: it has no {name}", directory.display()))
        } else {
            Error::io(&path, e)
        }
    })?;
    serde_json::from_slice(&bytes).map_err(|e| damaged(name, &e))
}

pub(super) fn required(directory: &Path, name: &str, columns: &[&str]) -> Result<Table> {
    let missing = || Error::content(Place::file(name), "is missing; run hivescope again");
    Table::read(directory, name, columns)?.ok_or_else(missing)
}

/// A text of at most [`NAME_CHARS`] characters.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(NAME_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A column of names without nulls.
pub(super) fn strings(table: &Table, column: &str) -> Result<Vec<String>> {
    Ok(table.names(column)?.into_iter().map(Option::unwrap_or_default).collect())
}

/// Five decimals are more than a page shows, and a third of the bytes.
pub(super) fn rounded(value: f64) -> Value {
    json!((value * 1e5).round() / 1e5)
}

pub(super) fn rounded_or_null(value: Option<f64>) -> Value {
    value.map_or(Value::Null, rounded)
}

/// The manifest with at most [`FILES`] input files; how many there were is `input_files`.
pub(super) fn short_manifest(mut manifest: Value) -> Value {
    if let Some(object) = manifest.as_object_mut()
        && let Some(Value::Array(inputs)) = object.get_mut("inputs")
    {
        let count = inputs.len();
        inputs.truncate(FILES);
        object.insert("input_files".into(), count.into());
    }
    manifest
}
