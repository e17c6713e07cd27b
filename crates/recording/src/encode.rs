//! From events to bytes.

use exectrail_abi::record::{Creds, File, Namespaces, Process};
use exectrail_model::{
    ancestors::Ancestors,
    args::Args,
    cpid::{BootId, Cpid, CpidCache, ProcessKey},
    environment::Environment,
    event::{
        Body, Ended, Event, Failure, LastProgram, Lost, Moment, Parent, Program, Status, Summary,
    },
};

use crate::{
    tag::{self, kind},
    wire::{number, number_field, signed, string, string_field},
};

/// Makes items of events. Times are told by how much they differ from those of the item
/// before; the first item of a frame has none before it.
#[derive(Debug)]
pub struct Encoder {
    ids: Option<CpidCache>,
    before: Moment,
    body: Vec<u8>,
    part: Vec<u8>,
}

impl Encoder {
    /// For the events of a host since this boot.
    #[must_use]
    pub fn new(boot: Option<BootId>) -> Self {
        Self {
            ids: boot.map(CpidCache::new),
            before: Moment::default(),
            body: Vec::new(),
            part: Vec::new(),
        }
    }

    /// A frame begins: what was before it counts no more.
    pub(crate) fn begin_frame(&mut self) {
        self.before = Moment::default();
    }

    /// Appends an event as an item.
    pub(crate) fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        let Moment { ktime, wall } = event.moment;
        let offset = |moment: Moment| moment.wall.wrapping_sub(moment.ktime.cast_signed());
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        signed(ktime.wrapping_sub(self.before.ktime).cast_signed(), &mut body);
        signed(wall.wrapping_sub(ktime.cast_signed()).wrapping_sub(offset(self.before)), &mut body);
        self.before = event.moment;
        self.body(event, &mut body);
        string(&body, out);
        self.body = body;
    }

    /// Appends what an event tells besides its moment, as
    /// [`Decoder::body`](crate::Decoder::body) takes it.
    pub fn body(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        let ktime = event.moment.ktime;
        match &event.body {
            Body::Exec(program) => {
                out.push(kind::EXEC);
                self.program(program, ktime, out);
            }
            Body::Failed(program, Failure { errno }) => {
                out.push(kind::FAILED);
                self.program(program, ktime, out);
                number_field(tag::ERRNO, (*errno).into(), out);
            }
            Body::Exit(ended) => {
                out.push(kind::EXIT);
                self.ended(ended, ktime, out);
            }
            Body::Lost(lost) => {
                out.push(kind::LOST);
                self::lost(lost, out);
            }
            Body::Summary(summary) => {
                out.push(kind::SUMMARY);
                self::summary(summary, out);
            }
        }
    }

    fn program(&mut self, program: &Program<'_>, ktime: u64, out: &mut Vec<u8>) {
        // What only the running kernel can answer, no recording can.
        let Program { process, id, tid, parent, ancestors, creds, user, told: _, .. } = program;
        self.process(process, *id, ktime, out);
        number_field(tag::TID, (*tid).into(), out);
        if let Some(parent) = parent {
            self.parent(parent, ktime, out);
        }
        if let Some(ancestors) = ancestors {
            self.ancestors(ancestors, ktime, out);
        }
        self.creds(creds.as_ref(), out);
        text(tag::USER, user.map(str::as_bytes), out);
        for (tag, id) in [(tag::LOGINUID, program.loginuid), (tag::SESSION, program.session)] {
            let id = id.map(|id| id.map_or(0, |id| u64::from(id) + 1));
            known(tag, id, out);
        }
        text(tag::TTY, Some(program.tty), out);
        text(tag::COMM, Some(program.comm), out);
        number_field(tag::CGROUP_ID, program.cgroup_id, out);
        text(tag::CGROUP, program.cgroup, out);
        if let Some(Namespaces { mnt, uts, ipc, net, cgroup, user }) = program.namespaces {
            self.numbers(tag::NAMESPACES, [mnt, uts, ipc, net, cgroup, user].map(u64::from), out);
        }
        known(tag::IMAGE, program.image, out);
        text(tag::FILENAME, program.filename, out);
        text(tag::EXE, program.exe, out);
        if let Some(File { inode, device, mode, uid, gid }) = program.file {
            let [device, mode, uid, gid] = [device, mode, uid, gid].map(u64::from);
            self.numbers(tag::FILE, [inode, device, mode, uid, gid], out);
        }
        match program.interpreter {
            Some(Some(name)) => string_field(tag::INTERPRETER, name, out),
            Some(None) => number_field(tag::NO_SCRIPT, 1, out),
            None => {}
        }
        text(tag::CWD, program.cwd, out);
        args(program.args, out);
        known(tag::ARGS_COUNT, program.args_count, out);
        known(tag::ARGS_BYTES, program.args_bytes, out);
        if let Some(environment) = &program.environment {
            self.environment(environment, out);
        }
        some(tag::FLAGS, program.flags.into(), out);
        some(tag::FOLDED, program.folded.into(), out);
        known(tag::LATENCY, program.latency, out);
        some(tag::FAULTS, program.faults.0.into(), out);
        some(tag::CPU, program.cpu.into(), out);
    }

    fn ended(&mut self, ended: &Ended<'_>, ktime: u64, out: &mut Vec<u8>) {
        self.process(&ended.process, ended.id, ktime, out);
        number_field(tag::TID, ended.tid.into(), out);
        known(tag::PPID, ended.ppid.map(u64::from), out);
        self.creds(ended.creds.as_ref(), out);
        text(tag::USER, ended.user.map(str::as_bytes), out);
        text(tag::COMM, Some(ended.comm), out);
        for (tag, value) in [
            (tag::IMAGE, ended.image),
            (tag::STATUS, ended.status.map(|Status(status)| status.into())),
            (tag::DURATION, ended.duration),
            (tag::CPU_USER, ended.cpu_user),
            (tag::CPU_SYSTEM, ended.cpu_system),
            (tag::MAX_RSS, ended.max_rss),
            (tag::MINOR_FAULTS, ended.minor_faults),
            (tag::MAJOR_FAULTS, ended.major_faults),
            (tag::READ_BYTES, ended.read_bytes),
            (tag::WRITE_BYTES, ended.write_bytes),
        ] {
            known(tag, value, out);
        }
        if let Some(LastProgram { exe, args, scanned }) = ended.program {
            number_field(tag::SCANNED, scanned.into(), out);
            text(tag::EXE, exe, out);
            self::args(args, out);
        }
        some(tag::FAULTS, ended.faults.0.into(), out);
        some(tag::CPU, ended.cpu.into(), out);
    }

    /// A process, and the id that it has. One that follows from the boot is not written.
    fn process(&mut self, process: &Process, id: Option<Cpid>, ktime: u64, out: &mut Vec<u8>) {
        self.part.clear();
        put_process(process, ktime, &mut self.part);
        string_field(tag::PROCESS, &self.part, out);
        self.id(tag::ID, process, id, out);
    }

    fn id(&mut self, tag: u64, process: &Process, id: Option<Cpid>, out: &mut Vec<u8>) {
        let Some(id) = id else { return };
        let Process { start, pid_ns, ns_pid, .. } = *process;
        let key = ProcessKey { pid_ns, start_boottime: start, ns_pid };
        let follows = self.ids.as_mut().is_some_and(|ids| ids.get(&key) == id);
        string_field(tag, if follows { &[] } else { id.bytes() }, out);
    }

    fn parent(&mut self, parent: &Parent<'_>, ktime: u64, out: &mut Vec<u8>) {
        self.part.clear();
        put_process(&parent.process, ktime, &mut self.part);
        number(parent.image, &mut self.part);
        string(parent.comm, &mut self.part);
        string_field(tag::PARENT, &self.part, out);
        self.id(tag::PARENT_ID, &parent.process, parent.id, out);
        text(tag::PARENT_EXE, parent.exe, out);
    }

    fn ancestors(&mut self, ancestors: &Ancestors<'_>, ktime: u64, out: &mut Vec<u8>) {
        self.part.clear();
        for ancestor in ancestors.iter() {
            put_process(&ancestor.process, ktime, &mut self.part);
            number(ancestor.image, &mut self.part);
            string(ancestor.comm, &mut self.part);
        }
        string_field(tag::ANCESTORS, &self.part, out);
    }

    fn creds(&mut self, creds: Option<&Creds>, out: &mut Vec<u8>) {
        let Some(Creds { uid, gid, suid, sgid, euid, egid, fsuid, fsgid }) = creds else { return };
        let ids = [uid, gid, suid, sgid, euid, egid, fsuid, fsgid];
        self.numbers(tag::CREDS, ids.map(|&id| id.into()), out);
    }

    fn numbers<const N: usize>(&mut self, tag: u64, numbers: [u64; N], out: &mut Vec<u8>) {
        self.part.clear();
        for value in numbers {
            number(value, &mut self.part);
        }
        string_field(tag, &self.part, out);
    }

    /// Those variables that were asked for.
    fn environment(&mut self, environment: &Environment<'_>, out: &mut Vec<u8>) {
        self.part.clear();
        for (name, value) in environment.iter() {
            for bytes in [name, b"=", value, b"\0"] {
                self.part.extend_from_slice(bytes);
            }
        }
        string_field(tag::ENVIRONMENT, &self.part, out);
    }
}

fn put_process(process: &Process, ktime: u64, out: &mut Vec<u8>) {
    let Process { start, pid, ns_pid, pid_ns, reserved: _ } = *process;
    number(pid.into(), out);
    signed(ktime.wrapping_sub(start).cast_signed(), out);
    number(ns_pid.into(), out);
    number(pid_ns.into(), out);
}

fn args(args: Option<Args<'_>>, out: &mut Vec<u8>) {
    let Some((bytes, cut, missing)) = args.map(Args::into_parts) else { return };
    string_field(tag::ARGS, bytes, out);
    known(tag::ARGS_CUT, cut.map(|cut| cut as u64), out);
    some(tag::ARGS_MISSING, missing, out);
}

fn lost(lost: &Lost, out: &mut Vec<u8>) {
    let Lost { count, reason, cpu } = lost;
    number_field(tag::COUNT, *count, out);
    string_field(tag::REASON, reason.as_bytes(), out);
    some(tag::CPU, (*cpu).into(), out);
}

fn summary(summary: &Summary, out: &mut Vec<u8>) {
    let Summary { seen, delivered, folded, filtered, dropped, missed, skipped, shortened, damaged } =
        *summary;
    for (tag, value) in [
        (tag::SEEN, seen),
        (tag::DELIVERED, delivered),
        (tag::SUMMARY_FOLDED, folded),
        (tag::FILTERED, filtered),
        (tag::DROPPED, dropped),
        (tag::MISSED, missed),
        (tag::SHORTENED, shortened),
        (tag::DAMAGED, damaged),
    ] {
        some(tag, value, out);
    }
    known(tag::SKIPPED, skipped, out);
}

/// A number that is nothing if it is not written.
fn known(tag: u64, value: Option<u64>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        number_field(tag, value, out);
    }
}

/// A number that is zero if it is not written.
fn some(tag: u64, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        number_field(tag, value, out);
    }
}

fn text(tag: u64, bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    if let Some(bytes) = bytes {
        string_field(tag, bytes, out);
    }
}
