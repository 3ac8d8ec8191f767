//! Floor 5: the HTML report, made from the files of a result directory alone.
//!
//! `data` gathers what the page shows from tables, summary.json and manifest.json; `page` puts it, the styles and
//! the scripts into one file that needs no network. The page draws itself: `assets/js/report.js` is its table of
//! contents.

mod data;
mod distribution;
mod map;
mod page;
mod reproduction;
mod values;

pub use reproduction::write_reproduction;

use crate::base::{Error, Result};
use std::path::{Path, PathBuf};

/// Writes report.html into `directory` from its tables, summary.json and manifest.json.
///
/// # Errors
/// [`Error::Usage`] if the directory is not a result of hivescope, [`Error::Content`] if a file of it is damaged,
/// [`Error::Io`].
pub fn write(directory: &Path) -> Result<PathBuf> {
    put(directory, "report.html", &page::html(&data::gather(directory)?))
}

/// Writes the page of a result again, whichever it has: that of `run` or that of `reproduce`. Returns its path.
///
/// # Errors
/// As [`write()`].
pub fn write_again(directory: &Path) -> Result<PathBuf> {
    let of_paper = directory.join("reproduction.json").is_file();
    if of_paper { write_reproduction(directory) } else { write(directory) }
}

/// Writes a page.
fn put(directory: &Path, name: &str, html: &str) -> Result<PathBuf> {
    // A reader sees the old page or the new one, never half of it.
    let (path, partial) = (directory.join(name), directory.join(format!("{name}.partial")));
    std::fs::write(&partial, html).map_err(|e| Error::io(&partial, e))?;
    std::fs::rename(&partial, &path).map_err(|e| Error::io(&path, e))?;
    Ok(path)
}
