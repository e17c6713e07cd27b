//! The flags of the benchmark.

use anyhow::{Context as _, Result, bail};

pub(super) const HELP: &str = "\
cargo run --release -p xtask -- bench [--quick] [--parts | --rules | --endure S]
    [--pairs N] [--execs N]

  --quick     fewer rounds and smaller storms: under three minutes, and coarser
  --parts     what each part of a record costs, and nothing else
  --rules     what rules of each kind cost, and nothing else
  --endure S  a storm of S seconds on all CPUs, traced as JSON: what is lost, and what the
              tracer takes first and last; needs some 27 MB of disk a second
  --pairs N   rounds of the storm with and without a tracer [20; quick: 3]
  --execs N   execs of one storm [20000; quick: 2000]

Writes target/bench/figures.json and target/bench/index.html, and without any option
docs/benchmarks.md, too. Needs root. Nothing is asserted about time.";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything.
    All,
    /// What the parts of a record cost.
    Parts,
    /// What rules cost.
    Rules,
    /// What becomes of a long storm.
    LongStorm,
}

/// How much is measured.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Options {
    pub(super) scope: Scope,
    /// Less than all of it, so that the page in docs stays as it is.
    pub(super) is_part: bool,
    /// Rounds of the storm with and without a tracer.
    pub(super) pairs: usize,
    /// Execs of one storm.
    pub(super) execs: u32,
    /// Execs of one run of which each is timed.
    pub(super) timed: u32,
    /// Rounds of the kernel-time measurement.
    pub(super) kernel_rounds: usize,
    /// Rounds at each place of a sweep.
    pub(super) sweep_rounds: usize,
    /// Rounds of the measurement of other system calls.
    pub(super) call_rounds: usize,
    /// Rounds in which lines are awaited, and execs of one.
    pub(super) line_rounds: usize,
    pub(super) beats: u32,
    /// How often exectrail is started to see how long that takes.
    pub(super) starts: usize,
    /// Places of the sweeps: arguments, KiB of arguments, per cent excluded.
    pub(super) arguments: &'static [u32],
    pub(super) kib: &'static [u32],
    pub(super) excluded: &'static [u32],
    /// Execs a second of the sweep over them, zero for as many as there can be, and how
    /// long each lasts.
    pub(super) rates: &'static [u32],
    pub(super) pace_seconds: f64,
    /// Seconds of the long storm.
    pub(super) endurance: u32,
    /// Processes of the sweep over them.
    pub(super) processes: f64,
}

impl Options {
    const FULL: Self = Self {
        scope: Scope::All,
        is_part: false,
        pairs: 20,
        execs: 20_000,
        timed: 5_000,
        kernel_rounds: 5,
        sweep_rounds: 3,
        call_rounds: 10,
        line_rounds: 3,
        beats: 200,
        starts: 10,
        arguments: &[1, 20, 50, 200, 500],
        kib: &[0, 1, 4, 16, 64],
        excluded: &[0, 50, 100],
        rates: &[100, 500, 2_000, 0],
        pace_seconds: 2.0,
        endurance: 60,
        processes: 100_000.0,
    };
    const QUICK: Self = Self {
        is_part: true,
        pairs: 3,
        execs: 2_000,
        timed: 1_000,
        kernel_rounds: 3,
        sweep_rounds: 1,
        call_rounds: 3,
        line_rounds: 1,
        beats: 100,
        starts: 5,
        arguments: &[1, 20, 500],
        kib: &[0, 4, 64],
        excluded: &[0, 50, 100],
        rates: &[100, 1_000, 0],
        pace_seconds: 1.0,
        endurance: 3,
        processes: 10_000.0,
        ..Self::FULL
    };

    /// Nothing when help is asked for.
    pub(super) fn parse(words: &[&str]) -> Result<Option<Self>> {
        let mut options = if words.contains(&"--quick") { Self::QUICK } else { Self::FULL };
        options.is_part = !words.is_empty();
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            match word {
                "--quick" => {}
                "--parts" => options.scope = Scope::Parts,
                "--rules" => options.scope = Scope::Rules,
                "--endure" => {
                    options.scope = Scope::LongStorm;
                    options.endurance = number(word, words.next())?;
                }
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
    use super::{Options, Scope};

    #[test]
    fn flags_hold_wherever_they_stand() {
        let parse = |words: &[&str]| Options::parse(words).unwrap().unwrap();
        assert_eq!(parse(&[]), Options::FULL);
        assert_eq!(parse(&["--quick"]), Options::QUICK);
        let both = parse(&["--pairs", "3", "--quick"]);
        assert_eq!((both.pairs, both.execs), (3, Options::QUICK.execs));
        let long = parse(&["--endure", "600"]);
        assert_eq!((long.scope, long.endurance, long.is_part), (Scope::LongStorm, 600, true));
    }

    #[test]
    fn only_a_run_without_options_is_whole() {
        let is_part = |words: &[&str]| Options::parse(words).unwrap().unwrap().is_part;
        assert!(!is_part(&[]));
        assert!(is_part(&["--quick"]) && is_part(&["--pairs", "20"]) && is_part(&["--parts"]));
    }

    #[test]
    fn mistakes_are_told() {
        for words in
            [&["--pairs"][..], &["--pairs", "0"], &["--endure"], &["--execs", "x"], &["--fast"]]
        {
            assert!(Options::parse(words).is_err(), "{words:?}");
        }
        assert_eq!(Options::parse(&["--help"]).unwrap(), None);
    }
}
