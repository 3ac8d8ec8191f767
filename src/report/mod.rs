//! Floor 5: the HTML report, made from the files of a result directory alone.

use crate::base::Result;
use std::path::Path;

/// Writes report.html into `directory` from its tables, summary.json and manifest.json.
///
/// # Errors
/// [`crate::base::Error::Io`], or [`crate::base::Error::Content`] if the directory is not a result of hivescope.
pub fn write(_directory: &Path) -> Result<()> {
    Ok(())
}
