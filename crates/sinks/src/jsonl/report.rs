//! A report as one object: it has lists of objects of several kinds, as no event has.

use exectrail_model::{
    fields::SCHEMA_VERSION,
    report::{FAILURES, Items, Key, LISTS, PROCESSES, PROGRAMS, REPORT, Report},
    value::Value,
};

use super::value::{Values, list};
use crate::{json, line::Line};

/// Writes the line of a report.
pub(super) fn write(report: &Report<'_>, values: &mut Values, line: &mut Line) {
    line.extend(b"{\"v\":");
    line.number(SCHEMA_VERSION, 0);
    line.extend(b",\"event\":\"report\",");
    pairs(REPORT, |get| get(report), values, line);
    for of in LISTS {
        line.push(b',');
        key(of.name, line);
        match of.items {
            Items::Processes => list(report.processes().iter(), line, |process, line| {
                object(PROCESSES, |get| get(process), values, line);
            }),
            Items::Programs => list(report.programs().iter(), line, |program, line| {
                object(PROGRAMS, |get| get(program), values, line);
            }),
            Items::Failures => list(report.failures().iter(), line, |failed, line| {
                object(FAILURES, |get| get(failed), values, line);
            }),
            Items::Places(places) => list(places(report).into_iter(), line, |place, line| {
                line.number(place as u64, 0);
            }),
        }
    }
    line.extend(b"}\n");
}

fn object<'r, G>(
    keys: &[Key<G>],
    value: impl Fn(&G) -> Value<'r>,
    values: &mut Values,
    line: &mut Line,
) {
    line.push(b'{');
    pairs(keys, value, values, line);
    line.push(b'}');
}

fn pairs<'r, G>(
    keys: &[Key<G>],
    value: impl Fn(&G) -> Value<'r>,
    values: &mut Values,
    line: &mut Line,
) {
    for (index, row) in keys.iter().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        key(row.name, line);
        values.write(row.name, value(&row.get), line);
    }
}

fn key(name: &str, line: &mut Line) {
    json::string(name.as_bytes(), line);
    line.push(b':');
}
