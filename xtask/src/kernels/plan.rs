//! What is run in a row: which commands, with which variables.

use serde_json::{Value, json};

use super::{
    options::Options,
    rows::{Row, Suite},
};

/// Where tests leave their figures in a machine.
const FIGURES: &str = "/tmp/figures";

/// Smaller storms than on a host: a machine is ten to twenty times slower.
const VOLUMES: [(&str, &str); 4] = [
    ("EXECTRAIL_CASES", "60"),
    ("EXECTRAIL_STORM", "4000"),
    ("EXECTRAIL_COMPLETENESS", "4000"),
    ("EXECTRAIL_PROCESSES", "3000"),
];

/// The commands of a row, in turn; `live` is the live tests' program.
pub(super) fn commands(row: &Row, options: &Options, live: &str) -> Vec<Vec<String>> {
    let command = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    if !options.command.is_empty() {
        return vec![options.command.clone()];
    }
    if !options.filters.is_empty() {
        return vec![[command(&[live]), options.filters.clone()].concat()];
    }
    // One after the other: each counts on a host where nothing else is lost.
    let storms = command(&[live, "completeness::", "--test-threads=1"]);
    match row.suite {
        Suite::Full => vec![storms, command(&[live, "--skip", "completeness::"])],
        Suite::Core => vec![storms, command(&[live, "edge_"])],
        Suite::Lockdown => vec![command(&[live, "lockdown"])],
    }
}

/// Variables of the environment in a machine.
pub(super) fn environment() -> Value {
    let mut all = json!({ "EXECTRAIL_VM": "1", "EXECTRAIL_FIGURES": FIGURES });
    for (name, value) in VOLUMES {
        all[name] = value.into();
    }
    all
}

/// All that a machine is told.
pub(super) fn of_machine(row: &Row, options: &Options, live: &str) -> Value {
    json!({
        "environment": environment(),
        "commands": commands(row, options, live),
        "figures": FIGURES,
    })
}

/// These tests alone, one after the other.
pub(super) fn of_tests(tests: &[String], live: &str) -> Value {
    let words = [live, "--exact", "--test-threads=1"].map(str::to_owned);
    let command = [&words[..], tests].concat();
    json!({
        "environment": environment(),
        "commands": [command],
        "figures": FIGURES,
    })
}
