//! The table of hooks: which programs there are, which are used on which kernel
//! and for which plan, and what would be lost without them.
//!
//! | file in `crates/bpf/src/hooks` | programs |
//! |---|---|
//! | `exec.rs` | what the two below have in common |
//! | `exec_raw.rs` | `exec_raw`, `exec_classic_again` |
//! | `exec_classic.rs` | `exec_classic` |
//! | `given.rs` | `given`, `prepared` |
//! | `attempt.rs` | `enter_execve`, `enter_execveat`, `exit_exec`, and `_again` |
//! | `exit.rs` | `exit_raw`, `exit_classic`, `exit_classic_again` |
//! | `birth.rs` | `birth` |

use exectrail_model::plan::{HookChoice, Plan};

use crate::preflight::KernelVersion;

/// How a program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attach {
    /// To a raw tracepoint.
    Raw(&'static str),
    /// To classic tracepoints, by category and name.
    Classic(&'static [(&'static str, &'static str)]),
}

impl Attach {
    /// What it is called.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Raw(_) => "raw tracepoint",
            Self::Classic(_) => "classic tracepoint",
        }
    }
}

impl Attach {
    /// The tracepoints that it goes to.
    pub(crate) fn places(self) -> Vec<String> {
        match self {
            Self::Raw(name) => vec![name.to_owned()],
            Self::Classic(all) => all.iter().map(|(of, name)| format!("{of}:{name}")).collect(),
        }
    }
}

/// A program of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hook {
    /// Its name in the object.
    pub(crate) program: &'static str,
    /// Where it goes.
    pub(crate) attach: Attach,
    /// What is lost where it cannot be attached.
    pub(crate) without: &'static str,
}

impl Hook {
    /// The program that this one stands in for where the kernel does not run that, or
    /// itself.
    pub(crate) fn stands_in_for(&self) -> &'static str {
        self.program.split_once(AGAIN).map_or(self.program, |(program, _)| program)
    }
}

/// What names of programs that stand in for others have behind the others' names.
const AGAIN: &str = "_again";

const SUCCESSES: &str = "successful execs would not be seen";
const FAILURES: &str = "failed execs would not be seen; leave out --failed";

/// Success, told by a raw tracepoint.
pub(crate) const RAW: &[Hook] =
    &[Hook { program: "exec_raw", attach: Attach::Raw("sched_process_exec"), without: SUCCESSES }];

/// What a classic tracepoint does not tell.
pub(crate) const GIVEN: Hook = Hook {
    program: "given",
    attach: Attach::Raw("sched_process_exec"),
    without: "scripts would have no interpreter",
};

/// The same, told earlier.
pub(crate) const PREPARED: Hook =
    Hook { program: "prepared", attach: Attach::Raw("sched_prepare_exec"), ..GIVEN };

/// From here on there is `sched_prepare_exec` (include/trace/events/sched.h).
const HAS_PREPARE: KernelVersion = KernelVersion { major: 6, minor: 10 };

/// Success, told by a classic tracepoint. What that does not tell comes first.
pub(crate) const CLASSIC: &[Hook] = &[
    GIVEN,
    Hook {
        program: "exec_classic",
        attach: Attach::Classic(&[("sched", "sched_process_exec")]),
        without: SUCCESSES,
    },
];

/// What stands in for an exec hook of the classic kind, registered after it.
pub(crate) const CLASSIC_AGAIN: &[Hook] = &[Hook {
    program: "exec_classic_again",
    attach: Attach::Raw("sched_process_exec"),
    without: SUCCESSES,
}];

/// Births, for what image counters prove.
pub(crate) const BIRTH: &[Hook] = &[Hook {
    program: "birth",
    attach: Attach::Raw("sched_process_fork"),
    without: "execs could be called missed that were not",
}];

const ENDS: &str = "the ends of processes would not be seen; leave out --exit";

/// The end of a process, told by a raw tracepoint.
pub(crate) const EXIT_RAW: &[Hook] =
    &[Hook { program: "exit_raw", attach: Attach::Raw("sched_process_exit"), without: ENDS }];

/// The end of a process, told by a classic tracepoint.
pub(crate) const EXIT_CLASSIC: &[Hook] = &[Hook {
    program: "exit_classic",
    attach: Attach::Classic(&[("sched", "sched_process_exit")]),
    without: ENDS,
}];

/// What stands in for that, registered after it.
pub(crate) const EXIT_CLASSIC_AGAIN: &[Hook] = &[Hook {
    program: "exit_classic_again",
    attach: Attach::Raw("sched_process_exit"),
    without: ENDS,
}];

/// Failure. Exits before entries: an answer without a question says less than
/// it could, but a question without an answer stays in the map.
pub(crate) const ATTEMPTS: &[Hook] =
    &[exit("exit_exec"), execve("enter_execve"), execveat("enter_execveat")];

/// What stands in for those. Each comes after what it stands in for.
pub(crate) const ATTEMPTS_AGAIN: &[Hook] = &[
    exit("exit_exec_again"),
    exit("exit_exec_again_2"),
    execve("enter_execve_again"),
    execve("enter_execve_again_2"),
    execveat("enter_execveat_again"),
    execveat("enter_execveat_again_2"),
];

const fn exit(program: &'static str) -> Hook {
    const EXITS: &[(&str, &str)] =
        &[("syscalls", "sys_exit_execve"), ("syscalls", "sys_exit_execveat")];
    Hook { program, attach: Attach::Classic(EXITS), without: FAILURES }
}

const fn execve(program: &'static str) -> Hook {
    const ENTRY: &[(&str, &str)] = &[("syscalls", "sys_enter_execve")];
    Hook { program, attach: Attach::Classic(ENTRY), without: FAILURES }
}

const fn execveat(program: &'static str) -> Hook {
    const ENTRY: &[(&str, &str)] = &[("syscalls", "sys_enter_execveat")];
    Hook { program, attach: Attach::Classic(ENTRY), without: FAILURES }
}

/// From here on classic programs of system calls are preemptible, and skipped while
/// another task stands in them on the same CPU (57918341dd19).
const CALLS_PREEMPTIBLE: KernelVersion = KernelVersion { major: 7, minor: 2 };

/// Whether the attempt hooks need others that stand in for them.
pub(crate) fn attempts_again(kernel: KernelVersion) -> bool {
    kernel >= CALLS_PREEMPTIBLE
}

/// From here on raw tracepoints are preemptible (a46023d5616e), and our exec
/// hooks' scratch is not made for that.
pub(crate) const RAW_PREEMPTIBLE: KernelVersion = KernelVersion { major: 7, minor: 0 };

/// Whether successes are told by classic tracepoints.
pub(crate) fn are_classic(hooks: &[Hook]) -> bool {
    hooks.iter().any(|hook| CLASSIC.contains(hook))
}

/// The hooks for this plan on this kernel. Births come first, then exits: an exec
/// that is seen has its end seen.
pub(crate) fn hooks(plan: &Plan, kernel: KernelVersion) -> Vec<Hook> {
    let raw = match plan.hook {
        HookChoice::Raw => true,
        HookChoice::Classic => false,
        HookChoice::Auto => kernel < RAW_PREEMPTIBLE,
    };
    let (exec, exit) = if raw {
        (RAW.to_vec(), EXIT_RAW.to_vec())
    } else {
        ([CLASSIC, CLASSIC_AGAIN].concat(), [EXIT_CLASSIC, EXIT_CLASSIC_AGAIN].concat())
    };
    let prepared = |hook: &Hook| if kernel < HAS_PREPARE { *hook } else { PREPARED };
    let told_first = |hook: &Hook| if *hook == GIVEN { prepared(hook) } else { *hook };
    let exec: Vec<Hook> = exec.iter().map(told_first).collect();
    // Trees have to be told of ends, too, or they fill up.
    let needs_ends = plan.exits || plan.counting.is_some() || !plan.rules.told().is_empty();
    let exit = if needs_ends { exit } else { Vec::new() };
    let attempts = if plan.failed { ATTEMPTS } else { &[] };
    let again = if plan.failed && attempts_again(kernel) { ATTEMPTS_AGAIN } else { &[] };
    [BIRTH, &exit, &exec, attempts, again].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn the_kind_that_is_not_preempted_is_chosen() {
        let on = |major, minor| {
            let hooks = hooks(&Plan::default(), KernelVersion { major, minor });
            hooks.strip_prefix(BIRTH).unwrap().to_vec()
        };
        assert_eq!(on(5, 10), RAW);
        assert_eq!(on(6, 19), RAW);
        for minor in [0, 2] {
            let hooks = on(7, minor);
            assert_eq!(hooks[0], PREPARED);
            assert_eq!(hooks[1..], [&CLASSIC[1..], CLASSIC_AGAIN].concat());
        }
    }

    #[test]
    fn where_programs_of_calls_can_be_interrupted_others_stand_in_for_them() {
        let plan = Plan { failed: true, ..Plan::default() };
        let on = |major, minor| hooks(&plan, KernelVersion { major, minor });
        assert!(on(7, 1).ends_with(ATTEMPTS));
        let hooks = on(7, 2);
        let (first, again) = hooks.split_at(hooks.len() - ATTEMPTS_AGAIN.len());
        assert!(first.ends_with(ATTEMPTS));
        for hook in first {
            let others = again.iter().filter(|other| other.stands_in_for() == hook.program);
            let others: Vec<_> = others.map(|other| other.attach).collect();
            let expected = if ATTEMPTS.contains(hook) { 2 } else { 0 };
            assert_eq!(others, vec![hook.attach; expected], "{}", hook.program);
        }
    }

    #[test]
    fn every_program_is_in_the_object_and_the_other_way_round() {
        let object = aya_obj::Object::parse(object::BYTES).unwrap();
        let mut listed: Vec<_> = [
            BIRTH,
            &[PREPARED],
            RAW,
            CLASSIC,
            CLASSIC_AGAIN,
            ATTEMPTS,
            ATTEMPTS_AGAIN,
            EXIT_RAW,
            EXIT_CLASSIC,
            EXIT_CLASSIC_AGAIN,
        ]
        .concat()
        .iter()
        .map(|hook| hook.program.to_owned())
        .collect();
        let mut there: Vec<_> = object.programs.keys().cloned().collect();
        listed.sort();
        there.sort();
        assert_eq!(listed, there);
    }
}
