//! Events made by hand, and a place where a sink can write.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use exectrail_abi::{fault::Fault, record::Creds};
use exectrail_model::{
    args::Args,
    event::{Body, Event, Failure, Faults, Lost, Moment, Program, Summary},
};
use exectrail_sinks::{Options, SinkKind};
use jiff::tz::{TimeZone, offset};

/// Bytes that can still be read when the sink has taken the writer.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the sink named `name` makes of `events`, the last of which is the summary.
pub(crate) fn written(
    name: &str,
    events: &[Event<'_>],
    with: impl FnOnce(Options) -> Options,
) -> String {
    let shared = Shared::default();
    let options = Options {
        time_zone: Some(TimeZone::fixed(offset(2))),
        ..Options::new(Box::new(shared.clone()))
    };
    let mut sink = (SinkKind::named(name).unwrap().build)(with(options));
    let (summary, others) = events.split_last().unwrap();
    sink.begin().unwrap();
    for event in others {
        sink.event(event).unwrap();
    }
    sink.end(summary).unwrap();
    drop(sink);
    String::from_utf8(shared.0.lock().unwrap().clone()).unwrap()
}

fn moment(millis: u64) -> Moment {
    let ktime = 5_000_000_000_000 + millis * 1_000_000 + 7;
    Moment { ktime, wall: 1_787_486_400_000_000_000 + ktime.cast_signed() }
}

pub(crate) fn program() -> Program<'static> {
    Program {
        pid: 4711,
        tid: 4711,
        ppid: Some(812),
        creds: Some(Creds {
            uid: 1000,
            gid: 1000,
            suid: 0,
            sgid: 1000,
            euid: 0,
            egid: 1000,
            fsuid: 0,
            fsgid: 1000,
        }),
        comm: b"ls",
        cgroup_id: 1 << 60 | 1,
        image: Some(3),
        filename: Some(b"/bin/ls"),
        exe: Some(b"/usr/bin/ls"),
        exe_cut: false,
        args: Some(Args::whole(b"ls\0-l\0--color=auto\0/tmp\0")),
        args_count: Some(4),
        args_bytes: Some(24),
        flags: 0,
        faults: Faults::default(),
        cpu: 1,
    }
}

pub(crate) fn exec(program: Program<'_>) -> Event<'_> {
    Event { moment: moment(0), body: Body::Exec(program) }
}

/// Everything that can be odd, in an order that a stream can have.
pub(crate) fn all() -> Vec<Event<'static>> {
    let bodies = [
        Body::Exec(program()),
        Body::Exec(script()),
        Body::Exec(hostile()),
        Body::Failed(missing(), Failure { errno: 2, latency: Some(12_345) }),
        Body::Failed(check(), Failure { errno: 4000, latency: None }),
        Body::Lost(Lost { count: 12, reason: "ring_full", cpu: 1 }),
        Body::Lost(Lost { count: 1, reason: "ring_full", cpu: 0 }),
        Body::Exec(cut()),
        Body::Exec(unknown()),
        Body::Summary(Summary {
            seen: 130,
            delivered: 7,
            filtered: 110,
            dropped: 13,
            missed: None,
            damaged: 0,
        }),
    ];
    let at = (0..).step_by(250);
    at.zip(bodies).map(|(millis, body)| Event { moment: moment(millis), body }).collect()
}

fn script() -> Program<'static> {
    Program {
        pid: 1_234_567,
        tid: 1_234_567,
        comm: b"build all.sh",
        filename: Some(b"./build all.sh"),
        exe: Some(b"/usr/lib/interpreters/of/the/house/bash"),
        args: Some(Args::whole(b"/bin/bash\0./build all.sh\0it's\0\0~\0")),
        args_count: Some(5),
        args_bytes: Some(34),
        ..program()
    }
}

/// A name that is not UTF-8, and arguments that want to talk to the terminal.
fn hostile() -> Program<'static> {
    Program {
        comm: b"\x1b[2J",
        filename: Some(b"caf\xe9"),
        exe: Some(b"/tmp/caf\xe9"),
        args: Some(Args::whole(
            b"caf\xe9\0\x1b]0;title\x07\0a\nb\0\xe2\x80\xaecod.exe\0\"\\\x7f\0<?>\0\xe6\x97\xa5\0",
        )),
        args_count: Some(7),
        args_bytes: Some(48),
        ..program()
    }
}

fn missing() -> Program<'static> {
    Program { filename: Some(b"no such"), exe: None, tid: 4712, flags: 2, ..program() }
}

fn check() -> Program<'static> {
    Program { flags: 3, exe: None, args: Some(Args::whole(b"")), args_count: Some(0), ..program() }
}

/// Too long, and partly out of reach.
fn cut() -> Program<'static> {
    Program {
        exe: Some(b"/deep/down/cc"),
        exe_cut: true,
        args: Some(Args::whole(b"cc\0\0-DNAME=\"xyz\0-c\0").cut_at(11).without(2)),
        args_count: Some(4000),
        args_bytes: Some(200_000),
        faults: Faults(Fault::Args.bit() | Fault::ArgsCut.bit() | Fault::ExeCut.bit()),
        ..program()
    }
}

fn unknown() -> Program<'static> {
    let faults = Fault::ALL.iter().map(|fault| fault.bit()).sum();
    Program {
        ppid: None,
        creds: None,
        comm: b"-",
        image: None,
        filename: None,
        exe: None,
        args: None,
        args_count: None,
        args_bytes: None,
        faults: Faults(faults),
        ..program()
    }
}
