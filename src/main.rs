//! The `hivescope` command: a table of contents; everything lives in the library.

fn main() {}
