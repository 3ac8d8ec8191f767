//! The same bytes on both backends and from every kernel of this CPU, by the command. The GPU needs a Vulkan driver
//! (software will do): `HIVESCOPE_TEST_GPU=require` makes a missing one a failure.

use assert_cmd::Command;
use std::io::Write;
use std::path::Path;

fn hivescope() -> Command {
    Command::new(env!("CARGO_BIN_EXE_hivescope"))
}

fn run(input: &Path, out: &Path, options: &[&str], backend: &[&str]) -> Result<(), String> {
    let output = hivescope()
        .arg("run")
        .arg(input)
        .arg("--quiet")
        .args(options)
        .arg("--out")
        .arg(out)
        .args(backend)
        .output()
        .unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Every table and the summary of two results are the same, but for `except`.
fn same_bytes(one: &Path, other: &Path, except: &[&str]) {
    let mut compared = 0;
    for entry in std::fs::read_dir(one).unwrap() {
        let name = entry.unwrap().file_name();
        let name = name.to_string_lossy();
        if except.contains(&&*name) {
            continue;
        }
        if name.ends_with(".parquet") || name == "summary.json" {
            let (a, b) = (std::fs::read(one.join(&*name)).unwrap(), std::fs::read(other.join(&*name)).unwrap());
            assert!(a == b, "{name} differs between {} and {}", one.display(), other.display());
            compared += 1;
        }
    }
    assert!(compared >= 8, "only {compared} files were compared");
}

/// Runs `input` on both backends and compares every table and the summary.
fn assert_same_bytes(input: &Path, directory: &Path, options: &[&str]) {
    let (cpu, gpu) = (directory.join("cpu"), directory.join("gpu"));
    run(input, &cpu, options, &["--backend", "cpu"]).unwrap();
    if let Err(message) = run(input, &gpu, options, &["--backend", "gpu", "--device", "software"]) {
        assert_ne!(std::env::var("HIVESCOPE_TEST_GPU").as_deref(), Ok("require"), "{message}");
        // Not by a macro, whose text the test harness would keep to itself.
        drop(writeln!(std::io::stderr(), "skipped: no Vulkan adapter"));
        return;
    }
    same_bytes(&cpu, &gpu, &[]);
    let manifest = std::fs::read_to_string(gpu.join("manifest.json")).unwrap();
    assert!(manifest.contains("\"backend\": \"gpu\""), "the GPU really ran");
}

#[test]
fn both_backends_write_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/gemma_demo.parquet");
    assert_same_bytes(&demo, directory.path(), &["--k", "256", "--threshold", "0.8"]);
}

/// The dimension of the paper's embeddings: 24 slices on the GPU, 6 on the CPU.
#[test]
fn both_backends_write_the_same_bytes_at_1536_dimensions() {
    let directory = tempfile::tempdir().unwrap();
    let corpus = directory.path().join("planted.parquet");
    hivescope()
        .args(["synth", "--queries", "9", "--models", "5", "--samples", "13", "--dim", "1536", "--seed", "3"])
        .arg("--out")
        .arg(&corpus)
        .assert()
        .success();
    assert_same_bytes(&corpus, directory.path(), &["--k", "20", "--threshold", "0.5", "--histogram", "exact"]);
}

/// Rows in f16: all that does not derive from a coarse histogram is the same.
#[test]
fn rows_in_f16_write_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/gemma_demo.parquet");
    for (histogram, except) in [("off", &[][..]), ("coarse", &["histogram.parquet", "summary.json"])] {
        let options = ["--k", "40", "--threshold", "0.8", "--histogram", histogram];
        let (cpu, gpu) = (directory.path().join(format!("cpu-{histogram}")), directory.path().join(histogram));
        run(&demo, &cpu, &options, &["--backend", "cpu"]).unwrap();
        let asked = ["--device", "software", "--kernel", "f16", "--gpu-memory", "16MiB"];
        if let Err(message) = run(&demo, &gpu, &options, &asked) {
            assert_ne!(std::env::var("HIVESCOPE_TEST_GPU").as_deref(), Ok("require"), "{message}");
            drop(writeln!(std::io::stderr(), "skipped: no Vulkan adapter with f16"));
            return;
        }
        same_bytes(&cpu, &gpu, except);
        let manifest = std::fs::read_to_string(gpu.join("manifest.json")).unwrap();
        assert!(manifest.contains("\"kernel\": \"f16, tile 64x128\""), "f16 really ran");
    }
}

/// Kernels of this CPU, as `devices` names them.
fn kernels() -> Vec<String> {
    let output = hivescope().args(["devices", "--json"]).output().unwrap();
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let kernel = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        (line["type"] == "cpu_kernel").then(|| line["kernel"].as_str().unwrap().to_owned())
    };
    lines.lines().filter_map(kernel).collect()
}

#[test]
fn every_kernel_writes_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/gemma_demo.parquet");
    let kernels = kernels();
    assert!(kernels.contains(&"f32-gemm".to_owned()), "{kernels:?}");
    for histogram in ["off", "exact"] {
        let options = ["--k", "32", "--threshold", "0.8", "--histogram", histogram];
        let reference = directory.path().join(format!("f32-gemm-{histogram}"));
        run(&demo, &reference, &options, &["--backend", "cpu", "--kernel", "f32-gemm"]).unwrap();
        for kernel in kernels.iter().filter(|&kernel| kernel != "f32-gemm") {
            let out = directory.path().join(format!("{kernel}-{histogram}"));
            let result = run(&demo, &out, &options, &["--kernel", kernel]);
            if histogram == "exact" && (kernel.starts_with("int8") || kernel.starts_with("bf16")) {
                let message = result.unwrap_err();
                assert!(message.contains("--histogram off") && message.contains("int16"), "{message}");
                continue;
            }
            result.unwrap();
            same_bytes(&reference, &out, &[]);
            let manifest = std::fs::read_to_string(out.join("manifest.json")).unwrap();
            assert!(manifest.contains(&format!("\"kernel\": \"{kernel}\"")), "{kernel} really ran");
        }
    }
}
