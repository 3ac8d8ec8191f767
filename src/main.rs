//! The `hivescope` command: a table of contents; everything lives in the library.
//!
//! | subcommand | file |
//! |---|---|
//! | `run` | src/cli/run.rs |
//! | `check` | src/cli/check.rs |
//! | `plan` | src/cli/plan.rs |
//! | `devices` | src/cli/devices.rs |
//! | `synth` | src/cli/synth.rs |
//! | `report` | src/cli/report.rs |
//! | `reproduce` | src/cli/reproduce.rs |

use std::process::ExitCode;

fn main() -> ExitCode {
    hivescope::cli::main()
}
