//! `cold`: S1 from a flat file of f32 rows, once from the page cache and once from the disk.
//!
//! Rows are read in parallel to their places with their norms, then the pair pass; no Parquet. The page cache is emptied
//! through /proc/sys/vm/drop_caches where that is allowed, else dd is asked to drop the file's pages.

use super::corpus::{S1, filled, plant};
use super::opened::Setup;
use super::sizes::{figures, pass};
use anyhow::Context;
use hivescope::base::similarity::Similarity;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

/// Where the file goes.
#[derive(clap::Args)]
pub struct Options {
    /// A directory on a real disk; that for temporary files if left out
    #[arg(long)]
    directory: Option<PathBuf>,
}

/// How the file's pages were dropped, if they were.
fn drop_cache(path: &std::path::Path) -> &'static str {
    if std::fs::write("/proc/sys/vm/drop_caches", "1").is_ok() {
        return "drop_caches";
    }
    let mut input = std::ffi::OsString::from("if=");
    input.push(path);
    let dd = std::process::Command::new("dd").arg(input).args(["iflag=nocache", "count=0", "status=none"]).status();
    if dd.is_ok_and(|status| status.success()) { "dd nocache" } else { "not dropped" }
}

#[cfg(unix)]
fn read_at(file: &std::fs::File, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn read_at(_: &std::fs::File, _: &mut [u8], _: u64) -> std::io::Result<()> {
    Err(std::io::Error::other("only on Unix"))
}

/// Writes the file, then reads and computes it twice.
///
/// # Errors
/// If the disk or the adapter fails.
pub fn main(setup: &mut Setup, options: &Options) -> anyhow::Result<()> {
    let mut backend = setup.open(setup.kernel.as_deref())?;
    let info = backend.info();
    let size = S1.scaled(setup.scale);
    let directory = options.directory.clone().unwrap_or_else(std::env::temp_dir);
    let mut file = tempfile::NamedTempFile::new_in(&directory).context("the file of rows")?;
    for name in ["S1 from a file, warm", "S1 from a file, cold"] {
        if setup.journal.has(name, &info, setup.scale) {
            continue;
        }
        if file.as_file().metadata()?.len() == 0 {
            file.write_all(bytemuck::cast_slice(plant(size)?.embeddings.values()))?;
            file.as_file().sync_all()?;
        }
        let limits = setup.limits(&info)?;
        let dropped = if name.ends_with("cold") { drop_cache(file.path()) } else { "warm" };
        let (similarity, reader) = (Similarity::new(), file.as_file());
        let failed = std::sync::atomic::AtomicBool::new(false);
        let started = Instant::now();
        let corpus = filled(size, |row, values| {
            let offset = (row * size.dim * 4) as u64;
            if read_at(reader, bytemuck::cast_slice_mut(values), offset).is_err() {
                failed.store(true, std::sync::atomic::Ordering::Relaxed);
            }
            similarity.norm(values)
        })?;
        anyhow::ensure!(!failed.into_inner(), "the file can't be read");
        let read = started.elapsed().as_secs_f64();
        let (seconds, stats) = pass(&corpus, backend.as_mut(), 10)?;
        let mut figures = figures(&corpus, seconds, &stats, &limits, &info.kernel);
        figures["read_seconds"] = json!(read);
        figures["cache"] = json!(dropped);
        setup.journal.add(name, &info, setup.scale, figures)?;
    }
    Ok(())
}
