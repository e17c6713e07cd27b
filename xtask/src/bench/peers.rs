//! Other tracers of execs, as a distribution has them.

use std::path::Path;

use super::{
    audit,
    contenders::Contender,
    host,
    launch::{OUTPUT, Place, Ready, Variant},
    tracer::Tracer,
};

/// Rounds of those that are far from ours: some take seconds to start, others make a storm
/// last many times as long.
const ROUNDS: usize = 5;

/// What a measurement asks of a peer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trait {
    /// Nothing: storms and other calls.
    Any,
    /// BPF programs, whose time the kernel takes.
    Programs,
    /// A process that reads what others do, and runs beside them.
    Reader,
    /// Lines that come when their event does, if it is asked for lines.
    Streams,
}

/// A row of the table of peers.
struct Peer {
    name: &'static str,
    /// On PATH, or where a distribution puts what is root's.
    program: &'static str,
    package: &'static str,
    flags: &'static [&'static str],
    ready: Ready,
    place: Place,
    traits: &'static [Trait],
}

const PEERS: &[Peer] = &[
    Peer {
        name: "execsnoop",
        program: "execsnoop",
        package: "libbpf-tools",
        flags: &[],
        ready: Ready::Waits,
        place: Place::Tracefs,
        traits: &[Trait::Programs, Trait::Reader, Trait::Streams],
    },
    Peer {
        name: "bpftrace execsnoop.bt",
        program: "execsnoop.bt",
        package: "bpftrace",
        flags: &[],
        ready: Ready::Waits,
        place: Place::Tracefs,
        traits: &[Trait::Programs, Trait::Reader, Trait::Streams],
    },
    Peer {
        name: "forkstat -e exec",
        program: "forkstat",
        package: "forkstat",
        flags: &["-l", "-e", "exec"],
        ready: Ready::Sleeps,
        place: Place::Host,
        traits: &[Trait::Reader, Trait::Streams],
    },
    // It writes to a file of its own in blocks, and else to stderr.
    Peer {
        name: "perf trace, exec tracepoint",
        program: "perf",
        package: "linux-perf",
        flags: &[
            "trace",
            "--all-cpus",
            "--no-syscalls",
            "--event",
            "sched:sched_process_exec",
            "--output",
            "/dev/stdout",
        ],
        ready: Ready::Sleeps,
        place: Place::Tracefs,
        traits: &[Trait::Reader],
    },
    Peer {
        name: "strace -f",
        program: "strace",
        package: "strace",
        flags: &["-f", "-qq", "-e", "trace=execve", "-e", "signal=none", "-o", OUTPUT],
        ready: Ready::Answers,
        place: Place::AroundShell,
        traits: &[],
    },
    Peer {
        name: "strace -f --seccomp-bpf",
        program: "strace",
        package: "strace",
        flags: &[
            "-f",
            "--seccomp-bpf",
            "-qq",
            "-e",
            "trace=execve",
            "-e",
            "signal=none",
            "-o",
            OUTPUT,
        ],
        ready: Ready::Answers,
        place: Place::AroundShell,
        traits: &[],
    },
];

/// All of them, each with why it is not there.
pub(super) struct Peers(Vec<(Contender, &'static [Trait], String)>);

impl Peers {
    /// Looks for each, and starts it once.
    pub(super) fn find(folder: &Path) -> Self {
        let found = PEERS.iter().map(|peer| (peer.contender(folder), peer.traits, peer.version()));
        let audit =
            Contender { absent: Some(audit::why_not()), ..foreign("auditd, execve rule", None) };
        Self(found.chain([(audit, &[] as &[Trait], String::new())]).collect())
    }

    /// Those who are asked for.
    pub(super) fn with(&self, what: Trait) -> Vec<Contender> {
        let has = |traits: &[Trait]| what == Trait::Any || traits.contains(&what);
        self.0.iter().filter(|(_, traits, _)| has(traits)).map(|(peer, ..)| peer.clone()).collect()
    }

    /// Names, and which version it is or why there is none.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, Result<&str, &str>)> {
        self.0.iter().map(|(peer, _, version)| {
            (peer.name, peer.absent.as_deref().map_or(Ok(version.as_str()), Err))
        })
    }
}

impl Peer {
    fn contender(&self, folder: &Path) -> Contender {
        let Some(program) = host::find_program(self.program) else {
            let why = format!(
                "{} is not installed (make setup-bench brings {})",
                self.program, self.package
            );
            return Contender { absent: Some(why), ..foreign(self.name, None) };
        };
        let flags = self.flags.iter().map(Into::into).collect();
        let variant = Variant { program, flags, ready: self.ready, place: self.place };
        let tried = Tracer::start(&variant, folder).and_then(Tracer::stop);
        let absent = tried.err().map(|why| format!("it does not start: {why:#}"));
        let is_peer = self.program == "execsnoop";
        let rounds = if is_peer { usize::MAX } else { ROUNDS };
        Contender { is_peer, rounds, absent, ..foreign(self.name, Some(variant)) }
    }

    /// As the package says; programs say it in many ways, and one not at all.
    fn version(&self) -> String {
        let words = ["--show", "--showformat=${Package} ${Version}", self.package];
        host::first_line("dpkg-query", &words)
    }
}

fn foreign(name: &'static str, variant: Option<Variant>) -> Contender {
    let (rounds, budget) = (ROUNDS, "");
    Contender { name, variant, is_peer: false, foreign: true, rounds, budget, absent: None }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_peer_that_is_not_there_is_a_row_that_says_so() {
        let peer = Peer { program: "there-is-no-such-tracer", ..PEERS[0] };
        let why = peer.contender(Path::new("/nowhere")).absent.unwrap();
        assert!(why.contains("there-is-no-such-tracer is not installed"), "{why}");
        assert!(why.contains("brings libbpf-tools"), "{why}");
    }
}
