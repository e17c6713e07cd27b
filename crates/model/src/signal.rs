//! Names of the signals that processes end by.

/// The first ones, from 1 on. The numbers are those of x86 and Arm
/// (include/uapi/asm-generic/signal.h).
const NAMES: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// The name of a signal: `SIGKILL` for 9. Real-time signals have none: which of them the C
/// library keeps to itself is up to it.
#[must_use]
pub fn name(signal: u8) -> Option<&'static str> {
    NAMES.get(usize::from(signal).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_and_unknown() {
        for (signal, expect) in [
            (0, None),
            (1, Some("SIGHUP")),
            (9, Some("SIGKILL")),
            (11, Some("SIGSEGV")),
            (15, Some("SIGTERM")),
            (31, Some("SIGSYS")),
            (32, None),
            (127, None),
        ] {
            assert_eq!(super::name(signal), expect);
        }
    }
}
