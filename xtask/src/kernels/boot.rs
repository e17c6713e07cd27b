//! Boots a machine and keeps what it says.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use super::guest::DONE;

/// What a machine has.
pub(super) struct Machine<'m> {
    pub(super) vmlinuz: &'m Path,
    pub(super) initramfs: &'m Path,
    /// What the kernel is told, besides what every one is.
    pub(super) parameters: &'m str,
    /// After so long it is turned off.
    pub(super) patience: Duration,
}

/// How it went.
pub(super) struct Boot {
    /// All that was on its console.
    pub(super) log: String,
    /// Whether it came to its end by itself.
    pub(super) ended: bool,
    pub(super) took: Duration,
}

impl Machine<'_> {
    /// Runs it. No network, no disk: its console is all that leaves it.
    pub(super) fn boot(&self, log: &Path) -> Result<Boot> {
        let parameters =
            format!("console=ttyS0 loglevel=5 panic=-1 softlockup_panic=1 {}", self.parameters);
        let mut command = Command::new("qemu-system-x86_64");
        command
            // Emulated also where there is /dev/kvm: a machine in a machine may have
            // one that hangs.
            .args(["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,-cx16"])
            .args(["-m", "3072", "-smp", "2", "-nodefaults", "-no-reboot", "-display", "none"])
            .args(["-serial", "stdio", "-append", &parameters])
            .arg("-kernel")
            .arg(self.vmlinuz)
            .arg("-initrd")
            .arg(self.initramfs)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let began = Instant::now();
        let mut child = command.spawn().context("cannot start qemu-system-x86_64")?;
        let console = child.stdout.take().context("a console")?;
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
        let mut file = File::create(log)?;
        let mut said = String::new();
        loop {
            let left = self.patience.saturating_sub(began.elapsed());
            match lines.recv_timeout(left) {
                Ok(line) => {
                    file.write_all(line.as_bytes())?;
                    said.push_str(&line);
                }
                // The machine is off.
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    child.kill()?;
                    break;
                }
            }
        }
        child.wait()?;
        let ended = said.lines().any(|line| line.starts_with(DONE));
        Ok(Boot { log: said, ended, took: began.elapsed() })
    }
}

/// Writes an image of a file system.
pub(super) fn write_image(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}
