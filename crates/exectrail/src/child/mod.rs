//! The command that `exectrail run` starts.
//!
//! Its own exec has to be seen, so it has to wait until the trace has begun, and its
//! process has to be there before that, since the rules name it. So a second process of
//! this program is started, which takes on the command's identity, waits for a word on a
//! pipe, and execs ([`held`]): no code runs between fork and exec, which would take
//! `unsafe`.

pub(crate) mod held;
mod identity;
mod message;

use std::{
    ffi::{OsStr, OsString},
    io::{self, PipeReader, PipeWriter, Read, Write},
    os::{
        fd::{AsFd, AsRawFd},
        unix::{fs::PermissionsExt, process::CommandExt},
    },
    path::Path,
    process::{self, Command, ExitStatus},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rustix::io::{FdFlags, fcntl_setfd};

pub(crate) use self::identity::{Identity, caller};
use self::message::Message;
use crate::exit::NOT_FOUND;

/// The child.
pub(crate) struct Child {
    process: process::Child,
    command: Vec<OsString>,
    /// Its end is that of a child that still waits.
    go: Option<PipeWriter>,
    /// What it says; its end is that of the pipe.
    said: PipeReader,
    /// Since it was let go.
    begun: Instant,
    status: Option<ExitStatus>,
    /// CPU time that it had used before it was the command.
    cpu_before: Duration,
}

impl Child {
    /// Starts the process, which then waits.
    pub(crate) fn hold(command: &[OsString], identity: &Identity) -> anyhow::Result<Self> {
        let (wait, go) = io::pipe().context("making a pipe")?;
        let (said, say) = io::pipe().context("making a pipe")?;
        // There is no other thread yet that could start something else with these.
        for fd in [wait.as_fd(), say.as_fd()] {
            fcntl_setfd(fd, FdFlags::empty()).context("preparing a pipe")?;
        }
        let mut held = Command::new("/proc/self/exe");
        held.arg0(held::NAME).args([wait.as_raw_fd(), say.as_raw_fd()].map(|fd| fd.to_string()));
        held.arg(identity.written()).args(command);
        identity.put_into_environment(&mut held);
        let process = held.spawn().context("starting the process that becomes the command")?;
        drop((wait, say));
        let mut child = Self {
            process,
            command: command.to_vec(),
            go: Some(go),
            said,
            begun: Instant::now(),
            status: None,
            cpu_before: Duration::ZERO,
        };
        match child.hear()? {
            Some(Message::Ready { cpu }) => child.cpu_before = cpu,
            Some(Message::NoIdentity(error)) => bail!("taking on {identity}: {error}"),
            Some(Message::NotExecuted(_)) | None => {
                bail!("the process that becomes the command has ended before its time")
            }
        }
        Ok(child)
    }

    fn hear(&mut self) -> anyhow::Result<Option<Message>> {
        let mut bytes = Vec::new();
        let read = (&self.said).take(Message::BYTES).read_to_end(&mut bytes);
        read.context("hearing of the command")?;
        Ok(Message::read(&bytes))
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// What was asked for.
    pub(crate) fn program(&self) -> &OsStr {
        self.command.first().map_or(OsStr::new(""), |program| program)
    }

    /// Lets it go on to exec the command.
    pub(crate) fn release(&mut self) -> anyhow::Result<()> {
        self.begun = Instant::now();
        if let Some(mut go) = self.go.take() {
            match go.write_all(&[held::GO]) {
                // It has been killed meanwhile, of which its end will tell.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                written => written.context("letting the command go")?,
            }
        }
        Ok(())
    }

    /// How long it has been the command.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// CPU time that it had used before it was the command.
    pub(crate) fn cpu_before(&self) -> Duration {
        self.cpu_before
    }

    /// Passes a signal on. Nobody is there to get it once it has been waited for.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        if self.status.is_some() {
            return Ok(());
        }
        let pid = i32::try_from(self.id()).map_err(io::Error::other)?;
        Ok(kill(Pid::from_raw(pid), signal)?)
    }

    /// How it ended, once it has.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.status = self.process.try_wait()?;
        }
        Ok(self.status)
    }

    /// Why it never became the command, if it did not: with the exit code that shells have
    /// for that. Asked for when it has ended.
    pub(crate) fn failure(&mut self) -> anyhow::Result<Option<(u8, String)>> {
        let Some(Message::NotExecuted(error)) = self.hear()? else { return Ok(None) };
        let code = held::code(&error);
        Ok(Some((code, self.sentence(code, &error))))
    }

    fn sentence(&self, code: u8, error: &io::Error) -> String {
        let program = self.program();
        let path = Path::new(program);
        let name = program.to_string_lossy().escape_debug().to_string();
        let is_path = program.as_encoded_bytes().contains(&b'/');
        let found = path.metadata().ok().filter(|_| is_path);
        match found {
            None if code == NOT_FOUND && is_path => format!("{name} is not found: {error}"),
            None if code == NOT_FOUND => {
                format!("{name} is not found: no directory in PATH has a program of this name")
            }
            Some(_) if code == NOT_FOUND => format!(
                "{name} is there, but not the interpreter in its first line, or the loader that \
                 it names: {error}"
            ),
            Some(file) if file.is_dir() => format!("{name} cannot be executed: it is a directory"),
            Some(file) if file.permissions().mode() & 0o111 == 0 => {
                format!("{name} cannot be executed: {error}\n  chmod +x makes it a program")
            }
            _ => format!("{name} cannot be executed: {error}"),
        }
    }
}
