//! Rules: what they match, how they are written, what they say together.

mod decisions;
mod grammar;
mod matching;
mod mistakes;
mod random;

use super::{Host, NamespaceKind, Rule, RuleError, Verdict};

/// A host with two users, a group, and namespaces from 101 on.
struct SomeHost;

impl Host for SomeHost {
    fn user(&self, name: &str) -> Option<u32> {
        [("root", 0), ("ada", 1000)].into_iter().find(|(known, _)| *known == name).map(|(_, id)| id)
    }

    fn group(&self, name: &str) -> Option<u32> {
        (name == "wheel").then_some(10)
    }

    fn namespace(&self, kind: NamespaceKind) -> Option<u32> {
        // One that cannot be read.
        (kind != NamespaceKind::Mount).then_some(101 + kind as u32)
    }
}

fn parse(text: &str) -> Result<Rule, RuleError> {
    Rule::parse(Verdict::Exclude, text, &SomeHost)
}
