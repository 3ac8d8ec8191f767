//! The one integration binary: modules instead of many small binaries, so that it links once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on should panic")]

mod cli;
mod floors;
mod input;
