//! Tables as users open them (DuckDB, Polars, pandas) and their numbers beside numpy, by scripts in Python. Needs
//! duckdb, numpy, pandas, polars and pyarrow in `HIVESCOPE_TEST_PYTHON_BIN`, or in python3;
//! `HIVESCOPE_TEST_PYTHON=require` makes missing ones a failure.

use assert_cmd::Command;
use std::path::{Path, PathBuf};

const PACKAGES: &str = "import duckdb, numpy, pandas, polars, pyarrow";
const THRESHOLD: &str = "0.8";

pub fn python() -> Option<PathBuf> {
    let python = std::env::var_os("HIVESCOPE_TEST_PYTHON_BIN").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let has_packages =
        std::process::Command::new(&python).args(["-c", PACKAGES]).output().is_ok_and(|output| output.status.success());
    if has_packages {
        return Some(python);
    }
    let missing = format!("{} can't `{PACKAGES}`", python.display());
    assert_ne!(std::env::var("HIVESCOPE_TEST_PYTHON").as_deref(), Ok("require"), "{missing}");
    eprintln!("skipped: {missing}");
    None
}

/// A file of the repository.
fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Runs a script of this folder; its last line must be `0 failed`.
pub fn passes(python: &Path, script: &str, arguments: &[&Path]) {
    let output = Command::new(python).arg(repository("tests").join(script)).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    said.lines().filter(|line| line.starts_with("skip ")).for_each(|line| eprintln!("{script}: {line}"));
    assert!(output.status.success() && said.trim_end().ends_with("\n0 failed"), "{script}: {said}{complaint}");
}

fn hivescope(arguments: &[&str], paths: &[&Path]) {
    let run = Command::new(env!("CARGO_BIN_EXE_hivescope")).args(arguments).args(paths).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// Runs hivescope on a corpus and both scripts on the result.
fn opens_and_agrees(python: &Path, corpus: &Path, out: &Path) {
    hivescope(&["run", "--quiet", "--backend", "cpu", "--threshold", THRESHOLD, "--out"], &[out, corpus]);
    passes(python, "tables.py", &[out, Path::new(THRESHOLD), &repository("README.md")]);
    passes(python, "reference.py", &[out, corpus]);
}

#[test]
fn every_table_opens_in_duckdb_polars_and_pandas_and_agrees_with_numpy() {
    let Some(python) = python() else { return };
    let here = tempfile::tempdir().unwrap();
    opens_and_agrees(&python, &repository("data/gemma_demo.parquet"), &here.path().join("out"));
    // Random directions: means near the planted ones, and intervals that are not points.
    for (name, columns) in [("contexts", ["--contexts", "3"]), ("stages", ["--rise", "0.1"])] {
        let (corpus, out) = (here.path().join(format!("{name}.parquet")), here.path().join(name));
        let synth = ["synth", "--quiet", "--queries", "20", "--samples", "2", "--dim", "64", "--out"];
        hivescope(&[&synth[..1], &columns, &synth[1..]].concat(), &[&corpus]);
        opens_and_agrees(&python, &corpus, &out);
    }
}

/// The value and the reference of a headline of a planted corpus, exact but for the rounding of f32.
fn planted(columns: &[&str], headline: &str) -> (f64, f64) {
    let here = tempfile::tempdir().unwrap();
    let (corpus, out) = (here.path().join("planted.parquet"), here.path().join("out"));
    hivescope(&[columns, &["--queries", "12", "--samples", "3", "--quiet", "--out"]].concat(), &[&corpus]);
    hivescope(&["run", "--quiet", "--backend", "cpu", "--out"], &[&out, &corpus]);
    let summary: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("summary.json")).unwrap()).unwrap();
    let lines = summary["headlines"].as_array().unwrap();
    let line = lines.iter().find(|line| line["name"] == headline).unwrap_or_else(|| panic!("{lines:#?}"));
    (line["value"].as_f64().unwrap(), line["floor"].as_f64().unwrap_or(f64::NAN))
}

#[test]
fn planted_packaging_and_stages_are_recovered() {
    let close = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-6, "{got} is not {expected}");
    // A .8, B .6, C .1: (S - C) / (A - C) and (S - C) / (B - C).
    close(planted(&["synth", "--contexts", "3", "--across", "0.65"], "packaging").0, 0.55 / 0.7);
    close(planted(&["synth", "--contexts", "3", "--across", "0.65"], "packaging_vendor").0, 0.55 / 0.5);
    close(planted(&["synth", "--contexts", "2", "--across", "0.8"], "packaging").0, 1.0);
    for rise in ["0.12", "0", "-0.2"] {
        let (value, floor) = planted(&["synth", "--rise", rise], "stage_inter:sft:rl");
        close(value, rise.parse().unwrap());
        close(floor, 0.0);
        close(planted(&["synth", "--rise", rise], "stage_intra:sft:rl").0, 0.0);
    }
}

#[test]
fn planted_meanings_agree_with_scipy() {
    let Some(python) = python() else { return };
    let here = tempfile::tempdir().unwrap();
    let (planted, out) = (here.path().join("planted.parquet"), here.path().join("out"));
    let hivescope = |arguments: &str, paths: &[&Path]| {
        let arguments = arguments.split_whitespace();
        let done = Command::new(env!("CARGO_BIN_EXE_hivescope")).args(arguments).args(paths).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let sizes = "synth --quiet --queries 12 --models 3 --samples 9 --meanings 7 --dim 200 --within 0.75";
    hivescope(&format!("{sizes} --out"), &[&planted]);
    hivescope("run --quiet --backend cpu --tau 0.7 --out", &[&out, &planted]);
    passes(&python, "reference.py", &[&out, &planted]);
}
