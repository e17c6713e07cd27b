//! A program that tells what it found in its arguments, and a trace of it.
#![expect(unsafe_code, reason = "a limit that is the child's alone")]

use std::{
    ffi::OsStr,
    io,
    os::unix::{ffi::OsStrExt, process::CommandExt},
    process::{Command, Stdio},
};

use serde::Deserialize;

use crate::{edge_expect::Place, lines::Lines};

/// What is asked of a line.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Line {
    pub(crate) event: String,
    pub(crate) pid: u32,
    pub(crate) exe: Option<String>,
    pub(crate) args: Vec<String>,
    pub(crate) args_raw: Option<Vec<String>>,
    pub(crate) args_count: Option<usize>,
    pub(crate) args_bytes: Option<usize>,
    pub(crate) args_truncated: bool,
    pub(crate) args_cut: Option<usize>,
    pub(crate) unreadable: Vec<String>,
    pub(crate) delivered: u64,
    pub(crate) dropped: u64,
    pub(crate) shortened: u64,
}

pub(crate) type Strings = Vec<Vec<u8>>;

impl Line {
    /// The arguments as bytes.
    pub(crate) fn strings(&self) -> Strings {
        match &self.args_raw {
            Some(raw) => raw.iter().map(|text| from_base64(text)).collect(),
            None => self.args.iter().map(|text| text.clone().into_bytes()).collect(),
        }
    }

    pub(crate) fn is_shortened(&self) -> bool {
        self.args_truncated && self.unreadable.iter().any(|field| field == "args")
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = |digit: &u8| match DIGITS.iter().position(|other| other == digit) {
        Some(value) => u32::try_from(value).unwrap(),
        None => panic!("{digit} in base64"),
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in text.as_bytes().chunks(4) {
        let digits: Vec<_> = four.iter().filter(|&&digit| digit != b'=').collect();
        let word = digits.iter().fold(0, |word, digit| word << 6 | value(digit));
        let [_, three @ ..] = (word << (6 * (4 - digits.len()))).to_be_bytes();
        bytes.extend(&three[..digits.len() - 1]);
    }
    bytes
}

/// Bytes with their NULs.
pub(crate) fn bytes_of(strings: &[Vec<u8>]) -> usize {
    strings.iter().map(|string| string.len() + 1).sum()
}

/// The same bytes.
pub(crate) fn joined(strings: &[Vec<u8>]) -> Vec<u8> {
    strings.iter().flat_map(|string| [string.as_slice(), b"\0"].concat()).collect()
}

/// Runs `program`, a subject, with these arguments, and gives its process id and
/// those that it found. The first is its name, which can be anything: so a variable
/// says what it is to do.
fn echo(program: &str, strings: &[Vec<u8>]) -> (u32, Strings) {
    let mut command = Command::new(program);
    command.arg0(OsStr::from_bytes(&strings[0]));
    command.args(strings[1..].iter().map(|string| OsStr::from_bytes(string)));
    command.env_clear().env("EXECTRAIL_SUBJECT", "echo").stdout(Stdio::piped());
    // SAFETY: system calls only, as it must be between fork and exec.
    unsafe { command.pre_exec(raise_stack) };
    let child = command.spawn().unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let mut found = Vec::new();
    let mut rest = output.stdout.as_slice();
    while let Some((length, more)) = rest.split_first_chunk() {
        let (string, more) = more.split_at(u32::from_ne_bytes(*length) as usize);
        found.push(string.to_vec());
        rest = more;
    }
    (pid, found)
}

/// A quarter of the stack may be arguments: more than the kernel takes anyway.
fn raise_stack() -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: 64 << 20, rlim_max: 64 << 20 };
    // SAFETY: a value on our stack.
    match unsafe { libc::setrlimit(libc::RLIMIT_STACK, &raw const limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A copy of the subject, and a trace of it alone.
pub(crate) struct Echo {
    _place: Place,
    program: String,
    pub(crate) trace: Lines<Line>,
}

impl Echo {
    pub(crate) fn start(more: &[&str]) -> Self {
        let place = Place::new();
        let program = place.program("echo");
        let trace = Lines::start(&[&["--only", &program], more].concat());
        Self { _place: place, program, trace }
    }

    /// Runs it, and gives its event, which tells the true sizes whatever it leaves out.
    #[track_caller]
    pub(crate) fn run(&self, strings: &[Vec<u8>]) -> Line {
        let pid = self.found_by(strings);
        self.event_of(pid, strings)
    }

    /// Runs it; its event may come later.
    #[track_caller]
    pub(crate) fn found_by(&self, strings: &[Vec<u8>]) -> u32 {
        let (pid, found) = echo(&self.program, strings);
        assert!(found == strings, "the kernel gave other arguments than were asked for");
        pid
    }

    #[track_caller]
    pub(crate) fn event_of(&self, pid: u32, strings: &[Vec<u8>]) -> Line {
        let line = self.trace.next();
        assert_eq!((line.event.as_str(), line.pid), ("exec", pid));
        assert_eq!(line.exe.as_deref(), Some(self.program.as_str()));
        assert_eq!(line.args_count, Some(strings.len()));
        assert_eq!(line.args_bytes, Some(bytes_of(strings)));
        line
    }

    /// The summary, after so many events.
    #[track_caller]
    pub(crate) fn stop(self, events: u64) -> Line {
        let mut left = self.trace.stop();
        let summary = left.pop().unwrap();
        assert_eq!(left.len(), 0, "{left:?}");
        assert_eq!((summary.delivered, summary.dropped), (events, 0), "{summary:?}");
        summary
    }
}
