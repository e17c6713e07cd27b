//! Where the stream goes, and what that place can do.

use std::{
    env,
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Seek, SeekFrom, Write},
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    },
    path::Path,
};

use anyhow::{Context, anyhow};
use exectrail_sinks::Width;
use rustix::fs::{OFlags, fcntl_getfl};

use crate::{args::ColorChoice, child};

/// The place that the stream goes to.
pub(crate) struct Output {
    /// Write here.
    pub(crate) writer: Box<dyn Write + Send>,
    /// Of a pipe: what an error is reported of once nobody reads it any more.
    pub(crate) reader: Option<File>,
    /// Columns of the terminal, if it is one.
    pub(crate) width: Option<Width>,
    /// Whether it is a regular file, named or not.
    pub(crate) is_file: bool,
    /// Whether to write behind: a disk can take long. Not to stderr, where lines and words
    /// of others are to stay in order.
    pub(crate) can_take_long: bool,
    /// Whether it is to have colours.
    pub(crate) color: bool,
}

/// Where the stream goes unless a file is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standard {
    /// To stdout.
    Out,
    /// To stderr: stdout is someone else's.
    Err,
}

impl Standard {
    fn name(self) -> &'static str {
        match self {
            Self::Out => "stdout",
            Self::Err => "stderr",
        }
    }

    /// The same once more, without the line buffer that Rust puts before it.
    fn open(self) -> anyhow::Result<File> {
        let fd = match self {
            Self::Out => io::stdout().as_fd().try_clone_to_owned(),
            Self::Err => io::stderr().as_fd().try_clone_to_owned(),
        };
        Ok(File::from(fd.with_context(|| format!("opening {}", self.name()))?))
    }
}

/// Opens the file, or what stands for it.
pub(crate) fn open(
    path: Option<&Path>,
    otherwise: Standard,
    color: ColorChoice,
) -> anyhow::Result<Output> {
    let file = match path {
        Some(path) => create(path)?,
        None => otherwise.open()?,
    };
    let terminal = file.is_terminal();
    let width = if terminal { Some(asked(&file)?) } else { None };
    let reader = pipe(&file).context("preparing for the end of the pipe")?;
    // Of stdout, others may have the end.
    let is_file = file.metadata().is_ok_and(|found| found.is_file());
    let is_ours = path.is_some() && is_file;
    let can_take_long = is_file && (path.is_some() || otherwise == Standard::Out);
    let writer: Box<dyn Write + Send> =
        if is_ours { Box::new(WholeLines(file)) } else { Box::new(file) };
    let color = colored(color, terminal);
    Ok(Output { writer, reader, width, is_file, can_take_long, color })
}

/// The error of a stream that cannot be written, with what to do. That nobody reads a
/// pipe any more is left as it is.
pub(crate) fn failed(path: Option<&Path>, otherwise: Standard, error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return error.into();
    }
    let (place, end) = match path {
        Some(path) => (path.display().to_string(), ""),
        None => (otherwise.name().to_owned(), ", and its last line may not be whole"),
    };
    let cure = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room there, or write to another place with -o FILE"
        }
        io::ErrorKind::FileTooLarge => {
            "raise the limit on the size of files (ulimit -f), or show less"
        }
        _ => "write to another place with -o FILE",
    };
    anyhow!("writing to {place}: {error}\n  what is not in it is counted as lost{end}; {cure}")
}

/// A regular file of ours, that always ends with a whole line: of one that the disk has
/// no room for, nothing stays.
struct WholeLines(File);

impl Write for WholeLines {
    /// Writes as many of the lines as there is room for.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        while let Some(rest) = lines.get(written..).filter(|rest| !rest.is_empty()) {
            match self.0.write(rest) {
                Ok(more) if more > 0 => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                stopped => return self.cut(lines, written, stopped),
            }
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl WholeLines {
    /// Takes back what is behind the last end of a line, and says how much is left.
    fn cut(
        &mut self,
        lines: &[u8],
        written: usize,
        stopped: io::Result<usize>,
    ) -> io::Result<usize> {
        let there = lines.get(..written).unwrap_or_default();
        let whole = there.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let end = self.0.stream_position()?.saturating_sub((written - whole) as u64);
        self.0.set_len(end)?;
        self.0.seek(SeekFrom::Start(end))?;
        if whole > 0 { Ok(whole) } else { stopped }
    }
}

/// The same pipe again, if it is one that is only written to: of one that is read here,
/// too, nobody can tell.
fn pipe(file: &File) -> io::Result<Option<File>> {
    let is_pipe = file.metadata()?.file_type().is_fifo();
    let writes = || Ok::<_, io::Error>(fcntl_getfl(file)? & OFlags::RWMODE == OFlags::WRONLY);
    if is_pipe && writes()? { file.try_clone().map(Some) } else { Ok(None) }
}

/// What programs were run with what arguments is nobody else's business.
fn create(path: &Path) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    let file = file.or_else(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => file_of_caller(path).ok_or(error),
        _ => Err(error),
    });
    file.with_context(|| format!("cannot write to {}", path.display()))
}

/// A file of the user who called sudo, in a directory like /tmp. Nobody, root included, may
/// open another user's file there as one that is made if it is not there
/// (`fs.protected_regular`), lest others put theirs in its way. This user's is in nobody's.
fn file_of_caller(path: &Path) -> Option<File> {
    let caller = child::caller()?;
    let mut options = OpenOptions::new();
    let no_link = OFlags::NOFOLLOW.bits().cast_signed();
    let file = options.write(true).custom_flags(no_link).open(path).ok()?;
    let is_theirs = file.metadata().is_ok_and(|found| found.is_file() && found.uid() == caller);
    (is_theirs && file.set_len(0).is_ok()).then_some(file)
}

/// Columns of the terminal that it is, if it is one.
pub(crate) fn width_of(standard: Standard) -> Option<usize> {
    let file = standard.open().ok()?;
    if file.is_terminal() { columns(&file) } else { None }
}

/// Asks this terminal, whenever it is called.
fn asked(terminal: &File) -> anyhow::Result<Width> {
    let terminal = terminal.try_clone().context("asking the terminal for its size")?;
    Ok(Box::new(move || columns(&terminal)))
}

fn columns(file: &File) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(file).ok()?;
    Some(usize::from(size.ws_col)).filter(|&columns| columns > 0)
}

/// Whether there are to be colours.
pub(crate) fn colored(choice: ColorChoice, terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            terminal && !refused && env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    }
}
