//! Why the kernel says no, and what helps: its answers are numbers, each of which
//! stands for several causes.

use std::{fs, io};

use aya::programs::ProgramError;
use rustix::process::{Resource, Rlimit, getrlimit};

use crate::{
    error::SensorError,
    preflight::{KernelVersion, locked_down},
    programs::Hook,
};

/// Before it, maps and programs count as locked memory of their user (3ac1f01b43b6 and
/// its series); Aya raises the limit, where it may.
pub(crate) const MEMORY_NOT_LOCKED: KernelVersion = KernelVersion { major: 5, minor: 11 };

/// Open files that are enough for any trace, its control socket's clients included.
const ENOUGH_FILES: u32 = 256;

/// What helps where there is too little of something, as the number of an error says.
#[must_use]
pub fn cure_of_shortage(number: i32) -> Option<String> {
    let cure = match number {
        libc::EMFILE => format!(
            "this process may have {} open files; allow it {ENOUGH_FILES} or more: ulimit -n \
             {ENOUGH_FILES}, or LimitNOFILE={ENOUGH_FILES} in its service",
            limit(getrlimit(Resource::Nofile))
        ),
        libc::ENFILE => "this host has as many open files as it may have; raise the limit: \
                         sysctl fs.file-max"
            .to_owned(),
        libc::ENOMEM => "free memory, or raise the limit of this process (ulimit -v) or of its \
                         cgroup (memory.max); a smaller --buffer needs less"
            .to_owned(),
        _ => return None,
    };
    Some(cure)
}

/// What helps where `bpf` or `perf_event_open` is not allowed, to one that has the
/// capabilities for it: it is asked for after [`preflight`](crate::preflight).
pub(crate) fn cure_of_refusal(number: i32) -> Option<String> {
    if !matches!(number, libc::EPERM | libc::EACCES) {
        return None;
    }
    if let Some(cure) = cure_of_locked_memory() {
        return Some(cure);
    }
    Some(
        "the capabilities are there, so something else forbids it: a container's seccomp profile \
         (it has to allow bpf and perf_event_open), a security module, or \
         kernel.perf_event_paranoid"
            .to_owned(),
    )
}

/// What helps where maps and programs are locked memory, and there is a limit to that.
pub(crate) fn cure_of_locked_memory() -> Option<String> {
    let locked = getrlimit(Resource::Memlock);
    let is_locked = KernelVersion::running().is_some_and(|kernel| kernel < MEMORY_NOT_LOCKED);
    locked.current.filter(|_| is_locked)?;
    Some(format!(
        "before Linux 5.11 it takes locked memory, of which this process may have {} bytes: run \
         it with CAP_SYS_RESOURCE, or after ulimit -l unlimited (LimitMEMLOCK=infinity in its \
         service)",
        limit(locked)
    ))
}

/// What helps where a classic tracepoint may not be opened.
pub(crate) fn of_tracepoint(step: String, error: io::Error) -> SensorError {
    match paranoia().and_then(cure_of_paranoia) {
        Some(cure) if error.raw_os_error() == Some(libc::EACCES) => {
            SensorError::Rights { what: format!("{step}: {error}"), cure }
        }
        _ => SensorError::refused(step, error),
    }
}

/// How much the kernel keeps from those without rights.
pub(crate) fn paranoia() -> Option<i32> {
    let level = fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").ok()?;
    level.trim().parse().ok()
}

/// Levels above 2 are the distributions' own (Debian's and Ubuntu's kernels have 3 and 4
/// by default), and ask for more than `CAP_PERFMON`: nothing else answers EACCES to it.
pub(crate) fn cure_of_paranoia(level: i32) -> Option<String> {
    (level > 2).then(|| {
        format!(
            "kernel.perf_event_paranoid is {level}, which asks for CAP_SYS_ADMIN: run it as root, \
             or lower it: sudo sysctl kernel.perf_event_paranoid=2"
        )
    })
}

fn limit(limit: Rlimit) -> String {
    limit.current.map_or_else(|| "any number of".to_owned(), |most| most.to_string())
}

/// Why a program is not loaded, with the verifier's words where they say it.
pub(crate) fn of_program(hook: &Hook, error: ProgramError) -> SensorError {
    log::debug!("{error}");
    let step = format!("loading {} ({})", hook.program, hook.without);
    let ProgramError::LoadError { io_error, verifier_log } = error else {
        return SensorError::refused(step, error);
    };
    let log = verifier_log.to_string();
    if is_of_lockdown(&log) {
        return locked_down();
    }
    match io_error.raw_os_error() {
        // The verifier says EACCES, too, with many words.
        Some(libc::EPERM) => SensorError::refused(step, io_error),
        Some(libc::ENOMEM | libc::EMFILE | libc::ENFILE) => SensorError::at(step, io_error),
        _ => SensorError::at(step, with_last_words(&io_error.to_string(), &log)),
    }
}

/// The end of what the verifier said, which is where it says why: all of it can
/// be tens of thousands of lines.
fn with_last_words(error: &str, log: &str) -> String {
    const LINES: usize = 12;
    let lines: Vec<_> = log.lines().collect();
    let end = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
    format!("{error}; the verifier's last words (RUST_LOG=debug shows all):\n{}", end.join("\n"))
}

/// Under lockdown the kernel knows no helper that reads its memory
/// (`bpf_tracing_func_proto`, `kernel/trace/bpf_trace.c`); the verifier's words for that
/// are "unknown func" up to 6.8, "program of this type cannot use helper" later.
fn is_of_lockdown(log: &str) -> bool {
    let unknown = |line: &str| line.contains("unknown func") || line.contains("cannot use helper");
    log.lines().any(|line| unknown(line) && line.contains("bpf_probe_read"))
}

#[cfg(test)]
mod tests {
    use super::{
        cure_of_paranoia, cure_of_refusal, cure_of_shortage, is_of_lockdown, with_last_words,
    };

    #[test]
    fn the_limit_is_named_and_so_is_the_cure() {
        let files = cure_of_shortage(libc::EMFILE).unwrap();
        assert!(files.contains("open files") && files.contains("ulimit -n"), "{files}");
        let memory = cure_of_shortage(libc::ENOMEM).unwrap();
        assert!(memory.contains("--buffer") && memory.contains("memory.max"), "{memory}");
        assert_eq!(cure_of_shortage(libc::EPERM), None);
        assert!(cure_of_refusal(libc::EPERM).is_some());
        assert_eq!(cure_of_refusal(libc::EINVAL), None);
        assert!(cure_of_paranoia(3).unwrap().contains("perf_event_paranoid is 3"));
        assert_eq!(cure_of_paranoia(2), None);
    }

    #[test]
    fn the_verifiers_words_under_lockdown() {
        for log in [
            "7: (85) call bpf_probe_read_kernel#113\nunknown func bpf_probe_read_kernel#113\n",
            "program of this type cannot use helper bpf_probe_read_kernel#113\nprocessed 8 insns",
            "unknown func bpf_probe_read_kernel_str#115",
            "13: (85) call bpf_probe_read#4\nprogram of this type cannot use helper bpf_probe_read#4",
        ] {
            assert!(is_of_lockdown(log), "{log}");
        }
        assert!(!is_of_lockdown("7: (85) call bpf_probe_read_kernel#113\ninvalid access"));
        assert!(!is_of_lockdown("unknown func bpf_get_ns_current_pid_tgid#120"));
    }

    #[test]
    fn a_long_log_is_told_by_its_end() {
        let log = (0..1000).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n");
        let words = with_last_words("No", &log);
        assert!(words.starts_with("No; ") && words.ends_with("line 999"), "{words}");
        assert!(words.lines().count() < 20);
    }
}
