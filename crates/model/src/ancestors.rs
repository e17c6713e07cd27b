//! The processes before the parent.

use exectrail_abi::record::{Process, Relative};
use zerocopy::FromBytes;

use crate::cpid::{BootId, Cpid, ProcessKey, cpid};

/// The grandparent and those before, nearest first.
#[derive(Clone, Copy, Debug)]
pub struct Ancestors<'a> {
    bytes: &'a [u8],
    boot: Option<&'a BootId>,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Ancestor<'a> {
    /// The process.
    pub process: Process,
    /// Its id that is never used again.
    pub id: Option<Cpid>,
    /// Its image counter.
    pub image: u64,
    /// Its short name.
    pub comm: &'a [u8],
}

/// Where the short name stands in a record's row.
const COMM: usize = std::mem::offset_of!(Relative, comm);

impl<'a> Ancestors<'a> {
    /// From the record's rows. A last row that is not whole is left out. Without
    /// the boot they have no lasting ids, which are computed when they are read.
    #[must_use]
    pub fn new(bytes: &'a [u8], boot: Option<&'a BootId>) -> Self {
        Self { bytes, boot }
    }

    /// Each of them, nearest first.
    pub fn iter(&self) -> impl Iterator<Item = Ancestor<'a>> + use<'a> {
        let boot = self.boot;
        self.bytes.chunks_exact(size_of::<Relative>()).filter_map(move |row| {
            let Relative { process, exec_id, .. } = Relative::read_from_bytes(row).ok()?;
            let comm = row.get(COMM..)?.split(|&byte| byte == 0).next()?;
            let key = ProcessKey {
                pid_ns: process.pid_ns,
                start_boottime: process.start,
                ns_pid: process.ns_pid,
            };
            let id = boot.map(|boot| cpid(boot, &key));
            Some(Ancestor { process, id, image: exec_id, comm })
        })
    }
}
