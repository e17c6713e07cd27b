//! Processes that exec what a test tells them to: each with its own place among
//! processes, cgroups and namespaces.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;

/// A subject that follows orders.
pub(crate) struct Worker {
    child: Child,
    /// Kept apart: whoever waits for the child closes what it holds.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Its own id, outside of any namespace.
    pub(crate) pid: u32,
    /// Itself and all that it was born below.
    pub(crate) line: Vec<u32>,
    /// Whether the ids that it tells are those of the outside.
    pub(crate) tells_ids: bool,
}

impl Worker {
    /// Starts `program`, a subject, through `before` and its arguments.
    pub(crate) fn start(before: &[&str], program: &str, comm: &str) -> Self {
        let (first, rest) = before.split_first().unwrap_or((&program, &[]));
        let mut command = Command::new(first);
        command.args(rest);
        if !before.is_empty() {
            command.arg(program);
        }
        Self::of(command.args(["orders", comm]))
    }

    /// One below a shell that waits for it.
    pub(crate) fn below_a_shell(program: &str) -> Self {
        let script = format!("sh -c '{program} orders \"\"; true'; true");
        Self::of(Command::new("sh").args(["-c", &script]))
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let (told, orders) = (number(&mut answers), child.stdin.take());
        let pid = last_born_below(child.id());
        Self { child, orders, answers, pid, line: above(pid), tells_ids: told == pid }
    }

    /// Has one program run, and gives the id of its process as the worker knows it.
    pub(crate) fn order(&mut self, order: &Value) -> u32 {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        number(&mut self.answers)
    }

    /// Ends the first of those that were started for it, which nobody follows.
    pub(crate) fn end_the_first(&mut self) {
        assert_ne!(self.child.id(), self.pid, "that is the worker itself");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The inode of a namespace of it.
    pub(crate) fn namespace(&self, name: &str) -> u32 {
        let inode = fs::metadata(format!("/proc/{}/ns/{name}", self.pid)).unwrap().ino();
        u32::try_from(inode).unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}

/// The next answer; what else is said has other words.
fn number(answers: &mut BufReader<ChildStdout>) -> u32 {
    let mut line = String::new();
    loop {
        line.clear();
        assert!(answers.read_line(&mut line).unwrap() > 0, "the worker has ended");
        if let Ok(number) = line.trim().parse() {
            return number;
        }
    }
}

/// The end of a line of only children.
fn last_born_below(mut pid: u32) -> u32 {
    loop {
        let path = format!("/proc/{pid}/task/{pid}/children");
        match fs::read_to_string(path).unwrap().split_whitespace().next() {
            Some(child) => pid = child.parse().unwrap(),
            None => return pid,
        }
    }
}

/// This process, its parent, and so on.
fn above(mut pid: u32) -> Vec<u32> {
    let mut line = Vec::new();
    while pid != 0 {
        line.push(pid);
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
        pid = parent.trim().parse().unwrap();
    }
    line
}

/// A cgroup, made by a test and gone afterwards.
pub(crate) struct Cgroup {
    root: PathBuf,
    directory: PathBuf,
    /// From the root of the hierarchy.
    pub(crate) path: String,
}

impl Cgroup {
    /// Makes one of the unified hierarchy, below its root. `None` where there is no unified hierarchy; the test
    /// says so.
    pub(crate) fn new(name: &str) -> Option<Self> {
        Some(Self::at(&unified()?, &format!("/exectrail-{name}-{}", std::process::id())))
    }

    /// Makes one below this one.
    pub(crate) fn below(&self, name: &str) -> Self {
        Self::at(&self.root, &format!("{}/{name}", self.path))
    }

    /// Makes one of the hierarchy that is mounted there.
    pub(crate) fn at(root: &Path, path: &str) -> Self {
        let directory = root.join(path.trim_start_matches('/'));
        fs::create_dir(&directory).unwrap();
        Self { root: root.to_path_buf(), directory, path: path.to_owned() }
    }

    /// Puts a process there.
    pub(crate) fn take(&self, pid: u32) {
        fs::write(self.directory.join("cgroup.procs"), pid.to_string()).unwrap();
    }

    /// Another one with the same path. Nobody may be in it.
    pub(crate) fn remake(&self) {
        fs::remove_dir(&self.directory).unwrap();
        fs::create_dir(&self.directory).unwrap();
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Whoever is left goes back to the root.
        let left = fs::read_to_string(self.directory.join("cgroup.procs")).unwrap_or_default();
        for pid in left.lines() {
            let _ = fs::write(self.root.join("cgroup.procs"), pid);
        }
        let _ = fs::remove_dir(&self.directory);
    }
}

/// Where the unified hierarchy is mounted.
fn unified() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mut fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    fields.find(|fields| fields[2] == "cgroup2").map(|fields| PathBuf::from(fields[1]))
}
