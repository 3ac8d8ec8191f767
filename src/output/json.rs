//! summary.json and manifest.json.

use crate::base::{Error, Result};
use std::io::Write;
use std::path::Path;

/// Writes `value` as indented JSON with a final line break, and syncs the file.
pub(super) fn write(path: &Path, value: &impl serde::Serialize) -> Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|e| Error::io(path, e.into()))?;
    bytes.push(b'\n');
    let mut file = std::fs::File::create(path).map_err(|e| Error::io(path, e))?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(|e| Error::io(path, e))
}
