//! What a row has to tell: read off its log, and kept for the table.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;

use super::guest::{DONE, FIGURES};

/// A row that was run.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// Tests by name, and whether they passed.
    pub(super) tests: BTreeMap<String, bool>,
    /// What tests had to tell, a JSON object each.
    pub(super) figures: Vec<Value>,
    /// Tests that failed, and then passed alone.
    pub(super) second_try: BTreeSet<String>,
    /// Whether the machine came to its end by itself.
    pub(super) ended: bool,
    pub(super) took: Duration,
}

impl Outcome {
    /// Reads it off a log.
    pub(super) fn of_log(log: &str, took: Duration) -> Self {
        let mut outcome = Self { took, ..Self::default() };
        for line in log.lines() {
            if let Some(figures) = line.strip_prefix(FIGURES) {
                outcome.figures.extend(serde_json::from_str(figures));
            } else if line.starts_with(DONE) {
                outcome.ended = true;
            } else if let Some((name, passed)) = test(line) {
                outcome.tests.insert(name.to_owned(), passed);
            }
        }
        outcome
    }

    pub(super) fn failed(&self) -> impl Iterator<Item = &str> {
        self.tests.iter().filter(|(_, passed)| !**passed).map(|(name, _)| name.as_str())
    }

    /// Few failures can be those of a machine that stood still for seconds, as emulated
    /// ones do on a busy host: they get another try, and that is told. A storm gets none: a
    /// loss is never excused.
    pub(super) fn worth_another_try(&self) -> Vec<String> {
        const FEW: usize = 4;
        let failed: Vec<_> = self.failed().map(str::to_owned).collect();
        let is_excused = |name: &String| !name.starts_with("completeness::");
        if self.ended && failed.len() <= FEW && failed.iter().all(is_excused) {
            failed
        } else {
            Vec::new()
        }
    }

    /// Adds what came of that.
    pub(super) fn take_second_try(&mut self, second: &Self) {
        self.took += second.took;
        for (name, _) in second.tests.iter().filter(|(_, passed)| **passed) {
            self.tests.insert(name.clone(), true);
            self.second_try.insert(name.clone());
        }
    }

    /// How many tests with names like this passed, and of how many.
    pub(super) fn count(&self, prefix: &str) -> (usize, usize) {
        let like = self.tests.iter().filter(|(name, _)| name.starts_with(prefix));
        like.fold((0, 0), |(passed, all), (_, ok)| (passed + usize::from(*ok), all + 1))
    }

    /// Whether there is nothing to say against it.
    pub(super) fn is_good(&self) -> bool {
        self.ended && !self.tests.is_empty() && self.failed().next().is_none()
    }

    /// Execs and ends that were neither shown nor in the account.
    pub(super) fn unaccounted(&self) -> u64 {
        let of = |name| move |figures: &Value| figures[name].as_u64();
        let execs = self.figures.iter().filter_map(of("execs_unaccounted"));
        execs.chain(self.figures.iter().filter_map(of("exits_unaccounted"))).sum()
    }

    /// The figures of a storm.
    pub(super) fn storm(&self, name: &str) -> Option<&Value> {
        self.figures.iter().find(|figures| figures["storm"] == name)
    }

    /// What the machine tells of itself and of our programs.
    pub(super) fn programs(&self) -> Option<&Value> {
        self.figures.iter().find(|figures| figures["programs"].is_array())
    }
}

/// A line of the test runner's.
fn test(line: &str) -> Option<(&str, bool)> {
    let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
    match result.trim_end() {
        "ok" => Some((name, true)),
        "FAILED" => Some((name, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Outcome;

    const LOG: &str = "[    2.9] something of the kernel\n\
        running 3 tests\n\
        test edge_a::one ... ok\n\
        test edge_b::two ... FAILED\n\
        test result: FAILED. 1 passed; 1 failed\n\
        figures: {\"storm\":\"plain\",\"execs_unaccounted\":2,\"exits_unaccounted\":1}\n\
        figures: nothing that can be read\n\
        guest: done\n";

    #[test]
    fn a_log_is_understood() {
        let outcome = Outcome::of_log(LOG, Duration::from_secs(9));
        assert_eq!(outcome.count("edge_"), (1, 2));
        assert_eq!(outcome.failed().collect::<Vec<_>>(), ["edge_b::two"]);
        assert_eq!(outcome.unaccounted(), 3);
        assert!(outcome.ended && !outcome.is_good());
        assert!(outcome.storm("plain").is_some() && outcome.programs().is_none());
    }

    #[test]
    fn few_failures_have_another_try_and_storms_have_none() {
        let mut outcome = Outcome::of_log(LOG, Duration::ZERO);
        assert_eq!(outcome.worth_another_try(), ["edge_b::two"]);
        let second = Outcome::of_log("test edge_b::two ... ok\n", Duration::ZERO);
        outcome.take_second_try(&second);
        assert!(outcome.is_good() && outcome.second_try.contains("edge_b::two"));

        let storm = LOG.replace("edge_b::two", "completeness::two");
        assert!(Outcome::of_log(&storm, Duration::ZERO).worth_another_try().is_empty());
        let cut = LOG.replace("guest: done", "");
        assert!(Outcome::of_log(&cut, Duration::ZERO).worth_another_try().is_empty());
    }

    #[test]
    fn a_machine_that_stops_in_the_midst_is_not_good() {
        let cut = LOG.split("test edge_b").next().unwrap();
        assert!(!Outcome::of_log(cut, Duration::ZERO).is_good());
    }
}
