//! What was counted in the kernel: a table for people, an object for programs. Both walk
//! the model's [columns](exectrail_model::tally::COLUMNS).

mod table;

use exectrail_model::{
    fields::SCHEMA_VERSION,
    tally::{COLUMNS, Cell, Column, HEADINGS, Heading, Reading},
};
use jiff::tz::TimeZone;

use crate::{clock::Clock, json, line::Line};

pub use table::{Table, TopClock, top_table};

/// A reading as one line of JSON. Failed execs are `null` where they are not counted.
#[must_use]
pub fn top_json(reading: &Reading, rows: usize, failures: bool) -> Vec<u8> {
    let mut line = Line::default();
    line.extend(b"{\"v\":");
    line.number(SCHEMA_VERSION, 0);
    line.extend(b",\"event\":\"top\"");
    for Heading { name, of_failures, get, .. } in HEADINGS {
        key(name, &mut line);
        let is_known = failures || !of_failures;
        value(name, if is_known { get(reading, rows) } else { Cell::Null }, &mut line);
    }
    line.extend(b",\"rows\":[");
    for (index, row) in reading.rows.iter().take(rows).enumerate() {
        if index > 0 {
            line.push(b',');
        }
        line.push(b'{');
        for (index, Column { name, of_failures, get, .. }) in COLUMNS.iter().enumerate() {
            if index > 0 {
                line.push(b',');
            }
            json::string(name.as_bytes(), &mut line);
            line.push(b':');
            let is_known = failures || !of_failures;
            value(name, if is_known { get(row) } else { Cell::Null }, &mut line);
        }
        line.push(b'}');
    }
    line.extend(b"]}\n");
    line.into_bytes()
}

fn key(name: &str, line: &mut Line) {
    line.push(b',');
    json::string(name.as_bytes(), line);
    line.push(b':');
}

/// A value, and behind it its bytes if it takes them.
fn value(name: &str, cell: Cell<'_>, line: &mut Line) {
    match cell {
        Cell::Null | Cell::Nameless(_) => line.extend(b"null"),
        Cell::Count(number) | Cell::Span(number) => line.number(number, 0),
        Cell::Rate(thousandths) => {
            line.number(thousandths / 1000, 0);
            line.push(b'.');
            line.number(thousandths % 1000, 3);
        }
        Cell::Word(word) => drop(json::string(word.as_bytes(), line)),
        Cell::Time(wall) => json::time(wall, &mut Clock::new(TimeZone::UTC), line),
        Cell::Bytes(bytes) | Cell::End(bytes) => {
            if !json::string(bytes, line) {
                key(&format!("{name}_raw"), line);
                json::base64(bytes, line);
            }
        }
    }
}
