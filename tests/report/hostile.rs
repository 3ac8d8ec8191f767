//! Names and texts that would be markup, script or terminal codes stay text.

use super::{HOST, PROBE, REPRODUCED, browser, hivescope, probed, sound, sound_as, with_probe};
use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, StringArray};
use arrow::datatypes::{DataType, Field};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Names and texts that want to be more than text.
fn hostile() -> Vec<String> {
    let mut bad = vec![
        format!(
            "</script><script>hacked=1;document.title='hacked'</script><img src=\"http://{HOST}/a\" onerror=hacked=1>"
        ),
        format!("<img src=x onerror=\"hacked=1;fetch('http://{HOST}/b')\">\u{2028}\u{2029}<svg onload=hacked=1>"),
        format!(
            "--><!--<script></style></title><iframe src=\"javascript:hacked=1\"><link rel=stylesheet href=//{HOST}/c>"
        ),
        "\u{202e}desrever\u{2066} שלום عليكم \u{0}\u{1}\u{1b}[31m\t\n\r\u{7f}\u{85}\u{feff}".to_owned(),
        "__proto__".to_owned(),
        "constructor \" ' ` \\ ${hacked=1} {{data}} {{nonce}} %s".to_owned(),
        "W".repeat(5_000),
    ];
    bad.push(bad.concat());
    bad
}

/// A corpus of hostile names: every one is a query and a model, three answers each, two of them in one hostile context.
pub fn write_hostile(path: &Path) {
    const DIM: usize = 8;
    let bad = hostile();
    let cells = bad.iter().flat_map(|query| bad.iter().map(move |model| (query, model)));
    let rows: Vec<(&String, &String)> = cells.flat_map(|cell| [cell; 3]).collect();
    let texts = (0..rows.len()).map(|row| bad[(row + row / 24) % bad.len()].as_str());
    let values = (0..rows.len() * DIM).map(|i| ((i * i + 7 * i) % 101) as f32 / 101.0 + 0.1);
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let embedding = FixedSizeListArray::new(item, DIM as i32, Arc::new(values.collect::<Float32Array>()), None);
    let contexts = (0..rows.len()).map(|row| bad[row % 3 / 2 + row / 3 % 2].as_str());
    let stages = (0..rows.len()).map(|row| ["1", "2"][row % 2]);
    let sources = (0..rows.len()).map(|row| ["human", &bad[1], &bad[6]][row % 3]);
    let times = (0..rows.len()).map(|row| format!("2024-01-{:02}T12:00:00Z", row % 28 + 1));
    // By model, so that no family is in both.
    let arms = (0..rows.len()).map(|row| [&bad[1], &bad[6]][row / 3 % 2]);
    let columns: [(&str, ArrayRef); 9] = [
        ("arm", Arc::new(StringArray::from_iter_values(arms))),
        ("source", Arc::new(StringArray::from_iter_values(sources))),
        ("time", Arc::new(StringArray::from_iter_values(times))),
        ("context", Arc::new(StringArray::from_iter_values(contexts))),
        ("stage", Arc::new(StringArray::from_iter_values(stages))),
        ("query", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
        ("model", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1)))),
        ("text", Arc::new(StringArray::from_iter_values(texts))),
        ("embedding", Arc::new(embedding)),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn a_hostile_corpus_stays_text() {
    let Some(browser) = browser() else { return };
    let here = tempfile::tempdir().unwrap();
    let corpus = here.path().join("hostile.parquet");
    write_hostile(&corpus);
    let (_, page) = probed(here.path(), &corpus);
    let seen = sound(&browser, &page);
    // The names are there, as text.
    for section in
        ["examples", "models", "pairs", "queries", "heat-map", "packaging", "stages", "trends", "form", "people"]
    {
        let part = seen.part(&format!("<section id=\"{section}\""), "</section>");
        assert!(part.contains("&lt;img src=") && part.contains("WWWWWWWW"), "{section} shows no names");
    }
    assert!(seen.part("<section id=\"models\"", "</section>").contains(">__proto__</bdi>"));
}

#[test]
fn a_hostile_reproduction_stays_text() {
    let Some(browser) = browser() else { return };
    let here = tempfile::tempdir().unwrap();
    let corpus = here.path().join("hostile.parquet");
    write_hostile(&corpus);
    let (bad, out) = (hostile(), here.path().join("out"));
    let same = [(0, "gpt-4o-2024-11-20"), (1, "microsoft/phi-4"), (6, "deepseek-ai/DeepSeek-V3")];
    let same: Vec<String> = same.iter().map(|(at, paper)| format!("{}={paper}", bad[*at])).collect();
    let mut arguments = vec!["reproduce", "infinity-chat", "--quiet", corpus.to_str().unwrap(), "--query-pca", &bad[0]];
    same.iter().for_each(|pair| arguments.extend(["--same", pair]));
    arguments.extend(["--embedding-model", &bad[1], "--out", out.to_str().unwrap()]);
    hivescope(&arguments);
    let seen = sound_as(REPRODUCED, &browser, &with_probe(PROBE, &out.join("reproduction.html")));
    for section in ["table-6", "inter", "components"] {
        assert!(seen.part(&format!("<section id=\"{section}\""), "</section>").contains("&lt;img src="), "{section}");
    }
}
