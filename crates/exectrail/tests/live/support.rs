//! What the live tests have in common: the traced host, the tracer, the subject.
//!
//! This host runs other programs all the time. So a test finds its own events
//! by something of its own: an argument, a path, a process id.

use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader, Read, Write},
    ops::{Deref, DerefMut},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;

/// Whether this test can touch the real kernel. Without root it says loudly
/// that it did not run; where CI is set, that is a failure.
pub(crate) fn real_kernel(test: &str) -> bool {
    if !rustix::process::geteuid().is_root() {
        assert!(std::env::var_os("CI").is_none(), "{test} needs root");
        eprintln!("NOT RUN: {test} needs root to trace the real kernel");
        return false;
    }
    if let Some(log) = std::env::var_os("EXECTRAIL_LIVE_LOG") {
        let mut log = OpenOptions::new().append(true).create(true).open(log).unwrap();
        writeln!(log, "{test}").unwrap();
    }
    true
}

/// Whether this is an emulated machine, ten to twenty times slower than others.
pub(crate) fn is_emulated() -> bool {
    std::env::var_os("EXECTRAIL_VM").is_some()
}

/// The command under test.
pub(crate) fn exectrail() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exectrail"));
    // A configuration of the person who runs the tests is not part of them.
    command.env("XDG_CONFIG_HOME", "/nonexistent").env_remove("RUST_LOG");
    command
}

/// The program that is traced, `examples/subject.rs`.
pub(crate) fn subject() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_exectrail")).with_file_name("examples").join("subject")
}

/// Runs the subject and gives what it printed.
pub(crate) fn run_subject(args: &[&str]) -> String {
    let output = Command::new(subject()).args(args).output().unwrap();
    assert!(output.status.success(), "subject {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command and gives its process id.
pub(crate) fn run(command: &mut Command) -> u32 {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let pid = child.id();
    child.wait().unwrap();
    pid
}

/// A child that ends with whoever has started it, also when a test fails.
pub(crate) struct Spawned(pub(crate) Child);

impl Deref for Spawned {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Spawned {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        // Of one that has been waited for, nothing becomes of this.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running `exectrail --json`.
pub(crate) struct Trace {
    child: Spawned,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<String>,
}

/// What a trace has said.
pub(crate) struct Outcome {
    pub(crate) events: Vec<Value>,
    pub(crate) stderr: String,
    pub(crate) status: ExitStatus,
}

impl Trace {
    /// Starts a trace and waits until it says that it traces.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_command(exectrail().arg("--json").args(args))
    }

    /// The same with a command of the test's own.
    pub(crate) fn start_command(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Spawned(command.spawn().expect("exectrail"));
        let mut out = child.stdout.take().unwrap();
        let stdout = thread::spawn(move || {
            let mut bytes = Vec::new();
            out.read_to_end(&mut bytes).unwrap();
            bytes
        });
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let said = wait_for_start(&mut err);
        let stderr = thread::spawn(move || {
            let mut text = said;
            err.read_to_string(&mut text).unwrap();
            text
        });
        Self { child, stdout, stderr }
    }

    /// A trace whose lines its caller reads. It ends when nobody does any more.
    pub(crate) fn start_unread(args: &[&str]) -> ChildStdout {
        let mut command = exectrail();
        command.arg("--json").args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("exectrail");
        let mut err = BufReader::new(child.stderr.take().unwrap());
        wait_for_start(&mut err);
        let stdout = child.stdout.take().unwrap();
        thread::spawn(move || {
            // To its end, lest it waits for somebody to hear it.
            let _ = err.read_to_string(&mut String::new());
            child.wait()
        });
        stdout
    }

    /// Process id of the tracer.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for a trace that ends by itself.
    pub(crate) fn wait(mut self) -> Outcome {
        let status = self.child.wait().unwrap();
        let stdout = self.stdout.join().unwrap();
        let events = stdout
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).expect("one JSON object a line"))
            .collect();
        Outcome { events, stderr: self.stderr.join().unwrap(), status }
    }

    /// Sends the signal of Ctrl-C, and waits.
    pub(crate) fn stop(self) -> Outcome {
        self.signal(rustix::process::Signal::INT);
        self.wait()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

fn wait_for_start(err: &mut BufReader<ChildStderr>) -> String {
    let mut said = String::new();
    // In an emulated machine that is busy, a start can take half a minute.
    let give_up = Instant::now() + Duration::from_secs(120);
    while err.read_line(&mut said).unwrap() > 0 && Instant::now() < give_up {
        if said.contains("tracing") {
            return said;
        }
    }
    panic!("exectrail did not start: {said}");
}

impl Outcome {
    /// Events of a kind.
    pub(crate) fn of_kind<'o>(&'o self, kind: &'o str) -> impl Iterator<Item = &'o Value> {
        self.events.iter().filter(move |event| event["event"] == kind)
    }

    /// Execs (and failures) with `marker` among their arguments.
    pub(crate) fn marked(&self, marker: &str) -> Vec<&Value> {
        let has = |event: &&Value| {
            event["args"].as_array().is_some_and(|args| args.iter().any(|arg| arg == marker))
        };
        self.events.iter().filter(has).collect()
    }

    /// Successful execs of this executable.
    pub(crate) fn execs_of(&self, exe: &str) -> Vec<&Value> {
        self.of_kind("exec").filter(|event| event["exe"] == exe).collect()
    }

    /// The account; checked to be closed.
    pub(crate) fn summary(&self) -> &Value {
        let summary = self.events.last().expect("a summary");
        assert_eq!(summary["event"], "summary");
        let number = |name: &str| summary[name].as_u64().unwrap();
        assert_eq!(
            number("seen"),
            number("delivered") + number("filtered") + number("dropped"),
            "{summary}"
        );
        summary
    }
}

/// A directory for a test, gone afterwards, whose path has no symbolic link.
pub(crate) fn scratch() -> tempfile::TempDir {
    let base = std::env::temp_dir().canonicalize().unwrap();
    tempfile::Builder::new().prefix("exectrail-").tempdir_in(base).unwrap()
}

/// A copy of the subject under a path of the test's own.
pub(crate) fn program_at(path: &Path) -> &str {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    copy(subject(), path);
    path.to_str().unwrap()
}

/// Copies a program.
///
/// By another process: what another thread forks meanwhile has our descriptors until it
/// execs, and a file that is open for writing is busy.
pub(crate) fn copy(program: impl AsRef<Path>, to: impl AsRef<Path>) {
    let (program, to) = (program.as_ref(), to.as_ref());
    assert!(Command::new("cp").arg(program).arg(to).status().unwrap().success());
}

/// Writes a file that may be executed; by another process, as in [`copy`].
pub(crate) fn executable_at(path: &Path, contents: &[u8]) {
    let mut writer = Command::new("sh");
    writer.args(["-c", r#"cat > "$0""#]).arg(path).stdin(Stdio::piped());
    let mut writer = writer.spawn().unwrap();
    writer.stdin.take().unwrap().write_all(contents).unwrap();
    assert!(writer.wait().unwrap().success());
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The smallest program, under a path of the test's own.
pub(crate) fn tiny_at(path: &Path) -> &str {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = path.to_str().unwrap();
    run_subject(&["tiny", text]);
    text
}
