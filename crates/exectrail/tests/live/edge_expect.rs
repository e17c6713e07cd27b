//! What the tests of edge cases have in common: a trace of one directory's
//! programs, and an expectation beside an event.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    edge_watch::{self, Watch},
    support::{Outcome, Trace, executable_at, program_at, subject, tiny_at},
};
use serde_json::{Value, json};

/// Whom a program runs as that has no rights.
pub(crate) const NOBODY: u32 = 65534;

/// A directory of a test's own, which every user may enter, and names in it.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let directory = edge_watch::directory();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self(directory)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of a name here.
    pub(crate) fn at(&self, name: &str) -> String {
        self.path().join(name).to_str().unwrap().to_owned()
    }

    /// The smallest program, under this name.
    pub(crate) fn tiny(&self, name: &str) -> String {
        tiny_at(&self.path().join(name)).to_owned()
    }

    /// A copy of the subject, under this name.
    pub(crate) fn program(&self, name: &str) -> String {
        program_at(&self.path().join(name)).to_owned()
    }

    /// A directory under this name.
    pub(crate) fn directory(&self, name: &str) -> String {
        let path = self.at(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// A file with these contents that may be executed.
    pub(crate) fn executable(&self, name: &str, contents: &str) -> String {
        let path = self.at(name);
        executable_at(Path::new(&path), contents.as_bytes());
        path
    }

    /// Changes the permissions of a file here.
    pub(crate) fn set_mode(&self, path: &str, mode: u32) {
        assert!(path.starts_with(self.path().to_str().unwrap()));
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The rule that holds for what lies below.
    pub(crate) fn below(&self) -> String {
        format!("{}/**", self.path().display())
    }

    /// Failures and ends included, what is traced below from now on.
    pub(crate) fn watch(&self) -> Watch<'_> {
        Watch::below(self.path())
    }

    /// The same by a trace that is this test's alone, with a summary.
    pub(crate) fn trace(&self) -> Trace {
        trace_of(&self.below())
    }

    /// The only exec, or failed exec, below of the process that `act` gives.
    #[track_caller]
    pub(crate) fn event_of(&self, act: impl FnOnce() -> u32) -> Value {
        let (pid, outcome) = self.during(act);
        outcome.only_one_of(pid).clone()
    }

    /// What is traced below while `act` runs, and what that gives.
    pub(crate) fn during<T>(&self, act: impl FnOnce() -> T) -> (T, Outcome) {
        let watch = self.watch();
        let given = act();
        (given, watch.stop())
    }

    /// Runs the subject from here, and gives its process id and what it printed.
    pub(crate) fn subject(&self, args: &[&str]) -> (u32, String) {
        hear(Command::new(subject()).args(args).current_dir(self.path()))
    }

    /// Runs a shell from here, in a mount namespace of its own.
    pub(crate) fn apart(&self, script: &str) -> (u32, String) {
        let script = format!("set -e; cd {}; {script}", self.path().display());
        hear(Command::new("unshare").args(["--mount", "sh", "-c", &script]))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // As the directory would by itself, but before what it lies in.
        let _ = fs::remove_dir_all(self.path());
        edge_watch::left();
    }
}

/// A trace, failures and ends included, of what this rule finds.
pub(crate) fn trace_of(rule: &str) -> Trace {
    Trace::start(&["--failed", "--no-fold", "--exit", "--only", rule])
}

/// The same of everything: for what has no name that a rule could find.
pub(crate) fn trace_of_all() -> Trace {
    Trace::start(&["--failed", "--no-fold", "--exit"])
}

/// Runs a command, and gives its process id and what it printed.
pub(crate) fn hear(command: &mut Command) -> (u32, String) {
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    (pid, String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

/// A command without rights, which `setpriv` runs, and what else that is to do.
pub(crate) fn nobody(more: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).args(more);
    command
}

impl Outcome {
    /// Execs and failed execs of this process, in order.
    pub(crate) fn of_process(&self, pid: u32) -> Vec<&Value> {
        let is_exec = |event: &Value| event["event"] == "exec" || event["event"] == "failed";
        self.events.iter().filter(|event| event["pid"] == pid && is_exec(event)).collect()
    }

    /// The one exec, or failed exec, of this process.
    #[track_caller]
    pub(crate) fn only_one_of(&self, pid: u32) -> &Value {
        let events = self.of_process(pid);
        assert_eq!(events.len(), 1, "events of {pid}: {events:#?}");
        events[0]
    }

    /// Failed execs of this process, in order.
    pub(crate) fn failures_of(&self, pid: u32) -> Vec<&Value> {
        let events = self.of_process(pid);
        events.into_iter().filter(|event| event["event"] == "failed").collect()
    }

    /// The one failed exec of all.
    #[track_caller]
    pub(crate) fn only_failure(&self) -> &Value {
        let failed: Vec<_> = self.of_kind("failed").collect();
        assert_eq!(failed.len(), 1, "{failed:#?}");
        failed[0]
    }

    /// The one end of this process.
    #[track_caller]
    pub(crate) fn end_of(&self, pid: u32) -> &Value {
        let ends: Vec<_> = self.of_kind("exit").filter(|event| event["pid"] == pid).collect();
        assert_eq!(ends.len(), 1, "ends of {pid}: {ends:#?}");
        ends[0]
    }
}

/// Checks that `event` says all that `expected` does. It may say more.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "it is a literal")]
pub(crate) fn says(event: &Value, expected: Value) {
    for (key, expected) in expected.as_object().unwrap() {
        assert_eq!(&event[key], expected, "{key} of {event:#}");
    }
}

/// The same for what a program has printed, as JSON.
#[track_caller]
pub(crate) fn says_what_was_told(event: &Value, told: &str) {
    for line in told.lines() {
        let told: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(!told.as_object().unwrap().is_empty());
        says(event, told);
    }
}

/// Device and inode of a file, under the names that an event has for them.
pub(crate) fn file_of(path: &str) -> Value {
    let file = fs::metadata(path).unwrap();
    json!({ "exe_dev": file.dev(), "exe_inode": file.ino(), "exe_mode": file.mode() })
}

/// Whether the running kernel is at least this one.
pub(crate) fn kernel_since(major: u32, minor: u32) -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(['.', '-']).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap(), numbers.next().unwrap()) >= (major, minor)
}

/// A path of exactly so many bytes, below a directory that has room for it.
pub(crate) fn padded(directory: &Path, bytes: usize) -> PathBuf {
    let mut path = directory.to_str().unwrap().to_owned();
    while path.len() < bytes {
        let rest = bytes - path.len() - 1;
        // Never one byte left: a slash alone adds nothing.
        let length = if rest > 200 { 100 } else { rest };
        path.push('/');
        path.push_str(&"p".repeat(length));
    }
    assert_eq!(path.len(), bytes);
    PathBuf::from(path)
}
