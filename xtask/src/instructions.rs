//! How many instructions an event takes through user space, against what is committed.
//!
//! Time depends on the machine's mood; a count does not. It does depend on the compiler
//! and on what it may use of the processor, so a tenth more is still the same.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};

/// What is committed: instructions per event, by step.
const BUDGET: &str = "crates/sinks/instructions.json";

/// The steps of `crates/sinks/examples/hot_path.rs`.
const STEPS: [&str; 4] = ["decode", "filter", "json", "pretty"];

/// Events of the two runs, whose difference is what events alone take.
const FEW: u64 = 100;
const MANY: u64 = 1100;

type Counts = BTreeMap<String, u64>;

/// Counts; compares with what is committed, or writes it anew.
pub(crate) fn run(root: &Path, update: bool) -> Result<()> {
    let program = build(root)?;
    let now: Counts = STEPS
        .iter()
        .map(|&step| {
            let [few, many] = [FEW, MANY].map(|events| collected(&program, step, events));
            Ok((step.to_owned(), many?.saturating_sub(few?) / (MANY - FEW)))
        })
        .collect::<Result<_>>()?;
    let path = root.join(BUDGET);
    if update {
        let text = serde_json::to_string_pretty(&now)? + "\n";
        return fs::write(&path, text).with_context(|| format!("writing {BUDGET}"));
    }
    let text = fs::read_to_string(&path).with_context(|| format!("reading {BUDGET}"))?;
    let before: Counts = serde_json::from_str(&text).with_context(|| format!("in {BUDGET}"))?;
    for (step, count) in &now {
        println!("{step}: {count} instructions per event of {}", before.get(step).unwrap_or(&0));
    }
    let grown = grown(&before, &now);
    ensure!(
        grown.is_empty(),
        "{}: more instructions per event than {BUDGET} has; if that is meant: \
         cargo run -p xtask -- instructions --update, and say why",
        grown.join(", ")
    );
    Ok(())
}

/// The steps that take a tenth more than before, or are new.
fn grown(before: &Counts, now: &Counts) -> Vec<String> {
    let is_within = |step, count| before.get(step).is_some_and(|&before| count * 10 <= before * 11);
    let grown = now.iter().filter(|&(step, &count)| !is_within(step, count));
    grown.map(|(step, _)| step.clone()).collect()
}

/// The program that sends events, built as it is released.
fn build(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--release", "--locked", "--quiet", "-p", "exectrail-sinks"])
        .args(["--example", "hot_path", "--message-format", "json-render-diagnostics"])
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "the program that sends events cannot be built");
    let messages = String::from_utf8_lossy(&output.stdout);
    let built = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "hot_path")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    built.context("cargo does not say where it has put the program that sends events")
}

/// Instructions of a whole run.
fn collected(program: &Path, step: &str, events: u64) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([step, &events.to_string()])
        .output()
        .context("cannot start valgrind: `make setup-check` installs it")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("hot_path {step} {events}: {}\n{said}", output.status);
    }
    count_in(&said).with_context(|| format!("valgrind did not say how many:\n{said}"))
}

/// What valgrind says: `==42== Collected : 123456`.
fn count_in(said: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.split_once("Collected :"))?;
    line.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Counts, count_in, grown};

    #[test]
    fn the_count_is_found_among_other_words() {
        let said = "==7== Callgrind, a call-graph\n==7== \n==7== Events    : Ir\n\
                    ==7== Collected : 1234567\n==7== \n==7== I   refs:      1,234,567\n";
        assert_eq!(count_in(said), Some(1_234_567));
        assert_eq!(count_in("==7== Collected : many\n"), None);
        assert_eq!(count_in(""), None);
    }

    #[test]
    fn a_tenth_more_is_the_same_and_what_is_new_has_grown() {
        let counts = |pairs: &[(&str, u64)]| -> Counts {
            pairs.iter().map(|&(step, count)| (step.to_owned(), count)).collect()
        };
        let before = counts(&[("a", 100), ("b", 100), ("c", 100)]);
        let now = counts(&[("a", 110), ("b", 111), ("c", 1), ("d", 1)]);
        assert_eq!(grown(&before, &now), ["b", "d"]);
    }
}
