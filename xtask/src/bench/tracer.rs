//! A tracer at work: started, awaited, asked what it uses, and ended.

use std::{
    ffi::OsString,
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::proc_files::{self, Programs};

/// Longer than any tracer needs to begin or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a tracer shows that it has begun.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ready {
    /// With a line on stderr that has this in it.
    Says(&'static str),
    /// Not at all; but then it sleeps in its event loop.
    Waits,
}

/// A program and its flags.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub(super) program: PathBuf,
    pub(super) flags: Vec<OsString>,
    pub(super) ready: Ready,
}

/// A tracer that runs. It ends with this value, however that goes.
pub(super) struct Tracer {
    child: Child,
    stderr: Receiver<String>,
    said: Vec<String>,
    output: PathBuf,
    took: Duration,
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
        let begin = Instant::now();
        let mut child = Command::new(&variant.program)
            .args(&variant.flags)
            // The configuration of whoever runs this is not what is measured.
            .env("XDG_CONFIG_HOME", folder)
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", variant.program.display()))?;
        let stderr = lines(child.stderr.take());
        let mut tracer = Self { child, stderr, said: Vec::new(), output, took: Duration::ZERO };
        match variant.ready {
            Ready::Says(word) => tracer.await_word(word)?,
            Ready::Waits => tracer.await_sleep()?,
        }
        tracer.took = begin.elapsed();
        Ok(tracer)
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
            let found = line.contains(word);
            self.said.push(line);
            if found {
                return Ok(());
            }
        }
        self.did_not_begin()
    }

    fn await_sleep(&mut self) -> Result<()> {
        let begin = Instant::now();
        // One sleep may be for something else on the way there.
        let mut sleeps = 0;
        while begin.elapsed() < PATIENCE && self.child.try_wait()?.is_none() {
            sleeps = if proc_files::waits_for_events(self.child.id()) { sleeps + 1 } else { 0 };
            if sleeps == 5 {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.did_not_begin()
    }

    fn did_not_begin(&mut self) -> Result<()> {
        // Ended here, because its stderr is read until it closes.
        self.end();
        self.said.extend(self.stderr.iter());
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
        kill_process(Pid::from_child(&self.child), Signal::INT)
            .context("cannot signal the tracer")?;
        let begin = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begin.elapsed() > PATIENCE {
                bail!("the tracer does not end when it is asked to");
            }
            thread::sleep(Duration::from_millis(2));
        }
        self.said.extend(self.stderr.iter());
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
fn lines(pipe: Option<ChildStderr>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in pipe.into_iter().flat_map(|pipe| BufReader::new(pipe).lines()) {
            let Ok(line) = line else { break };
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
