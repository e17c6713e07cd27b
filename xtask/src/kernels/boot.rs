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

use super::arch::Arch;

/// A machine that is about to boot.
pub(super) struct Booting<'m> {
    pub(super) arch: Arch,
    pub(super) vmlinuz: &'m Path,
    pub(super) initramfs: &'m Path,
    /// What the kernel is told, besides what every one is.
    pub(super) parameters: &'m str,
    /// After so long it is turned off.
    pub(super) patience: Duration,
}

/// Each machine's: few words, and an end where others would hang.
const PARAMETERS: &str = "loglevel=4 panic=-1 softlockup_panic=1 softlockup_all_cpu_backtrace=1";

impl Booting<'_> {
    /// Runs it, and gives all that was on its console, which also goes to `log` as it
    /// comes, and how long it took. It has no network and no disk.
    pub(super) fn run(&self, log: &Path) -> Result<(String, Duration)> {
        let began = Instant::now();
        let emulator = self.arch.emulator();
        let child = self.command().spawn();
        let mut child = child.with_context(|| format!("cannot start {emulator}"))?;
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
        let console = self.arch.console();
        let parameters = format!("console={console} {PARAMETERS} {}", self.parameters);
        let mut command = Command::new(self.arch.emulator());
        command
            .args(self.arch.machine())
            // Emulated also where there is /dev/kvm: in a machine that is emulated itself
            // it may be there and hang. One thread for all its CPUs: with one for each, QEMU
            // 7.2 lost patches of the kernel's code, and 5.10 hung at one of them for ever.
            .args(["-accel", "tcg,thread=single"])
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
