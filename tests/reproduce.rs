//! `hivescope reproduce`: planted dumps whose numbers are known, ratings, and what goes wrong.

use crate::tables::{passes, python};
use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int64Array, ListArray, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type};
use arrow::record_batch::RecordBatch;
use assert_cmd::Command;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const QUERIES: usize = 12;
const SAMPLES: usize = 4;
/// Of the paper's block, and one that it does not have.
const MODELS: [&str; 3] = ["gpt-4o-2024-11-20", "deepseek-ai/DeepSeek-V3", "somebody/else"];
/// Contexts, decodings and cosine within a cell of a query's last third.
const WITHIN: f64 = 0.9;
const WITHIN_LATE: f64 = 0.65;
const PROMPTS: f64 = 0.6;
const CROSS: f64 = 0.5;

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Every direction has a coordinate of its own: cosine A within a cell, `PROMPTS` across a model's contexts of a query,
/// `CROSS` across models, 0 across queries.
pub fn dump(path: &Path, contexts: &[&str], decodings: &[&str]) {
    let (mut query, mut model, mut context, mut decoding) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut directions = BTreeMap::new();
    let mut rows: Vec<Vec<(usize, f64)>> = Vec::new();
    for q in 0..QUERIES {
        let within = if q < QUERIES * 2 / 3 { WITHIN } else { WITHIN_LATE };
        for m in MODELS {
            for c in contexts {
                for d in decodings {
                    for s in 0..SAMPLES {
                        let parts = [
                            (format!("{q}"), CROSS),
                            (format!("{q}/{m}"), PROMPTS - CROSS),
                            (format!("{q}/{m}/{c}/{d}"), within - PROMPTS),
                            (format!("{q}/{m}/{c}/{d}/{s}"), 1.0 - within),
                        ];
                        let mut place = |name: String| {
                            let next = directions.len();
                            *directions.entry(name).or_insert(next)
                        };
                        rows.push(parts.into_iter().map(|(name, share)| (place(name), share.sqrt())).collect());
                        query.push(format!("query {q:02}"));
                        model.push(m);
                        context.push(*c);
                        decoding.push(*d);
                    }
                }
            }
        }
    }
    let dim = directions.len();
    let mut values = vec![0.0f32; rows.len() * dim];
    for (row, parts) in rows.iter().enumerate() {
        parts.iter().for_each(|&(at, value)| values[row * dim + at] = value as f32);
    }
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let embedding = FixedSizeListArray::new(item, dim as i32, Arc::new(Float32Array::from(values)), None);
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("query", Arc::new(StringArray::from(query))),
        ("model", Arc::new(StringArray::from(model))),
        ("sample", Arc::new(Int64Array::from_iter_values(0..rows.len() as i64))),
        ("embedding", Arc::new(embedding)),
    ];
    if contexts.len() > 1 {
        columns.push(("context", Arc::new(StringArray::from(context))));
    }
    if decodings.len() > 1 {
        columns.push(("decoding", Arc::new(StringArray::from(decoding))));
    }
    write(path, columns);
}

fn hivescope(here: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hivescope"))
        .current_dir(here)
        .args(["reproduce", "infinity-chat"])
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code(), said)
}

fn reproduced(here: &Path, arguments: &[&str]) -> Vec<Line> {
    let (code, said) = hivescope(here, &[&["--out", "out"], arguments].concat());
    assert_eq!(code, Some(0), "{said}");
    lines(&here.join("out"))
}

#[derive(Debug)]
struct Line {
    part: String,
    name: String,
    other: String,
    value: f64,
    published: Option<f64>,
    rounded: f64,
}

fn lines(out: &Path) -> Vec<Line> {
    let file = std::fs::File::open(out.join("reproduction.parquet")).unwrap();
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut lines = Vec::new();
    for batch in batches {
        let batch = batch.unwrap();
        let column = |name: &str| batch.column_by_name(name).unwrap().clone();
        let texts = |name: &str| {
            let plain = arrow::compute::cast(&column(name), &DataType::Utf8).unwrap();
            let plain = plain.as_any().downcast_ref::<StringArray>().unwrap().clone();
            plain.iter().map(|text| text.unwrap_or("").to_owned()).collect::<Vec<_>>()
        };
        let numbers = |name: &str| {
            let array = column(name);
            array.as_any().downcast_ref::<Float64Array>().unwrap().iter().collect::<Vec<_>>()
        };
        let (part, name, other) = (texts("part"), texts("name"), texts("other"));
        let (value, published, rounded) = (numbers("value"), numbers("published"), numbers("rounded"));
        lines.extend((0..batch.num_rows()).map(|row| Line {
            part: part[row].clone(),
            name: name[row].clone(),
            other: other[row].clone(),
            value: value[row].unwrap(),
            published: published[row],
            rounded: rounded[row].unwrap(),
        }));
    }
    lines
}

fn line<'a>(lines: &'a [Line], part: &str, name: &str, other: &str) -> &'a Line {
    let there = |line: &&Line| line.part == part && line.name == name && line.other == other;
    lines.iter().find(there).unwrap_or_else(|| panic!("{part}, {name}, {other} in {lines:#?}"))
}

fn close(got: f64, expected: f64) {
    assert!((got - expected).abs() < 1e-5, "{got} is not {expected}");
}

#[test]
fn a_planted_dump_gives_its_numbers_beside_the_published() {
    let here = TempDir::new().unwrap();
    dump(&here.path().join("dump.parquet"), &["original", "again"], &["top-p", "min-p"]);
    let arguments = ["dump.parquet", "--decoding", "decoding", "--query-pca", "QUERY  03"];
    let lines = reproduced(here.path(), &arguments);
    let (gpt, deepseek) = (MODELS[0], MODELS[1]);

    // Two thirds of the queries at .9, one third at .65; a mean of .9 in f32 may fall to either side of the edge.
    let top = line(&lines, "table_6", gpt, "0.9-1.0").value + line(&lines, "table_6", gpt, "0.8-0.9").value;
    close(top, 200.0 / 3.0);
    close(line(&lines, "table_6", gpt, "0.6-0.7").value, 100.0 / 3.0);
    assert_eq!(line(&lines, "table_6", gpt, "0.6-0.7").rounded, 33.0);
    assert_eq!(line(&lines, "table_6", gpt, "0.9-1.0").published, Some(51.0));
    let share = line(&lines, "share_at_least_0_8", gpt, "");
    close(share.value, 200.0 / 3.0);
    assert_eq!(share.published, Some(87.0));
    close(line(&lines, "share_at_least_0_8", "", "the 25 main models").published.unwrap(), 79.08);

    let intra = (2.0 * WITHIN + WITHIN_LATE) / 3.0;
    let n = SAMPLES as f64;
    let diagonal = line(&lines, "inter", gpt, gpt);
    close(diagonal.value, 100.0 * (1.0 + (n - 1.0) * intra) / n);
    assert_eq!(diagonal.published, Some(88.2));
    close(line(&lines, "intra", gpt, "").value, 100.0 * intra);
    let pair = line(&lines, "inter", deepseek, gpt);
    close(pair.value, 100.0 * CROSS);
    assert_eq!((pair.published, pair.rounded), (Some(81.4), 50.0));

    // The nearest are one's own; which of the other model's comes next does not matter.
    let seen = line(&lines, "figure_8", "seen", "5");
    assert_eq!((seen.value, seen.published), (2.0, None));
    close(line(&lines, "paraphrases", "", "within a prompt").value, intra);
    // Prompts differ in context; top-p alone.
    close(line(&lines, "paraphrases", "", "across paraphrases").value, PROMPTS);
    close(line(&lines, "min_p", "", "above 0.7").value, 200.0 / 3.0);
    assert!(lines.iter().all(|line| line.name != MODELS[2]), "a model that the paper lacks");

    let out = here.path().join("out");
    let json: Value = serde_json::from_slice(&std::fs::read(out.join("reproduction.json")).unwrap()).unwrap();
    assert_eq!(json["pca"]["query"], "query 03");
    assert_eq!(json["pca"]["points"].as_array().unwrap().len(), 2 * SAMPLES, "top-p answers of matched models");
    let differs = json["differs"].as_array().unwrap();
    assert!(differs.iter().any(|one| one["what"] == "embedding model" && one["forbids"] == true), "{differs:?}");
    for file in ["reproduction.html", "manifest.json", "_SUCCESS", "pca.parquet"] {
        assert!(out.join(file).is_file(), "{file}");
    }
}

#[test]
fn the_same_bytes_at_one_thread_and_three() {
    let here = TempDir::new().unwrap();
    dump(&here.path().join("dump.parquet"), &["original", "again"], &["top-p", "min-p"]);
    let mut tables = Vec::new();
    for threads in ["1", "3"] {
        let arguments = ["dump.parquet", "--decoding", "decoding", "--query-pca", "query 03", "--overwrite"];
        reproduced(here.path(), &[&arguments[..], &["--threads", threads]].concat());
        let read = |name: &str| std::fs::read(here.path().join("out").join(name)).unwrap();
        tables.push(["reproduction.parquet", "pca.parquet", "reproduction.json"].map(read));
    }
    assert!(tables[0] == tables[1]);
}

#[test]
fn without_columns_parts_are_left_out_by_name() {
    let here = TempDir::new().unwrap();
    dump(&here.path().join("dump.parquet"), &["original"], &["top-p"]);
    let lines = reproduced(here.path(), &["dump.parquet", "--same", "somebody/else=microsoft/phi-4"]);
    assert!(lines.iter().all(|line| line.part != "min_p" && line.part != "paraphrases"));
    assert_eq!(line(&lines, "table_6", "somebody/else", "0.9-1.0").published, Some(38.0));
    let json = std::fs::read_to_string(here.path().join("out/reproduction.json")).unwrap();
    assert!(json.contains("the dump does not say the decoding") && json.contains("paraphrases apart"), "{json}");
}

pub fn ratings(path: &Path, pairwise: bool) {
    let labels = |item: usize| {
        (0..25).map(move |k| {
            Some(((item * 7 + k * k) % (2 + item % 4)) as f64 + 1.0 - 2.0 * f64::from(u8::from(pairwise)))
        })
    };
    let lists = ListArray::from_iter_primitive::<Float64Type, _, _>((0..60).map(|item| Some(labels(item))));
    let text = |word: &'static str| -> ArrayRef { Arc::new(StringArray::from(vec![word; 60])) };
    let score =
        |k: usize| -> ArrayRef { Arc::new(Float64Array::from_iter_values((0..60).map(|i| ((i * k) % 17) as f64))) };
    let mut columns: Vec<(&str, ArrayRef)> = vec![("user_query", text("q")), ("human_labels", Arc::new(lists))];
    if pairwise {
        columns.extend([
            ("response_1", text("a")),
            ("response_2", text("b")),
            ("judge_1", score(5)),
            ("judge_2", score(3)),
        ]);
    } else {
        columns.extend([("response", text("a")), ("judge", score(5))]);
    }
    write(path, columns);
}

#[test]
fn ratings_alone_need_no_responses() {
    let here = TempDir::new().unwrap();
    for (pairwise, subset, parts) in [(false, "top 2 % entropy", 15), (true, "top 60 % disagreement", 9)] {
        ratings(&here.path().join("ratings.parquet"), pairwise);
        let arguments = ["--ratings", "ratings.parquet", "--rating-scores", "judge", "--overwrite"];
        let lines = reproduced(here.path(), &arguments);
        assert_eq!(lines.iter().filter(|line| line.part == "ratings_disagreement").count(), parts);
        line(&lines, "ratings_correlation", "judge", subset);
        let html = std::fs::read_to_string(here.path().join("out/reproduction.html")).unwrap();
        assert!(html.contains("ratings_correlation"));
        if let Some(python) = python() {
            passes(&python, "reproduce.py", &[&here.path().join("out"), &here.path().join("ratings.parquet")]);
        }
    }
}

#[test]
fn mistakes_have_their_exit_codes() {
    let here = TempDir::new().unwrap();
    let path = |name: &str| here.path().join(name);
    dump(&path("dump.parquet"), &["original"], &["top-p"]);
    ratings(&path("ratings.parquet"), false);
    std::fs::write(path("bad.parquet"), b"PAR1 not at all PAR1").unwrap();
    let nothing = ListArray::from_iter_primitive::<Float64Type, _, _>([Some(vec![Some(1.0)]), None]);
    write(&path("null.parquet"), vec![("human_labels", Arc::new(nothing))]);
    write(&path("text.parquet"), vec![("human_labels", Arc::new(StringArray::from(vec!["good"])))]);
    std::fs::create_dir(path("there")).unwrap();
    std::fs::write(path("there/precious"), "1").unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/gemma_demo.parquet");
    let demo = demo.to_str().unwrap();
    for (arguments, code, word) in [
        (&[demo][..], 2, "looked for gpt-4o-2024-11-20"),
        (&["dump.parquet", "--same", "nobody=microsoft/phi-4"], 2, "no model `nobody`"),
        (&["dump.parquet", "--same", "somebody/else"], 2, "NAME=PAPER"),
        (&["dump.parquet", "--query-pca", "no such"], 2, "no such query"),
        (&["dump.parquet", "--decoding", "temperature"], 2, "temperature"),
        (&["nothing.parquet"], 2, "nothing.parquet"),
        (&[], 2, "INPUT"),
        (&["--ratings", "nothing.parquet"], 2, "nothing.parquet"),
        (&["--ratings", "dump.parquet"], 2, "human_labels"),
        (&["--ratings", "ratings.parquet", "--rating-scores", "judge,oracle"], 2, "oracle"),
        (&["--ratings", "ratings.parquet", "--rating-counts", "a,b"], 2, "three columns"),
        (&["--ratings", "bad.parquet"], 3, "Parquet"),
        (&["--ratings", "null.parquet"], 3, "row 1"),
        (&["--ratings", "text.parquet"], 3, "list of numbers"),
    ] {
        let (got, said) = hivescope(here.path(), &[arguments, &["--out", "out"]].concat());
        assert!(got == Some(code) && said.contains(word), "{arguments:?}: {got:?}, {said}");
        assert!(!path("out").exists() && !path("out.partial").exists(), "{arguments:?} left something behind");
    }
    for arguments in [&["dump.parquet"][..], &["dump.parquet", "--overwrite"]] {
        let (got, said) = hivescope(here.path(), &[arguments, &["--out", "there"]].concat());
        assert!(got == Some(2) && said.contains("there"), "{said}");
    }
    assert_eq!(std::fs::read_to_string(path("there/precious")).unwrap(), "1");
}

#[test]
fn the_tables_agree_with_numpy() {
    let Some(python) = python() else { return };
    let here = TempDir::new().unwrap();
    // A corpus with random directions whose models take names of the paper.
    let synth =
        ["synth", "--quiet", "--queries", "15", "--models", "5", "--samples", "7", "--dim", "48", "--cross", "0.7"];
    let done = Command::new(env!("CARGO_BIN_EXE_hivescope"))
        .current_dir(here.path())
        .args(synth)
        .args(["--out", "dump.parquet"])
        .output()
        .unwrap();
    assert!(done.status.success());
    let papers = ["gpt-4o-2024-11-20", "deepseek-ai/DeepSeek-V3", "microsoft/phi-4", "gpt-4o-mini-2024-07-18"];
    let (models, queries) = (names(here.path(), "model"), names(here.path(), "query"));
    let same: Vec<String> = models.iter().zip(papers).map(|(ours, theirs)| format!("{ours}={theirs}")).collect();
    let mut arguments = vec!["dump.parquet", "--query-pca", &queries[2]];
    same.iter().for_each(|pair| arguments.extend(["--same", pair]));
    reproduced(here.path(), &arguments);
    passes(&python, "reproduce.py", &[&here.path().join("out"), &here.path().join("dump.parquet")]);
}

fn names(here: &Path, column: &str) -> Vec<String> {
    let file = std::fs::File::open(here.join("dump.parquet")).unwrap();
    let mut names = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
        let plain = arrow::compute::cast(batch.unwrap().column_by_name(column).unwrap(), &DataType::Utf8).unwrap();
        let plain = plain.as_any().downcast_ref::<StringArray>().unwrap().clone();
        names.extend(plain.iter().map(|name| name.unwrap().to_owned()));
    }
    names.sort();
    names.dedup();
    names
}
