use std::collections::HashMap;

use exectrail_abi::tally::Counts;

use super::{By, COLUMNS, Column, HEADINGS, Name, Reading, Snapshot, Tallied, plus};
use crate::event::Moment;

fn path(text: &str) -> Name {
    Name::Path(text.as_bytes().to_vec())
}

fn snapshot(seconds: u64, total: u64, rows: &[(&str, u64)]) -> Snapshot {
    let counts = |execs| Counts { execs, ends: execs, ..Counts::default() };
    let rows = rows.iter().map(|&(name, execs)| {
        (path(name), Tallied { counts: counts(execs), ..Tallied::default() })
    });
    Snapshot {
        moment: Moment { ktime: seconds * 1_000_000_000, wall: 0 },
        totals: counts(total),
        rows: rows.collect::<HashMap<_, _>>(),
    }
}

fn names(reading: &Reading) -> Vec<&str> {
    reading.rows.iter().map(|row| str::from_utf8(row.name.bytes().unwrap()).unwrap()).collect()
}

#[test]
fn rows_and_what_no_row_has_make_the_total() {
    let before = snapshot(10, 10, &[("/a", 4), ("/b", 6)]);
    // /a was forgotten, and is back.
    let after = snapshot(12, 30, &[("/a", 3), ("/b", 7), ("/c", 11)]);
    let mut reading = Reading::between(By::Program, 5_000_000_000, Some(&before), &after);
    reading.sort(Column::named("execs").unwrap());
    assert_eq!(names(&reading), ["/c", "/b", "/a"]);
    assert_eq!((reading.elapsed, reading.interval), (7_000_000_000, 2_000_000_000));
    assert_eq!(reading.forgotten.execs, 9);
    let recent: Vec<_> = reading.rows.iter().map(|row| row.recent.execs).collect();
    assert_eq!(recent, [11, 1, 0]);
    assert_eq!(reading.rate(|counts| counts.execs), 10_000);
    for shown in 0..5 {
        let rows = reading.rows.iter().take(shown).map(|row| row.total.counts);
        let sum = rows.fold(reading.others(shown), plus);
        assert_eq!(sum, reading.totals);
    }
}

#[test]
fn what_is_counted_while_rows_are_read_is_in_the_total() {
    let after = snapshot(1, 5, &[("/a", 7)]);
    let reading = Reading::between(By::Program, 0, None, &after);
    assert_eq!((reading.totals.execs, reading.forgotten.execs), (7, 0));
    // And in no later interval again.
    let later = Reading::between(By::Program, 0, Some(&after), &snapshot(2, 8, &[("/a", 8)]));
    assert_eq!((later.totals.execs, later.recent.execs), (8, 1));
}

#[test]
fn every_column_gives_an_order() {
    let after = snapshot(1, 9, &[("/b", 4), ("/a", 4), ("/c", 1)]);
    let mut reading = Reading::between(By::Program, 0, None, &after);
    for column in COLUMNS {
        reading.sort(column);
        assert_eq!(names(&reading), ["/a", "/b", "/c"], "{}", column.name);
    }
}

/// What is said of values is what readers of them rely on.
#[test]
fn every_value_is_of_its_kind() {
    let names = [
        path("/a"),
        Name::End(b"end".to_vec()),
        Name::User(0, Some("root".to_owned())),
        Name::User(7, None),
        Name::Unknown,
    ];
    let mut after = snapshot(1, 9, &[]);
    let ran =
        Tallied { counts: Counts { execs: 2, ends: 1, ..Counts::default() }, ..Tallied::default() };
    after.rows = names.into_iter().map(|name| (name, ran.clone())).collect();
    after.rows.insert(path("/never-ended"), Tallied::default());
    for by in By::ALL {
        let reading = Reading::between(by, 0, None, &after);
        for heading in HEADINGS {
            let cell = (heading.get)(&reading, 2);
            assert!(heading.kind.has(cell), "{}: {cell:?}", heading.name);
        }
        for column in COLUMNS {
            for row in &reading.rows {
                let cell = (column.get)(row);
                assert!(column.kind.has(cell), "{}: {cell:?}", column.name);
            }
        }
    }
}
