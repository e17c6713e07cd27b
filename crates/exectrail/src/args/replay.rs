//! `exectrail replay`: its own options.

use std::path::PathBuf;

use clap::Args;

use super::{FormArgs, WantedArgs};

pub(super) const AFTER_HELP: &str = "\
Examples:
  exectrail replay day.rec                       as the trace would have shown it
  exectrail replay --json day.rec                for other programs
  exectrail replay --only 'python3*' day.rec     with rules, as a trace has them
  exectrail replay --summary-only day.rec        how long, how often, what failed
  exectrail replay --summary-only --json day.rec  the same in an object, for other programs
  exectrail replay --sort -duration_ns --count 10 day.rec   what took longest?
  exectrail replay --summary-only --sort -cpu_ns day.rec    who used most CPU?
  exectrail replay --tail day.rec                while it is being written
  exectrail replay --tui day.rec                 to look around in it
  ssh host cat day.rec | exectrail replay -      from another host

Rules see what was recorded: a namespace that is `host` is that of the recorded host; names
of users and groups are looked up on this one, numbers mean the same everywhere. tree=, that
is --follow, and cgroups of version 1 are answered by a running kernel alone, and refused.

Exit code: 0 also for a recording that was cut, or is still being written; 1 if part of it
is damaged; what can be read, is shown.";

/// Options of `replay`.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ReplayArgs {
    /// The recording; - for stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) wanted: WantedArgs,

    #[command(flatten)]
    pub(crate) form: FormArgs,

    /// Show events in the order of these fields, separated by commas (see `exectrail fields`);
    /// -FIELD: the greatest first. With --summary-only, put its processes in the order of these
    /// columns, as `run --sort` does
    ///
    /// Numbers are compared as numbers, strings by their bytes, lists item by item. Events
    /// without such a field, and those of which it is not known, come last, either way; equal
    /// ones stay in the order of time. With --count, those that then come first are shown.
    /// Events are kept in memory, up to 2 GiB of them, some 320 MB for a million; with --count,
    /// twice as many as are to be shown.
    #[arg(long, value_name = "FIELDS", allow_hyphen_values = true)]
    pub(crate) sort: Option<String>,

    /// Show this many execs at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// Behind the events, tell what became of the processes, as `run` does, with --json as an
    /// object; needs a recording that was made with --exit
    #[arg(long)]
    pub(crate) summary: bool,

    /// The same, without the events
    #[arg(long)]
    pub(crate) summary_only: bool,

    /// At the end, wait for what is still being written; Ctrl-C ends
    #[arg(long)]
    pub(crate) tail: bool,

    /// Look around in it at a terminal, as `exectrail tui` does
    #[arg(long, conflicts_with_all = ["summary", "summary_only", "sort"])]
    pub(crate) tui: bool,

    /// With --tui, keep so many of the last events, in up to 64 MiB for each 100,000
    /// [default: 100000]
    #[arg(long, value_name = "N", requires = "tui", value_parser = super::tui::kept())]
    pub(crate) keep: Option<u64>,

    // To be refused in words.
    #[arg(long, hide = true, value_name = "PID")]
    pub(crate) follow: Vec<String>,
}
