//! The way of an event through user space, as a trace has it take it: decoded, judged,
//! written. Into nothing, so that what is measured is ours.

#![expect(clippy::expect_used, reason = "of an instrument that is broken, nothing is to be had")]

use std::{cell::Cell, io, ops::ControlFlow};

use exectrail_abi::{
    config::parts,
    fault::Loss,
    record::{
        Creds, Exec, FIXED_LEN, File, Header, KIND_EXEC, Namespaces, Process, Relative, TAILS,
        UNKNOWN_U32, UNKNOWN_U64,
    },
};
use exectrail_model::{
    cpid::BootId,
    event::Event,
    filter::{Rule, Rules, Verdict},
    lift::Host,
    pipeline::Pipeline,
    plan::Plan,
};
use exectrail_sinks::{Options, Sink, SinkKind};
use jiff::tz::TimeZone;
use zerocopy::IntoBytes;

/// What is done with each event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is decoded, and forgotten.
    Decode,
    /// Rules judge it besides, none of which the kernel side can decide.
    Filter,
    /// It is decoded and written as a JSON line.
    Json,
    /// The same as a line for people, on a terminal.
    Pretty,
}

impl Step {
    /// All of them, by name.
    pub(crate) const NAMED: [(&'static str, Self); 4] = [
        ("decode", Self::Decode),
        ("filter", Self::Filter),
        ("json", Self::Json),
        ("pretty", Self::Pretty),
    ];
}

/// A trace without a kernel: one record, handed over as often as one likes.
pub(crate) struct Way {
    pipeline: Pipeline,
    sink: Option<Box<dyn Sink>>,
    fixed: Exec,
    record: Vec<u8>,
    events: Cell<u64>,
}

impl Way {
    /// Ready to go.
    ///
    /// # Panics
    ///
    /// When the table of sinks or the words of rules have changed.
    pub(crate) fn new(step: Step) -> Self {
        let rules = if step == Step::Filter { rules() } else { Rules::default() };
        let plan = Plan { rules, ..Plan::default() };
        let host = Host { boot: Some(BootId::from_bytes([0x5b; 16])), page_size: 4096 };
        let sink = match step {
            Step::Decode | Step::Filter => None,
            Step::Json => Some(sink("json")),
            Step::Pretty => Some(sink("pretty")),
        };
        let (fixed, record) = record();
        Self { pipeline: Pipeline::new(&plan, host, 2), sink, fixed, record, events: Cell::new(0) }
    }

    /// One event goes all the way.
    pub(crate) fn go(&mut self) {
        self.next();
        let Self { pipeline, sink, record, events, .. } = self;
        let _ = pipeline.record(record, 1_700_000_000_000_000_000, &mut |event: &Event<'_>| {
            events.set(events.get() + 1);
            if let Some(sink) = sink {
                sink.event(event).expect("nothing takes everything");
            }
            ControlFlow::Continue(())
        });
    }

    /// The next event is of another process, at another time. It keeps what its lasting id is
    /// made of: that would be the SHA-256 of a processor, which valgrind does not have.
    fn next(&mut self) {
        let Self { fixed, record, .. } = self;
        fixed.header.ktime += 41_234;
        fixed.process.pid += 1;
        fixed.tid += 1;
        record[..FIXED_LEN].copy_from_slice(fixed.as_bytes());
    }

    /// Events that have come to the end.
    pub(crate) fn events(&self) -> u64 {
        self.events.get()
    }
}

fn sink(name: &str) -> Box<dyn Sink> {
    let kind = SinkKind::named(name).expect("a sink");
    let mut sink = (kind.build)(Options {
        color: true,
        width: Some(Box::new(|| Some(120))),
        time_zone: Some(TimeZone::UTC),
        ..Options::new(Box::new(io::sink()))
    });
    sink.begin().expect("nothing takes everything");
    sink
}

/// Ten rules that do not match, and one that does.
fn rules() -> Rules {
    let mut rules = Rules::default();
    let mut push = |verdict, text: &str| {
        let rule = Rule::parse(verdict, text, &()).expect("a rule");
        rules.push(rule).expect("room for a rule");
    };
    for number in 0..10 {
        push(Verdict::Exclude, &format!("/opt/**/bin{number}/*.sh"));
    }
    push(Verdict::Only, "/usr/**/gr?p");
    rules
}

const ROOT: Creds =
    Creds { uid: 0, gid: 0, suid: 0, sgid: 0, euid: 0, egid: 0, fsuid: 0, fsgid: 0 };

const NAMESPACES: Namespaces = Namespaces {
    mnt: 4_026_531_841,
    uts: 4_026_531_838,
    ipc: 4_026_531_839,
    net: 4_026_531_840,
    cgroup: 4_026_531_835,
    user: 4_026_531_837,
};

/// An exec of four arguments, with all fields.
fn record() -> (Exec, Vec<u8>) {
    // In the order of the tails; paths are leaf first.
    const TEXTS: [&[u8]; TAILS] = [
        b"/usr/bin/grep",
        b"grep\0bin\0usr\0",
        b"",
        b"exectrail\0src\0alice\0home\0",
        b"session-3.scope\0user-1000.slice\0user.slice\0",
        b"bash\0bin\0usr\0",
        b"grep\0--color=auto\0-rn\0sched_process_exec\0",
        b"",
        b"",
    ];
    let texts = TEXTS.concat();
    let process =
        |pid, start| Process { start, pid, ns_pid: pid, pid_ns: 4_026_531_836, reserved: 0 };
    let fixed = Exec {
        header: Header {
            len: length(FIXED_LEN + texts.len()),
            kind: KIND_EXEC,
            cpu: 1,
            ktime: 86_400_000_000_000,
            lane: 1,
            lost: [0; Loss::COUNT],
        },
        process: process(41_234, 86_399_990_000_000),
        parent: Relative {
            process: process(40_001, 80_000_000_000_000),
            exec_id: 7,
            comm: *b"bash\0\0\0\0\0\0\0\0\0\0\0\0",
        },
        creds: ROOT,
        comm: *b"grep\0\0\0\0\0\0\0\0\0\0\0\0",
        tty: *b"pts0\0\0\0\0\0\0\0\0\0\0\0\0",
        namespaces: NAMESPACES,
        file: File { inode: 123_456, device: 0x0fe0_0001, mode: 0o100_755, uid: 0, gid: 0 },
        cgroup: 4_321,
        told: 0,
        exec_id: 8,
        latency: UNKNOWN_U64,
        args_total: TEXTS[6].len() as u64,
        args_offset: 0,
        args_missing: 0,
        args_count: 4,
        args_cut: 0,
        tid: 41_234,
        faults: 0,
        flags: 0,
        errno: 0,
        loginuid: UNKNOWN_U32,
        session: UNKNOWN_U32,
        tails: TEXTS.map(|text| length(text.len())),
        parts: parts::ALL,
    };
    (fixed, [fixed.as_bytes(), &texts].concat())
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a short record")
}
