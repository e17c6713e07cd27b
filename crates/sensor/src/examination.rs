//! What a host allows, thing by thing: the same checks as before a trace, all of them and
//! not only up to the first that fails, and a trace that is started and ended.
//!
//! Nothing of the host is another one afterwards: what is loaded and attached for the
//! trial is gone with it.

use std::fs;

use exectrail_model::plan::Plan;
use rustix::thread::CapabilitySet;

use crate::{
    attach, cgroups, creation,
    error::SensorError,
    preflight::{self, BTF, KernelVersion, LOCKDOWN},
    programs::{self, Hook, RAW_PREEMPTIBLE},
    refusal::{self, MEMORY_NOT_LOCKED},
    sensor::Sensor,
};

/// How it stands with one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Something cannot be had; a plain trace can.
    Warn,
    /// No trace can be had.
    Fail,
}

/// One thing that matters.
#[derive(Clone, Debug)]
pub struct Check {
    /// What is looked at, in one word.
    pub name: String,
    /// How it stands.
    pub verdict: Verdict,
    /// What was found.
    pub says: String,
    /// How to mend it, where that is known.
    pub cure: Option<String>,
}

/// All that was found.
#[derive(Debug)]
pub struct Examination {
    /// Thing by thing.
    pub checks: Vec<Check>,
    /// Whether a trace works, and why not.
    pub trace: Result<(), SensorError>,
}

/// Looks at everything, and starts a trace.
#[must_use]
pub fn examine() -> Examination {
    let plain = Plan::default();
    let full = Plan { failed: true, exits: true, ..Plan::default() };
    let kernel = KernelVersion::running();
    let trace = Sensor::start(&plain).map(drop);
    let all = if trace.is_ok() { Sensor::start(&full).map(drop) } else { Ok(()) };
    let mut checks = vec![
        version(),
        rights(),
        pid_namespace(),
        lockdown(),
        btf(&plain),
        cpus(),
        preemption(),
        paranoia(),
        memory(kernel),
        cgroup(),
    ];
    if let Some(kernel) = kernel {
        checks.push(tracefs(&full, kernel));
        checks.extend(hooks(&plain, kernel, trace.is_ok(), Verdict::Fail));
        let more = hooks(&full, kernel, trace.is_ok() && all.is_ok(), Verdict::Warn);
        for hook in more {
            if checks.iter().all(|known| known.name != hook.name) {
                checks.push(hook);
            }
        }
    }
    checks.push(outcome("trace", "starts and ends", &trace, Verdict::Fail));
    if trace.is_ok() {
        checks.push(outcome("trace --failed --exit", "starts and ends", &all, Verdict::Warn));
    }
    Examination { checks, trace }
}

fn ok(name: &str, says: impl Into<String>) -> Check {
    Check { name: name.to_owned(), verdict: Verdict::Ok, says: says.into(), cure: None }
}

fn outcome<T>(name: &str, says: &str, outcome: &Result<T, SensorError>, bad: Verdict) -> Check {
    match outcome {
        Ok(_) => ok(name, says),
        Err(error) => Check {
            name: name.to_owned(),
            verdict: bad,
            says: error.what(),
            cure: error.cure().map(str::to_owned),
        },
    }
}

fn version() -> Check {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    outcome("kernel", &format!("Linux {release}"), &preflight::check_version(), Verdict::Fail)
}

fn rights() -> Check {
    let held = preflight::held().unwrap_or(CapabilitySet::empty());
    let says = if held.contains(CapabilitySet::SYS_ADMIN) {
        "CAP_SYS_ADMIN is there, and stands for CAP_BPF and CAP_PERFMON"
    } else {
        "CAP_BPF and CAP_PERFMON are there"
    };
    outcome("capabilities", says, &preflight::check_rights(), Verdict::Fail)
}

/// Only `run` and rules about trees need the host's.
fn pid_namespace() -> Check {
    const NAME: &str = "pid namespace";
    if fs::read_link("/proc/self/ns/pid").is_err() {
        return without_proc(NAME, "not known, and `exectrail run` cannot work");
    }
    outcome(NAME, "the host's", &preflight::check_pid_namespace(), Verdict::Warn)
}

fn without_proc(name: &str, says: &str) -> Check {
    Check {
        name: name.to_owned(),
        verdict: Verdict::Warn,
        says: format!("{says}: nothing of this process is in /proc"),
        cure: Some("mount proc on /proc".to_owned()),
    }
}

fn lockdown() -> Check {
    let levels = fs::read_to_string(LOCKDOWN).ok();
    let level = levels.as_deref().and_then(in_force);
    let says = match level {
        Some(level) => format!("{level}, which forbids nothing that a trace does"),
        None => "not known: the kernel has none, or securityfs is not mounted".to_owned(),
    };
    outcome("lockdown", &says, &preflight::check_lockdown(), Verdict::Fail)
}

/// The word in brackets.
fn in_force(choices: &str) -> Option<&str> {
    let mut words = choices.split_ascii_whitespace();
    words.find_map(|word| word.strip_prefix('[')?.strip_suffix(']'))
}

fn btf(plan: &Plan) -> Check {
    let read = preflight::read_btf(None);
    let understood = read.and_then(|bytes| {
        let missing = preflight::layout(plan, &bytes)?.missing;
        Ok((bytes.len(), missing))
    });
    let says = match &understood {
        Ok((bytes, missing)) if missing.is_empty() => {
            format!("{BTF} has {bytes} bytes, and all that is read is there")
        }
        Ok((_, missing)) => {
            let names: Vec<_> = missing.iter().map(|field| field.name).collect();
            format!(
                "{BTF}; not in it, and so found in another way or not told: {}",
                names.join(", ")
            )
        }
        Err(_) => String::new(),
    };
    outcome("BTF", &says, &understood, Verdict::Fail)
}

fn cpus() -> Check {
    let cpus = creation::possible_cpus();
    let says = cpus.as_ref().map_or_else(|_| String::new(), |cpus| format!("{cpus} possible"));
    outcome("CPUs", &says, &cpus, Verdict::Fail)
}

/// Tested in each; what differs is which hooks are used, and stands in their lines.
fn preemption() -> Check {
    let uname = rustix::system::uname();
    let version = uname.version().to_string_lossy();
    let found = version.split(' ').find(|word| word.starts_with("PREEMPT"));
    let Some(built) = found else { return ok("preemption", "built without (none or voluntary)") };
    let modes = fs::read_to_string("/sys/kernel/debug/sched/preempt").ok();
    let mode = modes.as_deref().and_then(|modes| modes.split('(').nth(1)?.split(')').next());
    ok("preemption", mode.map_or_else(|| built.to_owned(), |mode| format!("{built}: {mode}")))
}

/// Of consequence to those alone who are not root.
fn paranoia() -> Check {
    const NAME: &str = "perf_event_paranoid";
    let Some(level) = refusal::paranoia() else { return ok(NAME, "not known") };
    let is_admin = preflight::held().is_ok_and(|held| held.contains(CapabilitySet::SYS_ADMIN));
    match refusal::cure_of_paranoia(level).filter(|_| !is_admin) {
        None => ok(NAME, format!("{level}, which forbids nothing that a trace does here")),
        cure => Check {
            name: NAME.to_owned(),
            verdict: Verdict::Warn,
            says: format!("{level}: classic tracepoints (--failed) may not be opened"),
            cure,
        },
    }
}

fn memory(kernel: Option<KernelVersion>) -> Check {
    const NAME: &str = "locked memory";
    if kernel.is_some_and(|kernel| kernel >= MEMORY_NOT_LOCKED) {
        return ok(NAME, "no limit counts, since Linux 5.11");
    }
    let may_raise = preflight::held().is_ok_and(|held| held.contains(CapabilitySet::SYS_RESOURCE));
    match refusal::cure_of_locked_memory() {
        None => ok(NAME, "there is no limit"),
        Some(_) if may_raise => ok(NAME, "there is a limit, which a trace may raise"),
        cure => Check {
            name: NAME.to_owned(),
            verdict: Verdict::Warn,
            says: "there is a limit, which maps and programs may be too large for".to_owned(),
            cure,
        },
    }
}

/// Records carry the cgroup of the unified hierarchy.
fn cgroup() -> Check {
    let Ok(mounts) = fs::read_to_string("/proc/self/mounts") else {
        return without_proc("cgroups", "not known, and rules about cgroups find no path");
    };
    let has = |kind: &str| mounts.lines().any(|line| line.split(' ').nth(2) == Some(kind));
    let says = match (has("cgroup2"), has("cgroup")) {
        (true, false) => "version 2",
        (true, true) => "version 2 beside version 1; cgroup and container are told by version 2",
        (false, _) => {
            let there = if has("cgroup") { "version 1 alone" } else { "none is mounted" };
            return Check {
                name: "cgroups".to_owned(),
                verdict: Verdict::Warn,
                says: format!("{there}: rules about cgroups find no path, and containers no name"),
                cure: Some(
                    "mount the unified hierarchy: mount -t cgroup2 none /sys/fs/cgroup/unified"
                        .to_owned(),
                ),
            };
        }
    };
    if !cgroups::is_in_initial_namespace() {
        return Check {
            name: "cgroups".to_owned(),
            verdict: Verdict::Warn,
            says: format!("{says}; in a cgroup namespace, rules about cgroups find no path"),
            cure: Some("trace on the host, or with its cgroup namespace".to_owned()),
        };
    }
    ok("cgroups", says)
}

/// What it takes for everything; a plain trace needs it from 7.0 on.
fn tracefs(plan: &Plan, kernel: KernelVersion) -> Check {
    let hooks = programs::hooks(plan, kernel);
    let read = creation::open_tracefs(plan, kernel, &hooks)
        .and_then(|tracefs| attach::formats(&hooks, tracefs.as_ref()));
    let bad = if kernel >= RAW_PREEMPTIBLE { Verdict::Fail } else { Verdict::Warn };
    outcome("tracefs", "the formats of all tracepoints can be read", &read, bad)
}

/// Without those that stand in for them.
fn hooks(plan: &Plan, kernel: KernelVersion, works: bool, bad: Verdict) -> Vec<Check> {
    let all = programs::hooks(plan, kernel);
    let stand_ins = |hook: &Hook| {
        all.iter()
            .filter(|other| other.program != hook.program)
            .filter(|other| other.stands_in_for() == hook.program)
            .count()
    };
    all.iter()
        .filter(|hook| hook.stands_in_for() == hook.program)
        .map(|hook| {
            let others = match stand_ins(hook) {
                0 => String::new(),
                others => format!(", {others} stand in"),
            };
            let (kind, places) = (hook.attach.kind(), hook.attach.places().join(", "));
            let attached = if works { "" } else { "not attached: " };
            Check {
                name: format!("hook {}", hook.program),
                verdict: if works { Verdict::Ok } else { bad },
                says: format!("{attached}{kind} {places}{others}; without it, {}", hook.without),
                cure: None,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{in_force, ok, outcome};
    use crate::{error::SensorError, examination::Verdict};

    #[test]
    fn the_level_in_force_stands_in_brackets() {
        assert_eq!(in_force("none [integrity] confidentiality\n"), Some("integrity"));
        assert_eq!(in_force(""), None);
    }

    #[test]
    fn an_errors_words_are_the_checks() {
        let error = SensorError::Unsupported { what: "no".to_owned(), cure: "yes".to_owned() };
        let check = outcome::<()>("x", "", &Err(error), Verdict::Warn);
        assert_eq!(
            (check.verdict, &*check.says, check.cure.as_deref()),
            (Verdict::Warn, "no", Some("yes"))
        );
        assert_eq!(ok("x", "y").verdict, Verdict::Ok);
    }
}
