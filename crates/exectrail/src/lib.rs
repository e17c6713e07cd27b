//! exectrail: every program that runs on a Linux host, with all its arguments,
//! filtered inside the kernel.
//!
//! This crate is the only one that knows arguments, environment, terminal and
//! exit codes. It is a library only so that fuzzing reaches what it reads; the
//! program is its one user.

#![forbid(unsafe_code)]

mod accounts;
mod args;
mod capabilities;
mod commands;
mod config;
mod control;
mod exit;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod host;
mod logging;
mod output;
mod plan;
mod quantity;
mod signals;
mod stream;
mod users;
mod words;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

/// The program: arguments in, exit code out.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::start();
    let done = match cli.command {
        None => commands::trace::run(&cli.trace),
        Some(Command::Trace(trace)) => commands::trace::run(&trace),
        Some(Command::Filter(filter)) => commands::filter::run(&filter),
        Some(Command::Fields) => commands::fields::run(),
        Some(Command::Completions { shell }) => commands::completions::run(shell),
        Some(Command::Man { dir }) => commands::man::run(dir.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}
