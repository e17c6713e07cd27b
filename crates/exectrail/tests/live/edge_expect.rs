//! What the tests of edge cases have in common: a trace of one directory's
//! programs, and an expectation beside an event.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{Outcome, Trace, scratch, subject, tiny_at};
use serde_json::Value;

/// A directory of a test's own, which every user may enter, and names in it.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let directory = scratch();
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

    /// A file with these contents that may be executed.
    pub(crate) fn executable(&self, name: &str, contents: &str) -> String {
        let path = self.at(name);
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A trace, failures included, of what lies below.
    pub(crate) fn trace(&self) -> Trace {
        Trace::start(&["--failed", "--only", &format!("{}/**", self.path().display())])
    }

    /// Runs the subject from here, and gives its process id and what it printed.
    pub(crate) fn subject(&self, args: &[&str]) -> (u32, String) {
        let mut command = Command::new(subject());
        let child =
            command.args(args).current_dir(self.path()).stdout(std::process::Stdio::piped());
        let child = child.spawn().unwrap();
        let pid = child.id();
        let output = child.wait_with_output().unwrap();
        (pid, String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }
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
}

/// Checks that `event` says all that `expected` does. It may say more.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "it is a literal")]
pub(crate) fn says(event: &Value, expected: Value) {
    for (key, expected) in expected.as_object().unwrap() {
        assert_eq!(&event[key], expected, "{key} of {event:#}");
    }
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
