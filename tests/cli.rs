//! The command as a user meets it: exit codes, messages, the files of a result.

use arrow::record_batch::RecordBatch;
use assert_cmd::Command;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// `hivescope` in an empty working directory, without settings from the environment.
fn hivescope(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hivescope"));
    command.current_dir(directory);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HIVESCOPE_") {
            command.env_remove(name);
        }
    }
    command
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/gemma_demo.parquet")
}

fn fails(directory: &Path, arguments: &[&str], code: i32, says: &str) {
    let output = hivescope(directory).args(arguments).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    assert!(message.contains(says), "{arguments:?}: `{says}` is not in: {message}");
}

#[test]
fn help_names_subcommands_and_exit_codes() {
    let here = TempDir::new().unwrap();
    let output = hivescope(here.path()).arg("--help").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0));
    for word in ["run", "check", "plan", "devices", "synth", "report", "Exit codes", "Examples"] {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

#[test]
fn mistakes_in_the_call_exit_2() {
    let here = TempDir::new().unwrap();
    let demo = demo();
    let demo = demo.to_str().unwrap();
    fails(here.path(), &["run", "nothing.parquet", "--out", "out"], 2, "nothing.parquet");
    fails(here.path(), &["run", demo, "--out", "out", "--embedding", "no_such_column"], 2, "no_such_column");
    fails(here.path(), &["run", demo, "--out", "out", "--k", "0"], 2, "1024");
    fails(here.path(), &["run", demo], 2, "--out");
    fails(here.path(), &["run", demo, "--out", "out", "--kernel", "fast"], 2, "this CPU has");
    fails(here.path(), &["run", demo, "--out", "out", "--kernel", "f32-gemm", "--backend", "gpu"], 2, "leave one out");
    for (flags, word) in [
        (&["--kernel", "f16"][..], "exact histogram"),
        (&["--kernel", "matrix", "--backend", "cpu"], "leave one out"),
        (&["--kernel", "int8", "--device", "0", "--histogram", "off"], "leave one out"),
        (&["--gpu-memory", "1KiB"], "at least 16"),
        (&["--gpu-memory", "much"], "not a size"),
        (&["--threads", "0"], "1 to 4096"),
        (&["--threads", "100000"], "1 to 4096"),
        (&["--tau", "nan"], "not a finite number"),
        (&["--tau", "inf"], "not a finite number"),
        (&["--threshold", "nan"], "not a finite number"),
        (&["--near-duplicate", "NaN"], "not a finite number"),
        (&["--near-duplicate", "-2"], "out of range"),
        (&["--quality-bar", "inf"], "not a finite number"),
        (&["--gpu-memory", "1GiB", "--backend", "cpu"], "leave one out"),
    ] {
        fails(here.path(), &[&["run", demo, "--out", "out"], flags].concat(), 2, word);
    }
    fails(here.path(), &["run", demo, "--out", "out", "--device", "no such card"], 2, "no such card");
    fails(here.path(), &["frobnicate"], 2, "frobnicate");
    assert!(fs::read_dir(here.path()).unwrap().next().is_none(), "a failed run left something behind");
}

#[test]
fn an_existing_directory_is_kept() {
    let here = TempDir::new().unwrap();
    let mine = here.path().join("out");
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("precious"), "1").unwrap();
    fails(here.path(), &["run", demo().to_str().unwrap(), "--out", "out"], 2, "out");
    fails(here.path(), &["run", demo().to_str().unwrap(), "--out", "out", "--overwrite"], 2, "out");
    assert_eq!(fs::read_to_string(mine.join("precious")).unwrap(), "1");
}

#[test]
fn an_output_in_the_input_is_refused() {
    let here = TempDir::new().unwrap();
    fs::create_dir(here.path().join("dumps")).unwrap();
    fs::copy(demo(), here.path().join("dumps/a.parquet")).unwrap();
    fails(here.path(), &["run", "dumps", "--out", "dumps/result"], 2, "outside the input");
    fails(here.path(), &["run", "dumps", "--out", "."], 2, "outside the input");
    assert_eq!(fs::read_dir(here.path().join("dumps")).unwrap().count(), 1);
}

#[test]
fn a_text_file_named_parquet_exits_3() {
    let here = TempDir::new().unwrap();
    fs::write(here.path().join("text.parquet"), "this is no Parquet file, it is a line of text\n").unwrap();
    fails(here.path(), &["run", "text.parquet", "--out", "out"], 3, "text.parquet");
    assert!(!here.path().join("out.partial").exists());
}

#[test]
fn an_unknown_key_of_the_settings_file_exits_2() {
    let here = TempDir::new().unwrap();
    fs::write(here.path().join("hivescope.toml"), "neighbours = 3\n").unwrap();
    fails(here.path(), &["run", demo().to_str().unwrap(), "--out", "out"], 2, "neighbours");
}

#[test]
fn the_demo_gives_every_table_whatever_the_threads() {
    let here = TempDir::new().unwrap();
    for threads in ["1", "2"] {
        let out = format!("out{threads}");
        let output = hivescope(here.path())
            .args(["run", demo().to_str().unwrap(), "--out", &out, "--threads", threads, "--backend", "cpu"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let tables =
        ["responses", "neighbors", "intra", "models", "model_pairs", "queries", "topn", "meanings", "histogram"]
            .map(|t| format!("{t}.parquet"));
    let others = ["summary.json", "manifest.json", "report.html", "_SUCCESS"].map(String::from);
    for name in tables.iter().chain(&others) {
        assert!(here.path().join("out1").join(name).is_file(), "{name} is missing");
    }
    for name in ["neighbors.parquet", "responses.parquet", "meanings.parquet", "summary.json"] {
        let [one, two] = ["out1", "out2"].map(|out| fs::read(here.path().join(out).join(name)).unwrap());
        assert!(one == two, "{name} depends on the number of threads");
    }
    assert!(!here.path().join("out1.partial").exists());
}

#[test]
fn a_planted_corpus_gives_back_what_was_planted() {
    let here = TempDir::new().unwrap();
    let synth = ["synth", "--out", "planted.parquet", "--queries", "6", "--models", "3", "--samples", "4"];
    assert!(hivescope(here.path()).args(synth).output().unwrap().status.success());
    let run = ["run", "planted.parquet", "--out", "out", "--backend", "cpu"];
    let output = hivescope(here.path()).args(run).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value =
        serde_json::from_slice(&fs::read(here.path().join("out/summary.json")).unwrap()).unwrap();
    let floor = summary["floor"].as_f64().unwrap();
    assert!((floor - 0.1).abs() < 1e-6, "floor {floor}");
    for (name, planted) in [("intra_mean", 0.8), ("inter_mean", 0.6)] {
        let line = summary["headlines"].as_array().unwrap().iter().find(|line| line["name"] == name).unwrap();
        let value = line["value"].as_f64().unwrap();
        assert!((value - planted).abs() < 1e-6, "{name} {value}, planted {planted}");
    }
}

#[test]
fn planted_meanings_are_counted_and_no_model_has_its_own() {
    let here = TempDir::new().unwrap();
    let run = |synth: &str, run: &str| -> (serde_json::Value, serde_json::Value) {
        let planted = format!("synth --out planted.parquet --queries 30 --models 3 --samples 8 --dim 2048 {synth}");
        assert!(hivescope(here.path()).args(planted.split_whitespace()).output().unwrap().status.success());
        let run = format!("run planted.parquet --out out --backend cpu --overwrite {run}");
        let output = hivescope(here.path()).args(run.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read = |name: &str| serde_json::from_slice(&fs::read(here.path().join("out").join(name)).unwrap()).unwrap();
        (read("summary.json"), read("manifest.json"))
    };
    let headline = |summary: &serde_json::Value, name: &str, what: &str| {
        let lines = summary["headlines"].as_array().unwrap();
        lines.iter().find(|line| line["name"] == name).and_then(|line| line[what].as_f64())
    };
    // 24 answers a query, five meanings shared by three models.
    let (summary, manifest) = run("--meanings 5", "");
    let (found, planted) =
        (headline(&summary, "distinct_meanings", "value"), headline(&summary, "class_meanings", "value"));
    assert_eq!(found, planted);
    assert!((4.9..=5.0).contains(&found.unwrap()), "{found:?}");
    assert_eq!(headline(&summary, "adjusted_rand", "value"), Some(1.0));
    let (model, pooled) =
        (headline(&summary, "model_meanings", "value"), headline(&summary, "model_meanings", "floor"));
    assert!((model.unwrap() - pooled.unwrap()).abs() < 0.1, "{model:?} {pooled:?}");
    assert_eq!(manifest["settings"]["effective"]["tau"], summary["meanings"]["tau"]);
    // One meaning is one, and without any each model is one.
    let (summary, _) = run("--meanings 1", "");
    assert_eq!(headline(&summary, "distinct_meanings", "value"), Some(1.0));
    let (summary, _) = run("", "");
    assert_eq!(headline(&summary, "distinct_meanings", "value"), Some(3.0));
    assert_eq!(headline(&summary, "model_meanings", "value"), Some(1.0));
    // A cut above what models have within, .8, leaves every answer alone.
    let (summary, manifest) = run("", "--tau 0.9");
    assert_eq!(headline(&summary, "distinct_meanings", "value"), Some(24.0));
    assert_eq!(manifest["settings"]["effective"]["tau"], 0.9);
    assert_eq!(summary["meanings"]["curve"].as_array().unwrap().len(), 6);
    fails(here.path(), &["run", "planted.parquet", "--out", "other", "--tau", "2"], 2, "--tau");
}

/// Half of the answers have one of three meanings in common, half one of three of their model's own.
#[test]
fn meanings_of_a_models_own_are_told_from_those_in_common() {
    let here = TempDir::new().unwrap();
    let synth =
        "synth --json --out planted.parquet --queries 80 --models 5 --samples 6 --meanings 3 --dim 1500 --seed 4";
    for (shared, apart) in [("0.5", true), ("0", true), ("1", false)] {
        let output =
            hivescope(here.path()).args(format!("{synth} --shared {shared}").split_whitespace()).output().unwrap();
        let planted: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let run = "run planted.parquet --out out --backend cpu --quiet --overwrite";
        assert!(hivescope(here.path()).args(run.split_whitespace()).output().unwrap().status.success());
        let summary: serde_json::Value =
            serde_json::from_slice(&fs::read(here.path().join("out/summary.json")).unwrap()).unwrap();
        let line =
            summary["headlines"].as_array().unwrap().iter().find(|line| line["name"] == "model_meanings").unwrap();
        let number = |value: &serde_json::Value| value.as_f64().unwrap();
        let (own, pooled) = (number(&planted["model_meanings"]), number(&planted["pooled_meanings"]));
        let (low, high) = (number(&line["interval"]["low"]), number(&line["interval"]["high"]));
        assert!((low..=high).contains(&own), "{shared}: {own} is not in {low} to {high}");
        assert!((number(&line["floor"]) - pooled).abs() < 0.15, "{shared}: {line}, planted {pooled}");
        assert_eq!(pooled > high, apart, "{shared}: {line}");
    }
    fails(here.path(), &["synth", "--out", "x", "--meanings", "3", "--shared", "1.5"], 2, "--shared");
    fails(here.path(), &["synth", "--out", "x", "--shared", "0.5"], 2, "--meanings");
    fails(here.path(), &["synth", "--out", "x", "--teams", "1,nan,0,0"], 2, "finite");
}

#[test]
fn planted_refusals_and_copies_are_taken_out() {
    let here = TempDir::new().unwrap();
    let json = |directory: &Path, words: &str| -> serde_json::Value {
        let output = hivescope(directory).args(words.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    for (options, shares) in [
        ("--refusals 0.25 --copies 0.375", [0.0, 0.25, 0.75 * 0.375 + 0.375 / 4.0]),
        ("--refusals 0.5", [0.0, 0.5, 0.0]),
        ("--copies 0.5", [0.0, 0.0, 0.5]),
        ("--copies 0", [0.0, 0.0, 0.0]),
    ] {
        let synth = "synth --json --out planted.parquet --queries 11 --models 4 --samples 8";
        let planted = json(here.path(), &format!("{synth} {options}"));
        let run = "run planted.parquet --out out --backend cpu --quiet --overwrite";
        assert!(hivescope(here.path()).args(run.split_whitespace()).output().unwrap().status.success());
        let summary: serde_json::Value =
            serde_json::from_slice(&fs::read(here.path().join("out/summary.json")).unwrap()).unwrap();
        let lines = summary["texts"]["lines"].as_array().unwrap();
        assert_eq!(lines.len(), 4, "{lines:?}");
        for (line, true_line) in lines.iter().zip(planted["texts"].as_array().unwrap()) {
            assert_eq!(line["name"], true_line["name"]);
            for what in ["value", "floor"] {
                let (got, expected) = (line[what].as_f64().unwrap(), true_line[what].as_f64().unwrap());
                assert!((got - expected).abs() < 1e-6, "{options}, {what} of {}: {got}, {expected}", line["name"]);
            }
        }
        for (share, expected) in summary["texts"]["shares"].as_array().unwrap().iter().zip(shares) {
            let got = share["value"].as_f64().unwrap();
            assert!((got - expected).abs() < 1e-12, "{options}: {share}, planted {expected}");
        }
    }
}

#[test]
fn a_planted_corpus_varies_in_one_way() {
    let here = TempDir::new().unwrap();
    for (options, columns) in [
        ("", "query model sample embedding"),
        ("--meanings 3", "query model sample class embedding"),
        ("--meanings 3 --shared 0.5", "query model sample class embedding"),
        ("--contexts 2", "query model sample context embedding"),
        ("--rise 0.1", "query model sample stage embedding"),
        ("--style 0.1", "query model sample embedding"),
        ("--lengths 0.1", "query model sample text embedding"),
        ("--drop 1", "query model sample class stage embedding"),
        ("--rise 0.1 --arms", "query model sample stage arm embedding"),
        ("--meanings 3 --later 2 --samples 4", "query model sample class time embedding"),
        ("--growth 0.5", "query model sample class time rating_time embedding"),
        ("--people 3", "query model sample class source embedding"),
        ("--form 0.2", "query model sample text embedding"),
        ("--refusals 0.2", "query model sample text embedding"),
        ("--copies 0.2 --refusals 0.2", "query model sample text embedding"),
        ("--teams 1,0,0,-1", "query model sample team quality expertise embedding"),
        ("--meanings 3 --contexts 1", "query model sample class embedding"),
    ] {
        let synth = format!("synth --out planted.parquet --queries 2 {options}");
        assert!(hivescope(here.path()).args(synth.split_whitespace()).output().unwrap().status.success(), "{options}");
        let file = fs::File::open(here.path().join("planted.parquet")).unwrap();
        let schema = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().schema().clone();
        let found: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(found.join(" "), columns, "{options}");
    }
    for options in [
        "--meanings 3 --contexts 2",
        "--meanings 3 --rise 0.1",
        "--contexts 2 --rise 0.1",
        "--style 0.1 --lengths 0.1",
        "--form 0.1 --teams 0,0,0,0",
        "--copies 0.1 --form 0.1",
    ] {
        let synth = format!("synth --out other.parquet {options}");
        let words: Vec<&str> = synth.split_whitespace().collect();
        fails(
            here.path(),
            &words,
            2,
            "only one of --meanings, --growth, --people, --contexts, --drop, --rise, --style,",
        );
        assert!(!here.path().join("other.parquet").exists());
    }
}

/// Sent to the process and to its group, as `timeout` does: one request.
#[cfg(unix)]
#[test]
fn an_interrupted_run_exits_130_and_leaves_nothing() {
    let here = TempDir::new().unwrap();
    let synth =
        ["synth", "--out", "planted.parquet", "--queries", "40", "--models", "10", "--samples", "100", "--dim", "384"];
    assert!(hivescope(here.path()).args(synth).output().unwrap().status.success());
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hivescope"));
    command.current_dir(here.path()).args(["run", "planted.parquet", "--out", "out", "--backend", "cpu", "--quiet"]);
    let mut run = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    while !here.path().join("out.partial").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
        assert!(run.try_wait().unwrap().is_none(), "the run ended before it could be interrupted");
    }
    for _ in 0..2 {
        let sent = std::process::Command::new("kill").args(["-INT", &run.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
    assert_eq!(run.wait().unwrap().code(), Some(130));
    let left: Vec<_> = fs::read_dir(here.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["planted.parquet"]);
}

/// Texts that are hidden are in no file of the result; what is measured of them is.
#[test]
fn hidden_texts_stay_in_the_input() {
    let here = TempDir::new().unwrap();
    let corpus = ["--queries", "12", "--models", "3", "--samples", "3", "--dim", "64", "--form", "0.5"];
    hivescope(here.path()).args(["synth", "--out", "c.parquet"]).args(corpus).assert().success();
    let known = |texts: &str| {
        hivescope(here.path()).args(["run", "c.parquet", "--out", texts, "--texts", texts]).assert().success();
        let file = fs::File::open(here.path().join(texts).join("map.parquet")).unwrap();
        let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        let texts_of = |batch: RecordBatch| batch["text"].len() - batch["text"].null_count();
        let points: usize = batches.map(|batch| texts_of(batch.unwrap())).sum();
        let summary = fs::read_to_string(here.path().join(texts).join("summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
        let examples = summary["examples"].as_array().unwrap();
        assert!(!examples.is_empty() && !summary["form"].is_null());
        (points, examples.iter().filter(|example| !example["texts"].is_null()).count() == examples.len())
    };
    assert_eq!(known("shown"), (108, true));
    assert_eq!(known("hidden"), (0, false));
}
