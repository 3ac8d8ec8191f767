//! The one integration binary: modules instead of many small binaries, so that it links once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that can't go on should panic, and a skipped one says so"
)]

mod backends;
mod cli;
#[cfg(target_os = "linux")]
mod disk;
mod fixtures;
mod floors;
mod input;
mod page_path;
mod report;
mod reproduce;
mod tables;
