//! At a terminal: lines as long as it is wide, and a line that tells how far it is.

use std::{
    fs::{self, File},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    edge_expect::Place,
    support::{exectrail, program_at, real_kernel, run},
    terminal::Terminal,
};

/// What begins a line that takes the place of another.
const REWRITE: &str = "\r\x1b[Kexectrail: ";

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
