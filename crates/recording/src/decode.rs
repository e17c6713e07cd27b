//! From bytes to events. Nothing in them is trusted: what makes no sense is an error.

use exectrail_abi::{
    fault::Loss,
    record::{Creds, File, Namespaces, Process, Relative},
};
use exectrail_model::{
    ancestors::Ancestors,
    args::Args,
    cpid::{BootId, Cpid, CpidCache, ProcessKey},
    environment::{Environment, Wanted},
    event::{
        Body, Ended, Event, Failure, Faults, LastProgram, Lost, Moment, NO_PROCESS, Parent,
        Program, Status, Summary,
    },
    pipeline::Again,
};
use zerocopy::IntoBytes;

use crate::{
    tag::{self, kind},
    wire::{Bytes, Content, Malformed, narrow},
};

/// Makes events of bytes. Holds what events borrow besides them.
#[derive(Debug)]
pub struct Decoder {
    boot: Option<BootId>,
    ids: Option<CpidCache>,
    /// Of an environment, the recording has what was asked for, and nothing else.
    all: Wanted,
    ancestors: Vec<u8>,
}

impl Decoder {
    /// For the events of a host since this boot, if it is known.
    #[must_use]
    pub fn new(boot: Option<BootId>) -> Self {
        Self {
            boot,
            ids: boot.map(CpidCache::new),
            all: Wanted::parse("*").unwrap_or_default(),
            ancestors: Vec::new(),
        }
    }

    /// The event at this moment that the bytes tell, a kind and fields.
    ///
    /// # Errors
    ///
    /// When they make no sense.
    pub fn body<'a>(&'a mut self, bytes: &'a [u8], moment: Moment) -> Result<Event<'a>, Malformed> {
        let (&kind, fields) = bytes.split_first().ok_or(Malformed(0))?;
        let fields = Bytes(fields);
        let body = match kind {
            kind::EXEC => Body::Exec(self.program(fields, moment.ktime)?.0),
            kind::FAILED => {
                let (program, failure) = self.program(fields, moment.ktime)?;
                Body::Failed(program, failure)
            }
            kind::EXIT => Body::Exit(self.ended(fields, moment.ktime)?),
            kind::LOST => Body::Lost(lost(fields)?),
            kind::SUMMARY => Body::Summary(summary(fields)?),
            _ => return Err(Malformed(bytes.len())),
        };
        Ok(Event { moment, body })
    }

    fn program<'a>(
        &'a mut self,
        mut fields: Bytes<'a>,
        ktime: u64,
    ) -> Result<(Program<'a>, Failure), Malformed> {
        let mut program = Program::UNKNOWN;
        let mut failure = Failure { errno: 0 };
        let (mut own, mut parents) = (Id::None, Id::None);
        let mut parts = ArgParts::default();
        let (mut parent_exe, mut environment, mut ancestors) = (None, None, None);
        while !fields.is_empty() {
            let (tag, content) = fields.field()?;
            match tag {
                tag::PROCESS => program.process = process_of(content, ktime)?,
                tag::ID => own = Id::read(content)?,
                tag::TID => program.tid = content.short()?,
                tag::PARENT => program.parent = Some(parent(content, ktime)?),
                tag::PARENT_ID => parents = Id::read(content)?,
                tag::PARENT_EXE => parent_exe = Some(content.string()?),
                tag::ANCESTORS => ancestors = Some(content.string()?),
                tag::ENVIRONMENT => environment = Some(content.string()?),
                tag::ERRNO => failure.errno = content.short()?,
                tag::ARGS | tag::ARGS_CUT | tag::ARGS_MISSING => parts.take(tag, content)?,
                _ => take(&mut program, tag, content)?,
            }
        }
        program.args = parts.args();
        program.id = own.of(&program.process, self.ids.as_mut())?;
        if let Some(parent) = &mut program.parent {
            parent.id = parents.of(&parent.process, self.ids.as_mut())?;
            parent.exe = parent_exe;
        }
        if let Some(bytes) = ancestors {
            rows(Bytes(bytes), ktime, &mut self.ancestors)?;
        }
        let Self { boot, all, ancestors: rows, .. } = self;
        program.ancestors = ancestors.map(|_| Ancestors::new(rows, boot.as_ref()));
        program.environment = environment.map(|bytes| Environment::new(bytes, all));
        Ok((program, failure))
    }

    fn ended<'a>(&mut self, mut fields: Bytes<'a>, ktime: u64) -> Result<Ended<'a>, Malformed> {
        let mut ended = Ended::UNKNOWN;
        let mut id = Id::None;
        let mut parts = ArgParts::default();
        let mut exe = None;
        let mut scanned = None;
        while !fields.is_empty() {
            let (tag, content) = fields.field()?;
            match tag {
                tag::PROCESS => ended.process = process_of(content, ktime)?,
                tag::ID => id = Id::read(content)?,
                tag::TID => ended.tid = content.short()?,
                tag::PPID => ended.ppid = Some(content.short()?),
                tag::CREDS => ended.creds = Some(creds(content)?),
                tag::USER => ended.user = Some(utf8(content)?),
                tag::COMM => ended.comm = content.string()?,
                tag::IMAGE => ended.image = Some(content.number()?),
                tag::STATUS => ended.status = Some(Status(content.short()?)),
                tag::DURATION => ended.duration = Some(content.number()?),
                tag::CPU_USER => ended.cpu_user = Some(content.number()?),
                tag::CPU_SYSTEM => ended.cpu_system = Some(content.number()?),
                tag::MAX_RSS => ended.max_rss = Some(content.number()?),
                tag::MINOR_FAULTS => ended.minor_faults = Some(content.number()?),
                tag::MAJOR_FAULTS => ended.major_faults = Some(content.number()?),
                tag::READ_BYTES => ended.read_bytes = Some(content.number()?),
                tag::WRITE_BYTES => ended.write_bytes = Some(content.number()?),
                tag::SCANNED => scanned = Some(content.number()? != 0),
                tag::EXE => exe = Some(content.string()?),
                tag::ARGS | tag::ARGS_CUT | tag::ARGS_MISSING => parts.take(tag, content)?,
                tag::FAULTS => ended.faults = Faults(content.short()?),
                tag::CPU => ended.cpu = narrow(content.number()?)?,
                _ => return Err(Malformed(fields.0.len())),
            }
        }
        ended.id = id.of(&ended.process, self.ids.as_mut())?;
        ended.program = scanned.map(|scanned| LastProgram { exe, args: parts.args(), scanned });
        Ok(ended)
    }
}

impl Again for Decoder {
    fn again<'a>(&'a mut self, bytes: &'a [u8], moment: Moment) -> Option<Event<'a>> {
        self.body(bytes, moment).ok()
    }
}

/// The fields that are what they say.
fn take<'a>(program: &mut Program<'a>, tag: u64, content: Content<'a>) -> Result<(), Malformed> {
    match tag {
        tag::CREDS => program.creds = Some(creds(content)?),
        tag::USER => program.user = Some(utf8(content)?),
        tag::LOGINUID => program.loginuid = Some(set(content)?),
        tag::SESSION => program.session = Some(set(content)?),
        tag::TTY => program.tty = content.string()?,
        tag::COMM => program.comm = content.string()?,
        tag::CGROUP_ID => program.cgroup_id = content.number()?,
        tag::CGROUP => program.cgroup = Some(content.string()?),
        tag::NAMESPACES => {
            let [mnt, uts, ipc, net, cgroup, user] = shorts(&mut Bytes(content.string()?))?;
            program.namespaces = Some(Namespaces { mnt, uts, ipc, net, cgroup, user });
        }
        tag::IMAGE => program.image = Some(content.number()?),
        tag::FILENAME => program.filename = Some(content.string()?),
        tag::EXE => program.exe = Some(content.string()?),
        tag::FILE => {
            let mut bytes = Bytes(content.string()?);
            let inode = bytes.number()?;
            let [device, mode, uid, gid] = shorts(&mut bytes)?;
            program.file = Some(File { inode, device, mode, uid, gid });
        }
        tag::NO_SCRIPT => program.interpreter = Some(None),
        tag::INTERPRETER => program.interpreter = Some(Some(content.string()?)),
        tag::CWD => program.cwd = Some(content.string()?),
        tag::ARGS_COUNT => program.args_count = Some(content.number()?),
        tag::ARGS_BYTES => program.args_bytes = Some(content.number()?),
        tag::FLAGS => program.flags = content.short()?,
        tag::FOLDED => program.folded = content.short()?,
        tag::LATENCY => program.latency = Some(content.number()?),
        tag::FAULTS => program.faults = Faults(content.short()?),
        tag::CPU => program.cpu = narrow(content.number()?)?,
        _ => return Err(Malformed(0)),
    }
    Ok(())
}

/// What is written of a lasting id.
#[derive(Clone, Copy, Debug)]
enum Id {
    None,
    FromBoot,
    Given(Cpid),
}

impl Id {
    fn read(content: Content<'_>) -> Result<Self, Malformed> {
        let bytes = content.string()?;
        if bytes.is_empty() {
            return Ok(Self::FromBoot);
        }
        let bytes = bytes.try_into().map_err(|_| Malformed(bytes.len()))?;
        Ok(Self::Given(Cpid::from_bytes(bytes)))
    }

    fn of(self, process: &Process, ids: Option<&mut CpidCache>) -> Result<Option<Cpid>, Malformed> {
        let Process { start, pid_ns, ns_pid, .. } = *process;
        Ok(match (self, ids) {
            (Self::None, _) => None,
            (Self::Given(id), _) => Some(id),
            (Self::FromBoot, Some(ids)) => {
                Some(ids.get(&ProcessKey { pid_ns, start_boottime: start, ns_pid }))
            }
            (Self::FromBoot, None) => return Err(Malformed(0)),
        })
    }
}

/// Arguments, until all that is told of them has been read.
#[derive(Default)]
struct ArgParts<'a> {
    bytes: Option<&'a [u8]>,
    cut: Option<usize>,
    missing: u64,
}

impl<'a> ArgParts<'a> {
    fn take(&mut self, tag: u64, content: Content<'a>) -> Result<(), Malformed> {
        match tag {
            tag::ARGS => self.bytes = Some(content.string()?),
            tag::ARGS_CUT => self.cut = Some(narrow(content.number()?)?),
            _ => self.missing = content.number()?,
        }
        Ok(())
    }

    fn args(self) -> Option<Args<'a>> {
        let args = Args::whole(self.bytes?).without(self.missing);
        Some(self.cut.map_or(args, |cut| args.cut_at(cut)))
    }
}

fn process_of(content: Content<'_>, ktime: u64) -> Result<Process, Malformed> {
    process(&mut Bytes(content.string()?), ktime)
}

fn process(bytes: &mut Bytes<'_>, ktime: u64) -> Result<Process, Malformed> {
    let pid = bytes.narrow()?;
    let start = ktime.wrapping_sub(bytes.signed()?.cast_unsigned());
    let [ns_pid, pid_ns] = shorts(bytes)?;
    Ok(Process { start, pid, ns_pid, pid_ns, ..NO_PROCESS })
}

fn parent(content: Content<'_>, ktime: u64) -> Result<Parent<'_>, Malformed> {
    let mut bytes = Bytes(content.string()?);
    let process = process(&mut bytes, ktime)?;
    Ok(Parent { process, id: None, image: bytes.number()?, comm: bytes.string()?, exe: None })
}

/// As records have them, of which the model reads them.
fn rows(mut bytes: Bytes<'_>, ktime: u64, out: &mut Vec<u8>) -> Result<(), Malformed> {
    out.clear();
    while !bytes.is_empty() {
        let mut row = Relative {
            process: process(&mut bytes, ktime)?,
            exec_id: bytes.number()?,
            comm: [0; 16],
        };
        let comm = bytes.string()?;
        row.comm.get_mut(..comm.len()).ok_or(Malformed(bytes.0.len()))?.copy_from_slice(comm);
        out.extend_from_slice(row.as_bytes());
    }
    Ok(())
}

fn creds(content: Content<'_>) -> Result<Creds, Malformed> {
    let ids: [u32; 8] = shorts(&mut Bytes(content.string()?))?;
    Ok(Creds {
        uid: ids[0],
        gid: ids[1],
        suid: ids[2],
        sgid: ids[3],
        euid: ids[4],
        egid: ids[5],
        fsuid: ids[6],
        fsgid: ids[7],
    })
}

fn shorts<const N: usize>(bytes: &mut Bytes<'_>) -> Result<[u32; N], Malformed> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = bytes.narrow()?;
    }
    Ok(numbers)
}

fn utf8(content: Content<'_>) -> Result<&str, Malformed> {
    std::str::from_utf8(content.string()?).map_err(|_| Malformed(0))
}

/// An id, or none of it.
fn set(content: Content<'_>) -> Result<Option<u32>, Malformed> {
    content.number()?.checked_sub(1).map(narrow).transpose()
}

fn lost(mut fields: Bytes<'_>) -> Result<Lost, Malformed> {
    let (mut count, mut reason, mut cpu) = (0, None, 0);
    while !fields.is_empty() {
        match fields.field()? {
            (tag::COUNT, content) => count = content.number()?,
            (tag::REASON, content) => reason = reason_of(content.string()?),
            (tag::CPU, content) => cpu = content.short()?,
            _ => return Err(Malformed(fields.0.len())),
        }
    }
    Ok(Lost { count, reason: reason.ok_or(Malformed(0))?, cpu })
}

fn reason_of(name: &[u8]) -> Option<&'static str> {
    Loss::ALL.into_iter().map(Loss::reason).find(|reason| reason.as_bytes() == name)
}

fn summary(mut fields: Bytes<'_>) -> Result<Summary, Malformed> {
    let mut summary = Summary::default();
    while !fields.is_empty() {
        let (tag, content) = fields.field()?;
        let place = match tag {
            tag::SEEN => &mut summary.seen,
            tag::DELIVERED => &mut summary.delivered,
            tag::SUMMARY_FOLDED => &mut summary.folded,
            tag::FILTERED => &mut summary.filtered,
            tag::DROPPED => &mut summary.dropped,
            tag::MISSED => &mut summary.missed,
            tag::SKIPPED => summary.skipped.insert(0),
            tag::SHORTENED => &mut summary.shortened,
            tag::DAMAGED => &mut summary.damaged,
            _ => return Err(Malformed(fields.0.len())),
        };
        *place = content.number()?;
    }
    Ok(summary)
}
