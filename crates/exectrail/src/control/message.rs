//! Requests and replies, as both ends have them.

use exectrail_model::filter::Verdict;
use serde::{Deserialize, Serialize};

/// The version of all this.
pub(crate) const VERSION: u32 = 1;

/// Longest request: ten thousand of the longest paths, with room to spare.
pub(crate) const REQUEST_MAX: usize = 16 << 20;

/// A line to a running exectrail.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) v: u32,
    pub(crate) ask: Ask,
}

/// Only the version, which is looked at before anything else.
#[derive(Debug, Deserialize)]
pub(crate) struct Version {
    pub(crate) v: u32,
}

/// What is wanted of it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ask {
    /// The rules that hold, and how often each has decided.
    Rules,
    /// Rules, to be put behind those that hold.
    Add(Vec<Written>),
    /// Rules that are to go: numbers, texts, labels.
    Remove(Vec<String>),
    /// Rules in the place of all that hold.
    Replace(Replacement),
    /// What would become of an exec.
    Test(Box<Trial>),
    /// The kernel's maps.
    Dump,
}

/// A rule, as on the command line.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    pub(crate) verdict: VerdictName,
    pub(crate) rule: String,
}

/// [`Verdict`], by name.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VerdictName {
    Exclude,
    Only,
}

impl From<VerdictName> for Verdict {
    fn from(name: VerdictName) -> Self {
        match name {
            VerdictName::Exclude => Self::Exclude,
            VerdictName::Only => Self::Only,
        }
    }
}

impl From<Verdict> for VerdictName {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Exclude => Self::Exclude,
            Verdict::Only => Self::Only,
        }
    }
}

/// All rules that are to hold: those of a file, then others.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replacement {
    #[serde(default)]
    pub(crate) config: Option<ConfigText>,
    #[serde(default)]
    pub(crate) rules: Vec<Written>,
}

/// A configuration file. Its text, since the one who asks may read other files.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigText {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// An exec that might be.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trial {
    /// As it would be given to exec.
    pub(crate) filename: String,
    /// What it resolves to, if that is something else.
    #[serde(default)]
    pub(crate) exe: Option<String>,
    /// With the program's own name.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// What else is known of it: the keys of rules, and values.
    #[serde(default)]
    pub(crate) given: Vec<(String, String)>,
}

/// A line from a running exectrail.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Reply {
    pub(crate) v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ok: Option<Answer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Refusal>,
}

/// What was asked for.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Rules(RuleList),
    Changed(Changed),
    Judged(Judged),
    Dump(Dump),
}

/// Why not.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Refusal {
    pub(crate) kind: Kind,
    pub(crate) message: String,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The request's.
    Usage,
    /// A configuration's.
    Configuration,
    /// Anything else's.
    #[serde(other)]
    Failed,
}

/// The rules that hold.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct RuleList {
    /// When, since the trace began.
    pub(crate) since_start_ns: u64,
    pub(crate) rules: Vec<RuleRow>,
}

/// A rule that holds.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RuleRow {
    /// From 1.
    pub(crate) number: usize,
    pub(crate) verdict: VerdictName,
    pub(crate) rule: String,
    pub(crate) label: Option<String>,
    pub(crate) comment: Option<String>,
    /// Where it was written.
    pub(crate) place: Option<String>,
    pub(crate) decided: Decided,
    /// How often it has decided in the kernel, and here.
    pub(crate) hits_kernel: u64,
    pub(crate) hits_here: u64,
}

/// Where a rule is decided.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decided {
    Kernel,
    /// In the reader.
    Here,
    /// In the kernel as far as it can tell, and again by the reader.
    Both,
}

impl Decided {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Here => "here",
            Self::Both => "both",
        }
    }
}

/// What has changed.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Changed {
    pub(crate) added: usize,
    pub(crate) removed: usize,
    /// How many hold now.
    pub(crate) rules: usize,
}

/// What would become of an exec.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Judged {
    pub(crate) shown: bool,
    /// The rule that says so.
    pub(crate) rule: Option<RuleRow>,
    /// Where that would be decided; nowhere, if there is nothing to decide.
    pub(crate) decided: Option<Decided>,
}

/// The kernel's maps.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Dump {
    /// The generation that holds.
    pub(crate) active: usize,
    pub(crate) maps: Vec<DumpedMap>,
}

/// One of them.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct DumpedMap {
    pub(crate) name: String,
    pub(crate) entries: Vec<DumpedEntry>,
}

/// An entry of it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct DumpedEntry {
    pub(crate) text: String,
    /// What the value says, by generation.
    pub(crate) says: Vec<String>,
    /// Hexadecimal digits.
    pub(crate) key: String,
    pub(crate) value: String,
}
