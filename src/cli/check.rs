//! `hivescope check`: validate only.

use super::args::{CheckArgs, Messages};
use super::messages;
use super::observer::Console;
use super::settings::{self, SettingsFile};
use crate::base::units::show_count;
use crate::input;

/// Runs `check`. Exit code 3 if there is any bad row.
///
/// # Errors
/// As [`input::check`].
pub fn main(args: &CheckArgs, flags: &Messages) -> anyhow::Result<u8> {
    let file = SettingsFile::read(flags.config.as_deref())?;
    let merged = file.fill(&args.input)?;
    let options = settings::input_options(&args.inputs, &merged, std::env::temp_dir())?;
    let console = Console::new(flags);
    let report = settings::pool(merged.threads)?.install(|| input::check(&options, &console))?;
    let code = if report.bad_rows == 0 { 0 } else { 3 };
    if flags.json {
        messages::json(&serde_json::json!({
            "type": "check", "rows": report.rows, "bad_rows": report.bad_rows, "problems": report.problems,
            "queries": report.queries, "models": report.models, "dim": report.dim, "notes": report.notes,
        }));
        return Ok(code);
    }
    if !flags.quiet {
        for note in &report.notes {
            messages::say(&format!("note: {note}"));
        }
    }
    for problem in &report.problems {
        messages::data(problem);
    }
    let unseen = report.bad_rows.saturating_sub(report.problems.len() as u64);
    if unseen > 0 {
        messages::data(&format!("... and {} more", show_count(unseen)));
    }
    let size = format!(
        "{} rows, {} queries, {} models, dimension {}",
        show_count(report.rows),
        show_count(report.queries),
        show_count(report.models),
        report.dim
    );
    messages::data(&match report.bad_rows {
        0 => format!("good: {size}"),
        bad => format!("bad: {} of {size}; `--on-bad-row skip` leaves them out of a run", show_count(bad)),
    });
    Ok(code)
}
