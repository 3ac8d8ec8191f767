//! Tables as users open them (DuckDB, Polars, pandas) and their numbers beside numpy, by scripts in Python. Needs
//! duckdb, numpy, pandas, polars and pyarrow in `HIVESCOPE_TEST_PYTHON_BIN`, or in python3;
//! `HIVESCOPE_TEST_PYTHON=require` makes missing ones a failure.

use assert_cmd::Command;
use std::path::{Path, PathBuf};

const PACKAGES: &str = "import duckdb, numpy, pandas, polars, pyarrow";
const THRESHOLD: &str = "0.8";

fn python() -> Option<PathBuf> {
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
fn passes(python: &Path, script: &str, arguments: &[&Path]) {
    let output = Command::new(python).arg(repository("tests").join(script)).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    said.lines().filter(|line| line.starts_with("skip ")).for_each(|line| eprintln!("{script}: {line}"));
    assert!(output.status.success() && said.trim_end().ends_with("\n0 failed"), "{script}: {said}{complaint}");
}

#[test]
fn every_table_opens_in_duckdb_polars_and_pandas_and_agrees_with_numpy() {
    let Some(python) = python() else { return };
    let here = tempfile::tempdir().unwrap();
    let (demo, out) = (repository("data/gemma_demo.parquet"), here.path().join("out"));
    let run = Command::new(env!("CARGO_BIN_EXE_hivescope"))
        .args(["run", "--quiet", "--backend", "cpu", "--threshold", THRESHOLD, "--out"])
        .args([&out, &demo])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    passes(&python, "tables.py", &[&out, Path::new(THRESHOLD), &repository("README.md")]);
    passes(&python, "reference.py", &[&out, &demo]);
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
