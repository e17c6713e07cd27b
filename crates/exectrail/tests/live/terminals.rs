//! At a terminal: lines as long as it is wide, and a line that tells how far it is.

use std::{
    fs::{self, File, OpenOptions},
    io::Read,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use crate::{
    edge_expect::Place,
    support::{exectrail, program_at, real_kernel, run},
};

/// What begins a line that takes the place of another.
const REWRITE: &str = "\r\x1b[Kexectrail: ";

/// A terminal, and what has been written to it.
struct Terminal {
    master: File,
    slave: File,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn new(columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let master = File::from(master);
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let (mut reader, into) = (master.try_clone().unwrap(), Arc::clone(&written));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // An error is its end: nobody has it open any more.
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                into.lock().unwrap().extend_from_slice(&bytes[..read]);
            }
        });
        let terminal = Self { master, slave, written };
        terminal.resize(columns);
        terminal
    }

    fn resize(&self, columns: u16) {
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.master, size).unwrap();
    }

    fn open(&self) -> Stdio {
        self.slave.try_clone().unwrap().into()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// What has been written, once `is_there` says so.
    fn wait(&self, is_there: impl Fn(&str) -> bool) -> String {
        let give_up = Instant::now() + Duration::from_secs(120);
        loop {
            let text = self.text();
            if is_there(&text) {
                return text;
            }
            assert!(Instant::now() < give_up, "it has only {text:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// exectrail, of which a test chooses where its output goes.
fn command(words: &[&str]) -> Command {
    let mut command = exectrail();
    command.args(words).env("TERM", "xterm").env("NO_COLOR", "1");
    command
}

fn interrupt(mut child: Child) {
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Cells of a line in which only 日 takes two, and its accents none.
fn cells(line: &str) -> usize {
    line.chars().map(|c| if c == '\u{301}' { 0 } else { 1 + usize::from(c == '日') }).sum()
}

#[test]
fn lines_are_as_long_as_the_terminal_is_wide() {
    if !real_kernel("lines_are_as_long_as_the_terminal_is_wide") {
        return;
    }
    let place = Place::new();
    let program = program_at(&place.path().join("wide")).to_owned();
    let terminal = Terminal::new(60);
    let mut traced = command(&["--fields", "pid,args", "--only", &program, "--no-control"]);
    let child = traced.stdout(terminal.open()).stderr(terminal.open()).spawn().unwrap();
    terminal.wait(|text| text.contains("tracing") && text.contains("args\r\n"));
    let wide = "日e\u{301}".repeat(200);
    for (number, columns) in [60, 200, 44, 61].into_iter().enumerate() {
        terminal.resize(columns);
        run(Command::new(&program).args(["exit", &wide]));
        // Two are there from the start.
        let text = terminal.wait(|text| text.matches("\r\n").count() > 2 + number);
        let line = text.lines().last().unwrap();
        assert!(line.ends_with('…'), "{line}");
        // The next character can be one of two cells.
        let columns = usize::from(columns);
        assert!((columns - 1..=columns).contains(&cells(line)), "{columns}: {}", cells(line));
    }
    interrupt(child);
}

#[test]
fn a_line_tells_how_far_it_is_where_nothing_else_is_seen() {
    if !real_kernel("a_line_tells_how_far_it_is_where_nothing_else_is_seen") {
        return;
    }
    let place = Place::new();
    let program = program_at(&place.path().join("program")).to_owned();
    let words = ["--only", &program, "--no-control"];
    let shown = |number| format!("{REWRITE}{number} events shown, ");

    // Into a file: also while nothing happens, and gone at the end.
    let (redirected, named) = (place.at("redirected"), place.at("named"));
    for by_name in [false, true] {
        let terminal = Terminal::new(80);
        let mut traced = command(&words);
        if by_name {
            traced.args(["-o", &named]).stdout(Stdio::null());
        } else {
            traced.stdout(File::create(&redirected).unwrap());
        }
        let child = traced.stderr(terminal.open()).spawn().unwrap();
        terminal.wait(|text| text.contains(&shown(0)));
        run(Command::new(&program).arg("exit"));
        let text = terminal.wait(|text| text.contains(&shown(1)));
        assert!(text.contains(" per second; ") && text.contains(" filtered, 0 lost"), "{text}");
        interrupt(child);
        let text = terminal.wait(|text| text.contains("the kernel saw"));
        let last = text.rsplit("\r\x1b[K").next().unwrap();
        assert!(last.contains("the kernel saw") && !last.contains("per second"), "{text}");
        let file = fs::read_to_string(if by_name { &named } else { &redirected }).unwrap();
        assert!(file.contains(" exit") && !file.contains("per second"), "{file}");
    }

    // On a terminal of its own, into a pipe whose reader may have this one, or to nobody.
    let (terminal, pipe) = (Terminal::new(80), Terminal::new(80));
    for stdout in [terminal.open(), Stdio::piped()] {
        let mut traced = command(&words);
        let child = traced.stdout(stdout).stderr(pipe.open()).spawn().unwrap();
        let before = pipe.text().matches("tracing").count();
        pipe.wait(|text| text.matches("tracing").count() > before.min(1));
        run(Command::new(&program).arg("exit"));
        interrupt(child);
    }
    assert!(!pipe.text().contains(REWRITE), "{}", pipe.text());
}
