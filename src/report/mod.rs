//! Floor 5: the HTML report, made from the files of a result directory alone.

use crate::base::{Error, Place, Result};
use crate::output::read;
use serde_json::{Map, Value, json};
use std::path::Path;

const HTML: &str = include_str!("assets/report.html");
const CSS: &str = include_str!("assets/report.css");
const JS: &str = include_str!("assets/report.js");

/// Queries shown from each end.
const ENDS: usize = 10;

/// Writes report.html into `directory` from its tables, summary.json and manifest.json.
///
/// # Errors
/// [`crate::base::Error::Io`], or [`crate::base::Error::Content`] if the directory is not a result of hivescope.
pub fn write(directory: &Path) -> Result<()> {
    let queries = read::table(directory, "queries.parquet")?.unwrap_or_default();
    let (most, least) = ends(queries);
    let data = json!({
        "summary": read_json(directory, "summary.json")?,
        "manifest": read_json(directory, "manifest.json")?,
        "models": read::table(directory, "models.parquet")?,
        "pairs": read::table(directory, "model_pairs.parquet")?,
        "histogram": read::table(directory, "histogram.parquet")?,
        "most": most,
        "least": least,
    });
    // The data come last, so that nothing in a corpus is taken for a placeholder.
    let html = HTML.replacen("/*CSS*/", CSS, 1).replacen("/*JS*/", JS, 1).replacen("/*DATA*/", &escaped(&data), 1);
    let path = directory.join("report.html");
    std::fs::write(&path, html).map_err(|e| Error::io(&path, e))
}

/// A table row by column name.
type Row = Map<String, Value>;

/// The most and the least alike queries by `inter_mean`, or by `mean` where there is one model.
fn ends(queries: Vec<Row>) -> (Vec<Row>, Vec<Row>) {
    let key = |row: &Map<String, Value>| {
        let number = |name: &str| row.get(name).and_then(Value::as_f64);
        number("inter_mean").or_else(|| number("mean"))
    };
    let mut rows: Vec<_> = queries.into_iter().filter_map(|row| key(&row).map(|value| (value, row))).collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let most = rows.iter().take(ENDS).map(|(_, row)| row.clone()).collect();
    let least = rows.iter().skip(ENDS).rev().take(ENDS).map(|(_, row)| row.clone()).collect();
    (most, least)
}

fn read_json(directory: &Path, name: &str) -> Result<Value> {
    let path = directory.join(name);
    let text = std::fs::read_to_string(&path).map_err(|e| {
        if e.kind() == std::io::ErrorKind::NotFound {
            Error::content(Place::file(name), "is missing: this directory is not a result of hivescope")
        } else {
            Error::io(&path, e)
        }
    })?;
    serde_json::from_str(&text).map_err(|e| Error::content(Place::file(name), e.to_string()))
}

/// JSON that can stand in a script element: no character of it can end the element.
fn escaped(data: &Value) -> String {
    let mut out = String::new();
    for c in data.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_cannot_leave_the_data() {
        let directory = tempfile::tempdir().unwrap();
        let bad = "</script><img src=x onerror=alert(1)>\u{2028}&";
        let summary = json!({"rows": 2, "notes": [bad], "examples": [{"kind": "x", "query": bad, "models": ["a", "b"],
            "rows": [0, 1], "similarity": 0.5, "texts": [bad, bad]}]});
        std::fs::write(directory.path().join("summary.json"), summary.to_string()).unwrap();
        std::fs::write(directory.path().join("manifest.json"), "{}").unwrap();
        write(directory.path()).unwrap();
        let html = std::fs::read_to_string(directory.path().join("report.html")).unwrap();
        assert!(!html.contains("</script><img") && html.contains("\\u003c/script\\u003e\\u003cimg"));
    }
}
