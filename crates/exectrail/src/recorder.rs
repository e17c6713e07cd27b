//! The sink that is a recording, and the file below it.

use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, Seek, SeekFrom, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, anyhow};
use exectrail_abi::config::parts;
use exectrail_model::{event::Event, plan::Plan};
use exectrail_recording::{Description, Writer};
use exectrail_sensor::{Sensor, this_boot};
use exectrail_sinks::{Sink, WriteBehind};

use crate::host::KnownHost;

/// Opens the file of a recording. One that is there is not touched before the recording
/// begins.
pub(crate) fn create(path: &Path, force: bool) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    if force {
        options.create(true)
    } else {
        options.create_new(true)
    };
    options.open(path).map_err(|error| {
        let path = path.display();
        if error.kind() == io::ErrorKind::AlreadyExists {
            anyhow!("{path} is there already; name another file, or overwrite it with --force")
        } else {
            anyhow::Error::new(error).context(format!("cannot write to {path}"))
        }
    })
}

/// What is recorded of this plan, on this host.
pub(crate) fn description(plan: &Plan) -> Description {
    let host = rustix::system::uname();
    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    Description {
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        host: text(host.nodename()),
        kernel: text(host.release()),
        machine: text(host.machine()),
        boot: this_boot(),
        begun: Sensor::now(),
        failed: plan.failed,
        exits: plan.exits,
        environment: !plan.environment.is_empty(),
        has_rules: !plan.rules.is_empty(),
        ancestors: plan.ancestors,
        namespaces: KnownHost::look().namespaces(),
    }
}

/// Writes a recording.
pub(crate) struct Recorder {
    state: State,
    description: Description,
}

enum State {
    /// What was there before still is.
    Waiting(Option<WholeFrames>),
    Writing(Box<Writing>),
}

/// Frames, on their way out.
struct Writing {
    frames: Writer<Vec<u8>>,
    /// Events that are not in what was handed on.
    rest: usize,
    file: WriteBehind,
}

impl Writing {
    fn begin(file: WholeFrames, description: &Description) -> io::Result<Self> {
        let frames = Writer::begin(Vec::new(), description)?;
        let mut writing = Self { frames, rest: 0, file: WriteBehind::new(Box::new(file)) };
        writing.hand_on()?;
        writing.file.flush()?;
        Ok(writing)
    }

    /// Hands on the frames that are made, and does not wait for the disk.
    fn hand_on(&mut self) -> io::Result<()> {
        let unwritten = self.frames.unwritten();
        let made = self.frames.get_mut();
        if made.is_empty() {
            return self.file.check();
        }
        self.file.put(made, self.rest - unwritten)?;
        self.rest = unwritten;
        Ok(())
    }
}

impl Recorder {
    /// Into this file; `bytes` is how long it is by now.
    pub(crate) fn new(file: File, description: Description, bytes: Arc<AtomicU64>) -> Self {
        let is_regular = file.metadata().is_ok_and(|found| found.is_file());
        let frames = WholeFrames { file, is_regular, bytes };
        Self { state: State::Waiting(Some(frames)), description }
    }

    fn writing(&mut self) -> io::Result<&mut Writing> {
        match &mut self.state {
            State::Writing(writing) => Ok(writing),
            State::Waiting(_) => Err(io::Error::other("a recording that has not begun")),
        }
    }
}

impl Sink for Recorder {
    fn begin(&mut self) -> io::Result<()> {
        let State::Waiting(frames) = &mut self.state else { return Ok(()) };
        let Some(frames) = frames.take() else { return Ok(()) };
        if frames.is_regular {
            // What programs were run with what arguments is nobody else's business.
            frames.file.set_permissions(Permissions::from_mode(0o600))?;
            frames.file.set_len(0)?;
        }
        self.description.begun = Sensor::now();
        self.state = State::Writing(Box::new(Writing::begin(frames, &self.description)?));
        Ok(())
    }

    fn needs(&self) -> u32 {
        parts::ALL
    }

    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        let writing = self.writing()?;
        writing.rest += 1;
        writing.frames.event(event)?;
        if writing.frames.get_mut().is_empty() { Ok(()) } else { writing.hand_on() }
    }

    fn end(&mut self, summary: &Event<'_>) -> io::Result<()> {
        self.writing()?.frames.end(summary)?;
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        let writing = self.writing()?;
        writing.frames.flush()?;
        writing.hand_on()?;
        writing.file.flush()
    }

    /// A frame goes out when it is full, or old enough.
    fn batch_ends(&mut self) -> io::Result<()> {
        let writing = self.writing()?;
        if writing.frames.due().is_some_and(|due| due <= Instant::now()) {
            writing.frames.flush()?;
        }
        writing.hand_on()
    }

    fn due(&self) -> Option<Instant> {
        let State::Writing(writing) = &self.state else { return None };
        writing.frames.due().into_iter().chain(writing.file.due()).min()
    }

    fn unwritten(&self) -> usize {
        let State::Writing(writing) = &self.state else { return 0 };
        writing.rest + writing.file.resting()
    }
}

/// A file that always ends with a whole frame: of one that the disk has no room for,
/// nothing stays.
struct WholeFrames {
    file: File,
    is_regular: bool,
    bytes: Arc<AtomicU64>,
}

impl Write for WholeFrames {
    /// Writes all of it, or nothing.
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        match self.file.write_all(frame) {
            Ok(()) => {
                self.bytes.fetch_add(frame.len() as u64, Ordering::Relaxed);
                Ok(frame.len())
            }
            Err(error) => {
                if self.is_regular {
                    let end = self.bytes.load(Ordering::Relaxed);
                    self.file.set_len(end)?;
                    self.file.seek(SeekFrom::Start(end))?;
                }
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Removes a file that nothing was written to, if it was made here.
pub(crate) fn remove_if_empty(path: &Path) -> anyhow::Result<()> {
    if path.metadata().is_ok_and(|found| found.is_file() && found.len() == 0) {
        std::fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}
