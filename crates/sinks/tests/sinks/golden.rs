//! Whole streams, compared with files. With `UPDATE_GOLDEN` set the files are
//! written anew; the difference is then for a person to read.

use std::{env, fs, path::PathBuf};

use exectrail_model::event::Event;
use exectrail_sinks::{Options, select};

use crate::events::{all, exec, program, written};

fn check(file: &str, sink: &str, events: &[Event<'_>], with: impl FnOnce(Options) -> Options) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/sinks/golden", file].iter().collect();
    let text = written(sink, events, with);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let expect = fs::read_to_string(&path).unwrap();
    assert_eq!(text, expect, "{file}");
}

#[test]
fn json_whole() {
    check("all.jsonl", "json", &all(), |options| options);
}

#[test]
fn json_selected() {
    let fields = Some(select("exe,pid,event,error,exit_code").unwrap());
    check("selected.jsonl", "json", &all(), |options| Options { fields, ..options });
}

#[test]
fn pretty_with_failures_and_exits() {
    let both = |options| Options { failed: true, exits: true, ..options };
    check("outcomes.txt", "pretty", &all(), both);
}

#[test]
fn failures_or_exits_make_a_column_of_results() {
    for (failed, exits, expect) in
        [(false, false, false), (true, false, true), (false, true, true), (true, true, true)]
    {
        let text = written("pretty", &all(), |options| Options { failed, exits, ..options });
        assert_eq!(text.lines().next().unwrap().contains(" result "), expect);
    }
}

#[test]
fn pretty_processes() {
    let fields = Some(select("process,user,container,signal,core,ancestors,env").unwrap());
    check("processes.txt", "pretty", &all(), |options| Options { fields, ..options });
}

#[test]
fn pretty_without_header_failures_or_exits() {
    let plain = |event: &Event<'_>| !["failed", "exit"].contains(&event.kind().name());
    let events: Vec<_> = all().into_iter().filter(plain).collect();
    check("plain.txt", "pretty", &events, |options| Options { header: false, ..options });
}

#[test]
fn pretty_selected() {
    let fields = Some(select("error,unreadable,flags,args_truncated,comm,exe,time").unwrap());
    check("selected.txt", "pretty", &all(), |options| Options { fields, ..options });
}

#[test]
fn pretty_in_colour() {
    check("colour.txt", "pretty", &all(), |options| Options {
        failed: true,
        color: true,
        ..options
    });
}

#[test]
fn pretty_in_a_narrow_terminal() {
    check("narrow.txt", "pretty", &all(), |options| Options {
        failed: true,
        color: true,
        width: Some(Box::new(|| Some(72))),
        ..options
    });
}

#[test]
fn pretty_with_the_columns_of_a_narrow_terminal() {
    for (name, width) in [("narrow-60.txt", 60), ("narrow-40.txt", 40)] {
        check(name, "pretty", &all(), |options| Options {
            failed: true,
            exits: true,
            width: Some(Box::new(move || Some(width))),
            room: Some(width),
            ..options
        });
    }
}

#[test]
fn every_width_holds_what_it_promises() {
    for width in 1..200 {
        let cut = written("pretty", &all(), |options| Options {
            width: Some(Box::new(move || Some(width))),
            ..options
        });
        let whole = written("pretty", &all(), |options| options);
        for (cut, whole) in cut.lines().zip(whole.lines()) {
            // Nothing in these lines is wider than a cell but one character.
            let cells =
                |line: &str| line.chars().map(|c| 1 + usize::from(c == '日')).sum::<usize>();
            assert!(cells(cut) <= width, "{cut}");
            assert_eq!(cells(whole) > width, cut.ends_with('…') && cut != whole, "{cut}");
        }
    }
}

#[test]
fn a_line_longer_than_the_buffer_comes_out_whole() {
    let long = [vec![b'x'; 300_000], vec![0]].concat();
    let args = Some(exectrail_model::args::Args::whole(&long));
    let events = [exec(&program()), exec(&exectrail_model::event::Program { args, ..program() })];
    for sink in ["json", "pretty"] {
        let twice = [events[0], events[1], events[0], *all().last().unwrap()];
        let text = written(sink, &twice, |options| options);
        assert!(text.contains(&"x".repeat(300_000)));
        assert_eq!(text.lines().count(), 4, "{sink}");
    }
}
