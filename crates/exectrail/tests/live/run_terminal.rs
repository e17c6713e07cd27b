//! `exectrail run` in a shell at a terminal, where Ctrl-C is a key.

use std::{
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::{
    hostile::EXECTRAIL,
    run_ends::{ends_of_their_own, waits_and},
    support::{real_kernel, subject},
    terminal::Terminal,
};

const CTRL_C: &[u8] = b"\x03";

/// A shell that waits for commands, with this terminal.
struct Shell {
    terminal: Terminal,
    shell: Child,
}

impl Shell {
    fn start() -> Self {
        ends_of_their_own();
        let terminal = Terminal::new(200);
        let mut shell = Command::new(subject());
        shell
            .args(["at-terminal", "/bin/sh", "-i"])
            .env("PS1", "> ")
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .env_remove("ENV");
        for name in ["SUDO_UID", "SUDO_GID", "SUDO_USER"] {
            shell.env_remove(name);
        }
        shell.stdin(terminal.open()).stdout(terminal.open()).stderr(terminal.open());
        let shell = shell.spawn().unwrap();
        terminal.wait(|text| text.contains("> "));
        Self { terminal, shell }
    }

    /// Types a command, and waits until it has said that it is ready, with its process id.
    fn runs(&self, script: &str) -> u32 {
        let line = format!("{EXECTRAIL} run -- /bin/sh -c '{script}'; echo ended with=$?\n");
        self.terminal.types(line.as_bytes());
        let said = |text: &str| {
            let (_, behind) = text.split_once("\nready ")?;
            behind.split_once('\r')?.0.parse().ok()
        };
        said(&self.terminal.wait(|text| said(text).is_some())).unwrap()
    }

    /// All that the terminal has, once the command's end is told.
    fn ended(&self, code: u8) -> String {
        let text = self.terminal.wait(|text| text.contains("\nended with="));
        assert!(text.contains(&format!("\nended with={code}\r")), "{text}");
        assert!(!text.contains("panicked"), "{text}");
        text
    }

    /// Leaves it: it is still there, and listens.
    fn leave(mut self) {
        self.terminal.types(b"exit 5\n");
        assert_eq!(self.shell.wait().unwrap().code(), Some(5));
    }
}

#[test]
fn ctrl_c_ends_the_command_and_the_summary_is_told() {
    if !real_kernel("ctrl_c_ends_the_command_and_the_summary_is_told") {
        return;
    }
    let shell = Shell::start();
    let pid = shell.runs("echo ready $$; exec sleep 60");
    shell.terminal.types(CTRL_C);
    let text = shell.ended(130);
    assert!(text.contains("exectrail: SIGINT after "), "{text}");
    let told = |line: &str| line.contains("SIGINT") && line.contains(&pid.to_string());
    assert!(text.lines().any(told), "{pid}: {text}");
    shell.leave();
}

#[test]
fn ctrl_c_twice_ends_a_trace_whose_command_does_not_listen() {
    if !real_kernel("ctrl_c_twice_ends_a_trace_whose_command_does_not_listen") {
        return;
    }
    let shell = Shell::start();
    let script = waits_and("trap \"\" INT TERM").replace("echo $$", "echo ready $$");
    let pid = shell.runs(&script);
    shell.terminal.types(CTRL_C);
    thread::sleep(Duration::from_millis(300));
    let second = Instant::now();
    shell.terminal.types(CTRL_C);
    let text = shell.ended(130);
    assert!(second.elapsed() < Duration::from_secs(30), "{:?}", second.elapsed());
    assert!(text.contains("exectrail: still runs after "), "{text}");
    let told = |line: &str| line.contains("still runs") && line.contains(&format!("{pid} "));
    assert!(text.lines().any(told), "{pid}: {text}");
    // It is, and its last words were true.
    let command = Pid::from_raw(pid.cast_signed()).unwrap();
    test_kill_process(command).unwrap();
    kill_process(command, Signal::KILL).unwrap();
    shell.leave();
}
