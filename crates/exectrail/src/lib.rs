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
mod child;
mod commands;
mod config;
mod control;
mod exit;
mod form;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod host;
mod logging;
mod output;
mod plan;
mod priority;
mod progress;
mod quantity;
mod recorder;
mod signals;
mod sorting;
mod stream;
mod users;
mod words;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

/// The program: arguments in, exit code out.
#[must_use]
pub fn main() -> ExitCode {
    // Before anything else: what this is to become has been traced for a while by then.
    if let Some(code) = child::held::become_command() {
        return code;
    }
    let cli = Cli::parse();
    logging::start();
    let done = match cli.command {
        None => commands::trace::run(&cli.stream),
        Some(Command::Trace(stream)) => commands::trace::run(&stream),
        Some(Command::Run(run)) => {
            return commands::run::run(&run).unwrap_or_else(|error| exit::report(&error));
        }
        Some(Command::Record(record)) => commands::record::run(&record),
        Some(Command::Replay(replay)) => {
            return commands::replay::run(&replay).unwrap_or_else(|error| exit::report(&error));
        }
        Some(Command::Top(top)) => commands::top::run(&top),
        Some(Command::Tui(tui)) => commands::tui::run(&tui),
        Some(Command::Filter(filter)) => commands::filter::run(&filter),
        Some(Command::Doctor { json }) => {
            return commands::doctor::run(json).unwrap_or_else(|error| exit::report(&error));
        }
        Some(Command::Fields) => commands::fields::run(),
        Some(Command::Completions { shell }) => commands::completions::run(shell),
        Some(Command::Man { dir }) => commands::man::run(dir.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}
