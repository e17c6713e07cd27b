//! What holds of every rule, wherever it was written.

use exectrail_abi::record::{Creds, Process};
use exectrail_model::{
    args::Args,
    event::{Failure, NO_PROCESS, Parent, Program},
    filter::{Decision, Rule, Rules, Subject, Verdict},
};

use crate::host::SomeHost;

/// What is shown of a rule is read as the same rule.
pub fn check_rule(rule: &Rule) {
    let shown = rule.to_string();
    let again = match Rule::parse(rule.verdict, &shown, &SomeHost) {
        Ok(again) => again,
        Err(error) => panic!("{shown:?} is shown, and no rule: {error}"),
    };
    assert_eq!(again.selectors(), rule.selectors(), "{shown:?}");
    assert_eq!(again.to_string(), shown);
}

/// A set of rules decides as its rules do one by one, and finds its way into the
/// kernel's maps.
pub fn check_set(rules: &Rules) {
    let creds =
        Creds { uid: 1000, gid: 10, suid: 0, sgid: 0, euid: 0, egid: 0, fsuid: 0, fsgid: 0 };
    let parent = Parent {
        process: NO_PROCESS,
        id: None,
        image: 1,
        comm: b"sh",
        exe: Some(b"/usr/bin/dash"),
    };
    let known = Program {
        process: Process { pid: 7, ns_pid: 7, pid_ns: 101, ..NO_PROCESS },
        parent: Some(parent),
        creds: Some(creds),
        cgroup: Some(b"/system.slice/cron.service"),
        filename: Some(b"/bin/ls"),
        exe: Some(b"/usr/bin/ls"),
        args: Some(Args::whole(b"ls\0-l\0\xff\0a,b\0")),
        told: Some(1),
        ..Program::UNKNOWN
    };
    for program in [&known, &Program::UNKNOWN] {
        for failure in [None, Some(Failure { errno: 2 })] {
            let subject = Subject { program, failure };
            assert_eq!(rules.decide(&subject), slowly(rules, &subject));
        }
    }
    exectrail_sensor::fuzzing::lower(rules);
}

fn slowly(rules: &Rules, subject: &Subject<'_>) -> Decision {
    let first =
        |verdict| rules.iter().position(|rule| rule.verdict == verdict && rule.matches(subject));
    if let Some(excluded) = first(Verdict::Exclude) {
        return Decision { keep: false, rule: Some(excluded) };
    }
    let has_only = rules.iter().any(|rule| rule.verdict == Verdict::Only);
    let wanted = first(Verdict::Only);
    Decision { keep: wanted.is_some() || !has_only, rule: wanted }
}
