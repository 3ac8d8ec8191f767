//! `hivescope report`: the page of a result directory, made again from its files.

use super::args::{Messages, ReportArgs};
use super::messages;

/// Runs `report`.
///
/// # Errors
/// If the directory is not a result, or can't be written.
pub fn main(args: &ReportArgs, flags: &Messages) -> anyhow::Result<u8> {
    let path = crate::report::write_again(&args.directory)?;
    if flags.json {
        messages::json(&serde_json::json!({"type": "report", "path": path.to_string_lossy()}));
    } else if !flags.quiet {
        messages::data(&path.display().to_string());
    }
    Ok(0)
}
