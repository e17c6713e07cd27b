//! From the plan to what the kernel side is told: rules into map entries, the
//! rest into constants.

use std::collections::HashMap;

use exectrail_abi::{
    config::{Config, Formats, Gate, LONG_PATH, Offsets, RULE_EXCLUDE, RULE_ONLY, SHORT_PATH},
    record::ENVIRONMENT_MAX,
};
use exectrail_model::{
    filter::{Rule, Rules, Selector, Verdict},
    lift::leaf_first,
    plan::Plan,
};

/// The longest that a record waits for the reader while there are others, 4 ms:
/// the reader wakes at most 250 times a second, and a line is out in 5 ms.
pub(crate) const WAKE_INTERVAL_NS: u64 = 4_000_000;

/// Rules by path, as the kernel's maps hold them.
#[derive(Debug, Default)]
pub(crate) struct PathRules {
    pub(crate) short: HashMap<[u8; SHORT_PATH], u64>,
    pub(crate) long: HashMap<[u8; LONG_PATH], u64>,
    /// Whether the entries alone decide what `only` rules want.
    only: bool,
}

impl PathRules {
    /// Takes over every rule that the kernel can decide: those by exact path, up
    /// to the size of a key. A path can be met as it was given to exec and as
    /// the kernel walks it, leaf first, so it has two entries; they cannot be
    /// confused, since only the first form begins with a slash.
    pub(crate) fn of(rules: &Rules) -> Self {
        let mut lowered = Self::default();
        let mut only = rules.iter().any(|rule| rule.verdict == Verdict::Only);
        for rule in rules.iter() {
            if !lowered.take(rule) && rule.verdict == Verdict::Only {
                only = false;
            }
        }
        lowered.only = only;
        lowered
    }

    fn take(&mut self, rule: &Rule) -> bool {
        let Selector::Path(path) = &rule.selector else { return false };
        let verdict = match rule.verdict {
            Verdict::Exclude => RULE_EXCLUDE,
            Verdict::Only => RULE_ONLY,
        };
        [path.clone(), leaf_first(path)].iter().all(|key| self.insert(key, verdict))
    }

    fn insert(&mut self, path: &[u8], verdict: u64) -> bool {
        let short = padded(path).map(|key| self.short.entry(key).or_default());
        let entry = short.or_else(|| padded(path).map(|key| self.long.entry(key).or_default()));
        let lowered = entry.is_some();
        if let Some(verdicts) = entry {
            *verdicts |= verdict;
        }
        lowered
    }

    fn gate(&self) -> Gate {
        Gate {
            short_paths: u32::from(!self.short.is_empty()),
            long_paths: u32::from(!self.long.is_empty()),
            only: u32::from(self.only),
        }
    }
}

fn padded<const N: usize>(path: &[u8]) -> Option<[u8; N]> {
    let mut key = [0; N];
    key.get_mut(..path.len())?.copy_from_slice(path);
    Some(key)
}

/// The constants for the kernel side.
pub(crate) fn config(
    plan: &Plan,
    rules: &PathRules,
    (cpus, images): (u32, u32),
    offsets: &Offsets,
    formats: Formats,
) -> Config {
    Config {
        wake_interval: WAKE_INTERVAL_NS,
        wake_fill: u64::from(plan.buffer.bytes() / 4),
        shorten_fill: u64::from(plan.buffer.bytes() / 4) * 3,
        failed: u32::from(plan.failed),
        cpus,
        args_max: plan.args_max,
        images,
        environment_max: if plan.environment.is_empty() { 0 } else { ENVIRONMENT_MAX },
        parts: plan.parts,
        ancestors: plan.ancestors,
        gate: rules.gate(),
        offsets: *offsets,
        formats,
        reserved: 0,
    }
}

#[cfg(test)]
mod tests {
    use exectrail_abi::config::{RULE_EXCLUDE, RULE_ONLY};
    use exectrail_model::filter::{Rule, Rules, Selector, Verdict};

    use super::{PathRules, padded};

    fn lower(given: &[(Verdict, &str)]) -> PathRules {
        let mut rules = Rules::default();
        for &(verdict, text) in given {
            rules.push(Rule { verdict, selector: Selector::parse(text).unwrap() });
        }
        PathRules::of(&rules)
    }

    #[test]
    fn an_exact_path_has_two_keys() {
        let rules = lower(&[(Verdict::Exclude, "/usr/bin/ls")]);
        assert_eq!(rules.short.len(), 2);
        assert_eq!(rules.short[&padded(b"/usr/bin/ls").unwrap()], RULE_EXCLUDE);
        assert_eq!(rules.short[&padded(b"ls\0bin\0usr\0").unwrap()], RULE_EXCLUDE);
    }

    #[test]
    fn both_verdicts_share_an_entry() {
        let rules = lower(&[(Verdict::Exclude, "/x"), (Verdict::Only, "/x")]);
        assert_eq!(rules.short[&padded(b"/x").unwrap()], RULE_EXCLUDE | RULE_ONLY);
        assert!(rules.only);
    }

    #[test]
    fn lengths_choose_the_map() {
        let path = |len: usize| format!("/{}", "a".repeat(len - 1));
        let counts = |len: usize| {
            let rules = lower(&[(Verdict::Only, &path(len))]);
            (rules.short.len(), rules.long.len(), rules.only)
        };
        assert_eq!(counts(64), (2, 0, true));
        assert_eq!(counts(65), (0, 2, true));
        assert_eq!(counts(256), (0, 2, true));
        assert_eq!(counts(257), (0, 0, false));
    }

    #[test]
    fn one_only_rule_for_user_space_opens_the_gate() {
        assert!(!lower(&[(Verdict::Only, "/x"), (Verdict::Only, "ls")]).only);
        assert!(lower(&[(Verdict::Only, "/x"), (Verdict::Exclude, "ls")]).only);
        assert!(!lower(&[]).only);
    }
}
