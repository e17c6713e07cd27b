//! The flags of the benchmark.

use anyhow::{Context as _, Result, bail};

pub(super) const HELP: &str = "\
cargo run --release -p xtask -- bench [--quick] [--parts | --rules] [--pairs N] [--execs N]

  --quick     fewer rounds and smaller storms: under a minute, and coarser
  --parts     what each part of a record costs, and nothing else
  --rules     what rules of each kind cost, and nothing else
  --pairs N   rounds of the storm with and without a tracer [20; quick: 5]
  --execs N   execs of one storm [20000; quick: 5000]

Needs root. Nothing is asserted about time.";

/// How much is measured.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Only what the parts of a record cost.
    pub(super) parts: bool,
    /// Only what rules cost.
    pub(super) rules: bool,
    /// Rounds of the storm with and without a tracer.
    pub(super) pairs: usize,
    /// Execs of one storm.
    pub(super) execs: u32,
    /// Rounds of the kernel-time measurement.
    pub(super) kernel_rounds: usize,
    /// Rounds of the measurement of other system calls.
    pub(super) call_rounds: usize,
    /// How often exectrail is started to see how long that takes.
    pub(super) starts: usize,
}

impl Options {
    const FULL: Self = Self {
        parts: false,
        rules: false,
        pairs: 20,
        execs: 20_000,
        kernel_rounds: 7,
        call_rounds: 10,
        starts: 10,
    };
    const QUICK: Self =
        Self { pairs: 5, execs: 5_000, kernel_rounds: 3, call_rounds: 5, ..Self::FULL };

    /// Nothing when help is asked for.
    pub(super) fn parse(words: &[&str]) -> Result<Option<Self>> {
        let mut options = if words.contains(&"--quick") { Self::QUICK } else { Self::FULL };
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            match word {
                "--quick" => {}
                "--parts" => options.parts = true,
                "--rules" => options.rules = true,
                "--pairs" => options.pairs = number(word, words.next())?,
                "--execs" => options.execs = number(word, words.next())?,
                "--help" | "-h" => return Ok(None),
                _ => bail!("unknown option `{word}`\n\n{HELP}"),
            }
        }
        Ok(Some(options))
    }
}

fn number<T: std::str::FromStr + PartialOrd + From<u8>>(
    flag: &str,
    word: Option<&str>,
) -> Result<T> {
    let word = word.with_context(|| format!("{flag} needs a number"))?;
    match word.parse() {
        Ok(number) if number >= T::from(1) => Ok(number),
        _ => bail!("{flag} needs a number of at least 1, not `{word}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn flags_hold_wherever_they_stand() {
        let parse = |words: &[&str]| Options::parse(words).unwrap().unwrap();
        assert_eq!(parse(&[]), Options::FULL);
        assert_eq!(parse(&["--quick"]), Options::QUICK);
        let both = parse(&["--pairs", "3", "--quick"]);
        assert_eq!((both.pairs, both.execs), (3, Options::QUICK.execs));
    }

    #[test]
    fn mistakes_are_told() {
        for words in [&["--pairs"][..], &["--pairs", "0"], &["--execs", "x"], &["--fast"]] {
            assert!(Options::parse(words).is_err(), "{words:?}");
        }
        assert_eq!(Options::parse(&["--help"]).unwrap(), None);
    }
}
