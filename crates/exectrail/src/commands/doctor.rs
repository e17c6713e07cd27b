//! `exectrail doctor`: what this kernel and these rights allow.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use exectrail_sensor::{Check, Verdict, examine};
use serde::Serialize;

use crate::{capabilities, exit};

/// Columns of the words before what was found.
const NAME: usize = 21;

/// The version of what `--json` prints.
const VERSION: u32 = 1;

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'r> {
    v: u32,
    /// Whether a trace works.
    works: bool,
    exit_code: u8,
    checks: Vec<Row<'r>>,
}

#[derive(Serialize)]
struct Row<'r> {
    name: &'r str,
    verdict: &'static str,
    says: &'r str,
    cure: Option<&'r str>,
}

impl<'r> Row<'r> {
    fn of(check: &'r Check) -> Self {
        let Check { name, verdict, says, cure } = check;
        Self { name, verdict: word(*verdict), says, cure: cure.as_deref() }
    }
}

/// Looks at the host, and ends as a trace would.
pub(crate) fn run(json: bool) -> anyhow::Result<ExitCode> {
    let mut found = examine();
    if let Some(says) = capabilities::says_of_unprivileged_bpf() {
        let name = "unprivileged bpf".to_owned();
        found.checks.push(Check { name, verdict: Verdict::Ok, says, cure: None });
    }
    let exit_code = found.trace.as_ref().err().map_or(0, exit::of_sensor);
    let text = if json { report(&found.checks, exit_code)? } else { lines(&found.checks) };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::from(exit_code))
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warn => "warn",
        Verdict::Fail => "fail",
    }
}

fn report(checks: &[Check], exit_code: u8) -> serde_json::Result<String> {
    let checks = checks.iter().map(Row::of).collect();
    let report = Report { v: VERSION, works: exit_code == 0, exit_code, checks };
    Ok(serde_json::to_string(&report)? + "\n")
}

/// A cure that has been told is not told again.
fn lines(checks: &[Check]) -> String {
    let mut text = String::new();
    let mut told: Vec<&str> = Vec::new();
    for check in checks {
        let (verdict, name) = (word(check.verdict), &check.name);
        text += &row(verdict, name, &check.says);
        let cure = check.cure.as_deref().filter(|cure| !told.contains(cure));
        if let Some(cure) = cure {
            text += &row("", "", cure);
            told.push(cure);
        }
    }
    text
}

/// A line, or several below each other.
fn row(verdict: &str, name: &str, words: &str) -> String {
    let lines: Vec<_> = words.lines().map(str::trim).collect();
    let words = lines.join(&format!("\n{:1$}", "", NAME + 8));
    format!("{verdict:<5} {name:<NAME$}  {words}\n")
}
