//! Events of every kind, and how to compare them.

use exectrail_abi::{
    fault::Fault,
    record::{Creds, File, Namespaces, Process, Relative},
};
use exectrail_model::{
    ancestors::Ancestors,
    args::Args,
    cpid::{BootId, Cpid, ProcessKey, cpid},
    environment::{Environment, Wanted},
    event::{
        Body, Ended, Event, Failure, Faults, LastProgram, Lost, Moment, NO_PROCESS, Parent,
        Program, Status, Summary,
    },
    filter::NamespaceKind,
};
use std::sync::LazyLock;
use zerocopy::IntoBytes;

use crate::{Damage, Decoder, Description, End, Reader, Step, Writer};

const BOOT: BootId = BootId::from_bytes(*b"0123456789abcdef");

static WANTED: LazyLock<Wanted> = LazyLock::new(|| Wanted::parse("A,B*").unwrap());

static RELATIVES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let row = |pid, comm| Relative { process: process(pid), exec_id: 9, comm };
    let rows = [row(7, *b"sh\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), row(1, *b"systemd-0123456\0")];
    rows.as_bytes().to_vec()
});

pub(super) fn description() -> Description {
    Description {
        made_by: "0.1.0".to_owned(),
        host: "here".to_owned(),
        kernel: "6.18".to_owned(),
        machine: "x86_64".to_owned(),
        boot: Some(BOOT),
        begun: Moment { ktime: 17, wall: -4 },
        failed: true,
        exits: true,
        environment: true,
        has_rules: false,
        ancestors: 8,
        namespaces: vec![(NamespaceKind::Pid, 4_026_531_836), (NamespaceKind::Cgroup, 7)],
    }
}

fn process(pid: u32) -> Process {
    Process { start: u64::from(pid) * 1_000_003, pid, ns_pid: pid / 2, pid_ns: 77, ..NO_PROCESS }
}

fn id(process: &Process) -> Cpid {
    let Process { start, pid_ns, ns_pid, .. } = *process;
    cpid(&BOOT, &ProcessKey { pid_ns, start_boottime: start, ns_pid })
}

pub(super) fn program() -> Program<'static> {
    let parent = process(4000);
    Program {
        process: process(4711),
        id: Some(id(&process(4711))),
        tid: 4712,
        parent: Some(Parent {
            process: parent,
            id: Some(Cpid::from_bytes(*b"another host's..")),
            image: u64::MAX,
            comm: b"ba\xffsh",
            exe: Some(b"/bin/bash"),
        }),
        ancestors: Some(Ancestors::new(&RELATIVES, Some(&BOOT))),
        creds: Some(Creds {
            uid: 1,
            gid: 2,
            suid: 3,
            sgid: 4,
            euid: 5,
            egid: u32::MAX,
            fsuid: 7,
            fsgid: 8,
        }),
        user: Some("ada"),
        loginuid: Some(Some(0)),
        session: Some(None),
        tty: b"pts0",
        comm: b"ls",
        cgroup_id: u64::MAX,
        cgroup: Some(b"/a/b"),
        namespaces: Some(Namespaces { mnt: 1, uts: 2, ipc: 3, net: 4, cgroup: 5, user: 6 }),
        image: Some(3),
        filename: Some(b"./ls"),
        exe: Some(b"/bin/l\x00\xff"),
        file: Some(File { inode: 1 << 40, device: 1, mode: 0o100_755, uid: 0, gid: u32::MAX }),
        interpreter: Some(Some(b"")),
        cwd: Some(b""),
        args: Some(Args::whole(b"ls\0\0-l").cut_at(6).without(2)),
        args_count: Some(1 << 33),
        args_bytes: Some(0),
        environment: Some(Environment::new(b"A=1\0BC=\xff=2\0X=no\0B\0", &WANTED)),
        flags: 1 << 18 | 1,
        folded: 3,
        latency: Some(0),
        told: None,
        faults: Faults(Fault::Args.bit() | Fault::ExeCut.bit()),
        cpu: u16::MAX,
    }
}

pub(super) fn all() -> Vec<Event<'static>> {
    let ended = Ended {
        process: process(4711),
        id: Some(id(&process(4711))),
        tid: 1,
        ppid: Some(0),
        creds: program().creds,
        user: Some("ada"),
        comm: b"x",
        image: Some(0),
        status: Some(Status(0x8b)),
        duration: Some(u64::MAX),
        cpu_user: Some(1),
        cpu_system: Some(2),
        max_rss: Some(3),
        minor_faults: Some(4),
        major_faults: Some(5),
        read_bytes: Some(6),
        write_bytes: Some(7),
        program: Some(LastProgram {
            exe: Some(b"/x"),
            args: Some(Args::whole(b"x\0")),
            scanned: true,
        }),
        faults: Faults(1),
        cpu: 2,
    };
    let no_program = LastProgram { exe: None, args: None, scanned: false };
    let summary = Summary { seen: 9, delivered: 8, skipped: Some(0), ..Summary::default() };
    let bodies = [
        Body::Exec(program()),
        Body::Exec(Program::UNKNOWN),
        Body::Exec(Program { interpreter: Some(None), loginuid: Some(None), ..program() }),
        Body::Exec(Program {
            session: Some(Some(u32::MAX)),
            args: Some(Args::whole(b"")),
            ancestors: Some(Ancestors::new(&[], Some(&BOOT))),
            environment: Some(Environment::new(b"", &WANTED)),
            ..program()
        }),
        Body::Failed(program(), Failure { errno: 2 }),
        Body::Failed(Program::UNKNOWN, Failure { errno: u32::MAX }),
        Body::Exit(ended),
        Body::Exit(Ended::UNKNOWN),
        Body::Exit(Ended { program: Some(no_program), ..ended }),
        Body::Lost(Lost { count: 12, reason: "ring_full", cpu: 1 }),
        Body::Lost(Lost { count: u64::MAX, reason: "missed", cpu: u32::MAX }),
        Body::Summary(summary),
    ];
    let moments = [(100, 5), (90, i64::MIN), (u64::MAX, i64::MAX), (0, 0), (1 << 50, 1 << 60)];
    let moments = moments.into_iter().cycle().map(|(ktime, wall)| Moment { ktime, wall });
    moments.zip(bodies).map(|(moment, body)| Event { moment, body }).collect()
}

/// One of many; every thousandth has long arguments.
pub(super) fn numbered(number: u64, long: &[u8]) -> Event<'_> {
    let args: &[u8] = if number % 1000 == 500 { long } else { b"ls\0-l\0" };
    let moment = Moment { ktime: number * 1_000_000, wall: 1 << 60 };
    if number == 2999 {
        return Event { moment, body: Body::Summary(Summary::default()) };
    }
    let program =
        Program { image: Some(number), args: Some(Args::whole(args)), ..Program::UNKNOWN };
    Event { moment, body: Body::Exec(program) }
}

/// All that is in an event, as text: that of what it only borrows, too.
fn dump(event: &Event<'_>) -> String {
    let program = event.program();
    let ancestors = program.and_then(|program| program.ancestors);
    let ancestors = ancestors.map(|all| all.iter().map(|one| format!("{one:?}")).collect());
    let ancestors: Option<Vec<String>> = ancestors;
    let environment = program.and_then(|program| program.environment);
    let environment: Option<Vec<_>> = environment.map(|all| all.iter().collect());
    let plain = |program: &Program<'_>| {
        format!("{:?}", Program { ancestors: None, environment: None, ..*program })
    };
    let body = match &event.body {
        Body::Exec(program) => format!("exec {}", plain(program)),
        Body::Failed(program, failure) => format!("failed {failure:?} {}", plain(program)),
        other => format!("{other:?}"),
    };
    // Some of it is the same for a million times over.
    let body = if body.len() > 100_000 { format!("{}", body.len()) } else { body };
    format!("{:?} {body} {ancestors:?} {environment:?}", event.moment)
}

pub(super) fn dumped(events: &[Event<'_>]) -> Vec<String> {
    events.iter().map(dump).collect()
}

/// A recording of these events, the last of which is the summary.
pub(super) fn recorded(events: &[Event<'_>], is_whole: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::begin(&mut bytes, &description()).unwrap();
    let (summary, others) = events.split_last().unwrap();
    for (number, event) in others.iter().enumerate() {
        writer.event(event).unwrap();
        if number % 3 == 2 && others.len() < 100 {
            writer.flush().unwrap();
        }
    }
    writer.flush().unwrap();
    if is_whole {
        writer.end(summary).unwrap();
    }
    bytes
}

/// What a reader makes of bytes.
#[derive(Debug)]
pub(super) struct Replayed {
    pub(super) events: Vec<String>,
    pub(super) damages: Vec<Damage>,
    pub(super) end: End,
}

pub(super) fn replayed(bytes: &[u8]) -> Replayed {
    let mut reader = Reader::open(bytes).unwrap();
    let mut decoder = Decoder::new(None);
    let (mut events, mut damages) = (Vec::new(), Vec::new());
    loop {
        match reader.step().unwrap() {
            Step::Description(description) => decoder = Decoder::new(description.boot),
            Step::Events(items) => {
                for item in items {
                    let item = item.unwrap();
                    events.push(dump(&decoder.body(item.bytes, item.moment).unwrap()));
                }
            }
            Step::Damage(damage) => damages.push(damage),
            Step::End(end) => return Replayed { events, damages, end },
        }
    }
}
