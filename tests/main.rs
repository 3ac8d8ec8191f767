//! The one integration binary: modules instead of many small binaries, so that it links once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that can't go on should panic, and a skipped one says so"
)]

mod cli;
mod floors;
mod gpu;
mod input;
mod report;
mod tables;
