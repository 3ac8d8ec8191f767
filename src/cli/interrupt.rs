//! Ctrl-C and the termination signal set a flag; the library polls it between pieces of work.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Installs the handler. A second signal ends the process at once.
///
/// # Errors
/// If the operating system refuses the handler.
pub fn install() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        super::messages::say("hivescope: stopping after this piece of work; once more to stop at once");
    })?;
    Ok(())
}

/// Whether the user asked to stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
