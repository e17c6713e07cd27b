//! Records as the kernel side might send them, and as it never would.
//!
//! An input chooses what matters (which process, what kind, which parts are missing,
//! how long the strings are) and can then change any bytes of the record: so most
//! records go deep, and none is out of reach.

use arbitrary::Arbitrary;
use exectrail_abi::{
    config::parts,
    fault::Loss,
    record::{
        Creds, Exec, Exit, FIXED_LEN, File, Header, KIND_EXEC, KIND_EXIT, KIND_FAILED, KIND_PIECE,
        Namespaces, Piece, Process, Relative, TAILS, UNKNOWN_U32, UNKNOWN_U64,
    },
};
use zerocopy::IntoBytes;

/// Paths, names and arguments that meet each other, and the rules of a
/// [`trace`](crate::trace).
const STRINGS: [&[u8]; 12] = [
    b"/usr/bin/ls",
    b"/bin/ls",
    b"ls\0bin\0usr\0",
    b"ls\0-l\0",
    b"/usr/local/bin/ls",
    b"HOME=/root\0PATH=/bin\0",
    b"cron.service\0system.slice\0",
    b"docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope\0",
    b"memfd:x\0",
    b"a\xff\0\x1b[0m\0",
    b"A=1\0A=\xff\0\xfe=2\0",
    b"",
];

/// What a record is of.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Kind {
    /// A successful exec.
    Exec,
    /// A failed one.
    Failed,
    /// The end of a process.
    Exit,
    /// Arguments ahead of a record.
    Piece,
}

/// A string of bytes.
#[derive(Arbitrary, Debug)]
pub enum Text<'a> {
    /// One of [`STRINGS`].
    Known(u8),
    /// These bytes.
    Any(&'a [u8]),
    /// One byte, many times: what is long need not make the input long. It is seldom
    /// longer than the sinks' buffers, since that takes its time.
    Long(u8, u8),
}

impl Text<'_> {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Known(which) => STRINGS[usize::from(*which) % STRINGS.len()].to_vec(),
            Self::Any(bytes) => bytes.to_vec(),
            Self::Long(byte @ 0..8, u8::MAX) => vec![*byte; 70_000],
            Self::Long(byte, times) => vec![*byte; usize::from(*times) * 2],
        }
    }
}

/// Bytes to be changed when a record is done.
#[derive(Arbitrary, Debug)]
pub struct Change {
    at: u16,
    to: To,
}

#[derive(Arbitrary, Debug)]
enum To {
    Byte(u8),
    Word(u32),
    Long(u64),
    End,
}

/// A record.
#[derive(Arbitrary, Debug)]
pub struct Draft<'a> {
    /// Of what.
    pub kind: Kind,
    pid: u8,
    tid: u8,
    lane: u8,
    /// Milliseconds since the last one.
    pub later: u8,
    errno: u8,
    faults: Option<u32>,
    parts_missing: Option<u32>,
    flags: u8,
    lost: [u8; Loss::COUNT],
    /// Where the arguments of this record, or a piece's bytes, begin.
    offset: u16,
    /// The tails, in their order; those behind the last are empty.
    tails: Vec<Text<'a>>,
    /// Of an exec: arguments that go before it, in a piece.
    ahead: Option<Text<'a>>,
    changes: Vec<Change>,
}

impl Draft<'_> {
    /// Whether the kernel side could have sent it, by itself.
    pub fn is_plain(&self) -> bool {
        self.changes.is_empty() && self.ahead.is_none() && !matches!(self.kind, Kind::Piece)
    }

    /// The piece before the record, if there is one.
    pub fn ahead(&self, ktime: u64) -> Option<Vec<u8>> {
        let ahead = self.ahead.as_ref().filter(|_| matches!(self.kind, Kind::Exec));
        ahead.map(|text| self.piece(0, &text.bytes(), ktime))
    }

    /// The record, at this time.
    pub fn record(&self, ktime: u64) -> Vec<u8> {
        let mut record = match self.kind {
            Kind::Exec => self.exec(KIND_EXEC, ktime),
            Kind::Failed => self.exec(KIND_FAILED, ktime),
            Kind::Exit => self.exit(ktime).as_bytes().to_vec(),
            Kind::Piece => {
                let bytes = self.tails.first().map(Text::bytes).unwrap_or_default();
                self.piece(self.offset.into(), &bytes, ktime)
            }
        };
        for Change { at, to } in &self.changes {
            let at = usize::from(*at);
            let bytes = match to {
                To::Byte(byte) => &byte.to_ne_bytes()[..],
                To::Word(word) => &word.to_ne_bytes(),
                To::Long(long) => &long.to_ne_bytes(),
                To::End => {
                    record.truncate(at);
                    continue;
                }
            };
            if let Some(place) = record.get_mut(at..at + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        }
        record
    }

    fn header(&self, kind: u16, len: usize, ktime: u64) -> Header {
        Header {
            len: len.try_into().unwrap_or(u32::MAX),
            kind,
            cpu: u16::from(self.lane % 4),
            ktime,
            lane: u32::from(self.lane % 12),
            lost: self.lost.map(u32::from),
        }
    }

    fn process(&self) -> Process {
        let pid = u32::from(self.pid % 8);
        Process { start: u64::from(pid) * 10_000_000, pid, ns_pid: pid, pid_ns: 101, reserved: 0 }
    }

    /// Mostly one with which a walk goes on.
    fn errno(&self) -> u32 {
        const ENOENT: u32 = 2;
        if self.errno > 127 { ENOENT } else { self.errno.into() }
    }

    fn comm(&self) -> [u8; 16] {
        let mut comm = *b"comm \xff\x1b\x07\0junk\0\0\0";
        comm[4] = self.pid;
        comm
    }

    fn exec(&self, kind: u16, ktime: u64) -> Vec<u8> {
        let texts: Vec<_> = self.tails.iter().take(TAILS).map(Text::bytes).collect();
        let mut tails = [0; TAILS];
        for (len, text) in tails.iter_mut().zip(&texts) {
            *len = text.len().try_into().unwrap_or(u32::MAX);
        }
        let texts = texts.concat();
        let ahead = self.ahead.as_ref().map(|text| text.bytes().len() as u64);
        let faults = self.faults.unwrap_or(0);
        let fixed = Exec {
            header: self.header(kind, FIXED_LEN + texts.len(), ktime),
            process: self.process(),
            parent: Relative {
                process: Process { start: 1, pid: 1, ns_pid: 1, pid_ns: 101, reserved: 0 },
                exec_id: 1,
                comm: *b"sh\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            },
            creds: CREDS,
            comm: self.comm(),
            tty: *b"pts0\0\0\0\0\0\0\0\0\0\0\0\0",
            namespaces: Namespaces { mnt: 1, uts: 2, ipc: 3, net: 4, cgroup: 5, user: 6 },
            file: File { inode: 12, device: 0xfe0_0001, mode: 0o106_775, uid: 0, gid: 10 },
            cgroup: 1,
            told: 1,
            exec_id: 2,
            latency: UNKNOWN_U64,
            args_total: UNKNOWN_U64,
            args_offset: ahead.unwrap_or(self.offset.into()),
            args_missing: u64::from(faults >> 24),
            args_count: UNKNOWN_U32,
            args_cut: u32::from(self.offset / 2),
            tid: u32::from(self.tid % 8),
            faults,
            flags: u32::from(self.flags),
            errno: self.errno(),
            loginuid: UNKNOWN_U32,
            session: 4,
            tails,
            parts: parts::ALL & !self.parts_missing.unwrap_or(0),
        };
        [fixed.as_bytes(), &texts].concat()
    }

    fn exit(&self, ktime: u64) -> Exit {
        Exit {
            header: self.header(KIND_EXIT, size_of::<Exit>(), ktime),
            process: self.process(),
            creds: CREDS,
            comm: self.comm(),
            exec_id: 4,
            cpu_user: 1,
            cpu_system: self.parts_missing.map_or(UNKNOWN_U64, u64::from),
            max_rss_pages: 3,
            minor_faults: 4,
            major_faults: 5,
            read_bytes: UNKNOWN_U64,
            write_bytes: 7,
            ppid: 1,
            tid: u32::from(self.tid % 8),
            status: u32::from(self.offset),
            faults: self.faults.unwrap_or(0),
        }
    }

    /// Of the record of that lane that comes next, if that comes at the same time.
    fn piece(&self, offset: u64, bytes: &[u8], ktime: u64) -> Vec<u8> {
        let header = self.header(KIND_PIECE, size_of::<Piece>() + bytes.len(), ktime);
        let piece = Piece { header, of: ktime, offset };
        [piece.as_bytes(), bytes].concat()
    }
}

const CREDS: Creds =
    Creds { uid: 1000, gid: 10, suid: 3, sgid: 4, euid: 0, egid: 6, fsuid: 7, fsgid: 8 };
