//! `exectrail top` at a terminal: a table that stays in its place.

use std::process::Command;

use crate::{
    edge_expect::Place,
    hostile::EXECTRAIL,
    screen::Screen,
    support::{Spawned, real_kernel, run, subject},
    terminal::Terminal,
};

/// Its escape would colour all that follows, and its other character turn it round.
const HOSTILE: &str = "bad\u{1b}[31m\u{202e}name";

/// Where each drawing begins.
const HOME: &str = "\u{1b}[H";

/// More programs than the terminal has lines, one of them hostile.
fn programs(place: &Place) -> Vec<String> {
    let first = place.tiny(HOSTILE);
    let others = (0..30).map(|index| {
        let path = place.at(&format!("program-{index}-{}", "wide".repeat(20)));
        std::fs::hard_link(&first, &path).unwrap();
        path
    });
    others.chain([first.clone()]).collect()
}

/// A table of this terminal's own, whose keys are for it.
fn top(terminal: &Terminal, place: &Place, no_color: Option<&str>) -> Spawned {
    let mut command = Command::new(subject());
    command.args(["at-terminal", EXECTRAIL, "top", "--interval", "300ms", "--sort", "execs"]);
    command.args(["--only", &place.below()]);
    command.env("TERM", "xterm").env("XDG_CONFIG_HOME", "/nonexistent").env_remove("NO_COLOR");
    command.envs(no_color.map(|value| ("NO_COLOR", value)));
    command.stdin(terminal.open()).stdout(terminal.open()).stderr(terminal.open());
    Spawned(command.spawn().unwrap())
}

#[test]
fn a_table_is_drawn_in_its_place_and_stays_behind() {
    if !real_kernel("a_table_is_drawn_in_its_place_and_stays_behind") {
        return;
    }
    let place = Place::new();
    let programs = programs(&place);
    for (columns, no_color) in [(60, Some("1")), (120, None)] {
        let terminal = Terminal::new(columns);
        let columns = usize::from(columns);
        let mut child = top(&terminal, &place, no_color);
        terminal.wait(|text| text.contains("tracing; Ctrl-C or q ends"));
        for program in &programs {
            run(&mut Command::new(program));
        }
        // The hostile one is the most frequent.
        run(&mut Command::new(&programs[programs.len() - 1]));
        let drawn = |text: &str| {
            // What is behind the last of these may not be whole.
            let whole = text.rfind(HOME).map_or("", |end| &text[..end]);
            Screen::of(whole, columns)
        };
        let has = |screen: &Screen, words| screen.lines().iter().any(|line| line.contains(words));
        let text = terminal.wait(|text| has(&drawn(text), " 32 in all"));
        let screen = drawn(&text);
        let lines = screen.lines();
        assert_eq!((screen.turns, screen.has_cursor), ((1, 0), false));
        assert!(lines[0].contains(" execs/s, 32 in all"), "{lines:#?}");
        assert!(lines[1].contains("EXECS/S") && lines[1].ends_with("PROGRAM"), "{lines:#?}");
        assert!(lines[3..23].iter().all(|line| line.chars().count() == columns), "{lines:#?}");
        assert!(lines[3..23].iter().all(|line| line.contains("  …")), "{lines:#?}");
        assert!(lines[23].starts_with("others: 10 execs"), "{lines:#?}");
        assert_eq!(screen.styles.is_empty(), no_color.is_some(), "{:?}", screen.styles);

        // In its place, and until somebody has had enough.
        let before = screen.drawings;
        terminal.wait(|text| drawn(text).drawings > before + 2);
        terminal.types(b"q");
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let screen = Screen::of(&terminal.wait(|text| text.contains("the kernel saw")), columns);
        assert_eq!((screen.turns, screen.has_cursor), ((1, 1), true));
        let lines = screen.lines();
        let first = lines.iter().position(|line| line.contains(" execs/s, 32 in all"));
        let table = &lines[first.expect("the whole table stays")..];
        assert!(table[1].contains("EXECS/S") && table[20].starts_with("others: 13"), "{lines:#?}");
        assert!(table[21].starts_with("exectrail: 32 counted"), "{lines:#?}");
        // Escaped, where there is room for it.
        let hostile = table[2].contains("bad\\e[31m\\xe2\\x80\\xaename'");
        assert!(hostile || columns == 60, "{lines:#?}");
    }
}
