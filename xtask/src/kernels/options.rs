//! The flags.

use anyhow::{Context as _, Result, bail};

use super::rows::{self, Row};

pub(super) const HELP: &str = "\
Every kernel in every mode: the storms and the edge cases; on this host, all live tests.

cargo run -p xtask -- kernels [--quick | --full] [--only ROW...] [--tests FILTER...] [-- COMMAND...]

  --quick         the oldest and the newest kernel alone; where CI is set, four kernels
  --full          all live tests in the first mode of each kernel, too: far longer
  --only ROW      this row alone, as KERNEL or KERNEL:MODE; can be repeated
  --tests FILTER  instead of each row's tests, those whose names contain this
  --list          the rows, and nothing else
  -- COMMAND      instead of tests, this command in each machine: a look inside

Needs qemu-system-x86_64 and apt; for 64-bit Arm qemu-system-aarch64, the distribution's
Rust and cross compiler, without which those rows are not run. Logs go to target/kernels/, the table to
docs/kernels.md.";

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) rows: Vec<Row>,
    pub(super) filters: Vec<String>,
    pub(super) command: Vec<String>,
    pub(super) list: bool,
    /// Fewer kernels than this are a failure.
    pub(super) at_least: usize,
    /// Not every row and test, so the table in the documentation stays as it is.
    pub(super) is_part: bool,
}

impl Options {
    /// Nothing when help is asked for.
    pub(super) fn parse(words: &[&str], ci: bool) -> Result<Option<Self>> {
        let mut options = Self { at_least: if ci { 4 } else { 1 }, ..Self::default() };
        let mut only = Vec::new();
        let (mut quick, mut full) = (false, false);
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word {
                "--quick" => quick = true,
                "--full" => full = true,
                "--only" => only.push(value()?),
                "--tests" => options.filters.push(value()?.to_owned()),
                "--list" => options.list = true,
                "--" => options.command.extend(words.by_ref().map(str::to_owned)),
                "--help" | "-h" => return Ok(None),
                _ => bail!("unknown option `{word}`\n\n{HELP}"),
            }
        }
        options.is_part =
            quick || !only.is_empty() || !options.filters.is_empty() || !options.command.is_empty();
        options.rows = if quick { rows::quick(ci) } else { rows::all(full) };
        if !only.is_empty() {
            options.rows.retain(|row| only.iter().any(|name| row.is_called(name)));
            options.at_least = 1;
        }
        if options.rows.is_empty() {
            bail!("no row is called like that; --list shows them");
        }
        Ok(Some(options))
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn rows(words: &[&str], ci: bool) -> Vec<String> {
        let options = Options::parse(words, ci).unwrap().unwrap();
        options.rows.iter().map(super::Row::name).collect()
    }

    #[test]
    fn rows_by_name() {
        assert_eq!(rows(&["--only", "6.1-rt"], false), ["6.1-rt:rt"]);
        assert_eq!(rows(&["--only", "newest:full", "--only", "5.10"], false).len(), 2);
        assert_eq!(rows(&["--only", "arm64-6.1"], false), ["arm64-6.1:voluntary"]);
        assert!(Options::parse(&["--only", "2.6"], false).is_err());
    }

    #[test]
    fn a_quick_run_has_two_kernels_and_four_under_ci() {
        assert_eq!(rows(&["--quick"], false).len(), 2);
        assert_eq!(rows(&["--quick"], true).len(), 4);
        assert_eq!(Options::parse(&["--quick"], true).unwrap().unwrap().at_least, 4);
    }

    #[test]
    fn what_comes_behind_two_dashes_is_a_command() {
        let options = Options::parse(&["--", "sh", "--quick"], false).unwrap().unwrap();
        assert_eq!(options.command, ["sh", "--quick"]);
        assert!(options.is_part);
    }
}
