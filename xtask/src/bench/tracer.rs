//! A tracer at work: started, awaited, asked what it uses, and ended.

use std::{
    cell::{RefCell, RefMut},
    fs::File,
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::{
    process::{Pid, Signal, kill_process},
    time::{ClockId, clock_gettime},
};

use super::{
    launch::{Place, Ready, Variant},
    proc_files::{self, Programs},
    shell::Shell,
};

/// Longer than any tracer needs to begin or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A tracer that runs. It ends with this value, however that goes.
pub(super) struct Tracer {
    child: Child,
    stderr: Receiver<Line>,
    /// Of its stdout, if that is a pipe.
    stdout: Option<Receiver<Line>>,
    shell: Option<RefCell<Shell>>,
    said: Vec<String>,
    output: PathBuf,
    took: Duration,
}

/// A line, and when it was read: nanoseconds of the monotonic clock.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) at: f64,
}

/// What a tracer leaves behind.
pub(super) struct Ended {
    /// The file that has what it wrote to stdout.
    pub(super) output: PathBuf,
    /// The lines that it wrote to stderr.
    pub(super) said: Vec<String>,
}

impl Tracer {
    /// Starts one, with its output to a file in `folder`, and waits until it traces.
    pub(super) fn start(variant: &Variant, folder: &Path) -> Result<Self> {
        let output = folder.join("output");
        let file =
            File::create(&output).with_context(|| format!("cannot create {}", output.display()))?;
        Self::begin(variant, folder, output, file.into(), false)
    }

    /// Starts one, with its output to a pipe that is read line by line; `by_line` makes it
    /// write so, if it is a program that has to be made to.
    pub(super) fn start_with_pipe(variant: &Variant, folder: &Path, by_line: bool) -> Result<Self> {
        Self::begin(variant, folder, folder.join("output"), Stdio::piped(), by_line)
    }

    fn begin(
        variant: &Variant,
        folder: &Path,
        output: PathBuf,
        stdout: Stdio,
        by_line: bool,
    ) -> Result<Self> {
        let has_shell = variant.place == Place::AroundShell;
        let begin = Instant::now();
        let mut child = variant
            .command(&output, by_line)
            // The configuration of whoever runs this is not what is measured.
            .env("XDG_CONFIG_HOME", folder)
            .stdin(if has_shell { Stdio::piped() } else { Stdio::null() })
            .stdout(if has_shell { Stdio::piped() } else { stdout })
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", variant.program.display()))?;
        let stderr = lines(child.stderr.take());
        let shell = has_shell.then(|| Shell::of(&mut child)).transpose();
        let stdout = child.stdout.take().map(|pipe| lines(Some(pipe)));
        let mut tracer = Self {
            child,
            stderr,
            stdout,
            shell: None,
            said: Vec::new(),
            output,
            took: Duration::ZERO,
        };
        match (variant.ready, shell) {
            (Ready::Answers, Ok(shell)) => tracer.shell = shell.map(RefCell::new),
            (_, Err(_)) => return tracer.did_not_begin().map(|()| tracer),
            (Ready::Says(word), _) => tracer.await_word(word)?,
            (Ready::Waits, _) => tracer.await_sleep(5, true)?,
            (Ready::Sleeps, _) => tracer.await_sleep(20, false)?,
        }
        tracer.took = begin.elapsed();
        Ok(tracer)
    }

    /// The shell that runs what this one traces, if it traces nothing else.
    pub(super) fn shell(&self) -> Option<RefMut<'_, Shell>> {
        self.shell.as_ref().map(RefCell::borrow_mut)
    }

    /// What it has written to its pipe since this was asked.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line> {
        self.stdout.iter().flat_map(Receiver::try_iter)
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// From its start until it traced.
    pub(super) fn took(&self) -> Duration {
        self.took
    }

    fn await_word(&mut self, word: &str) -> Result<()> {
        while let Ok(line) = self.stderr.recv_timeout(PATIENCE) {
            let found = line.text.contains(word);
            self.said.push(line.text);
            if found {
                return Ok(());
            }
        }
        self.did_not_begin()
    }

    /// Waits until it slept whenever it was looked at.
    fn await_sleep(&mut self, looks: u32, has_loop: bool) -> Result<()> {
        let begin = Instant::now();
        // One sleep may be for something else on the way there.
        let mut sleeps = 0;
        while begin.elapsed() < PATIENCE && self.child.try_wait()?.is_none() {
            let waits = proc_files::sleeps(self.child.id())
                && (!has_loop || proc_files::has_event_loop(self.child.id()));
            sleeps = if waits { sleeps + 1 } else { 0 };
            if sleeps == looks {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.did_not_begin()
    }

    fn did_not_begin(&mut self) -> Result<()> {
        // Ended here, because its stderr is read until it closes.
        self.end();
        self.said.extend(self.stderr.iter().map(|line| line.text));
        match self.said.as_slice() {
            [] => bail!("it did not begin to trace, and did not say why"),
            said => bail!("{}", said.join("; ")),
        }
    }

    /// What its programs have used so far.
    pub(super) fn programs(&self) -> Result<Programs> {
        proc_files::programs(self.child.id())
    }

    /// Its CPU time so far, in nanoseconds.
    pub(super) fn cpu_time(&self) -> Result<f64> {
        proc_files::cpu_time(self.child.id())
    }

    /// How often it has gone to sleep so far, which is how often it was woken.
    pub(super) fn wake_ups(&self) -> Result<f64> {
        proc_files::wake_ups(self.child.id())
    }

    /// What its maps and programs take in the kernel, in MB.
    pub(super) fn kernel_memory(&self) -> Result<f64> {
        proc_files::kernel_memory(self.child.id())
    }

    /// Its resident memory, now and at most, in MB.
    pub(super) fn memory(&self) -> Result<(f64, f64)> {
        proc_files::memory(self.child.id())
    }

    /// Waits until it has read what there is: until it uses no more CPU to speak
    /// of. Not for ever, because other programs may keep it busy.
    pub(super) fn settle(&self) -> Result<()> {
        let mut before = self.cpu_time()?;
        for _ in 0..40 {
            thread::sleep(Duration::from_millis(100));
            let now = self.cpu_time()?;
            if now - before < 500_000.0 {
                break;
            }
            before = now;
        }
        Ok(())
    }

    /// Asks it to end, and waits until it has.
    pub(super) fn stop(mut self) -> Result<Ended> {
        // One that runs a shell ends with it; a signal would be the shell's to answer.
        if self.shell.take().is_none() {
            kill_process(Pid::from_child(&self.child), Signal::INT)
                .context("cannot signal the tracer")?;
        }
        let begin = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begin.elapsed() > PATIENCE {
                bail!("the tracer does not end when it is asked to");
            }
            thread::sleep(Duration::from_millis(2));
        }
        self.said.extend(self.stderr.iter().map(|line| line.text));
        Ok(Ended { output: self.output.clone(), said: std::mem::take(&mut self.said) })
    }

    fn end(&mut self) {
        // Both fail only when it has ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        self.end();
    }
}

/// The lines of a pipe, read by a thread so that the writer never stands still.
fn lines(pipe: Option<impl Read + Send + 'static>) -> Receiver<Line> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in pipe.into_iter().flat_map(|pipe| BufReader::new(pipe).split(b'\n')) {
            let Ok(line) = line else { break };
            let text = String::from_utf8_lossy(&line).into_owned();
            if sender.send(Line { text, at: now() }).is_err() {
                break;
            }
        }
    });
    receiver
}

/// The monotonic clock, which is the same for all processes, in nanoseconds.
fn now() -> f64 {
    let now = clock_gettime(ClockId::Monotonic);
    let part = |part: i64| u32::try_from(part).map_or(0.0, f64::from);
    part(now.tv_sec) * 1e9 + part(now.tv_nsec)
}
