//! The command line: one definition that feeds parser and help.

#[cfg(test)]
mod examples;
mod filter;
mod record;
mod replay;
mod run;
mod top;
mod tui;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use exectrail_model::{
    environment::Wanted,
    plan::{BufferSize, HookChoice},
};
use serde::Deserialize;

pub(crate) use self::{
    filter::{FilterArgs, FilterCommand, RuleArgs, TestArgs, Which},
    record::RecordArgs,
    replay::ReplayArgs,
    run::RunArgs,
    top::TopArgs,
    tui::TuiArgs,
};
use crate::quantity;

/// Shows every program that runs on this host, with all its arguments.
#[derive(Debug, Parser)]
#[command(name = "exectrail", version, args_conflicts_with_subcommands = true)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) stream: StreamArgs,
}

const EXAMPLES: &str = "\
Examples:
  exectrail                                  what is running here?
  exectrail --failed --only 'python*'        why does that script not start?
  exectrail --exclude /usr/bin/sleep         without the noise
  exectrail --only user=www-data,parent=sh   what that user's shells start
  exectrail --json --duration 1m -o execs.jsonl
  exectrail --tree --failed                  who starts what?
  exectrail --exit --duration 1m --sort -max_rss_bytes  what took most memory?
  exectrail run --summary-only -- make -j2   what one command runs, and how long
  exectrail record -x --exit -o day.rec      everything, for later
  exectrail replay --only 'python*' day.rec  what was that?
  exectrail tui --failed                     to look around in it while it runs
  exectrail top                              what runs most, where lines are too many
  exectrail fields                           what is known of each event
  exectrail man | man -l -                   all of this as a manual page
  exectrail doctor                           why does it not work here?
  exectrail filter add --exclude cron        tell the one that runs

Exit codes: 0 fine, 1 failed while running, 2 usage, 69 the kernel cannot, or no
exectrail runs, 77 rights missing, 78 configuration wrong; of run: the command's own.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show execs as they happen (the default)
    Trace(Box<StreamArgs>),
    /// Run a command, and show what it and its descendants exec
    #[command(after_help = run::AFTER_HELP)]
    Run(Box<RunArgs>),
    /// Write what happens into a file, from which it can be replayed
    #[command(after_help = record::AFTER_HELP)]
    Record(Box<RecordArgs>),
    /// Show what a recording has, as if it happened now; needs no rights
    #[command(after_help = replay::AFTER_HELP)]
    Replay(Box<ReplayArgs>),
    /// Count execs in the kernel, and show the most frequent as a table that is kept up
    #[command(after_help = top::AFTER_HELP)]
    Top(Box<TopArgs>),
    /// Look around in what happens, while it happens: search, filter, details of each event
    #[command(after_help = tui::AFTER_HELP)]
    Tui(Box<TuiArgs>),
    /// See and change the rules of an exectrail that runs
    Filter(FilterArgs),
    /// Say what this kernel and these rights allow, and how to mend what they do not
    #[command(after_help = DOCTOR)]
    Doctor {
        /// Print JSON, one object, for other programs
        #[arg(long)]
        json: bool,
    },
    /// List the fields of each event
    Fields,
    /// Print what a shell needs to complete this command's words
    #[command(after_help = COMPLETIONS)]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, or write those of all commands
    #[command(after_help = MAN)]
    Man {
        /// Write one page for each command into this directory
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

const DOCTOR: &str = "\
One line for each thing that matters: ok, warn (something cannot be had, a plain trace
can) or fail, what was found, and the cure. A trace is started and ended; nothing of the
host is another one afterwards.

Exit code: 0 if tracing works, else that of a trace: 69 the kernel cannot, 77 rights
missing, 1 anything else.";

const COMPLETIONS: &str = "\
Examples:
  source <(exectrail completions bash)                     in ~/.bashrc
  exectrail completions zsh > /usr/local/share/zsh/site-functions/_exectrail
  exectrail completions fish > ~/.config/fish/completions/exectrail.fish";

const MAN: &str = "\
Examples:
  exectrail man | man -l -                                 to read it
  exectrail man --dir /usr/local/share/man/man1            to install them";

/// Options of a trace of the host.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct StreamArgs {
    #[command(flatten)]
    pub(crate) trace: TraceArgs,

    #[command(flatten)]
    pub(crate) session: SessionArgs,

    /// Show events at the end, in the order of these fields, separated by commas (see
    /// `exectrail fields`); -FIELD: the greatest first. Needs --duration or --count, and keeps
    /// up to 256 MiB of events
    ///
    /// Numbers are compared as numbers, strings by their bytes, lists item by item. Events
    /// without such a field, and those of which it is not known, come last, either way; equal
    /// ones stay in the order of time. Ctrl-C shows what has come so far.
    #[arg(long, value_name = "FIELDS", allow_hyphen_values = true)]
    pub(crate) sort: Option<String>,
}

/// Whose execs a trace of the host is of, and when it ends.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SessionArgs {
    /// Show only this process and its descendants: the same as --only tree=PID
    #[arg(long, value_name = "PID")]
    pub(crate) follow: Vec<String>,

    /// End after this time: 10s, 5m, 1h30m, or seconds
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    pub(crate) duration: Option<Duration>,

    /// End after this many execs have been shown
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// Make no control socket, by which `exectrail filter` changes the rules
    #[arg(long)]
    pub(crate) no_control: bool,
}

/// Options of every trace: what is wanted, what is collected, and how it is shown.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct TraceArgs {
    #[command(flatten)]
    pub(crate) wanted: WantedArgs,

    #[command(flatten)]
    pub(crate) collect: CollectArgs,

    #[command(flatten)]
    pub(crate) form: FormArgs,
}

/// Which execs are wanted: rules.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct WantedArgs {
    /// Leave out what matches: a path (/usr/bin/ls), everything below a
    /// directory (/usr/lib/**), a pattern (/opt/*/bin/*.sh, **/*.sh), a program
    /// name (ls), or KEY=VALUE; several with commas between them have to hold all
    ///
    /// Keys: path, name, arg (a word, not the program's own name), user, euser,
    /// group, egroup, parent (name or path), tree (process id: it and its
    /// descendants), cgroup (its path: it and those below), container
    /// (id, name, * or none), ns, pidns, mntns, netns, userns, utsns, ipcns,
    /// cgroupns (host, or its number), result (ok, failed or an error). Only arg can
    /// be there twice. A comma in a value is written \,
    #[arg(long, value_name = "RULE")]
    pub(crate) exclude: Vec<String>,

    /// Show only what matches; with several, and with --user, --follow and --cgroup,
    /// what matches any of them
    #[arg(long, value_name = "RULE")]
    pub(crate) only: Vec<String>,

    /// Show only what this user runs: the same as --only user=NAME
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Vec<String>,

    /// Show only what runs in this cgroup or below: the same as --only cgroup=PATH
    #[arg(long, value_name = "PATH")]
    pub(crate) cgroup: Vec<String>,
}

/// What is collected of the host.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct CollectArgs {
    /// Show execs that fail, too. Costs every system call of the host a little
    #[arg(long, short = 'x')]
    pub(crate) failed: bool,

    /// Show the ends of processes, too: code or signal, time, CPU, memory
    #[arg(long)]
    pub(crate) exit: bool,

    /// Tell these environment variables: NAME, or PREFIX_* for all that begin so,
    /// separated by commas
    #[arg(long, value_name = "NAMES", value_parser = Wanted::parse)]
    pub(crate) env: Option<Wanted>,

    /// Tell up to N ancestors (at most 8) before the parent
    #[arg(long, value_name = "N", value_parser = quantity::ancestors)]
    pub(crate) ancestors: Option<u32>,

    /// Read this configuration after /etc/exectrail/config.toml and
    /// `$XDG_CONFIG_HOME/exectrail/config.toml`
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Keep at most this many bytes of arguments per exec, up to 6M; of longer ones,
    /// the middle goes [default: 64K]
    #[arg(long, value_name = "BYTES", value_parser = quantity::args_max)]
    pub(crate) max_args: Option<u32>,

    /// Size of the buffer between kernel and reader [default: 2M, or four times --max-args]
    #[arg(long, value_name = "BYTES", value_parser = quantity::buffer)]
    pub(crate) buffer: Option<BufferSize>,

    /// Compete for the CPU like any other program. Without this, and with the right to
    /// (`CAP_SYS_NICE`), events are read and written at the lowest real-time priority, or a
    /// storm of new processes would starve the reader
    #[arg(long, hide_short_help = true)]
    pub(crate) no_realtime: bool,

    #[command(flatten)]
    pub(crate) kernel: KernelArgs,
}

/// How the kernel is asked.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct KernelArgs {
    /// Kind of program that tells of execs: auto, raw or classic
    #[arg(long, value_name = "KIND", value_parser = quantity::hook, hide_short_help = true)]
    pub(crate) hook: Option<HookChoice>,

    /// Read kernel structures by helper, as on kernels before 5.11: slower, and the same is
    /// told
    #[arg(long, hide_short_help = true)]
    pub(crate) no_direct_loads: bool,

    /// The types of this very kernel, as BTF, where there is no /sys/kernel/btf/vmlinux:
    /// `pahole --btf_encode_detached=FILE vmlinux` makes it from the kernel's debug
    /// information
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) btf: Option<PathBuf>,
}

/// How events are shown, and where.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FormArgs {
    /// Show each of the failed execs of a walk along PATH; without this, one line
    /// stands for them
    #[arg(long)]
    pub(crate) no_fold: bool,

    /// Form of the output: pretty or json
    #[arg(long, value_name = "NAME")]
    pub(crate) format: Option<String>,

    /// The same as --format json: one object a line
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,

    /// Show these fields, in this order, separated by commas (see `exectrail fields`)
    #[arg(long, value_name = "LIST")]
    pub(crate) fields: Option<String>,

    /// Show each program below those that it descends from, as far as these have a line: moved
    /// to the right by two for each. Which columns there are, --fields says, as ever; of those
    /// that name a program, the first one shows the tree
    #[arg(long)]
    pub(crate) tree: bool,

    /// Write to a file (made anew, readable by its owner only) instead of stdout; of run,
    /// instead of stderr
    #[arg(long, short = 'o', value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Colours: auto (on a terminal, without `NO_COLOR`), always or never
    #[arg(long, value_name = "WHEN", value_enum)]
    pub(crate) color: Option<ColorChoice>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        super::Cli::command().debug_assert();
    }
}
