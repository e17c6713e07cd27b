//! The table of hooks: which programs there are, which are used on which kernel
//! and for which plan, and what would be lost without them.
//!
//! | file in `crates/bpf/src/hooks` | programs |
//! |---|---|
//! | `exec.rs` | what the two below have in common |
//! | `exec_raw.rs` | `exec_raw`, `walk_raw` |
//! | `exec_classic.rs` | `exec_classic`, `walk_classic` |
//! | `attempt.rs` | `enter_execve`, `enter_execveat`, `exit_exec` |

use exectrail_model::plan::HookChoice;

use crate::preflight::KernelVersion;

/// How a program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attach {
    /// To a raw tracepoint.
    Raw(&'static str),
    /// To classic tracepoints, by category and name.
    Classic(&'static [(&'static str, &'static str)]),
    /// Not at all: other programs jump into it.
    Stage,
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

const SUCCESSES: &str = "successful execs would not be seen";
const FAILURES: &str = "failed execs would not be seen; leave out --failed";
const DEEP: &str = "executables deeper than 64 directories would not be seen";

/// Success, told by a raw tracepoint: stage first, it must be there when the
/// other one runs.
pub(crate) const RAW: &[Hook] = &[
    Hook { program: "walk_raw", attach: Attach::Stage, without: DEEP },
    Hook { program: "exec_raw", attach: Attach::Raw("sched_process_exec"), without: SUCCESSES },
];

/// Success, told by a classic tracepoint.
pub(crate) const CLASSIC: &[Hook] = &[
    Hook { program: "walk_classic", attach: Attach::Stage, without: DEEP },
    Hook {
        program: "exec_classic",
        attach: Attach::Classic(&[("sched", "sched_process_exec")]),
        without: SUCCESSES,
    },
];

/// Failure. Exits before entries: an answer without a question says less than
/// it could, but a question without an answer stays in the map.
pub(crate) const ATTEMPTS: &[Hook] = &[
    Hook {
        program: "exit_exec",
        attach: Attach::Classic(&[
            ("syscalls", "sys_exit_execve"),
            ("syscalls", "sys_exit_execveat"),
        ]),
        without: FAILURES,
    },
    Hook {
        program: "enter_execve",
        attach: Attach::Classic(&[("syscalls", "sys_enter_execve")]),
        without: FAILURES,
    },
    Hook {
        program: "enter_execveat",
        attach: Attach::Classic(&[("syscalls", "sys_enter_execveat")]),
        without: FAILURES,
    },
];

/// From here on raw tracepoints are preemptible (a46023d5616e), and our exec
/// hooks' scratch is not made for that.
pub(crate) const RAW_PREEMPTIBLE: KernelVersion = KernelVersion { major: 7, minor: 0 };

/// The exec hooks for this kernel.
pub(crate) fn exec_hooks(choice: HookChoice, kernel: KernelVersion) -> &'static [Hook] {
    match choice {
        HookChoice::Raw => RAW,
        HookChoice::Auto if kernel < RAW_PREEMPTIBLE => RAW,
        HookChoice::Auto | HookChoice::Classic => CLASSIC,
    }
}

#[cfg(test)]
mod tests {
    use exectrail_model::plan::HookChoice;

    use super::{ATTEMPTS, CLASSIC, RAW, exec_hooks};
    use crate::{object, preflight::KernelVersion};

    #[test]
    fn the_kind_that_is_not_preempted_is_chosen() {
        let on = |major, minor| exec_hooks(HookChoice::Auto, KernelVersion { major, minor });
        assert_eq!(on(5, 10), RAW);
        assert_eq!(on(6, 19), RAW);
        assert_eq!(on(7, 0), CLASSIC);
        assert_eq!(on(7, 2), CLASSIC);
    }

    #[test]
    fn every_program_is_in_the_object_and_the_other_way_round() {
        let object = aya_obj::Object::parse(object::BYTES).unwrap();
        let mut listed: Vec<_> =
            [RAW, CLASSIC, ATTEMPTS].concat().iter().map(|hook| hook.program.to_owned()).collect();
        let mut there: Vec<_> = object.programs.keys().cloned().collect();
        listed.sort();
        there.sort();
        assert_eq!(listed, there);
    }
}
