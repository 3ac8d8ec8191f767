//! The command as a user meets it: exit codes, messages, the files of a result.

use assert_cmd::Command;
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
    let tables = ["responses", "neighbors", "intra", "models", "model_pairs", "queries", "topn", "histogram"]
        .map(|t| format!("{t}.parquet"));
    let others = ["summary.json", "manifest.json", "report.html", "_SUCCESS"].map(String::from);
    for name in tables.iter().chain(&others) {
        assert!(here.path().join("out1").join(name).is_file(), "{name} is missing");
    }
    for name in ["neighbors.parquet", "summary.json"] {
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
