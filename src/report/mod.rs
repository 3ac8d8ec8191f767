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

pub use reproduction::write_reproduction;

use crate::base::{Error, Result};
use std::path::Path;

/// Writes report.html into `directory` from its tables, summary.json and manifest.json.
///
/// # Errors
/// [`Error::Usage`] if the directory is not a result of hivescope, [`Error::Content`] if a file of it is damaged,
/// [`Error::Io`].
pub fn write(directory: &Path) -> Result<()> {
    let html = page::html(&data::gather(directory)?);
    // A reader sees the old report or the new one, never half of it.
    let (path, partial) = (directory.join("report.html"), directory.join("report.html.partial"));
    std::fs::write(&partial, html).map_err(|e| Error::io(&partial, e))?;
    std::fs::rename(&partial, &path).map_err(|e| Error::io(&path, e))
}
