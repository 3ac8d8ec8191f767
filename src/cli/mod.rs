//! Floor 6: the command line. Flags, configuration file, progress, messages; one file per subcommand.
//!
//! Only here: clap, progress bars, the terminal and `anyhow`. A new subcommand is one file, one variant of
//! [`args::Command`] and one line in [`main`].

pub mod args;
mod backend;
pub mod check;
pub mod devices;
pub mod interrupt;
pub mod memory;
pub mod messages;
pub mod observer;
pub mod plan;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod settings;
pub mod synth;

use crate::base::Error;
use args::{Cli, Command};
use clap::Parser;
use std::process::ExitCode;

/// Parses the command line, runs the subcommand and maps its result to an exit code. To be called first in a process,
/// while it has one thread.
pub fn main() -> ExitCode {
    quiet_vulkan();
    memory::give_back_large_blocks();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            messages::parse_error(&error);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    print_only_unhandled_panics();
    let messages = cli.messages.clone();
    let result = interrupt::install().and_then(|()| dispatch(cli));
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let known = error.downcast_ref::<Error>();
            let code = known.map_or(1, Error::exit_code);
            // What our own errors say has its cause in it.
            messages::failure(&known.map_or_else(|| format!("{error:#}"), Error::to_string), code, messages.json);
            ExitCode::from(code)
        }
    }
}

/// Without XDG_RUNTIME_DIR (containers, services) Mesa's device selection asks Wayland all the same, which prints an
/// error at each search for adapters. `--device` selects here, so that layer is left out.
fn quiet_vulkan() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() && std::env::var_os("NODEVICE_SELECT").is_none() {
        // SAFETY: nothing else in this process reads or writes the environment yet: this is the first thing it does,
        // before any other thread is started.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}

/// A panic inside the Parquet reader becomes an error that names the file; the panic itself is not for the user.
fn print_only_unhandled_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::input::panic_is_handled() {
            print(panic);
        }
    }));
}

/// Runs one subcommand. `Ok` carries the exit code.
fn dispatch(cli: Cli) -> anyhow::Result<u8> {
    match cli.command {
        Command::Run(args) => run::main(&args, &cli.messages),
        Command::Check(args) => check::main(&args, &cli.messages),
        Command::Plan(args) => plan::main(&args, &cli.messages),
        Command::Devices => devices::main(&cli.messages),
        Command::Synth(args) => synth::main(&args, &cli.messages),
        Command::Report(args) => report::main(&args, &cli.messages),
        Command::Reproduce(args) => reproduce::main(&args, &cli.messages),
    }
}
