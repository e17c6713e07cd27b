//! Pictures of the golden recording, compared with files. With `UPDATE_GOLDEN` set the
//! files are written anew; the difference is then for a person to read.

use std::{env, fs, path::PathBuf};

use exectrail_sinks::select;

use super::{Desk, golden};
use crate::Key;

fn check(file: &str, desk: &mut Desk) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "src/tests/golden", file].iter().collect();
    let text = desk.text();
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap(), "{file}");
}

fn desk(columns: u16, lines: u16) -> Desk {
    let mut desk = Desk::new(columns, lines);
    golden(&mut |event| desk.takes(event));
    desk
}

#[test]
fn the_list_is_as_wide_as_the_terminal() {
    for (columns, lines) in [(130, 30), (80, 24), (60, 24), (20, 5)] {
        check(&format!("list-{columns}x{lines}.txt"), &mut desk(columns, lines));
    }
}

#[test]
fn the_tree() {
    let mut desk = desk(100, 30);
    desk.key(Key::Char('t'));
    check("tree.txt", &mut desk);
}

#[test]
fn ends_in_lines_of_their_own() {
    let mut desk = desk(100, 30);
    desk.key(Key::Char('e'));
    check("ends.txt", &mut desk);
}

#[test]
fn fields_of_ones_own() {
    let fields = select("pid,error,exit_code,user,args").unwrap();
    let mut desk = Desk::with(80, 24, 1000, Some(&fields), true);
    golden(&mut |event| desk.takes(event));
    check("fields.txt", &mut desk);
}

#[test]
fn all_of_an_event() {
    for (columns, lines) in [(100, 60), (60, 24)] {
        let mut desk = desk(columns, lines);
        desk.key(Key::Home);
        desk.key(Key::Enter);
        check(&format!("details-{columns}x{lines}.txt"), &mut desk);
    }
}

#[test]
fn summary_and_help() {
    let mut desk = desk(80, 40);
    desk.key(Key::Char('r'));
    check("summary.txt", &mut desk);
    desk.key(Key::Char('?'));
    check("help.txt", &mut desk);
    // What has no room goes on in the next line.
    let mut desk = self::desk(50, 24);
    desk.key(Key::Char('r'));
    check("summary-50x24.txt", &mut desk);
}

#[test]
fn a_filter_that_is_wrong() {
    let mut desk = desk(60, 12);
    desk.types("f!user=0,usr=1");
    check("wrong.txt", &mut desk);
}

/// However small the terminal is, and whatever is open.
#[test]
fn no_size_is_too_small() {
    for columns in (0..30).chain([60, 61, 200]) {
        for lines in (0..12).chain([18, 19, 60]) {
            let mut desk = desk(columns, lines);
            for key in ['t', 's', '?', 'q', 'r', 'q', '/', 'a'] {
                desk.key(Key::Char(key));
                desk.picture();
            }
            desk.key(Key::Enter);
            desk.types("f!user=0,usr=1");
            desk.picture();
            desk.key(Key::Escape);
            desk.key(Key::Enter);
            desk.key(Key::PageDown);
            desk.picture();
        }
    }
}
