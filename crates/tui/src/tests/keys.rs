//! What keys make of a state.

use ratatui_core::style::{Color, Modifier};

use super::{Desk, end, event, exec, failed, lost, program};
use crate::{Effect, Key};
use exectrail_model::event::{Body, Program};

fn programs(desk: &mut Desk) -> Vec<String> {
    let lines = desk.lines();
    let listed = lines.get(1..lines.len() - 2).unwrap();
    let words = listed.iter().filter(|line| !line.is_empty());
    words.map(|line| line.rsplit("  ").next().unwrap().trim().to_owned()).collect()
}

fn some() -> Desk {
    let mut desk = Desk::new(100, 20);
    for event in [
        exec(10, "make\0all\0"),
        exec(11, "cc\0-c\0hello.c\0"),
        failed(12, "cc1\0"),
        end(11, 0x100),
        lost(7),
        exec(20, "ls\0two words\0"),
        end(20, 0),
    ] {
        desk.takes(&event);
    }
    desk
}

#[test]
fn the_end_is_told_in_the_line_of_the_exec() {
    let mut desk = Desk::new(100, 10);
    desk.takes(&exec(11, "cc\0"));
    assert!(desk.has("  ok  "));
    desk.takes(&end(11, 0x100));
    assert!(desk.has("  exit 1       37 ms  cc") && !desk.has("  ok  "));
}

#[test]
fn it_follows_and_pauses_and_loses_nothing() {
    let mut desk = Desk::new(60, 10);
    let words: Vec<String> = (0..50).map(|number| format!("program-{number}\0")).collect();
    words[..20].iter().for_each(|args| desk.takes(&exec(10, args)));
    assert!(desk.has("FOLLOWING") && desk.has("program-19"));
    desk.key(Key::Up);
    words[20..].iter().for_each(|args| desk.takes(&exec(10, args)));
    assert!(desk.has("PAUSED") && desk.has("program-18") && !desk.has("program-49"));
    assert!(desk.has("50 shown of 50 seen"));
    desk.key(Key::End);
    assert!(desk.has("FOLLOWING") && desk.has("program-49"));
    desk.key(Key::Home);
    assert!(desk.has("program-0"));
    desk.key(Key::Char(' '));
    assert!(desk.has("FOLLOWING") && desk.has("program-49"));
    desk.key(Key::Char(' '));
    assert!(desk.has("PAUSED"));
}

#[test]
fn a_filter_holds_as_soon_as_it_makes_sense() {
    let mut desk = some();
    desk.types("fname=");
    assert!(desk.has("needs a value") && desk.has("    ^^^^"));
    assert_eq!(desk.state.view.len(), 5, "nothing is lost by a mistake");
    desk.types("some,arg=al*");
    assert_eq!(programs(&mut desk), ["make all", "-- 7 events lost here (ring_full, CPU 1) --"]);
    desk.key(Key::Enter);
    assert!(desk.has("filter name=some,arg=al*") && desk.has("3 filtered"));
    desk.key(Key::Char('F'));
    assert!(desk.has("is off") && desk.has("hello.c"));
    desk.key(Key::Char('F'));
    assert!(!desk.has("hello.c"));
    // As before, when it is given up.
    desk.key(Key::Char('f'));
    desk.key(Key::Ctrl('u'));
    desk.types("!arg=all");
    assert!(desk.has("hello.c") && !desk.has("make all"));
    desk.key(Key::Escape);
    assert!(!desk.has("hello.c") && desk.has("make all"));
    // None at all.
    desk.key(Key::Char('f'));
    desk.key(Key::Ctrl('u'));
    desk.key(Key::Enter);
    assert!(desk.has("hello.c") && desk.has("make all"));
    // What is wrong is not taken.
    desk.types("fusr=1");
    desk.key(Key::Enter);
    assert!(desk.has("did you mean `user`?"));
}

#[test]
fn what_comes_later_is_filtered_too() {
    let mut desk = some();
    desk.types("f!arg=all");
    desk.key(Key::Enter);
    desk.takes(&exec(30, "make\0all\0"));
    desk.takes(&exec(31, "make\0install\0"));
    assert!(desk.has("make install") && !desk.has("make all"));
}

#[test]
fn the_tree_is_that_of_the_lines() {
    let mut desk = some();
    desk.key(Key::Char('t'));
    assert!(desk.has("  make all") && desk.has("ms    cc -c hello.c") && desk.has("      cc1"));
    desk.key(Key::Char('t'));
    assert!(!desk.has("    cc -c hello.c"));
}

#[test]
fn only_what_went_wrong() {
    let mut desk = some();
    desk.key(Key::Char('x'));
    assert!(desk.has("cc1") && desk.has("exit 1") && desk.has("7 events lost here"));
    assert!(!desk.has("ls 'two words'") && !desk.has("exit 0"));
}

#[test]
fn sorted_by_a_column_either_way_and_by_arrival_again() {
    let mut desk = some();
    // time, pid
    desk.types("ss");
    assert!(desk.has("BY PID"));
    let sorted = ["ls 'two words'", "cc1  # no such file", "cc -c hello.c", "make all"];
    let shown = programs(&mut desk);
    assert_eq!(shown[0], sorted[0]);
    assert!(shown[3].contains(sorted[3]) && shown[4].contains("lost"), "{shown:?}");
    desk.key(Key::Char('S'));
    assert!(desk.has("BY PID, reversed") && programs(&mut desk)[0] == "make all");
    assert!(programs(&mut desk)[4].contains("lost"), "what is not known is at the end");
    // Those that come later have their places, too.
    desk.takes(&exec(1, "first\0"));
    assert_eq!(programs(&mut desk)[0], "first");
    desk.types("ssssss");
    assert!(desk.has("FOLLOWING"), "{}", desk.text());
}

#[test]
fn ends_that_come_later_change_the_order() {
    let mut desk = Desk::new(100, 12);
    desk.takes(&exec(5, "five\0"));
    desk.takes(&exec(6, "six\0"));
    // time, pid, ppid, uid, result, took
    desk.types("ssssss");
    assert!(desk.has("BY TOOK"));
    desk.takes(&end(6, 0));
    assert_eq!(programs(&mut desk), ["six", "five"]);
}

#[test]
fn a_search_goes_round_and_is_marked() {
    let mut desk = some();
    desk.key(Key::Home);
    desk.types("/CC1");
    desk.key(Key::Enter);
    assert!(desk.has("nowhere: CC1"));
    desk.types("/cc");
    desk.key(Key::Enter);
    let chosen = |desk: &mut Desk| {
        let picture = desk.picture();
        let rows = 1..picture.area.height - 2;
        let is_chosen = |y: &u16| picture[(0, *y)].modifier.contains(Modifier::REVERSED);
        rows.clone().find(is_chosen).unwrap() - 1
    };
    assert_eq!(chosen(&mut desk), 1);
    desk.key(Key::Char('n'));
    assert_eq!(chosen(&mut desk), 2);
    desk.key(Key::Char('n'));
    assert_eq!(chosen(&mut desk), 1, "round the end");
    desk.key(Key::Char('N'));
    assert_eq!(chosen(&mut desk), 2);
    let picture = desk.picture();
    assert!(picture.content().iter().any(|cell| cell.bg == Color::Yellow));
    desk.key(Key::Escape);
    let picture = desk.picture();
    assert!(picture.content().iter().all(|cell| cell.bg != Color::Yellow));
}

#[test]
fn details_go_from_one_to_the_next() {
    let mut desk = some();
    desk.key(Key::Enter);
    desk.takes(&exec(21, "later\0"));
    assert!(desk.has("PAUSED") && desk.has("    1  'two words'"));
    desk.key(Key::Escape);
    assert!(desk.has("FOLLOWING"), "as before");
    desk.key(Key::Home);
    desk.key(Key::Enter);
    assert!(desk.has("command, as a shell takes it") && desk.has("  make all"));
    desk.key(Key::Right);
    assert!(desk.has("    2  hello.c"), "{}", desk.text());
    desk.key(Key::End);
    assert!(desk.has("duration_ns       37000000 (37 ms)"), "{}", desk.text());
    desk.key(Key::Char('q'));
    assert!(!desk.has("duration_ns"));
    assert_eq!(desk.key(Key::Char('q')), Some(Effect::Quit));
}

#[test]
fn commands_are_copied_and_printed_as_a_shell_takes_them() {
    let mut desk = some();
    let command = "ls 'two words'".to_owned();
    assert_eq!(desk.key(Key::Char('y')), Some(Effect::Copy(command.clone())));
    assert_eq!(desk.key(Key::Char('p')), None);
    assert!(desk.has("printed at the end: 1"));
    assert_eq!(desk.state.take_printed(), [command]);
    desk.key(Key::Up);
    assert_eq!(desk.key(Key::Char('y')), None);
    assert!(desk.has("no command here"));
}

/// Nothing of a hostile program gets anywhere but as an escape, whatever is shown.
#[test]
fn hostile_bytes_are_never_drawn() {
    const HOSTILE: &str = "\u{1b}]0;title\u{7}\u{202e}\u{200b}\n\t\u{9b}31m\0x\u{1b}[31m\0";
    let mut desk = Desk::new(120, 50);
    let bytes = HOSTILE.as_bytes();
    let name = b"/tmp/\x1b[2J\xff\xe2\x80\xae";
    let evil = Program {
        exe: Some(name),
        filename: Some(name),
        comm: name,
        cwd: Some(name),
        ..program(9, HOSTILE)
    };
    desk.takes(&event(&Body::Exec(evil)));
    for key in ['t', 'e', '?', 'q', 'r', 'q', 's', 's', 's', 's', 's', 's', 's'] {
        desk.key(Key::Char(key));
        check_cells(&mut desk);
    }
    desk.key(Key::Home);
    desk.key(Key::Enter);
    check_cells(&mut desk);
    assert!(desk.has("\\e]0;title\\x07"), "{}", desk.text());
    let Some(Effect::Copy(copied)) = desk.key(Key::Char('y')) else { panic!() };
    assert!(!copied.contains(|c: char| c.is_control()) && !bytes.is_empty());
    desk.key(Key::Escape);
    // Nor of what is typed or said.
    desk.state.say(HOSTILE);
    check_cells(&mut desk);
    desk.types("f");
    desk.types(HOSTILE);
    check_cells(&mut desk);
}

fn check_cells(desk: &mut Desk) {
    let is_bad = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
    for cell in desk.picture().content() {
        assert!(!cell.symbol().contains(is_bad), "{:?}", cell.symbol());
    }
}

#[test]
fn without_colours_there_are_none() {
    let mut desk = Desk::with(100, 20, 1000, None, false);
    desk.takes(&failed(12, "cc1\0"));
    desk.takes(&lost(7));
    desk.types("/cc");
    desk.key(Key::Enter);
    for cell in desk.picture().content() {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
        let others = Modifier::all() - Modifier::REVERSED - Modifier::UNDERLINED;
        assert!(!cell.modifier.intersects(others));
    }
}

/// Colours mean what they mean in lines.
#[test]
fn failures_are_red_and_losses_yellow() {
    let mut desk = some();
    let picture = desk.picture();
    let color = |word: &str| {
        let width = usize::from(picture.area.width);
        let lines: Vec<String> = picture.content().chunks(width).map(super::line_of).collect();
        let y = lines.iter().position(|line| line.contains(word)).unwrap();
        let x = lines[y].find(word).unwrap();
        picture.content()[y * width + x].fg
    };
    assert_eq!(color("ENOENT"), Color::Red);
    assert_eq!(color("exit 1"), Color::Red);
    assert_eq!(color("-- 7"), Color::Yellow);
    assert_eq!(color("ls"), Color::Reset);
}

#[test]
fn the_line_that_is_chosen_is_one_bar() {
    let mut desk = some();
    desk.key(Key::Home);
    let picture = desk.picture();
    for x in 0..picture.area.width {
        let modifiers = picture[(x, 1)].modifier;
        assert!(modifiers.contains(Modifier::REVERSED) && !modifiers.contains(Modifier::DIM));
    }
    assert!(picture[(0, 2)].modifier.contains(Modifier::DIM), "the next one has a dim time");
}
