//! DIR.partial, and how it becomes DIR.

use crate::base::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Marks a DIR.partial as ours.
const MARK: &str = ".hivescope-partial";

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The absolute path, links resolved as far as it exists.
fn resolved(path: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(path).map_err(|e| Error::io(path, e))?;
    let mut rest = Vec::new();
    let mut head = absolute.as_path();
    loop {
        if let Ok(real) = fs::canonicalize(head) {
            return Ok(rest.iter().rev().fold(real, |path: PathBuf, part: &std::ffi::OsString| path.join(part)));
        }
        match (head.parent(), head.file_name()) {
            (Some(parent), Some(name)) => {
                rest.push(name.to_owned());
                head = parent;
            }
            _ => return Ok(absolute.clone()),
        }
    }
}

/// Checks DIR, empties a stale DIR.partial of ours, makes a new one; returns (DIR.partial, DIR).
pub(super) fn create(out: &Path, inputs: &[PathBuf], overwrite: bool) -> Result<(PathBuf, PathBuf)> {
    let finished = resolved(out)?;
    for input in inputs {
        let real = resolved(input)?;
        if finished.starts_with(&real) || real.starts_with(&finished) {
            return Err(Error::Usage(format!(
                "--out {} and the input {} lie in each other; name a directory outside the input",
                out.display(),
                input.display()
            )));
        }
    }
    if finished.exists() {
        if !overwrite {
            return Err(Error::Usage(format!("{} exists; name another --out or add --overwrite", out.display())));
        }
        if !(finished.join("manifest.json").is_file() && is_ours(&finished.join("_SUCCESS"))) {
            return Err(Error::Usage(format!(
                "{} is not a finished result of hivescope (manifest.json and _SUCCESS), so --overwrite leaves it alone",
                out.display()
            )));
        }
    }
    let partial = with_suffix(&finished, ".partial");
    if partial.exists() {
        let empty = fs::read_dir(&partial).is_ok_and(|mut entries| entries.next().is_none());
        if !empty && !partial.join(MARK).is_file() {
            return Err(Error::Usage(format!("{} is in the way and not of hivescope; remove it", partial.display())));
        }
        fs::remove_dir_all(&partial).map_err(|e| Error::io(&partial, e))?;
    }
    fs::create_dir_all(&partial).map_err(|e| Error::io(&partial, e))?;
    fs::write(partial.join(MARK), []).map_err(|e| Error::io(&partial, e))?;
    Ok((partial, finished))
}

fn is_ours(success: &Path) -> bool {
    fs::read_to_string(success).is_ok_and(|text| text.starts_with("hivescope "))
}

/// Syncs, writes _SUCCESS and renames. A DIR that is replaced stays until the new one is complete.
pub(super) fn finish(partial: &Path, finished: &Path, overwrite: bool) -> Result<()> {
    let io = |e: std::io::Error| Error::io(partial, e);
    let success = partial.join("_SUCCESS");
    for entry in fs::read_dir(partial).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.is_file() {
            fs::File::open(&path).and_then(|file| file.sync_all()).map_err(|e| Error::io(&path, e))?;
        }
    }
    fs::write(&success, format!("hivescope {}\n", env!("CARGO_PKG_VERSION"))).map_err(io)?;
    fs::File::open(&success).and_then(|file| file.sync_all()).map_err(io)?;
    fs::remove_file(partial.join(MARK)).map_err(io)?;
    sync_directory(partial)?;
    let replaced = with_suffix(finished, ".replaced");
    let replaces = finished.exists();
    if replaces {
        if !overwrite {
            return Err(Error::Usage(format!("{} exists; add --overwrite", finished.display())));
        }
        fs::rename(finished, &replaced).map_err(|e| Error::io(finished, e))?;
    }
    fs::rename(partial, finished).map_err(|e| Error::io(finished, e))?;
    if let Some(parent) = finished.parent() {
        sync_directory(parent)?;
    }
    if replaces {
        fs::remove_dir_all(&replaced).map_err(|e| Error::io(&replaced, e))?;
    }
    Ok(())
}

/// Syncs the names in a directory, where the system can.
fn sync_directory(path: &Path) -> Result<()> {
    if cfg!(unix) {
        fs::File::open(path).and_then(|directory| directory.sync_all()).map_err(|e| Error::io(path, e))?;
    }
    Ok(())
}
