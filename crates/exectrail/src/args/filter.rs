//! `exectrail filter`: its own commands and options.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Options of `filter`.
#[derive(Args, Clone, Debug)]
pub(crate) struct FilterArgs {
    #[command(subcommand)]
    pub(crate) command: FilterCommand,

    #[command(flatten)]
    pub(crate) which: Which,

    /// Print JSON, one object, for other programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Which of several that run.
#[derive(Args, Clone, Debug)]
pub(crate) struct Which {
    /// The exectrail with this process id; needed if more than one runs
    #[arg(long, value_name = "PID", global = true, conflicts_with = "socket")]
    pub(crate) pid: Option<u32>,

    /// The one that listens at this socket
    #[arg(long, value_name = "PATH", global = true)]
    pub(crate) socket: Option<PathBuf>,
}

/// What to do with rules.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum FilterCommand {
    /// List the rules that hold, and where each is decided
    List,
    /// Add rules behind those that hold, all of them or none
    Add(RuleArgs),
    /// Remove rules, all that are named or none
    Remove {
        /// A rule's number in the list, its text, or its label
        #[arg(required = true, value_name = "RULE")]
        rules: Vec<String>,
    },
    /// Put other rules in the place of all that hold, at once
    Replace {
        /// The rules of this configuration file
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        #[command(flatten)]
        rules: RuleArgs,
    },
    /// Say what would become of an exec, by which rule, and where that is decided
    ///
    /// What is not given is not known, and matches no rule. With --config, --exclude or
    /// --only, these rules are asked, and no running exectrail.
    Test(Box<TestArgs>),
    /// Show how often each rule has decided, in all and per second
    Stats,
    /// Show the rules as they stand in the kernel's maps, as text and as hex
    Dump,
}

/// Rules on the command line.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RuleArgs {
    /// Leave out what matches: as for `exectrail --exclude`
    #[arg(long, value_name = "RULE")]
    pub(crate) exclude: Vec<String>,

    /// Show only what matches: as for `exectrail --only`
    #[arg(long, value_name = "RULE")]
    pub(crate) only: Vec<String>,
}

/// An exec to be tried out.
#[derive(Args, Clone, Debug)]
pub(crate) struct TestArgs {
    /// Ask the rules of this configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) rules: RuleArgs,

    #[command(flatten)]
    pub(crate) given: Given,

    /// What the path resolves to: of a script, its interpreter [default: as it is here]
    #[arg(long, value_name = "PATH")]
    pub(crate) exe: Option<String>,

    /// The program's path, and its arguments
    #[arg(required = true, last = true, value_name = "PATH")]
    pub(crate) command: Vec<String>,
}

/// What else is known of it.
#[derive(Args, Clone, Debug)]
pub(crate) struct Given {
    /// Who runs it
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// With whose rights [default: the user's]
    #[arg(long, value_name = "NAME")]
    euser: Option<String>,
    /// Its group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// With which group's rights [default: the group's]
    #[arg(long, value_name = "NAME")]
    egroup: Option<String>,
    /// The parent's path, or its name
    #[arg(long, value_name = "PROGRAM")]
    parent: Option<String>,
    /// A process that it descends from, as a rule names it
    #[arg(long, value_name = "PID")]
    tree: Vec<String>,
    /// Its cgroup: /path, or `CONTROLLER:/path`
    #[arg(long, value_name = "PATH")]
    cgroup: Vec<String>,
    /// A namespace: pidns=host, mntns=4026531841
    #[arg(long, value_name = "KIND=NUMBER", value_parser = namespace)]
    ns: Vec<(String, String)>,
    /// It fails, with this error: ENOENT, or 2
    #[arg(long, value_name = "ERROR")]
    errno: Option<String>,
}

impl Given {
    /// The keys of rules, and values.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let one = |key: &str, value: &Option<String>| {
            value.iter().map(|value| (key.to_owned(), value.clone())).collect::<Vec<_>>()
        };
        let several = |key: &str, values: &[String]| {
            values.iter().map(|value| (key.to_owned(), value.clone())).collect::<Vec<_>>()
        };
        [
            one("user", &self.user),
            one("euser", &self.euser),
            one("group", &self.group),
            one("egroup", &self.egroup),
            one("parent", &self.parent),
            several("tree", &self.tree),
            several("cgroup", &self.cgroup),
            self.ns.clone(),
            one("result", &self.errno),
        ]
        .concat()
    }
}

fn namespace(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(kind, number)| (kind.to_owned(), number.to_owned()));
    pair.filter(|(kind, _)| kind.ends_with("ns"))
        .ok_or_else(|| "write KIND=NUMBER: pidns=host, mntns=4026531841".to_owned())
}
