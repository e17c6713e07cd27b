//! How `exectrail run` ends: with the code of its command, and never later than it.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    flag::register_conditional_shutdown,
};

use crate::{
    edge_expect::Place,
    run::{exectrail_run, outcome},
    support::real_kernel,
};

#[test]
fn the_exit_code_is_the_commands() {
    if !real_kernel("the_exit_code_is_the_commands") {
        return;
    }
    let place = Place::new();
    let plain = place.executable("plain", "#!/bin/sh\nexit 3\n");
    let no_program = place.at("no-program");
    std::fs::write(&no_program, "exit 3\n").unwrap();
    let no_interpreter = place.executable("no-interpreter", "#!/nonexistent/interpreter\n");
    let directory = place.directory("directory");
    for (command, code, says) in [
        (&["/bin/sh", "-c", "exit 7"][..], 7, "exit 7"),
        (&["sh", "-c", "exit 0"], 0, "exit 0"),
        (&["sh", "-c", "exit 255"], 255, "exit 255"),
        (&[&plain], 3, "exit 3"),
        (&["sh", "-c", "kill -TERM $$"], 143, "SIGTERM"),
        (&["sh", "-c", "kill -KILL $$"], 137, "SIGKILL"),
        (&["no-such-command-anywhere"], 127, "no directory in PATH"),
        (&["/nonexistent/command", "x"], 127, "/nonexistent/command is not found"),
        (&[&no_interpreter], 127, "not the interpreter"),
        (&[&no_program], 126, "chmod +x"),
        (&[&directory], 126, "it is a directory"),
        // Options behind the command are the command's.
        (&["sh", "-c", "exit $#", "--json", "--exit", "-o"], 2, "exit 2"),
    ] {
        for options in [&["--"][..], &["--failed", "--exit", "--"], &["--summary-only"]] {
            let (output, stderr) = outcome(&mut exectrail_run(&[options, command].concat()));
            assert_eq!(output.status.code(), Some(code), "{command:?}: {stderr}");
            assert!(stderr.contains(says), "{command:?} does not say {says:?}: {stderr}");
        }
    }
    let (output, _) = outcome(&mut exectrail_run(&[]));
    assert_eq!(output.status.code(), Some(2), "a command is required");
}

/// A command under `exectrail run`, which has said that it is ready.
struct Running {
    tracer: Child,
    stdout: BufReader<ChildStdout>,
    /// The number that it has said.
    pid: u32,
}

impl Running {
    /// The script says its process id when it is ready.
    fn start(command: &mut Command) -> Self {
        ends_of_their_own();
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut tracer = piped.spawn().unwrap();
        let mut stdout = BufReader::new(tracer.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let pid = line.trim().parse().unwrap_or_else(|_| panic!("{line:?}"));
        Self { tracer, stdout, pid }
    }

    fn script(script: &str) -> Self {
        Self::start(&mut exectrail_run(&["--", "/bin/sh", "-c", script]))
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.tracer), signal).unwrap();
    }

    fn signal_command(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid.cast_signed()).unwrap(), signal).unwrap();
    }

    fn ends_within(&mut self, patience: Duration) -> bool {
        let give_up = Instant::now() + patience;
        while Instant::now() < give_up {
            if self.tracer.try_wait().unwrap().is_some() {
                return true;
            }
            thread::sleep(Duration::from_millis(5));
        }
        false
    }

    /// The exit code, and what was said on stdout after the first line, and on stderr; its
    /// end has to come soon.
    fn end(mut self) -> (Option<i32>, String, String) {
        if !self.ends_within(Duration::from_secs(60)) {
            self.tracer.kill().unwrap();
            panic!("it did not end");
        }
        let status = self.tracer.wait().unwrap();
        // The command may run on and have these pipes: read what is there.
        let (mut out, mut err) = (String::new(), String::new());
        if self.pid != 0 {
            let _ = Command::new("kill").args(["-9", &self.pid.to_string()]).output();
        }
        self.stdout.read_to_string(&mut out).unwrap();
        self.tracer.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (status.code(), out, err)
    }
}

/// What is started from here on ends by these signals, as usual. Were they ignored here (by
/// nohup, or by a shell that has these tests in its background), they would be in the
/// commands, too, and one that ignores a signal does not end by it. What is caught instead
/// is so no more after an exec (signal(7)).
pub(crate) fn ends_of_their_own() {
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        register_conditional_shutdown(signal, 128 + signal, Arc::new(AtomicBool::new(true)))
            .unwrap();
    }
}

/// A shell that waits in small steps, since it looks at signals between them only.
pub(crate) fn waits_and(traps: &str) -> String {
    format!("{traps}; echo $$; n=0; while [ $n -lt 400 ]; do sleep 0.05; n=$((n+1)); done")
}

#[test]
fn signals_reach_the_command_once() {
    if !real_kernel("signals_reach_the_command_once") {
        return;
    }
    for (signal, name) in [
        (Signal::INT, "INT"),
        (Signal::TERM, "TERM"),
        (Signal::HUP, "HUP"),
        (Signal::QUIT, "QUIT"),
        (Signal::USR1, "USR1"),
    ] {
        // Twice would be heard twice: there is time for it.
        let traps = format!("trap 'echo {name}; n=390; code=41' {name}");
        let running = Running::script(&format!("{}; exit $code", waits_and(&traps)));
        running.signal(signal);
        let (code, heard, said) = running.end();
        assert_eq!((code, &*heard), (Some(41), &*format!("{name}\n")), "{said}");
    }
}

#[test]
fn a_signal_that_ends_the_command_is_in_the_code() {
    if !real_kernel("a_signal_that_ends_the_command_is_in_the_code") {
        return;
    }
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let running = Running::script("echo $$; exec sleep 60");
        running.signal(signal);
        let (ended, _, said) = running.end();
        assert_eq!(ended, Some(code), "{said}");
    }
}

/// The command is another user's, and the tracer has given up its rights by then.
#[test]
fn signals_reach_another_users_command() {
    if !real_kernel("signals_reach_another_users_command") {
        return;
    }
    let mut command = exectrail_run(&["--", "/bin/sh", "-c", "echo $$; exec sleep 60"]);
    let running = Running::start(command.env("SUDO_UID", "65534").env("SUDO_GID", "65534"));
    running.signal(Signal::TERM);
    let (code, _, said) = running.end();
    assert_eq!(code, Some(143), "{said}");
}

#[test]
fn a_command_that_ignores_interrupts_hangs_nobody() {
    if !real_kernel("a_command_that_ignores_interrupts_hangs_nobody") {
        return;
    }
    for second in [Signal::INT, Signal::TERM] {
        let mut running = Running::script(&waits_and("trap '' INT TERM"));
        // Where there is no CPU for it, it can take longer than two seconds between them.
        for _ in 0..5 {
            running.signal(Signal::INT);
            thread::sleep(Duration::from_millis(200));
            running.signal(second);
            if running.ends_within(Duration::from_millis(2500)) {
                break;
            }
        }
        let (code, _, said) = running.end();
        assert_eq!(code, Some(if second == Signal::INT { 130 } else { 143 }), "{said}");
        assert!(said.contains("exectrail: still runs after "), "{said}");
    }
    // Once is not enough, but says what is waited for.
    let running = Running::script(&waits_and("trap '' INT"));
    running.signal(Signal::INT);
    thread::sleep(Duration::from_secs(3));
    running.signal_command(Signal::KILL);
    let pid = running.pid;
    let (code, _, said) = running.end();
    assert_eq!(code, Some(137), "{said}");
    assert!(said.contains(&format!("({pid}) still runs after SIGINT")), "{said}");
}

/// What was left behind has the command's pipes still: those who read them wait, and not
/// we.
#[test]
fn it_ends_with_its_command() {
    if !real_kernel("it_ends_with_its_command") {
        return;
    }
    let start = Instant::now();
    let running = Running::script("sleep 300 & echo $!; exit 4");
    let (code, _, said) = running.end();
    assert_eq!(code, Some(4), "{said}");
    assert!(start.elapsed() < Duration::from_secs(60));
    assert!(said.contains("exectrail: exit 4 after"), "{said}");
}

/// A script that sends a signal to its whole group means itself, and gets it once.
#[test]
fn what_a_command_sends_to_its_group_does_not_come_back() {
    if !real_kernel("what_a_command_sends_to_its_group_does_not_come_back") {
        return;
    }
    let script = "trap 'echo group' TERM; echo $$; kill -TERM 0; sleep 0.3; exit 6";
    let mut command = exectrail_run(&["--", "/bin/sh", "-c", script]);
    // A group of their own.
    let running =
        Running::start(std::os::unix::process::CommandExt::process_group(&mut command, 0));
    let (code, heard, said) = running.end();
    assert_eq!((code, &*heard), (Some(6), "group\n"), "{said}");
}
