//! The table that people read: `docs/kernels.md`.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::Value;

use super::{
    results::Outcome,
    rows::{Machine, Row},
};

/// A row, and what became of it: `Err` says why it was not run.
pub(super) struct Line {
    pub(super) row: Row,
    pub(super) outcome: Result<Outcome, String>,
}

const STORMS: [(&str, &str); 4] = [
    ("plain", "plain"),
    ("real-time", "real-time workers"),
    ("map-operations", "beside map operations"),
    ("hotplug", "CPUs come and go"),
];

const HEAD: &str = "\
# Kernels

Written by `make kernels`, which boots each of these kernels in an emulated machine of two
CPUs and runs live tests inside: the storms and the edge cases, or, in rows with more
tests, all. `host` is the machine that it ran on, not emulated.
Kernels are Debian's; `newest` is the one of the unstable suite. Those named `arm64` are
of 64-bit Arm: there our programs are built for it, and the kernel object is the same.

A storm is compared, process by process, with what the kernel itself tells through the
process connector. `told` is what that tells of the storm's own processes; `unaccounted`
is what was neither shown nor in our account as dropped or missed. Missed are those that
image counters prove; skipped, those that the kernel counts for our exec and exit programs
(since 6.7).
";

/// All of it.
pub(super) fn page(lines: &[Line]) -> String {
    let mut page = HEAD.to_owned();
    summary(&mut page, lines);
    for storm in STORMS {
        completeness(&mut page, lines, storm);
    }
    programs(&mut page, lines);
    page
}

fn summary(page: &mut String, lines: &[Line]) {
    page.push_str("\n## Tests\n\n");
    page.push_str(
        "| row | kernel | preempt mode | exec hook | edge cases | all tests | unaccounted |\n",
    );
    page.push_str("|---|---|---|---|---|---|---|\n");
    for line in lines {
        let name = line.row.name();
        let _ = match &line.outcome {
            Err(why) => writeln!(page, "| {name} | not run: {why} | | | | | |"),
            Ok(outcome) => {
                let told = outcome.programs();
                let text = |key: &str| told.and_then(|told| told[key].as_str()).unwrap_or("");
                let (edge, all) = (outcome.count("edge_"), outcome.count(""));
                let edge =
                    if edge.1 == 0 { String::new() } else { format!("{} of {}", edge.0, edge.1) };
                let storms = outcome.figures.iter().any(|figures| figures["storm"].is_string());
                let unaccounted =
                    if storms { outcome.unaccounted().to_string() } else { String::new() };
                writeln!(
                    page,
                    "| {name} | {} | {} | {} | {edge} | {} of {}{} | {unaccounted} |",
                    text("release"),
                    mode(&line.row, text("preempt")),
                    exec_hook(told),
                    all.0,
                    all.1,
                    if outcome.ended { "" } else { ", did not end" },
                )
            }
        };
    }
    for line in lines {
        let Ok(outcome) = &line.outcome else { continue };
        for test in outcome.failed() {
            let _ = writeln!(page, "\n- {}: `{test}` failed", line.row.name());
        }
        for test in &outcome.second_try {
            let name = line.row.name();
            let _ = writeln!(page, "\n- {name}: `{test}` passed at the second try only");
        }
    }
}

/// As the machine tells, or as it was asked to be.
fn mode(row: &Row, told: &str) -> String {
    match row.machine {
        _ if !told.is_empty() => told.to_owned(),
        Machine::Booted(_, mode) => mode.name().to_owned(),
        Machine::Host | Machine::Locked(..) => String::new(),
    }
}

fn exec_hook(told: Option<&Value>) -> &str {
    let programs = told.and_then(|told| told["programs"].as_array()).into_iter().flatten();
    let mut hooks = programs
        .filter(|program| program["name"].as_str().is_some_and(|name| name.starts_with("exec_")));
    hooks.next().and_then(|program| program["kind"].as_str()).unwrap_or("")
}

fn completeness(page: &mut String, lines: &[Line], (storm, title): (&str, &str)) {
    let rows: Vec<_> = lines
        .iter()
        .filter_map(|line| Some((line.row.name(), line.outcome.as_ref().ok()?.storm(storm)?)))
        .collect();
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n## Storm: {title}\n");
    page.push_str("| row | execs told | shown | ends told | shown | dropped | missed | skipped (exec, exit) | unaccounted |\n");
    page.push_str("|---|---|---|---|---|---|---|---|---|\n");
    for (name, figures) in rows {
        let number = |key: &str| figures[key].as_u64().unwrap_or(0);
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |",
            number("execs"),
            number("execs_shown"),
            number("exits"),
            number("exits_shown"),
            number("dropped"),
            number("missed"),
            skipped(figures),
            number("execs_unaccounted") + number("exits_unaccounted"),
        );
    }
}

fn skipped(figures: &Value) -> String {
    let of = |prefix: &str| {
        let programs = figures["skipped"].as_object().into_iter().flatten();
        let mut ours = programs.filter(|(name, _)| name.starts_with(prefix));
        ours.next().and_then(|(_, count)| count.as_u64())
    };
    let told =
        |count: Option<u64>| count.map_or("not counted".to_owned(), |count| count.to_string());
    format!("{}, {}", told(of("exec_")), told(of("exit_")))
}

fn programs(page: &mut String, lines: &[Line]) {
    page.push_str("\n## Instructions that the verifier walks\n\nSince 5.16 the kernel tells.\n\n");
    let rows: Vec<_> = lines
        .iter()
        .filter_map(|line| Some((line.row.name(), line.outcome.as_ref().ok()?.programs()?)))
        .collect();
    let verified = |told: &Value, name: &str| {
        let programs = told["programs"].as_array().into_iter().flatten();
        let mut ours = programs.filter(|program| program["name"] == name);
        ours.next().and_then(|program| program["verified"].as_u64())
    };
    let names: BTreeSet<&str> = rows
        .iter()
        .flat_map(|(_, told)| told["programs"].as_array().into_iter().flatten())
        .filter_map(|program| program["name"].as_str())
        .collect();
    let heads: Vec<_> = rows.iter().map(|(name, _)| name.as_str()).collect();
    let _ = writeln!(page, "| program | {} |", heads.join(" | "));
    let _ = writeln!(page, "|---|{}", "---|".repeat(heads.len()));
    for name in names {
        let cells: Vec<_> = rows
            .iter()
            .map(|(_, told)| {
                verified(told, name).map(|count| count.to_string()).unwrap_or_default()
            })
            .collect();
        let _ = writeln!(page, "| `{name}` | {} |", cells.join(" | "));
    }
}
