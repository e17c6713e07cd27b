//! Records for tests.

use exectrail_abi::{
    config::parts,
    fault::Loss,
    record::{
        Creds, Exec, Exit, FIXED_LEN, File, Header, KIND_EXIT, Namespaces, Process, Relative,
        TAILS, Tail, UNKNOWN_U32, UNKNOWN_U64,
    },
};
use zerocopy::IntoBytes;

pub(crate) const PROCESS: Process =
    Process { start: 3, pid: 10, ns_pid: 1, pid_ns: 7, reserved: 0 };
pub(crate) const CREDS: Creds =
    Creds { uid: 1, gid: 2, suid: 3, sgid: 4, euid: 5, egid: 6, fsuid: 7, fsgid: 8 };

pub(crate) fn short(len: usize) -> u32 {
    len.try_into().unwrap()
}

pub(crate) fn header(kind: u16, len: usize) -> Header {
    Header { len: short(len), kind, cpu: 1, ktime: 5, lane: 1, lost: [0; Loss::COUNT] }
}

pub(crate) fn record(kind: u16, tails: &[(Tail, &[u8])], change: impl Fn(&mut Exec)) -> Vec<u8> {
    let mut fixed = Exec {
        header: header(kind, 0),
        process: PROCESS,
        parent: Relative {
            process: Process { start: 1, pid: 9, ns_pid: 9, pid_ns: 7, reserved: 0 },
            exec_id: 1,
            comm: *b"sh\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        },
        creds: CREDS,
        comm: *b"true\0\0\0\0junk\0\0\0\0",
        tty: *b"pts0\0\0\0\0\0\0\0\0\0\0\0\0",
        namespaces: Namespaces { mnt: 1, uts: 2, ipc: 3, net: 4, cgroup: 5, user: 6 },
        file: File { inode: 12, device: 0xfe0_0001, mode: 0o100_755, uid: 0, gid: 0 },
        cgroup: 1,
        told: 0,
        exec_id: 2,
        latency: UNKNOWN_U64,
        args_total: 0,
        args_offset: 0,
        args_missing: 0,
        args_count: UNKNOWN_U32,
        args_cut: 0,
        tid: 10,
        faults: 0,
        flags: 0,
        errno: 0,
        loginuid: UNKNOWN_U32,
        session: 4,
        tails: [0; TAILS],
        parts: parts::ALL,
    };
    let mut bytes = Vec::new();
    for (tail, text) in tails {
        fixed.tails[*tail as usize] = short(text.len());
        bytes.extend_from_slice(text);
    }
    fixed.header.len = short(FIXED_LEN + bytes.len());
    change(&mut fixed);
    [fixed.as_bytes(), &bytes].concat()
}

pub(crate) fn exit(change: impl Fn(&mut Exit)) -> Vec<u8> {
    let mut exit = Exit {
        header: header(KIND_EXIT, size_of::<Exit>()),
        process: PROCESS,
        creds: CREDS,
        comm: *b"x\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        exec_id: 4,
        cpu_user: 1,
        cpu_system: 2,
        max_rss_pages: 3,
        minor_faults: 4,
        major_faults: 5,
        read_bytes: UNKNOWN_U64,
        write_bytes: 7,
        ppid: 9,
        tid: 11,
        status: 0x8b,
        faults: 0,
    };
    change(&mut exit);
    exit.as_bytes().to_vec()
}
