//! `exectrail top`: its own options.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use exectrail_model::tally::By;

use super::{ColorChoice, KernelArgs, WantedArgs};
use crate::quantity;

pub(super) const AFTER_HELP: &str = "\
Examples:
  exectrail top                            programs by execs per second
  exectrail top --by cgroup --interval 5s  which service starts so much?
  exectrail top --by parent --sort execs   who starts all that?
  exectrail top --failed --sort failures   what is tried in vain?
  exectrail top --once --interval 10s --json | jq '.rows[0].name'

Execs are counted in the kernel, and no record is made of any of them: top holds where a
trace would show too much, at less than half its cost. So --exclude and --only take what
the kernel can decide by itself; other rules are refused. Run times are those of
programs that were started since the beginning, each until its process ended or ran
another program. P99 is an eighth too much or too little at most.

The kernel has room for some thousand rows, and forgets those that were not met for
longest. What is in no row shown stands in the last line, so that all adds up.

On a terminal, q or Ctrl-C ends, and the last table stays; a narrow one has fewer columns,
but always that of --sort. Elsewhere each reading is a table, or with --json a line with
one object.";

/// Options of `top`.
#[derive(Args, Clone, Debug)]
pub(crate) struct TopArgs {
    #[command(flatten)]
    pub(crate) wanted: WantedArgs,

    /// Count execs that fail, too. Costs every system call of the host a little
    #[arg(long, short = 'x')]
    pub(crate) failed: bool,

    /// Read this configuration after /etc/exectrail/config.toml and
    /// `$XDG_CONFIG_HOME/exectrail/config.toml`
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Show only this process and its descendants: the same as --only tree=PID
    #[arg(long, value_name = "PID")]
    pub(crate) follow: Vec<String>,

    /// What a row is
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub(crate) by: ByChoice,

    /// Time between two readings: 500ms, 2s, 1m, or seconds
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = quantity::interval)]
    pub(crate) interval: Duration,

    /// End after this many readings
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// End after one reading: the same as --count 1
    #[arg(long, conflicts_with = "count")]
    pub(crate) once: bool,

    /// Put rows in the order of this: `execs_per_s`, execs, ends, `mean_ns`, `p99_ns`, name,
    /// uid; with --failed, `failures_per_s` or failures
    #[arg(long, value_name = "COLUMN", default_value = "execs_per_s")]
    pub(crate) sort: String,

    /// Show at most this many rows [default: as many as fit on the terminal, else all]
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<usize>,

    /// Print JSON, one object for each reading
    #[arg(long)]
    pub(crate) json: bool,

    /// Colours: auto (on a terminal, without `NO_COLOR`), always or never
    #[arg(long, value_name = "WHEN", value_enum)]
    pub(crate) color: Option<ColorChoice>,

    /// Entries of the kernel's map of rows; a row has one for each CPU that it is met on
    #[arg(long, value_name = "N", hide_short_help = true,
          value_parser = clap::value_parser!(u32).range(1..1 << 20))]
    pub(crate) room: Option<u32>,

    #[command(flatten)]
    pub(crate) kernel: KernelArgs,
}

/// What a row can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ByChoice {
    /// The executable's path; of a failed exec, the name that was given
    #[default]
    Program,
    /// The user
    User,
    /// The path of the parent's executable, or its short name
    Parent,
    /// The cgroup (version 2)
    Cgroup,
}

impl From<ByChoice> for By {
    fn from(choice: ByChoice) -> Self {
        match choice {
            ByChoice::Program => Self::Program,
            ByChoice::User => Self::User,
            ByChoice::Parent => Self::Parent,
            ByChoice::Cgroup => Self::Cgroup,
        }
    }
}
