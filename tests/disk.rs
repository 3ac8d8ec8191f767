//! A disk that is full, on a small file system of its own. Needs to be allowed to mount one (root), else skipped.

use assert_cmd::Command;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A mounted file system of a given size, gone when dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let directory = TempDir::new().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "hivescope-test"]).arg(directory.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("skipped: no file system can be mounted here");
        }
        mounted.then(|| Self(directory))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg(self.0.path()).output());
    }
}

/// Runs on the demo corpus with DIR on `disk`; the exit code and stderr. Nothing may be left.
fn run(disk: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let demo: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/gemma_demo.parquet");
    let output = Command::new(env!("CARGO_BIN_EXE_hivescope"))
        .arg("run")
        .arg(demo)
        .args(["--backend", "cpu", "--out"])
        .arg(disk.join("out"))
        .args(arguments)
        .output()
        .unwrap();
    let left: Vec<_> = std::fs::read_dir(disk).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?} is left");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_disk_that_fills_up_ends_the_run_with_the_path() {
    let Some(disk) = SmallDisk::mount("64k") else { return };
    let (code, message) = run(disk.0.path(), &[]);
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("out.partial/") && message.contains("No space left"), "{message}");
}

#[test]
fn edges_past_the_free_space_are_refused_before_the_pass() {
    let Some(disk) = SmallDisk::mount("2m") else { return };
    let (code, message) = run(disk.0.path(), &["--threshold", "-1"]);
    assert_eq!(code, Some(2), "{message}");
    assert!(message.contains("would fit") && message.contains("have room for in"), "{message}");
}

#[test]
fn no_room_for_the_vectors_is_an_error_not_a_signal() {
    let Some(disk) = SmallDisk::mount("1M") else { return };
    let here = TempDir::new().unwrap();
    // 43,000 rows of 384 are 66 MB as f32, more than half of the least budget.
    let corpus = here.path().join("planted.parquet");
    let synth = ["--queries", "43", "--models", "10", "--samples", "100", "--dim", "384"];
    let made =
        Command::new(env!("CARGO_BIN_EXE_hivescope")).arg("synth").args(synth).arg("--out").arg(&corpus).output();
    assert!(made.unwrap().status.success());
    let run = Command::new(env!("CARGO_BIN_EXE_hivescope"))
        .arg("run")
        .arg(&corpus)
        .args(["--memory", "64MiB", "--backend", "cpu", "--out"])
        .arg(disk.0.path().join("out"))
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(1), "{message}");
    assert!(message.contains("No space left"), "{message}");
    assert_eq!(std::fs::read_dir(disk.0.path()).unwrap().count(), 0, "something is left");
}
