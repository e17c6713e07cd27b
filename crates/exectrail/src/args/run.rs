//! `exectrail run`: its own options, and the command.

use std::ffi::OsString;

use clap::Args;

use super::TraceArgs;

pub(super) const AFTER_HELP: &str = "\
Examples:
  exectrail run -- make -j2                      what a build runs, and the summary
  exectrail run --summary-only -- ./test.sh      the summary alone
  exectrail run --sort -cpu_ns -- make -j2       which process used most CPU?
  exectrail run --failed -- python3 app.py       what is tried in vain, too
  exectrail run --json -o run.jsonl -- make      for other programs
  sudo exectrail run -- make                     make runs as you, not as root

The command has this terminal, its stdin, stdout and stderr. What is told of it goes to
stderr, or to a file with -o (as with strace), so that its own output stays as it is.
Under sudo, a file that -o makes is the caller's, as the command is.
It ends when the command does: descendants that still run are named, and left alone.
Signals go on to the command. Twice Ctrl-C within two seconds ends the trace, if the
command does not end; it runs on then.

Exit code: the command's; 128+n if signal n ended it, 126 if it cannot be executed, 127
if there is no such command; those of exectrail itself where the trace does not start.";

/// Options of `run`.
#[derive(Args, Clone, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) trace: TraceArgs,

    /// Show nothing but the summary at the end: the processes with how long they took and
    /// how they ended, the most frequent programs, the slowest, what failed; with --json, an
    /// object with all that, and the account
    #[arg(long)]
    pub(crate) summary_only: bool,

    /// Put the processes of the summary in the order of these columns, separated by commas, and
    /// not below each other; -COLUMN: the greatest first. Columns: `duration_ns` (took),
    /// `cpu_ns`, `exit_code` and signal (end), pid, `begun_ktime` (start), execs, exe, args,
    /// running, ancestor, depth, process, `args_truncated`
    #[arg(long, value_name = "COLUMNS", allow_hyphen_values = true)]
    pub(crate) sort: Option<String>,

    /// Run the command with all the rights that exectrail has; without this, it has those
    /// of the user who called sudo, and no capability that was given to exectrail
    #[arg(long)]
    pub(crate) as_root: bool,

    /// The command, and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    pub(crate) command: Vec<OsString>,
}
