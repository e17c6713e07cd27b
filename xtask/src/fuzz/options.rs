//! The flags of fuzzing.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

pub(super) const HELP: &str = "\
cargo run -p xtask -- fuzz [--seconds N] [--keep] [--sanitizer NAME] [TARGET...]
cargo run -p xtask -- fuzz [--sanitizer NAME] --again TARGET FILE

  --seconds N        how long each target runs [300]
  --keep             put what was found to matter into fuzz/corpus, to be committed
  --sanitizer NAME   address, or none, which is faster [address]
  --again            one input once more: a finding, with its backtrace

Without targets, all of them, one after the other.";

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// How long each target runs.
    pub(super) seconds: u32,
    /// Whether the committed corpus takes over what was found.
    pub(super) keep: bool,
    /// As cargo-fuzz names it.
    pub(super) sanitizer: String,
    /// Which targets; none for all.
    pub(super) targets: Vec<String>,
    /// An input for the one target.
    pub(super) again: Option<PathBuf>,
}

impl Options {
    /// Nothing when help is asked for.
    pub(super) fn parse(words: &[&str]) -> Result<Option<Self>> {
        let mut options = Self {
            seconds: 300,
            keep: false,
            sanitizer: "address".to_owned(),
            targets: Vec::new(),
            again: None,
        };
        let mut words = words.iter().copied();
        let mut again = false;
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word {
                "--seconds" => {
                    let value = value()?;
                    let seconds = value.parse().ok().filter(|&seconds| seconds > 0);
                    options.seconds = seconds
                        .with_context(|| format!("--seconds needs a number, not `{value}`"))?;
                }
                "--keep" => options.keep = true,
                "--sanitizer" => value()?.clone_into(&mut options.sanitizer),
                "--again" => again = true,
                "--help" | "-h" => return Ok(None),
                _ if word.starts_with('-') => bail!("unknown option `{word}`\n\n{HELP}"),
                _ => options.targets.push(word.to_owned()),
            }
        }
        if again {
            let file = options.targets.pop().filter(|_| options.targets.len() == 1);
            options.again = Some(file.context("--again needs a target and a file")?.into());
        }
        Ok(Some(options))
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn what_is_asked_for() {
        let parse = |words: &[&str]| Options::parse(words).unwrap().unwrap();
        assert_eq!((parse(&[]).seconds, parse(&[]).targets.len()), (300, 0));
        let some = parse(&["rules", "--seconds", "30", "btf", "--sanitizer", "none"]);
        assert_eq!((some.seconds, some.sanitizer.as_str()), (30, "none"));
        assert_eq!(some.targets, ["rules", "btf"]);
        let again = parse(&["--again", "rules", "x/crash-1"]);
        assert_eq!((again.targets, again.again), (vec!["rules".into()], Some("x/crash-1".into())));
    }

    #[test]
    fn mistakes_are_told() {
        for words in [&["--seconds"][..], &["--seconds", "0"], &["--fast"], &["--again", "rules"]] {
            assert!(Options::parse(words).is_err(), "{words:?}");
        }
        assert_eq!(Options::parse(&["--help"]).unwrap(), None);
    }
}
