//! The one integration binary.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop on any error")]

mod floors;
