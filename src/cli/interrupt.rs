//! Ctrl-C and the termination signal set a flag; the library polls it between pieces of work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Signals closer together are one request: `timeout` and process managers send them to the process and to its group.
const ONE_REQUEST: Duration = Duration::from_millis(500);

/// Installs the handler. A second request ends the process at once.
///
/// # Errors
/// If the operating system refuses the handler.
pub fn install() -> anyhow::Result<()> {
    let mut first: Option<Instant> = None;
    ctrlc::set_handler(move || {
        if let Some(first) = first {
            if first.elapsed() > ONE_REQUEST {
                std::process::exit(130);
            }
            return;
        }
        first = Some(Instant::now());
        REQUESTED.store(true, Ordering::SeqCst);
        super::messages::say("hivescope: stopping after this piece of work; once more to stop at once");
    })?;
    Ok(())
}

/// Whether the user asked to stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
