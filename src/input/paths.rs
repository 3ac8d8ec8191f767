//! Finding the files: a file, a directory, a quoted glob; bytewise order.

use crate::base::{Error, Place, Result};
use crate::corpus::SourceFile;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// All `*.parquet` files below `directory`.
fn walk(directory: &Path, out: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(directory).map_err(|e| Error::io(directory, e))? {
        let path = entry.map_err(|e| Error::io(directory, e))?.path();
        if path.is_dir() && !path.is_symlink() {
            walk(&path, out)?;
        } else if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet")) {
            out.push(path);
        }
    }
    Ok(())
}

/// Files that the INPUTs name, in bytewise order of their names.
///
/// # Errors
/// [`Error::Usage`] for an INPUT that matches nothing, [`Error::Io`] for what can't be read.
pub fn find(inputs: &[String]) -> Result<Vec<SourceFile>> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for input in inputs {
        let path = Path::new(input);
        let (base, mut paths) = if path.is_dir() {
            let mut paths = Vec::new();
            walk(path, &mut paths)?;
            (path.to_path_buf(), paths)
        } else if path.exists() {
            (path.parent().map(Path::to_path_buf).unwrap_or_default(), vec![path.to_path_buf()])
        } else {
            let matches = glob::glob(input).map_err(|e| Error::Usage(format!("INPUT `{input}` is not a glob: {e}")))?;
            let paths: Vec<PathBuf> = matches.filter_map(|path| path.ok().filter(|path| path.is_file())).collect();
            let fixed = input.split(['*', '?', '[']).next().unwrap_or("");
            (PathBuf::from(fixed.rsplit_once('/').map_or("", |(directory, _)| directory)), paths)
        };
        if paths.is_empty() {
            let hint = if path.is_dir() {
                "the directory holds no *.parquet file"
            } else {
                "no such file, and no file matches it as a glob"
            };
            return Err(Error::Usage(format!("INPUT `{input}`: {hint}")));
        }
        paths.sort();
        found.extend(paths.into_iter().map(|path| {
            let name = path.strip_prefix(&base).unwrap_or(&path).to_string_lossy().into_owned();
            (name, path)
        }));
    }
    found.sort();
    found.dedup();
    found.into_iter().map(|(name, path)| open(name, path)).collect()
}

fn open(name: String, path: PathBuf) -> Result<SourceFile> {
    let mut file = std::fs::File::open(&path).map_err(|e| Error::io(&path, e))?;
    let metadata = file.metadata().map_err(|e| Error::io(&path, e))?;
    if !metadata.is_file() {
        return Err(Error::Usage(format!("INPUT `{}` is not a regular file", path.display())));
    }
    let bytes = metadata.len();
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(bytes.saturating_sub(64 << 10))).map_err(|e| Error::io(&path, e))?;
    file.read_to_end(&mut tail).map_err(|e| Error::io(&path, e))?;
    let mut head = [0u8; 64];
    file.seek(SeekFrom::Start(0)).map_err(|e| Error::io(&path, e))?;
    let read = file.read(&mut head).map_err(|e| Error::io(&path, e))?;
    sniff(&name, &head[..read], &tail)?;
    let mut hash = blake3::Hasher::new();
    hash.update(&bytes.to_le_bytes()).update(&tail);
    Ok(SourceFile {
        name,
        bytes,
        modified_ns: modified_ns(&metadata),
        rows: 0,
        fingerprint: hash.finalize().to_hex().to_string(),
        path,
    })
}

/// Modification time in nanoseconds since 1970; 0 if unknown.
pub fn modified_ns(metadata: &std::fs::Metadata) -> u128 {
    let time = metadata.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    time.map_or(0, |t| t.as_nanos())
}

/// Says in plain words what a file is that is not Parquet.
fn sniff(name: &str, head: &[u8], tail: &[u8]) -> Result<()> {
    let problem = if head.starts_with(b"PAR1") && tail.ends_with(b"PAR1") && tail.len() >= 12 {
        return Ok(());
    } else if head.starts_with(b"PARE") || tail.ends_with(b"PARE") {
        "the footer is encrypted; decrypt the file first"
    } else if head.starts_with(b"PAR1") {
        "begins as Parquet but has no end: is it still being written, or was the download cut short?"
    } else if head.starts_with(b"ARROW1") {
        "is an Arrow IPC (Feather) file, not Parquet; convert it first"
    } else if head.starts_with(b"version https://git-lfs") {
        "is a git-LFS pointer, not the data; fetch it with `git lfs pull`"
    } else if head.is_empty() {
        "is empty (0 bytes)"
    } else if head.iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) {
        "is text (CSV or JSON?), not Parquet; convert it first"
    } else {
        "is not a Parquet file"
    };
    Err(Error::content(Place::file(name), problem))
}
