//! `exectrail man`: manual pages, from the one definition of the command line.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::args::Cli;

/// Prints the page of the command itself, or writes all into a directory.
pub(crate) fn run(dir: Option<&Path>) -> anyhow::Result<()> {
    let mut command = Cli::command();
    let Some(dir) = dir else {
        return Ok(io::stdout().lock().write_all(&page(command)?)?);
    };
    command.build();
    write_all(dir, command)
}

/// The page of a command, and those of the commands below it: `exectrail-filter-add.1`.
fn write_all(dir: &Path, command: clap::Command) -> anyhow::Result<()> {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        write_all(dir, below.clone())?;
    }
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let path = dir.join(format!("{name}.1"));
    fs::write(&path, page(command)?).with_context(|| format!("cannot write {}", path.display()))
}

fn page(command: clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).section("1").render(&mut page)?;
    // What stands after the help is examples with us, and has a section of that name.
    let page = String::from_utf8_lossy(&page);
    Ok(page.replace(".SH EXTRA\nExamples:\n", ".SH EXAMPLES\n").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(command: &clap::Command) -> Vec<clap::Command> {
        let below = command.get_subcommands().filter(|below| below.get_name() != "help");
        below.flat_map(commands).chain([command.clone()]).collect()
    }

    #[test]
    fn each_command_has_a_page_with_each_of_its_options() {
        let dir = tempfile::tempdir().unwrap();
        run(Some(dir.path())).unwrap();
        let mut all = Cli::command();
        all.build();
        let commands = commands(&all);
        assert!(commands.len() >= 13, "{}", commands.len());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), commands.len());
        for command in commands {
            let name = command.get_display_name().unwrap_or("exectrail");
            let page = fs::read_to_string(dir.path().join(format!("{name}.1"))).unwrap();
            assert!(!page.contains(".SH EXTRA\nExamples"), "{name}");
            for option in command.get_opts().filter_map(clap::Arg::get_long) {
                let written = format!("\\-\\-{}", option.replace('-', "\\-"));
                assert!(page.contains(&written), "{name} has no {option}");
            }
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let error = run(Some(Path::new("/nonexistent/man1"))).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/man1/"), "{error}");
    }
}
