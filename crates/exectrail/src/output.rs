//! Where the stream goes, and what that place can do.

use std::{
    env,
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Write},
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::Path,
};

use anyhow::Context;

use crate::args::ColorChoice;

/// The place that the stream goes to.
pub(crate) struct Output {
    /// Write here.
    pub(crate) writer: Box<dyn Write + Send>,
    /// Columns of the terminal, if it is one.
    pub(crate) width: Option<usize>,
    /// Whether it is to have colours.
    pub(crate) color: bool,
}

/// Opens the file, or stdout without the line buffer that Rust puts before it.
pub(crate) fn open(path: Option<&Path>, color: ColorChoice) -> anyhow::Result<Output> {
    let file = match path {
        Some(path) => create(path)?,
        None => File::from(io::stdout().as_fd().try_clone_to_owned().context("opening stdout")?),
    };
    let terminal = file.is_terminal();
    let width = if terminal { columns(&file) } else { None };
    Ok(Output { writer: Box::new(file), width, color: colored(color, terminal) })
}

/// What programs were run with what arguments is nobody else's business.
fn create(path: &Path) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    file.with_context(|| format!("cannot write to {}", path.display()))
}

fn columns(file: &File) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(file).ok()?;
    Some(usize::from(size.ws_col)).filter(|&columns| columns > 0)
}

fn colored(choice: ColorChoice, terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            terminal && !refused && env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    }
}
