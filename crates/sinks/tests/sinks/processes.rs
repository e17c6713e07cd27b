//! Where programs run, and how processes end, made by hand.

use std::sync::LazyLock;

use exectrail_abi::{
    fault::Fault,
    record::{Creds, File, Namespaces, Process},
};
use exectrail_model::{
    ancestors::Ancestors,
    args::Args,
    cpid::{BootId, Cpid, ProcessKey, cpid},
    environment::{Environment, Wanted},
    event::{Ended, FLAG_SETID, Faults, LastProgram, NO_PROCESS, Parent, Program, Status},
};

use crate::events::program;

pub(crate) static BOOT: LazyLock<BootId> =
    LazyLock::new(|| BootId::parse("2899dae4-4fa4-4eef-95b6-6bc95325f61a").unwrap());
pub(crate) static ALL_VARIABLES: LazyLock<Wanted> = LazyLock::new(|| Wanted::parse("*").unwrap());

pub(crate) const CREDS: Creds =
    Creds { uid: 1000, gid: 1000, suid: 0, sgid: 1000, euid: 0, egid: 1000, fsuid: 0, fsgid: 1000 };

/// Names that are odd, there twice, or look alike without their bytes.
const ENVIRONMENT: &[u8] = b"PATH=/usr/bin:/bin\0EMPTY=\0odd\0=x\0TERM=$(id)\x1b[2J\0PATH=/tmp\0\
    caf\xe9=1\0caf\xe8=2\0VALUE=\xff\0PS1=\\u@\\h 'x'\0";

static ANCESTORS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let process = |pid| Process { start: 70_000_000, pid, ns_pid: pid, ..NO_PROCESS };
    [
        row(process(77), 9, b"tmux: server"),
        row(process(5), 2, b"\xff(1) < x"),
        row(INIT, 1, b"init"),
    ]
    .concat()
});

const INIT: Process =
    Process { start: 30_000_000, pid: 1, ns_pid: 1, pid_ns: 4_026_531_836, reserved: 0 };

/// As a record has it: `exectrail_abi::record::Relative`.
pub(crate) fn row(process: Process, image: u64, comm: &[u8]) -> Vec<u8> {
    let mut bytes = process.start.to_ne_bytes().to_vec();
    for number in [process.pid, process.ns_pid, process.pid_ns, process.reserved] {
        bytes.extend(number.to_ne_bytes());
    }
    bytes.extend(image.to_ne_bytes());
    bytes.extend(comm);
    bytes.resize(48, 0);
    bytes
}

fn id(process: &Process) -> Cpid {
    let Process { start, ns_pid, pid_ns, .. } = *process;
    cpid(&BOOT, &ProcessKey { pid_ns, start_boottime: start, ns_pid })
}

pub(crate) fn parent() -> Parent<'static> {
    let process = Process { pid: 812, ns_pid: 812, ..NO_PROCESS };
    Parent { process, id: None, image: 2, comm: b"bash", exe: Some(b"/usr/bin/bash") }
}

/// In a container, with everything that can be known.
pub(crate) fn contained() -> Program<'static> {
    // The example of the identifier's specification.
    let process = Process {
        start: 555_580_000_000,
        pid: 90_210,
        ns_pid: 29,
        pid_ns: 4_026_532_263,
        reserved: 0,
    };
    Program {
        process,
        id: Some(id(&process)),
        tid: 90_210,
        parent: Some(Parent { process: INIT, id: Some(id(&INIT)), ..parent() }),
        ancestors: Some(Ancestors::new(&ANCESTORS, Some(&BOOT))),
        user: Some("alice"),
        loginuid: Some(Some(1000)),
        session: Some(None),
        tty: b"pts0",
        cgroup: Some(
            b"/system.slice/docker-\
            0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope",
        ),
        namespaces: Some(Namespaces { mnt: 1, uts: 2, ipc: 3, net: 4, cgroup: 0, user: 6 }),
        file: Some(File { inode: 77, device: 8 << 20 | 1, mode: 0o104_755, uid: 0, gid: 0 }),
        interpreter: Some(Some(b"/bin/sh")),
        cwd: Some(b"/home/alice"),
        environment: Some(Environment::new(ENVIRONMENT, &ALL_VARIABLES)),
        flags: FLAG_SETID,
        latency: Some(1_234_567),
        ..program()
    }
}

pub(crate) fn ended() -> Ended<'static> {
    let Program { process, id, tid, user, comm, image, .. } = contained();
    Ended {
        process,
        id,
        tid,
        ppid: Some(1),
        creds: Some(CREDS),
        user,
        comm,
        image,
        status: Some(Status(0)),
        duration: Some(1_234_567_890),
        cpu_user: Some(10_000_000),
        cpu_system: Some(2_345_678),
        max_rss: Some(3_457_024),
        minor_faults: Some(512),
        major_faults: Some(3),
        read_bytes: Some(4096),
        write_bytes: Some(0),
        program: Some(LastProgram {
            exe: Some(b"/usr/bin/ls"),
            args: Some(Args::whole(b"ls\0-l\0a b")),
            scanned: false,
        }),
        faults: Faults::default(),
        cpu: 1,
    }
}

/// Ended by a signal, with a core, and a name that is not UTF-8.
pub(crate) fn crashed() -> Ended<'static> {
    let program = ended().program.map(|program| LastProgram {
        args: program.args.map(|args| args.cut_at(10)),
        scanned: true,
        ..program
    });
    Ended { status: Some(Status(0x8b)), comm: b"caf\xe9 <x>", tid: 90_211, program, ..ended() }
}

/// Of which hardly anything is known.
pub(crate) fn vanished() -> Ended<'static> {
    Ended {
        process: Process { pid: 90_210, ..NO_PROCESS },
        id: None,
        ppid: None,
        creds: None,
        user: None,
        image: None,
        status: None,
        duration: None,
        cpu_user: Some(1),
        cpu_system: None,
        max_rss: None,
        minor_faults: None,
        major_faults: None,
        read_bytes: None,
        write_bytes: None,
        program: None,
        faults: Faults(Fault::Process.bit() | Fault::Creds.bit() | Fault::ExecId.bit()),
        ..ended()
    }
}
