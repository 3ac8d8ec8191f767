//! The same bytes on both backends, by the command. Needs a Vulkan driver (software will do):
//! `HIVESCOPE_TEST_GPU=require` makes a missing one a failure.

use assert_cmd::Command;
use std::path::Path;

fn run(out: &Path, backend: &[&str]) -> Result<(), String> {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/gemma_demo.parquet");
    let output = Command::new(env!("CARGO_BIN_EXE_hivescope"))
        .arg("run")
        .arg(demo)
        .args(["--quiet", "--k", "256", "--threshold", "0.8", "--out"])
        .arg(out)
        .args(backend)
        .output()
        .unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[test]
fn both_backends_write_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let (cpu, gpu) = (directory.path().join("cpu"), directory.path().join("gpu"));
    run(&cpu, &["--backend", "cpu"]).unwrap();
    if let Err(message) = run(&gpu, &["--backend", "gpu", "--device", "software"]) {
        assert_ne!(std::env::var("HIVESCOPE_TEST_GPU").as_deref(), Ok("require"), "{message}");
        eprintln!("skipped: no Vulkan adapter");
        return;
    }
    for entry in std::fs::read_dir(&cpu).unwrap() {
        let name = entry.unwrap().file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".parquet") || name == "summary.json" {
            let (a, b) = (std::fs::read(cpu.join(&*name)).unwrap(), std::fs::read(gpu.join(&*name)).unwrap());
            assert!(a == b, "{name} differs between the backends");
        }
    }
    let manifest = std::fs::read_to_string(gpu.join("manifest.json")).unwrap();
    assert!(manifest.contains("\"backend\": \"gpu\""), "the GPU really ran");
}
