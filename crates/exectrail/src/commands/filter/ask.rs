//! The client's end of the control socket.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow};

use crate::{
    args::Which,
    control::{
        message::{Answer, Ask, Kind, Refusal, Reply, Request, VERSION},
        place::{self, Found},
    },
    exit::{ConfigError, NobodyRuns, UsageError},
};

/// How long an answer may take: a busy host, or ten thousand rules.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running exectrail that listens.
#[derive(Debug)]
pub(super) struct Connection {
    stream: BufReader<UnixStream>,
}

impl Connection {
    /// Connects to the one that is meant.
    pub(super) fn to(which: &Which) -> anyhow::Result<Self> {
        let stream = match (&which.socket, which.pid) {
            (Some(path), _) => at(path)?,
            (None, Some(pid)) => with_pid(pid)?,
            (None, None) => the_only_one()?,
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Asks, and waits for the answer.
    pub(super) fn ask(&mut self, ask: Ask) -> anyhow::Result<Answer> {
        let mut request = serde_json::to_vec(&Request { v: VERSION, ask })?;
        request.push(b'\n');
        // Who sends too much is told so before all of it is read.
        let sent = self.stream.get_mut().write_all(&request);
        let mut line = Vec::new();
        let read = self.stream.read_until(b'\n', &mut line);
        if !line.ends_with(b"\n") {
            return Err(unanswered(sent.and(read)));
        }
        let reply: Reply =
            serde_json::from_slice(&line).context("the running exectrail is not understood")?;
        match reply {
            Reply { ok: Some(answer), .. } => Ok(answer),
            Reply { error: Some(refusal), .. } => Err(error(refusal)),
            Reply { .. } => anyhow::bail!("the running exectrail has said nothing"),
        }
    }
}

/// Why there was no answer. A pipe is broken here where the other side has closed it,
/// which is no quiet end, as it is where we print.
fn unanswered(outcome: io::Result<usize>) -> anyhow::Error {
    match outcome {
        Ok(_) => anyhow!("the running exectrail has gone away"),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
            ) =>
        {
            anyhow!(
                "the running exectrail has turned us away: it has clients enough, or no file \
                 descriptor for one more; try again later"
            )
        }
        Err(error) => anyhow::Error::new(error).context("asking the running exectrail"),
    }
}

/// The other side's error, with the exit code that it would have here.
fn error(Refusal { kind, message }: Refusal) -> anyhow::Error {
    let message = super::show::safe(&message);
    match kind {
        Kind::Usage => UsageError(message).into(),
        Kind::Configuration => ConfigError::said(message).into(),
        Kind::Failed => anyhow::Error::msg(message),
    }
}

fn at(path: &Path) -> anyhow::Result<UnixStream> {
    let nobody = |error: io::Error| match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
            NobodyRuns(format!("no exectrail listens at {}", path.display())).into()
        }
        _ => anyhow::Error::new(error).context(format!("cannot ask {}", path.display())),
    };
    UnixStream::connect(path).map_err(nobody)
}

fn with_pid(pid: u32) -> anyhow::Result<UnixStream> {
    let found = place::sockets().into_iter().find(|found| found.pid == pid);
    let path = found.map(|found| found.path).ok_or_else(|| {
        NobodyRuns(format!("no exectrail with process id {pid} listens; {}", looked()))
    })?;
    at(&path)
}

/// The one that runs, if there is no doubt which.
fn the_only_one() -> anyhow::Result<UnixStream> {
    let alive = |found: Found| Some((UnixStream::connect(&found.path).ok()?, found));
    let mut alive: Vec<_> = place::sockets().into_iter().filter_map(alive).collect();
    match alive.pop() {
        None => Err(NobodyRuns(format!("no exectrail runs that listens; {}", looked())).into()),
        Some((only, _)) if alive.is_empty() => Ok(only),
        Some(another) => {
            alive.push(another);
            let line = |(_, found): &(UnixStream, Found)| {
                format!("\n  --pid {}  ({})", found.pid, found.path.display())
            };
            let list: String = alive.iter().map(line).collect();
            Err(UsageError(format!("several run; say which one:{list}")).into())
        }
    }
}

fn looked() -> String {
    let directories = place::directories();
    let names: Vec<_> =
        directories.iter().map(|path: &PathBuf| path.display().to_string()).collect();
    match names.as_slice() {
        [] => "there is no place to look, since XDG_RUNTIME_DIR is not set; root's are in \
               /run/exectrail"
            .to_owned(),
        names => format!("looked in {}", names.join(" and ")),
    }
}
