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
    for (name, columns, sizes) in [
        ("contexts", ["--contexts", "3"], "--queries 20 --samples 2"),
        ("stages", ["--rise", "0.1"], "--queries 20 --samples 2"),
        ("growth", ["--growth", "0.5"], "--queries 20 --samples 7"),
        ("people", ["--people", "4"], "--queries 20 --samples 5"),
        ("tails", ["--drop", "2"], "--queries 20 --samples 9"),
        ("arms", ["--rise", "0.05"], "--arms --iterations 3 --queries 12 --models 3 --samples 6"),
        ("losses", ["--drop", "1"], "--arms --iterations 3 --queries 12 --models 3 --samples 7"),
        ("times", ["--meanings", "6"], "--later 2 --queries 12 --models 3 --samples 8"),
        ("style", ["--style", "0.1"], "--queries 20 --samples 2"),
        ("lengths", ["--lengths", "0.2"], "--queries 20 --samples 2"),
        ("form", ["--form", "0.3"], "--queries 12 --models 5 --samples 2"),
        ("teams", ["--teams", "4,1,2,.5"], "--queries 6 --models 32 --samples 4"),
    ] {
        let (corpus, out) = (here.path().join(format!("{name}.parquet")), here.path().join(name));
        let sizes: Vec<&str> = sizes.split(' ').collect();
        let synth = [&["synth", "--quiet"][..], &sizes, &["--dim", "64", "--out"]].concat();
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

/// summary.json of a planted corpus, and what `synth` says of it.
fn summary_of(columns: &[&str]) -> (serde_json::Value, serde_json::Value) {
    let here = tempfile::tempdir().unwrap();
    let (corpus, out) = (here.path().join("planted.parquet"), here.path().join("out"));
    let mut synth = Command::new(env!("CARGO_BIN_EXE_hivescope"));
    let synth = synth.args(columns).args(["--json", "--out"]).arg(&corpus).output().unwrap();
    assert!(synth.status.success(), "{}", String::from_utf8_lossy(&synth.stderr));
    hivescope(&["run", "--quiet", "--backend", "cpu", "--out"], &[&out, &corpus]);
    let summary = std::fs::read(out.join("summary.json")).unwrap();
    (serde_json::from_slice(&summary).unwrap(), serde_json::from_slice(&synth.stdout).unwrap())
}

#[test]
fn planted_styles_and_lengths_are_recovered() {
    let close = |got: &serde_json::Value, expected: f64| {
        let got = got.as_f64().unwrap_or_else(|| panic!("{got} is no number"));
        assert!((got - expected).abs() < 1e-6, "{got} is not {expected}");
    };
    let synth = ["synth", "--queries", "12", "--samples", "3"];
    let (summary, said) = summary_of(&[&synth[..], &["--style", "0.15"]].concat());
    let style = &summary["variation"]["style"];
    close(&style["adjusted"], said["r2_style"].as_f64().unwrap());
    assert!(style["p"] == 0.001 && style["interval"]["low"].as_f64().unwrap() > 0.2, "{style}");
    let (summary, said) = summary_of(&[&synth[..], &["--style", "0"]].concat());
    let style = &summary["variation"]["style"];
    close(&style["adjusted"], 0.0);
    assert!(said["r2_style"] == 0.0 && style["p"].as_f64().unwrap() > 0.05, "{style}");
    // A .8, B .6, 4 models, 3 answers: between models 2.4 of 4, by chance 3 / 11 of 4.
    close(&summary["variation"]["cell"]["adjusted"], (2.4 - 12.0 / 11.0) / (4.0 - 12.0 / 11.0));

    let (summary, said) = summary_of(&[&synth[..], &["--lengths", "0.2"]].concat());
    let length = &summary["length"];
    close(&length["ratio"]["mean"], -1.0);
    close(&length["like_length"]["value"], 0.6);
    close(&length["like_length"]["all_pairs"], said["all_lengths"].as_f64().unwrap());
    close(&length["like_length"]["kept"], 2.0 / 6.0);
    close(&length["like_length"]["floor"], 0.1);
    let (summary, _) = summary_of(&[&synth[..], &["--lengths", "0"]].concat());
    close(&summary["length"]["like_length"]["difference"], 0.0);
    assert!(summary["texts"]["lines"].as_array().unwrap().len() == 4);
}

#[test]
fn planted_tails_are_recovered() {
    let close = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-6, "{got} is not {expected}");
    let here = tempfile::tempdir().unwrap();
    let (corpus, out) = (here.path().join("planted.parquet"), here.path().join("out"));
    // Of 20 samples 2 have a meaning that the later stage lacks: a tenth.
    let synth = "synth --drop 1 --queries 6 --models 2 --samples 20 --quiet --out";
    hivescope(&synth.split(' ').collect::<Vec<_>>(), &[&corpus]);
    hivescope(&["run", "--quiet", "--backend", "cpu", "--out"], &[&out, &corpus]);
    let summary: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("summary.json")).unwrap()).unwrap();
    let lines = summary["headlines"].as_array().unwrap();
    let line = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap();
    close(line("stage_distinct:sft:rl")["value"].as_f64().unwrap(), -1.0);
    close(line("stage_tail:sft:rl")["value"].as_f64().unwrap(), -0.1);
    let notes = line("stage_tail:sft:rl")["notes"].to_string();
    assert!(
        notes.contains("of sft's meanings 100 % are met again in its other half, 50 % in as many answers of rl"),
        "{notes}"
    );
}

#[test]
fn planted_arms_iterations_and_times_are_recovered() {
    let close = |got: &serde_json::Value, expected: f64| {
        let got = got.as_f64().unwrap_or_else(|| panic!("{got} is no number"));
        assert!((got - expected).abs() < 1e-6, "{got} is not {expected}");
    };
    let line = |summary: &serde_json::Value, name: &str| {
        let lines = summary["headlines"].as_array().unwrap().clone();
        lines.into_iter().find(|line| line["name"] == name).unwrap_or_else(|| panic!("{name} is not there"))
    };
    let synth = ["synth", "--queries", "6", "--models", "2", "--arms", "--iterations", "4"];
    for rise in ["0.05", "0"] {
        let (summary, said) = summary_of(&[&synth[..], &["--samples", "2", "--rise", rise]].concat());
        let rise = said["inter_per_stage"].as_f64().unwrap();
        close(&line(&summary, "arm_inter:critic:1:4")["value"], -3.0 * rise);
        // The first arm has it all, so a query, with the mean over its arms, has half.
        close(&line(&summary, "stage_inter:1:4")["value"], 1.5 * rise);
    }
    let (summary, said) = summary_of(&[&synth[..], &["--samples", "9", "--drop", "1"]].concat());
    assert_eq!(said["distinct_per_stage"], -1.0);
    close(&line(&summary, "arm_distinct:critic:1:4")["value"], 3.0);
    // Of 20 samples the tenth in the tail is of a meaning that only the critic keeps.
    let synth = ["synth", "--queries", "6", "--models", "2", "--samples", "20", "--arms", "--drop", "1"];
    let (summary, _) = summary_of(&synth);
    close(&line(&summary, "arm_distinct:critic:sft:rl")["value"], 1.0);
    close(&line(&summary, "arm_tail:critic:sft:rl")["value"], 0.1);
    // Of 20 answers a quarter each have 8 and 2 meanings at random; then nothing changes.
    for later in ["2", "8"] {
        let meanings = ["synth", "--queries", "40", "--models", "2", "--samples", "10", "--meanings", "8"];
        let (summary, said) =
            summary_of(&[&meanings[..], &["--dim", "128", "--within", "0.9", "--later", later]].concat());
        let (truth, change) = (said["in_time"].as_f64().unwrap(), &summary["meanings"]["in_time"]);
        let [low, high] = ["low", "high"].map(|end| change["interval"][end].as_f64().unwrap());
        assert!(low <= truth && truth <= high && high > low, "{truth}: {change}");
        assert_eq!((change["from"].as_str(), change["to"].as_str()), (Some("1 to 5"), Some("16 to 20")));
        assert!(if later == "8" { truth == 0.0 } else { high < 0.0 });
    }
}

#[test]
fn planted_people_and_growth_are_recovered() {
    let close = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-5, "{got} is not {expected}");
    // 3 samples, A .8, B .6: people on 3 meanings share none, a model on 2 shares one pair of three.
    let people = ["synth", "--people", "3"];
    close(planted(&people, "rho_individual").0, (1.0 - 0.6 - 0.2 / 3.0) / 0.4);
    // Of 9 pairs across two models 5 or 4 share one, as they start on the same or on the other meaning.
    close(planted(&people, "rho_population").0, (0.4 - 0.2 * (2.0 * 5.0 + 4.0 * 4.0) / 54.0) / 0.4);
    close(planted(&["synth", "--people", "2"], "rho_individual").0, 1.0);
    for (exponent, growth) in [("0", 0.0), ("1", 1.0)] {
        let synth = ["synth", "--growth", exponent];
        close(planted(&synth, "growth").0, growth);
        close(planted(&synth, "inflation").0, 1.0 - growth);
    }
    for lag in ["0", "0.25"] {
        let (summary, said) = summary_of(&["synth", "--growth", "0.5", "--rating-lag", lag]);
        close(summary["rating_lag"]["slope"].as_f64().unwrap(), lag.parse().unwrap());
        assert_eq!(said["rating_lag_slope"], lag.parse::<f64>().unwrap());
    }
}

#[test]
fn planted_form_is_recovered() {
    for form in [0.3, 0.0] {
        let planted = |headline| planted(&["synth", "--form", &form.to_string()], headline);
        let (value, content) = planted("form_repeats");
        // Texts at random share few grams, and there are only so many of them.
        assert!((value - form).abs() < 0.005 && content.abs() < 1e-6, "{value} is not {form}, or {content} not 0");
        let (share, _) = planted("form_style");
        assert!(if form > 0.0 { share > 0.2 } else { share.abs() < 0.02 }, "{share}");
    }
}

#[test]
fn planted_teams_are_recovered() {
    let found = |coefficients: &str| {
        let here = tempfile::tempdir().unwrap();
        let (corpus, out) = (here.path().join("planted.parquet"), here.path().join("out"));
        let synth =
            ["synth", "--queries", "12", "--models", "40", "--samples", "4", "--quiet", "--teams", coefficients];
        hivescope(&[&synth[..], &["--dim", "256", "--out"]].concat(), &[&corpus]);
        hivescope(&["run", "--quiet", "--backend", "cpu", "--histogram", "off", "--out"], &[&out, &corpus]);
        let summary = std::fs::read(out.join("summary.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&summary).unwrap()["teams"].take()
    };
    let holds = |limits: &serde_json::Value, truth: f64| {
        let [low, high] = ["low", "high"].map(|end| limits[end].as_f64().unwrap());
        assert!(low <= truth && truth <= high && high > low, "{truth} is not in {low} to {high}");
    };
    for planted in [[5.0, 1.0, 4.0, 0.5], [0.0; 4]] {
        let teams = found(&planted.map(|b| b.to_string()).join(","));
        let coefficients = teams["coefficients"].as_array().unwrap();
        assert_eq!(coefficients.len(), 4);
        coefficients.iter().zip(planted).for_each(|(c, truth)| holds(&c["interval"], truth));
        if planted == [0.0; 4] {
            holds(&teams["above_null"]["interval"], 0.0);
        }
    }
    // Diverse teams, every second one, are all good and the others not: half of the pairs are distinct and good.
    let teams = found("1000,0,0,0");
    let share = &teams["above_null"];
    let (distinct, effective) = (teams["distinct"].as_f64().unwrap(), share["value"].as_f64().unwrap());
    assert!((distinct - 0.5).abs() < 0.02 && effective == distinct, "{teams}");
    assert!(share["interval"]["low"].as_f64().unwrap() > 0.0 && share["reference"].as_f64().unwrap() < 0.6 * distinct);
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
