//! From a record to an event: bytes are checked here, and nowhere after.

use exectrail_abi::{
    config::parts,
    fault::{Fault, Loss},
    record::{self, Exec, Exit, Header, Piece, Process, TAILS, Tail},
};
use zerocopy::FromBytes;

use crate::{
    ancestors::Ancestors,
    args::Args,
    cpid::{BootId, Cpid, CpidCache, ProcessKey},
    environment::{Environment, Wanted},
    event::{
        Body, Ended, Event, FLAG_MEMFD, FLAG_SETID, FLAG_WRITABLE, Failure, Faults, Moment, Parent,
        Program, Status,
    },
    pieces::Pieces,
};

/// Why a record makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Shorter than the fixed part.
    #[error("a record of {0} bytes is shorter than its fixed part")]
    Short(usize),
    /// The lengths in it do not add up.
    #[error("a record of {actual} bytes says that it has {claimed}")]
    Length {
        /// Bytes there are.
        actual: usize,
        /// Bytes there should be.
        claimed: u64,
    },
    /// Of no known kind.
    #[error("unknown kind of record: {0}")]
    Kind(u16),
}

/// What the host adds to the meaning of a record.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// Of this boot; without it processes have no lasting id.
    pub boot: Option<BootId>,
    /// Bytes of a page.
    pub page_size: u64,
}

/// Turns records into events. Holds the buffers in which paths are turned round,
/// so that no event costs an allocation.
#[derive(Debug)]
pub struct Lifter {
    page_size: u64,
    boot: Option<BootId>,
    ids: Option<CpidCache>,
    wanted: Wanted,
    fixed: Option<Exec>,
    ended: Option<Exit>,
    pieces: Pieces,
    args: Vec<u8>,
    exe: Turned,
    cwd: Turned,
    cgroup: Turned,
    parent_exe: Turned,
}

/// A record whose heading has been read.
#[derive(Clone, Copy, Debug)]
pub struct Heading {
    /// One of the `KIND_` constants, or something unknown.
    pub kind: u16,
    /// The lane that wrote it.
    pub lane: u32,
    /// What that lane had lost before, by [`Loss`].
    pub lost: [u32; Loss::COUNT],
    /// `CLOCK_BOOTTIME`, nanoseconds.
    pub ktime: u64,
}

impl Lifter {
    /// For the records of a host; of environments, the `wanted` variables are shown.
    #[must_use]
    pub fn new(host: Host, wanted: Wanted) -> Self {
        Self {
            page_size: host.page_size,
            boot: host.boot,
            ids: host.boot.map(CpidCache::new),
            wanted,
            fixed: None,
            ended: None,
            pieces: Pieces::default(),
            args: Vec::new(),
            exe: Turned::default(),
            cwd: Turned::default(),
            cgroup: Turned::default(),
            parent_exe: Turned::default(),
        }
    }

    /// The heading of a record, enough to account for it.
    ///
    /// # Errors
    ///
    /// When the record is shorter than a heading.
    pub fn heading(record: &[u8]) -> Result<Heading, RecordError> {
        let header = header(record)?;
        let Header { kind, lane, lost, ktime, .. } = header;
        Ok(Heading { kind, lane, lost, ktime })
    }

    /// Keeps a piece of arguments for the record that it goes before.
    ///
    /// # Errors
    ///
    /// When it is shorter than its fixed part.
    pub fn keep_piece(&mut self, record: &[u8]) -> Result<(), RecordError> {
        let (piece, bytes) =
            Piece::read_from_prefix(record).map_err(|_| RecordError::Short(record.len()))?;
        self.pieces.add(&piece, bytes);
        Ok(())
    }

    /// The event that a record, other than a piece, tells. `wall_at_boot` is the wall clock's reading,
    /// in nanoseconds since 1970, when the boot clock stood at zero.
    ///
    /// # Errors
    ///
    /// When the record's lengths or its kind make no sense.
    pub fn lift<'a>(
        &'a mut self,
        record: &'a [u8],
        wall_at_boot: i64,
    ) -> Result<Event<'a>, RecordError> {
        let header = header(record)?;
        if u64::from(header.len) != record.len() as u64 {
            return Err(RecordError::Length { actual: record.len(), claimed: header.len.into() });
        }
        let wall = wall_at_boot.wrapping_add(header.ktime.cast_signed());
        let moment = Moment { ktime: header.ktime, wall };
        let body = match header.kind {
            kind @ (record::KIND_EXEC | record::KIND_FAILED) => {
                // One call, which is inlined: a program is a large thing to hand on.
                let success = kind == record::KIND_EXEC;
                let (program, failure) = self.program(record, success)?;
                if success { Body::Exec(program) } else { Body::Failed(program, failure) }
            }
            record::KIND_EXIT => Body::Exit(self.ended(record)?),
            kind => return Err(RecordError::Kind(kind)),
        };
        Ok(Event { moment, body })
    }

    /// The program, and why it was not started; after a success that says nothing.
    fn program<'a>(
        &'a mut self,
        record: &'a [u8],
        success: bool,
    ) -> Result<(Program<'a>, Failure), RecordError> {
        let (fixed, bytes) =
            Exec::read_from_prefix(record).map_err(|_| RecordError::Short(record.len()))?;
        let tails = Tails::checked(&fixed, bytes, record.len())?;
        let Self { boot, ids, wanted, pieces, exe, cwd, cgroup, parent_exe, .. } = self;
        let fixed: &'a mut Exec = self.fixed.insert(fixed);
        let args = pieces.whole(fixed, tails.get(Tail::Args), &mut self.args);
        let fixed: &'a Exec = fixed;
        let faults = Faults(fixed.faults);
        let known = |fault| !faults.has(fault);
        // What was not collected is not known either.
        let has = |part, fault| fixed.parts & part != 0 && known(fault);
        let (exe, cwd) = (exe.of(tails.get(Tail::Exe)), cwd.of(tails.get(Tail::Cwd)));
        let cgroup = cgroup.of(tails.get(Tail::Cgroup));
        let parent = known(Fault::Parent).then(|| {
            let leaf_first = tails.get(Tail::ParentExe);
            let has_exe = has(parts::PARENT_EXE, Fault::ParentExe) && !leaf_first.is_empty();
            parent(fixed, ids.as_mut(), has_exe.then(|| parent_exe.of(leaf_first)))
        });
        let interpreter = tails.get(Tail::Interpreter);
        // After a failure there is one only if the old image is gone for it.
        let has_exe = success || fixed.flags & record::FLAG_IMAGE_LOST != 0;
        let exe = (has_exe && known(Fault::Exe)).then_some(exe);
        let program = Program {
            process: fixed.process,
            id: has(parts::PROCESS, Fault::Process)
                .then(|| id(ids.as_mut(), &fixed.process))
                .flatten(),
            tid: fixed.tid,
            parent,
            ancestors: ancestors(tails.get(Tail::Ancestors), boot.as_ref()),
            creds: known(Fault::Creds).then_some(fixed.creds),
            user: None,
            loginuid: has(parts::LOGIN, Fault::Login).then_some(set(fixed.loginuid)),
            session: has(parts::LOGIN, Fault::Login).then_some(set(fixed.session)),
            tty: until_nul(&fixed.tty),
            comm: until_nul(&fixed.comm),
            cgroup_id: fixed.cgroup,
            cgroup: has(parts::CGROUP, Fault::Cgroup).then_some(cgroup),
            namespaces: has(parts::NAMESPACES, Fault::Namespaces).then_some(fixed.namespaces),
            image: known(Fault::ExecId).then_some(fixed.exec_id),
            filename: known(Fault::Filename).then_some(tails.get(Tail::Filename)),
            exe,
            file: (success && has(parts::FILE, Fault::File)).then_some(fixed.file),
            interpreter: (success && known(Fault::Interpreter))
                .then_some((!interpreter.is_empty()).then_some(interpreter)),
            cwd: has(parts::CWD, Fault::Cwd).then_some(cwd),
            args: self::args(fixed, faults, args),
            args_count: args_count(fixed, faults, args),
            args_bytes: (fixed.args_total != record::UNKNOWN_U64).then_some(fixed.args_total),
            environment: (success && !wanted.is_empty() && known(Fault::Environment))
                .then_some(Environment::new(tails.get(Tail::Environment), wanted)),
            flags: flags(fixed, exe),
            folded: 0,
            latency: counted(fixed.latency),
            told: Some(fixed.told),
            faults,
            cpu: fixed.header.cpu,
        };
        Ok((program, Failure { errno: fixed.errno }))
    }

    fn ended<'a>(&'a mut self, record: &'a [u8]) -> Result<Ended<'a>, RecordError> {
        let exit: &'a Exit = self.ended.insert(exit(record)?);
        let faults = Faults(exit.faults);
        let known = !faults.has(Fault::Process);
        Ok(Ended {
            process: exit.process,
            id: known.then(|| id(self.ids.as_mut(), &exit.process)).flatten(),
            tid: exit.tid,
            ppid: set(exit.ppid),
            creds: (!faults.has(Fault::Creds)).then_some(exit.creds),
            user: None,
            comm: until_nul(&exit.comm),
            image: (!faults.has(Fault::ExecId)).then_some(exit.exec_id),
            status: set(exit.status).map(Status),
            duration: known.then(|| exit.header.ktime.saturating_sub(exit.process.start)),
            cpu_user: counted(exit.cpu_user),
            cpu_system: counted(exit.cpu_system),
            max_rss: counted(exit.max_rss_pages).map(|pages| pages.saturating_mul(self.page_size)),
            minor_faults: counted(exit.minor_faults),
            major_faults: counted(exit.major_faults),
            read_bytes: counted(exit.read_bytes),
            write_bytes: counted(exit.write_bytes),
            program: None,
            faults,
            cpu: exit.header.cpu,
        })
    }
}

fn header(record: &[u8]) -> Result<Header, RecordError> {
    let header = Header::read_from_prefix(record).map_err(|_| RecordError::Short(record.len()))?;
    Ok(header.0)
}

fn exit(record: &[u8]) -> Result<Exit, RecordError> {
    Exit::read_from_bytes(record).map_err(|_| RecordError::Length {
        actual: record.len(),
        claimed: size_of::<Exit>() as u64,
    })
}

/// The tails of a record, whose lengths add up.
struct Tails<'a> {
    bytes: &'a [u8],
    lens: [u32; TAILS],
}

impl<'a> Tails<'a> {
    fn checked(fixed: &Exec, bytes: &'a [u8], actual: usize) -> Result<Self, RecordError> {
        let sum: u64 = fixed.tails.iter().map(|&len| u64::from(len)).sum();
        if sum != bytes.len() as u64 {
            return Err(RecordError::Length { actual, claimed: record::FIXED_LEN as u64 + sum });
        }
        Ok(Self { bytes, lens: fixed.tails })
    }

    fn get(&self, tail: Tail) -> &'a [u8] {
        let len = |index: usize| self.lens.get(index).map_or(0, |&len| len as usize);
        let start: usize = (0..tail as usize).map(len).sum();
        self.bytes.get(start..start + len(tail as usize)).unwrap_or_default()
    }
}

fn id(ids: Option<&mut CpidCache>, process: &Process) -> Option<Cpid> {
    let key = ProcessKey {
        pid_ns: process.pid_ns,
        start_boottime: process.start,
        ns_pid: process.ns_pid,
    };
    ids.map(|ids| ids.get(&key))
}

fn parent<'a>(fixed: &'a Exec, ids: Option<&mut CpidCache>, exe: Option<&'a [u8]>) -> Parent<'a> {
    Parent {
        process: fixed.parent.process,
        id: (fixed.parts & parts::PARENT != 0).then(|| id(ids, &fixed.parent.process)).flatten(),
        image: fixed.parent.exec_id,
        comm: until_nul(&fixed.parent.comm),
        exe,
    }
}

fn ancestors<'a>(bytes: &'a [u8], boot: Option<&'a BootId>) -> Option<Ancestors<'a>> {
    (!bytes.is_empty()).then(|| Ancestors::new(bytes, boot))
}

/// What the kernel has as "none of it".
fn set(value: u32) -> Option<u32> {
    (value != record::UNKNOWN_U32).then_some(value)
}

fn counted(value: u64) -> Option<u64> {
    (value != record::UNKNOWN_U64).then_some(value)
}

/// Nothing at all is no argument vector with nothing in it.
fn args<'a>(fixed: &Exec, faults: Faults, bytes: &'a [u8]) -> Option<Args<'a>> {
    if faults.has(Fault::Args) && (bytes.is_empty() || all_missing(fixed, bytes)) {
        return None;
    }
    let args = Args::whole(bytes).without(fixed.args_missing);
    Some(if faults.cut_arguments() { args.cut_at(fixed.args_cut as usize) } else { args })
}

/// Every argument there is could not be read: an empty string for each.
fn all_missing(fixed: &Exec, bytes: &[u8]) -> bool {
    fixed.args_missing != 0 && fixed.args_missing.count_ones() as usize == bytes.len()
}

fn args_count(fixed: &Exec, faults: Faults, bytes: &[u8]) -> Option<u64> {
    if let Some(count) = set(fixed.args_count) {
        return Some(u64::from(count));
    }
    let whole = !faults.has(Fault::Args) && !faults.cut_arguments();
    whole.then(|| Args::whole(bytes).len() as u64)
}

/// The kernel side's flags, and those that follow from what it has read.
fn flags(fixed: &Exec, exe: Option<&[u8]>) -> u32 {
    /// `S_ISUID`, `S_ISGID` and the write bits (include/uapi/linux/stat.h).
    const SET_UID: u32 = 0o4000;
    const SET_GID: u32 = 0o2000;
    let (creds, file) = (&fixed.creds, &fixed.file);
    let mut flags = fixed.flags;
    if flags & record::FLAG_DELETED != 0 && exe.is_some_and(|exe| exe.starts_with(b"/memfd:")) {
        flags |= FLAG_MEMFD;
    }
    let as_owner = file.mode & SET_UID != 0 && creds.euid == file.uid && creds.uid != creds.euid;
    let as_group = file.mode & SET_GID != 0 && creds.egid == file.gid && creds.gid != creds.egid;
    let may = flags & record::FLAG_NO_NEW_PRIVS == 0;
    if may && (as_owner || as_group) {
        flags |= FLAG_SETID;
    }
    let by_user = creds.euid == file.uid && file.mode & 0o200 != 0;
    let by_group = creds.egid == file.gid && file.mode & 0o020 != 0;
    if creds.euid != 0 && exe.is_some() && (by_user || by_group || file.mode & 0o002 != 0) {
        flags |= FLAG_WRITABLE;
    }
    flags
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// A path that was turned round, and what of: the next event's is the same more often than
/// not, but for the executable's.
#[derive(Debug)]
struct Turned {
    leaf_first: Vec<u8>,
    path: Vec<u8>,
}

impl Default for Turned {
    fn default() -> Self {
        Self { leaf_first: Vec::new(), path: root_first(b"") }
    }
}

impl Turned {
    /// The path whose leaf-first form this is.
    fn of(&mut self, leaf_first: &[u8]) -> &[u8] {
        let Self { leaf_first: last, path } = self;
        if last != leaf_first {
            last.clear();
            last.extend_from_slice(leaf_first);
            turn_round(leaf_first, path);
        }
        path
    }
}

/// The path whose leaf-first form this is.
#[must_use]
pub fn root_first(leaf_first: &[u8]) -> Vec<u8> {
    let mut path = Vec::new();
    turn_round(leaf_first, &mut path);
    path
}

/// `true NUL bin NUL usr NUL` becomes `/usr/bin/true`; nothing becomes `/`.
fn turn_round(leaf_first: &[u8], path: &mut Vec<u8>) {
    path.clear();
    let names = leaf_first.strip_suffix(b"\0").unwrap_or(leaf_first);
    for name in names.rsplit(|&byte| byte == 0) {
        path.push(b'/');
        path.extend_from_slice(name);
    }
}

/// The leaf-first form of an absolute path: what a record and the kernel's path
/// rules hold.
#[must_use]
pub fn leaf_first(path: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(path.len() + 1);
    for name in path.strip_prefix(b"/").unwrap_or(path).rsplit(|&byte| byte == b'/') {
        bytes.extend_from_slice(name);
        bytes.push(0);
    }
    bytes
}

#[cfg(test)]
mod tests;
