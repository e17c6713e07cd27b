//! A trace whose lines are understood as they come, as far as a test asks: for
//! those that would be too many, or too long, to be kept.

use std::{
    io::{self, BufRead, BufReader},
    process::Stdio,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde::de::DeserializeOwned;

use crate::support::{Spawned, exectrail};

/// A running `exectrail --json`, each of whose lines is a `T`.
pub(crate) struct Lines<T> {
    child: Spawned,
    lines: Receiver<T>,
}

impl<T: DeserializeOwned + Send + 'static> Lines<T> {
    /// Starts a trace and waits until it says that it traces.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = exectrail();
        command.arg("--json").args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Spawned(command.spawn().unwrap());
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("tracing") {
            assert!(err.read_line(&mut said).unwrap() > 0, "exectrail did not start: {said}");
        }
        thread::spawn(move || io::copy(&mut err, &mut io::sink()));
        let mut out = BufReader::with_capacity(1 << 20, child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut line = Vec::new();
            while out.read_until(b'\n', &mut line).unwrap() > 0 {
                let read = serde_json::from_slice(&line).expect("one JSON object a line");
                // A test that has failed takes no more of them.
                let _ = sender.send(read);
                line.clear();
            }
        });
        Self { child, lines }
    }

    /// The next line, which is to come soon.
    #[track_caller]
    pub(crate) fn next(&self) -> T {
        self.lines.recv_timeout(Duration::from_secs(30)).expect("another line")
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Sends the signal of Ctrl-C, and gives the lines that are left; the last one is
    /// the summary.
    pub(crate) fn stop(mut self) -> Vec<T> {
        self.signal(Signal::INT);
        let left = self.lines.iter().collect();
        assert!(self.child.wait().unwrap().success());
        left
    }
}
