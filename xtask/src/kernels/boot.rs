//! Boots a machine and keeps what it says.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

/// A machine that is about to boot.
pub(super) struct Booting<'m> {
    pub(super) vmlinuz: &'m Path,
    pub(super) initramfs: &'m Path,
    /// What the kernel is told, besides what every one is.
    pub(super) parameters: &'m str,
    /// After so long it is turned off.
    pub(super) patience: Duration,
}

/// Each machine's: a console, few words, and an end where others would hang.
const PARAMETERS: &str = "console=ttyS0 loglevel=4 panic=-1 softlockup_panic=1 \
    softlockup_all_cpu_backtrace=1";

impl Booting<'_> {
    /// Runs it, and gives all that was on its console, which also goes to `log` as it
    /// comes, and how long it took. It has no network and no disk.
    pub(super) fn run(&self, log: &Path) -> Result<(String, Duration)> {
        let began = Instant::now();
        let mut child = self.command().spawn().context("cannot start qemu-system-x86_64")?;
        let lines = lines(child.stdout.take().context("a console")?);
        let mut file = File::create(log)?;
        let mut said = String::new();
        loop {
            let left = self.patience.saturating_sub(began.elapsed());
            match lines.recv_timeout(left) {
                Ok(line) => {
                    file.write_all(line.as_bytes())?;
                    said.push_str(&line);
                }
                // It is off.
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    child.kill()?;
                    break;
                }
            }
        }
        child.wait()?;
        Ok((said, began.elapsed()))
    }

    fn command(&self) -> Command {
        let parameters = format!("{PARAMETERS} {}", self.parameters);
        let mut command = Command::new("qemu-system-x86_64");
        command
            // Emulated also where there is /dev/kvm: in a machine that is emulated itself
            // it may be there and hang. Without cx16, of which QEMU 7.2 makes double
            // faults (6.12, in the allocator).
            .args(["-machine", "q35", "-accel", "tcg,thread=single", "-cpu", "max,-cx16"])
            .args(["-m", "3072", "-smp", "2", "-nodefaults", "-no-reboot", "-display", "none"])
            .args(["-serial", "stdio", "-append", &parameters])
            .arg("-kernel")
            .arg(self.vmlinuz)
            .arg("-initrd")
            .arg(self.initramfs)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command
    }
}

/// The lines of a console, as they come.
fn lines(console: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut console = BufReader::new(console);
        let mut line = Vec::new();
        while console.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).replace('\r', "");
            line.clear();
            if sender.send(text).is_err() {
                return;
            }
        }
    });
    lines
}

/// Writes an image of a file system.
pub(super) fn write_image(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}
