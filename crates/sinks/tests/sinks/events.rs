//! Events made by hand, and a place where a sink can write.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use exectrail_abi::{fault::Fault, record::Process};
use exectrail_model::{
    args::Args,
    event::{Body, Event, Failure, Faults, Lost, Moment, NO_PROCESS, Program, Summary},
};
use exectrail_sinks::{Options, Sink, SinkKind};
use jiff::tz::{TimeZone, offset};

use crate::processes::{CREDS, contained, crashed, ended, parent, vanished};

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
    written_by(name, with, |sink| events.iter().for_each(|event| put(sink, event)))
}

/// Hands an event over; the summary is the last one.
pub(crate) fn put(sink: &mut dyn Sink, event: &Event<'_>) {
    match event.body {
        Body::Summary(_) => sink.end(event).unwrap(),
        _ => sink.event(event).unwrap(),
    }
}

/// The same of what is handed to the sink.
pub(crate) fn written_by(
    name: &str,
    with: impl FnOnce(Options) -> Options,
    hand_over: impl FnOnce(&mut dyn Sink),
) -> String {
    let shared = Shared::default();
    let options = Options {
        time_zone: Some(TimeZone::fixed(offset(2))),
        ..Options::new(Box::new(shared.clone()))
    };
    let mut sink = (SinkKind::named(name).unwrap().build)(with(options));
    sink.begin().unwrap();
    hand_over(&mut *sink);
    sink.flush().unwrap();
    drop(sink);
    String::from_utf8(shared.0.lock().unwrap().clone()).unwrap()
}

pub(crate) fn moment(millis: u64) -> Moment {
    let ktime = 5_000_000_000_000 + millis * 1_000_000 + 7;
    Moment { ktime, wall: 1_787_486_400_000_000_000 + ktime.cast_signed() }
}

pub(crate) fn program() -> Program<'static> {
    Program {
        process: Process { pid: 4711, ns_pid: 4711, ..NO_PROCESS },
        tid: 4711,
        parent: Some(parent()),
        creds: Some(CREDS),
        comm: b"ls",
        cgroup_id: 1 << 60 | 1,
        image: Some(3),
        filename: Some(b"/bin/ls"),
        exe: Some(b"/usr/bin/ls"),
        args: Some(Args::whole(b"ls\0-l\0--color=auto\0/tmp\0")),
        args_count: Some(4),
        args_bytes: Some(24),
        cpu: 1,
        ..Program::UNKNOWN
    }
}

pub(crate) fn exec<'a>(program: &Program<'a>) -> Event<'a> {
    Event { moment: moment(0), body: Body::Exec(*program) }
}

/// Everything that can be odd, in an order that a stream can have.
pub(crate) fn all() -> Vec<Event<'static>> {
    let bodies = [
        Body::Exec(program()),
        Body::Exec(script()),
        Body::Exec(hostile()),
        Body::Failed(missing(), Failure { errno: 2 }),
        Body::Failed(check(), Failure { errno: 4000 }),
        Body::Lost(Lost { count: 12, reason: "ring_full", cpu: 1 }),
        Body::Lost(Lost { count: 1, reason: "missed", cpu: 0 }),
        Body::Exec(cut()),
        Body::Exec(unknown()),
        Body::Exec(contained()),
        Body::Exit(ended()),
        Body::Exit(crashed()),
        Body::Exit(vanished()),
        Body::Exec(Program { folded: 5, ..program() }),
        Body::Failed(Program { folded: 2, ..missing() }, Failure { errno: 2 }),
        Body::Summary(Summary {
            seen: 144,
            delivered: 21,
            folded: 7,
            filtered: 110,
            dropped: 13,
            missed: 4,
            skipped: None,
            shortened: 1,
            damaged: 0,
        }),
    ];
    let at = (0..).step_by(250);
    at.zip(bodies).map(|(millis, body)| Event { moment: moment(millis), body }).collect()
}

fn script() -> Program<'static> {
    Program {
        process: Process { pid: 1_234_567, ns_pid: 1_234_567, ..NO_PROCESS },
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
    Program {
        filename: Some(b"no such"),
        exe: None,
        tid: 4712,
        flags: 2,
        latency: Some(12_345),
        ..program()
    }
}

fn check() -> Program<'static> {
    Program { flags: 3, exe: None, args: Some(Args::whole(b"")), args_count: Some(0), ..program() }
}

/// Too long, and partly out of reach.
fn cut() -> Program<'static> {
    Program {
        exe: Some(b"/deep/down/cc"),
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
        process: program().process,
        tid: 4711,
        comm: b"-",
        cgroup_id: 1 << 60 | 1,
        faults: Faults(faults),
        cpu: 1,
        ..Program::UNKNOWN
    }
}
