//! Corpora of one query, one model, one answer or one vector draw themselves without a complaint.

use super::{browser, cards_show_headlines, probed, sound};
use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, StringArray};
use arrow::datatypes::{DataType, Field};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Names of a column by row.
type Names = (&'static str, fn(usize) -> Option<&'static str>);

/// A corpus of so many queries, models and samples, all of whose vectors may be equal, with a column of qualities of which
/// none is known.
fn write_odd(path: &Path, [queries, models, samples]: [usize; 3], equal: bool, names: &[Names]) {
    let rows = queries * models * samples;
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let value = |row: usize, i: usize| if equal { 1.0 } else { ((row * 31 + i * 17) % 23) as f32 - 9.5 };
    let values = (0..rows).flat_map(|row| (0..3).map(move |i| value(row, i)));
    let embedding = FixedSizeListArray::new(item, 3, Arc::new(values.collect::<Float32Array>()), None);
    let of = |name: fn(usize) -> Option<&'static str>| -> ArrayRef {
        Arc::new((0..rows).map(name).collect::<StringArray>())
    };
    let number = |name: &str, count: usize, each: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("{name} {}", row / each % count))))
    };
    let quality = [None, Some(f32::NAN), Some(f32::INFINITY)];
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("query", number("query", queries, models * samples)),
        ("model", number("model", models, samples)),
        ("quality", Arc::new((0..rows).map(|row| quality[row % 3]).collect::<Float32Array>())),
        ("embedding", Arc::new(embedding)),
    ];
    columns.extend(names.iter().map(|&(name, value)| (name, of(value))));
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn odd_corpora_draw_themselves() {
    let Some(browser) = browser() else { return };
    let nothing: fn(usize) -> Option<&'static str> = |_| None;
    let one: fn(usize) -> Option<&'static str> = |_| Some("1");
    let two: fn(usize) -> Option<&'static str> = |row| [Some("1"), Some("2")][row % 2];
    let human: fn(usize) -> Option<&'static str> = |_| Some("human");
    let half: fn(usize) -> Option<&'static str> = |row| ["human", "ai"].get(row % 3).copied();
    let empty: fn(usize) -> Option<&'static str> = |row| [Some(""), None, Some(" ")][row % 3];
    let all = ["text", "source", "family", "stage", "arm", "context", "class", "team", "time"];
    let nulls: Vec<Names> = all.iter().map(|&name| (name, nothing)).collect();
    let ones: Vec<Names> = all.iter().map(|&name| (name, one)).collect();
    for (what, sizes, equal, names) in [
        ("one response", [1, 1, 1], false, vec![]),
        ("one query, all null", [1, 2, 3], false, nulls.clone()),
        ("all null", [6, 3, 2], false, nulls),
        ("all one and equal", [7, 1, 4], true, ones),
        ("people only", [6, 2, 2], false, vec![("source", human), ("text", empty), ("stage", one), ("time", two)]),
        (
            "all equal",
            [8, 3, 4],
            true,
            vec![
                ("source", half),
                ("text", empty),
                ("stage", two),
                ("context", two),
                ("class", nothing),
                ("team", half),
            ],
        ),
    ] {
        let here = tempfile::tempdir().unwrap();
        let corpus = here.path().join("odd.parquet");
        write_odd(&corpus, sizes, equal, &names);
        let (summary, page) = probed(here.path(), &corpus);
        assert!(!summary["left_out"].as_array().unwrap().is_empty(), "{what}");
        cards_show_headlines(&sound(&browser, &page), &summary);
    }
}
