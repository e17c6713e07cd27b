//! `exectrail tui`: its own options.

use clap::{Args, builder::RangedU64ValueParser};

use super::StreamArgs;

pub(super) const AFTER_HELP: &str = "\
Examples:
  exectrail tui                              what is running here?
  exectrail tui --failed --tree              who starts what, and what fails?
  exectrail tui --follow 4321                one process and its descendants
  exectrail tui --fields time,user,cwd,args  other columns
  exectrail replay --tui day.rec             the same of a recording

All options of a trace hold, but for those of its form and its place. The ends of
processes are traced in any case, and are told in the lines of their execs.

Keys: ? tells them all. / searches, f filters by a rule as --only has it, or with ! before
it as --exclude has it, Enter tells all of an event, t shows the tree, q ends. What is
typed changes what is seen, not what is traced.

The last events are kept, 100,000 or 64 MiB of them; with --keep more, and 64 MiB for each
100,000. How many were forgotten is told.";

/// Options of `tui`.
#[derive(Args, Clone, Debug)]
pub(crate) struct TuiArgs {
    #[command(flatten)]
    pub(crate) stream: StreamArgs,

    /// Keep so many of the last events, in up to 64 MiB for each 100,000 [default: 100000]
    #[arg(long, value_name = "N", value_parser = kept())]
    pub(crate) keep: Option<u64>,
}

/// How many events can be asked to be kept.
pub(super) fn kept() -> RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=10_000_000)
}
