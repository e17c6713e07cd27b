//! A host with two users, a group, and namespaces from 101 on.

use exectrail_model::filter::{Host, NamespaceKind};

/// Always the same answers, so that a finding is one on every machine.
pub struct SomeHost;

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
