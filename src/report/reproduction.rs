//! reproduction.html: the paper's tables and figures beside those of a dump, from the files of a `reproduce` directory.

use super::values::{cut, read_json, required, rounded, rounded_or_null, short_manifest, strings};
use super::{page, put};
use crate::base::Result;
use crate::output::read::Table;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Tools of report.html, then what this page has of its own.
const SCRIPTS: [&str; 14] = [
    include_str!("assets/js/format.js"),
    include_str!("assets/js/dom.js"),
    include_str!("assets/js/table.js"),
    include_str!("assets/js/scale.js"),
    include_str!("assets/js/plot.js"),
    include_str!("assets/js/forest.js"),
    include_str!("assets/js/columns.js"),
    include_str!("assets/js/matrix.js"),
    include_str!("assets/js/heat_map.js"),
    include_str!("assets/js/top_n.js"),
    include_str!("assets/js/left_out.js"),
    include_str!("assets/js/provenance.js"),
    include_str!("assets/js/scatter.js"),
    include_str!("assets/js/reproduction.js"),
];

const COLUMNS: [&str; 10] =
    ["part", "name", "other", "value", "ci_low", "ci_high", "published", "difference", "rounded", "n"];

/// Writes reproduction.html into `directory`.
///
/// # Errors
/// As [`super::write`].
pub fn write_reproduction(directory: &Path) -> Result<PathBuf> {
    put(directory, "reproduction.html", &page::with_scripts(&gather(directory)?, &SCRIPTS))
}

fn gather(directory: &Path) -> Result<Value> {
    let mut data = read_json(directory, "reproduction.json")?;
    if let Some(query) = data.pointer_mut("/pca/query") {
        *query = json!(cut(query.as_str().unwrap_or_default()));
    }
    data["parts"] = parts(&required(directory, "reproduction.parquet", &COLUMNS)?)?;
    data["manifest"] = short_manifest(read_json(directory, "manifest.json")?);
    Ok(data)
}

/// reproduction.parquet by part: a list of lines each.
fn parts(table: &Table) -> Result<Value> {
    let (part, name, other) = (strings(table, "part")?, table.names("name")?, table.names("other")?);
    let numbers = |column: &str| table.numbers(column);
    let (value, low, high) = (numbers("value")?, numbers("ci_low")?, numbers("ci_high")?);
    let (published, difference, shown) = (numbers("published")?, numbers("difference")?, numbers("rounded")?);
    let n = numbers("n")?;
    let mut parts: Map<String, Value> = Map::new();
    for (row, part) in part.into_iter().enumerate() {
        let line = json!({
            "name": name[row].as_deref().map(cut),
            "other": other[row].as_deref().map(cut),
            "value": rounded(value[row].unwrap_or(f64::NAN)),
            "low": rounded_or_null(low[row]),
            "high": rounded_or_null(high[row]),
            "published": rounded_or_null(published[row]),
            "difference": rounded_or_null(difference[row]),
            "shown": rounded_or_null(shown[row]),
            "n": n[row],
        });
        if let Value::Array(lines) = parts.entry(part).or_insert_with(|| json!([])) {
            lines.push(line);
        }
    }
    Ok(Value::Object(parts))
}
