//! `exectrail tui` and `replay --tui` at a terminal: keys go in, pictures come out, and the
//! terminal is as it was at the end.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    docs::root,
    edge_expect::Place,
    hostile::EXECTRAIL,
    picture::Picture,
    support::{Spawned, exectrail, real_kernel, run, subject},
    terminal::{LINES, Terminal},
};

const ENTER: &[u8] = b"\r";
const ESCAPE: &[u8] = b"\x1b";

/// A terminal, and who draws on it.
struct Session {
    terminal: Terminal,
    child: Spawned,
    columns: u16,
}

impl Session {
    /// In a session of its own, whose terminal it is.
    fn start(columns: u16, no_color: bool, words: &[&str]) -> Self {
        Self::start_by(&["at-terminal", EXECTRAIL], columns, no_color, words)
    }

    /// By the subject, which is told how.
    fn start_by(by: &[&str], columns: u16, no_color: bool, words: &[&str]) -> Self {
        let terminal = Terminal::new(columns);
        let mut command = Command::new(subject());
        command.args(by).args(words);
        command.env("TERM", "xterm").env("XDG_CONFIG_HOME", "/nonexistent");
        command.env_remove("NO_COLOR").env_remove("RUST_LOG");
        command.envs(no_color.then_some(("NO_COLOR", "1")));
        command.stdin(terminal.open()).stdout(terminal.open()).stderr(terminal.open());
        let child = Spawned(command.spawn().unwrap());
        Self { terminal, child, columns }
    }

    fn picture_of(&self, text: &str) -> Picture {
        Picture::of(text, self.columns.into(), LINES.into())
    }

    /// The picture, once this is so.
    #[track_caller]
    fn wait(&self, is_so: impl Fn(&Picture) -> bool) -> Picture {
        let text = self.terminal.wait(|text| is_so(&self.picture_of(text)));
        self.picture_of(&text)
    }

    #[track_caller]
    fn sees(&self, words: &str) -> Picture {
        self.wait(|picture| picture.has(words))
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// It has ended well, the terminal is as it was, and these words stand there.
    #[track_caller]
    fn ended(mut self, words: &str) -> Picture {
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{}", self.terminal.text());
        let picture = self.wait(|picture| picture.behind.contains(words));
        assert_eq!((picture.turns, picture.has_cursor), ((1, 1), true));
        assert!(self.terminal.is_cooked(), "keys are not read by lines again");
        picture
    }
}

fn marked(marker: &str, more: &str) {
    run(Command::new("/bin/true").args([marker, more]));
}

#[test]
fn what_runs_is_seen_filtered_and_told() {
    if !real_kernel("what_runs_is_seen_filtered_and_told") {
        return;
    }
    for (columns, no_color) in [(120, false), (60, true)] {
        let marker = format!("tui-marker-{columns}");
        let only = format!("arg={marker}");
        let words = ["tui", "--failed", "--only", &only, "--no-control"];
        let session = Session::start(columns, no_color, &words);
        session.sees("FOLLOWING");
        marked(&marker, "first");
        marked(&marker, "second one");
        let _ = Command::new("/no/such/program").arg(&marker).spawn();
        let picture = session.sees("ENOENT");
        assert!(picture.has(&format!("true {marker} first")), "{:#?}", picture.lines());
        assert_eq!(picture.has_colors, !no_color);
        session.sees("exit 0");

        // A rule that is typed, with a mistake on the way.
        session.terminal.types(b"f!arg=first,usr=0");
        let picture = session.sees("did you mean `user`?");
        assert!(picture.has("    ^^^") && picture.has("first"), "{:#?}", picture.lines());
        session.terminal.types(&[b"\x17\x17\x17\x17".as_slice(), ENTER].concat());
        let picture = session.wait(|picture| !picture.has("first,"));
        assert!(picture.has("filter !arg=first"), "{:#?}", picture.lines());
        session.wait(|picture| !picture.has(&format!("{marker} first")) && picture.has("second"));

        // What comes later is followed; then details.
        marked(&marker, "third");
        session.sees(&format!("{marker} third"));
        session.terminal.types(b"/second");
        session.terminal.types(ENTER);
        session.terminal.types(b"\r");
        let picture = session.sees("command, as a shell takes it");
        assert!(picture.has(&format!("/bin/true {marker} 'second one'")), "{:#?}", picture.lines());
        session.terminal.types(b"yp");
        session.wait(|picture| picture.copied.len() == 1);
        session.terminal.types(ESCAPE);
        session.sees("? help");
        session.terminal.types(b"q");
        let behind = session.ended(" events shown, ").behind;
        assert!(behind.contains(&format!("/bin/true {marker} 'second one'\r\n")), "{behind}");
    }
}

#[test]
fn a_terminal_is_given_back_whatever_ends_it() {
    if !real_kernel("a_terminal_is_given_back_whatever_ends_it") {
        return;
    }
    for signal in [Signal::TERM, Signal::INT] {
        let session = Session::start(80, false, &["tui", "--no-control"]);
        session.sees("FOLLOWING");
        session.signal(signal);
        session.ended("; the kernel saw ");
    }
    // By keys; and by the clock, which leaves it to be looked at.
    for words in [&["tui", "--no-control"][..], &["tui", "--no-control", "--duration", "300ms"]] {
        let session = Session::start(80, false, words);
        session.sees(if words.len() > 2 { "ENDED" } else { "FOLLOWING" });
        session.terminal.types(b"?");
        session.sees("In the list");
        session.terminal.types(b"\x03");
        session.ended(" shown");
    }
    // A hangup that comes by itself is no end.
    let mut session = Session::start(80, false, &["tui", "--no-control"]);
    session.sees("FOLLOWING");
    let Session { child, .. } = &mut session;
    let pid = Pid::from_child(child);
    kill_process(pid, Signal::HUP).unwrap();
    thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "with a terminal, files are read again");
    session.terminal.types(b"q");
    session.ended(" shown");
}

/// A terminal that is gone has always something to read: nothing.
#[test]
fn a_terminal_that_is_gone_is_an_end() {
    let recording = golden();
    let replay = ["replay", "--tui", recording.to_str().unwrap()];
    let traces = real_kernel("a_terminal_that_is_gone_is_an_end");
    let deaf = ["at-terminal", "/bin/sh", "-c", "trap '' HUP; exec \"$@\"", "sh", EXECTRAIL];
    for (words, sign) in [(&replay[..], "ENDED"), (&["tui", "--no-control"], "FOLLOWING")] {
        if words[0] == "tui" && !traces {
            continue;
        }
        // It is told so, or it does not hear.
        for by in [&["at-terminal", EXECTRAIL][..], &deaf] {
            for keys in [&b""[..], b"f/x\x1b[", &[b'j'; 1000]] {
                let session = Session::start_by(by, 80, false, words);
                session.sees(sign);
                let Session { terminal, mut child, .. } = session;
                terminal.types(keys);
                terminal.hang_up();
                let start = Instant::now();
                while child.try_wait().unwrap().is_none() {
                    assert!(start.elapsed() < Duration::from_secs(20), "{by:?} {words:?} {keys:?}");
                    thread::sleep(Duration::from_millis(10));
                }
            }
        }
    }
}

/// Nobody reads what is drawn, and all that happens is taken nevertheless.
#[test]
fn a_terminal_that_is_stopped_keeps_nobody_waiting() {
    if !real_kernel("a_terminal_that_is_stopped_keeps_nobody_waiting") {
        return;
    }
    let place = Place::new();
    let terminal = Terminal::stopped(80);
    let mut command = Command::new(subject());
    command.args(["at-terminal", EXECTRAIL, "tui", "--no-control", "--only", &place.below()]);
    command.env("TERM", "xterm").env("XDG_CONFIG_HOME", "/nonexistent");
    command.stdin(terminal.open()).stdout(terminal.open()).stderr(Stdio::piped());
    let mut child = Spawned(command.spawn().unwrap());
    thread::sleep(Duration::from_secs(2));
    let program = place.tiny("stopped");
    for number in 0..3000 {
        run(Command::new(&program).arg(format!("{number}-{}", "wide".repeat(20))));
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let end = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(end.elapsed() < Duration::from_secs(30), "{:?}", end.elapsed());
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
    // Execs and ends.
    assert!(said.contains("exectrail: 6000 events shown, "), "{said}");
    assert!(said.contains(" 0 lost; "), "{said}");
}

#[test]
fn a_storm_is_taken_whole() {
    if !real_kernel("a_storm_is_taken_whole") {
        return;
    }
    let place = Place::new();
    let program = place.tiny("storm");
    let words = ["tui", "--no-control", "--only", &place.below(), "--keep", "1000"];
    let session = Session::start(100, false, &words);
    session.sees("FOLLOWING");
    let before = session.terminal.text().len();
    let start = Instant::now();
    for _ in 0..5000 {
        run(&mut Command::new(&program));
    }
    let took = start.elapsed();
    // Execs and ends, of which the former have lines.
    let picture = session.sees("9,000 forgotten");
    assert!(picture.has("  0 lost  500 shown of "), "{:#?}", picture.lines());
    // A picture has some 3,000 bytes at most, and there are fifteen a second.
    let drawn = session.terminal.text().len() - before;
    let most = 4000 * 16 * (took.as_millis() + 3000) / 1000;
    assert!((drawn as u128) < most, "{drawn} bytes in {took:?}");
    session.terminal.types(b"q");
    session.ended(" shown");
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let recording = golden();
    let recording = recording.to_str().unwrap();
    for (words, term, expect) in [
        (&["tui"][..], "xterm", "use a trace"),
        (&["replay", "--tui", recording], "xterm", "exectrail replay"),
        (&["tui"], "dumb", "cannot draw"),
        (&["tui", "--json"], "xterm", "leave out --json"),
        (&["replay", "--tui", "-o", "x", recording], "xterm", "leave out --json"),
    ] {
        let mut command = exectrail();
        let output = command.args(words).env("TERM", term).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(expect), "{words:?}: {said}");
    }
}

fn golden() -> PathBuf {
    root().join("crates/sinks/tests/sinks/golden/all.rec")
}

fn replay(file: &Path, more: &[&str]) -> Session {
    let words = [&["replay", "--tui", file.to_str().unwrap()], more].concat();
    Session::start(100, false, &words)
}

#[test]
fn a_recording_is_looked_at_without_rights() {
    let session = replay(&golden(), &["--only", "user=1000"]);
    let picture = session.sees("ENDED");
    assert!(picture.has("ls -l --color=auto /tmp"), "{:#?}", picture.lines());
    session.terminal.types(b"t");
    session.sees("  tree");
    session.terminal.types(b"r");
    session.sees("most frequent programs");
    session.terminal.types(b"qq");
    session.ended(" events shown");
}

#[test]
fn a_recording_is_looked_at_while_it_is_written() {
    let whole = fs::read(golden()).unwrap();
    let place = Place::new();
    let file = place.path().join("growing.rec");
    // Without the account, which is a frame of its own at the end.
    fs::write(&file, &whole[..whole.len() - 100]).unwrap();
    let session = replay(&file, &["--tail"]);
    session.sees("FOLLOWING");
    fs::write(&file, &whole).unwrap();
    session.sees("ENDED");
    session.terminal.types(b"q");
    session.ended(" shown");
}

/// Whoever writes it may have nothing to write for long.
#[test]
fn a_recording_from_a_pipe_keeps_nobody_who_has_had_enough() {
    let place = Place::new();
    let pipe = place.path().join("pipe");
    run(Command::new("mkfifo").arg(&pipe));
    let session = replay(&pipe, &[]);
    let mut writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let whole = fs::read(golden()).unwrap();
    std::io::Write::write_all(&mut writer, &whole[..whole.len() - 100]).unwrap();
    session.sees("FOLLOWING");
    session.terminal.types(b"q");
    session.ended("still being written");
}
