//! What a recording is of: where, when and by whom it was made, and what was asked for.

use exectrail_model::{cpid::BootId, event::Moment, filter::NamespaceKind};

use crate::wire::{Bytes, Malformed, number, number_field, string_field};

/// What a recording is of. A text is empty where it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Description {
    /// The version of exectrail that wrote it.
    pub made_by: String,
    /// The host's name.
    pub host: String,
    /// The kernel's release, as `uname -r` has it.
    pub kernel: String,
    /// The machine's kind, as `uname -m` has it.
    pub machine: String,
    /// Which boot of the host, from which the lasting ids of processes follow.
    pub boot: Option<BootId>,
    /// When it began.
    pub begun: Moment,
    /// Whether failed execs were traced.
    pub failed: bool,
    /// Whether the ends of processes were.
    pub exits: bool,
    /// Whether environment variables were asked for.
    pub environment: bool,
    /// Whether rules had left something out before it was recorded.
    pub has_rules: bool,
    /// How many ancestors before the parent were asked for, at most.
    pub ancestors: u32,
    /// The host's own namespaces, as far as they are known.
    pub namespaces: Vec<(NamespaceKind, u32)>,
}

const MADE_BY: u64 = 1;
const HOST: u64 = 2;
const KERNEL: u64 = 3;
const MACHINE: u64 = 4;
const BOOT: u64 = 5;
const BEGUN_KTIME: u64 = 6;
const BEGUN_WALL: u64 = 7;
const FAILED: u64 = 8;
const EXITS: u64 = 9;
const ENVIRONMENT: u64 = 10;
const HAS_RULES: u64 = 11;
const ANCESTORS: u64 = 12;
const NAMESPACES: u64 = 13;

/// The kinds of namespaces; the place of each is its number in a file.
const KINDS: [NamespaceKind; 7] = [
    NamespaceKind::Pid,
    NamespaceKind::Mount,
    NamespaceKind::Net,
    NamespaceKind::User,
    NamespaceKind::Uts,
    NamespaceKind::Ipc,
    NamespaceKind::Cgroup,
];

impl Description {
    /// As it stands in a frame.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let texts = [
            (MADE_BY, &self.made_by),
            (HOST, &self.host),
            (KERNEL, &self.kernel),
            (MACHINE, &self.machine),
        ];
        for (tag, text) in texts {
            string_field(tag, text.as_bytes(), out);
        }
        if let Some(boot) = &self.boot {
            string_field(BOOT, boot.bytes(), out);
        }
        for (tag, value) in [
            (BEGUN_KTIME, self.begun.ktime),
            (BEGUN_WALL, self.begun.wall.cast_unsigned()),
            (FAILED, self.failed.into()),
            (EXITS, self.exits.into()),
            (ENVIRONMENT, self.environment.into()),
            (HAS_RULES, self.has_rules.into()),
            (ANCESTORS, self.ancestors.into()),
        ] {
            number_field(tag, value, out);
        }
        let mut part = Vec::new();
        for (kind, inode) in &self.namespaces {
            let place = KINDS.iter().position(|known| known == kind).unwrap_or(KINDS.len());
            number(place as u64, &mut part);
            number((*inode).into(), &mut part);
        }
        string_field(NAMESPACES, &part, out);
    }

    /// What a frame says.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut read = Self::default();
        let mut fields = Bytes(bytes);
        while !fields.is_empty() {
            let (tag, content) = fields.field()?;
            match tag {
                MADE_BY => read.made_by = text(content.string()?),
                HOST => read.host = text(content.string()?),
                KERNEL => read.kernel = text(content.string()?),
                MACHINE => read.machine = text(content.string()?),
                BOOT => {
                    let bytes = content.string()?.try_into().map_err(|_| Malformed(0))?;
                    read.boot = Some(BootId::from_bytes(bytes));
                }
                BEGUN_KTIME => read.begun.ktime = content.number()?,
                BEGUN_WALL => read.begun.wall = content.number()?.cast_signed(),
                FAILED => read.failed = content.number()? != 0,
                EXITS => read.exits = content.number()? != 0,
                ENVIRONMENT => read.environment = content.number()? != 0,
                HAS_RULES => read.has_rules = content.number()? != 0,
                ANCESTORS => read.ancestors = content.short()?,
                NAMESPACES => read.namespaces = namespaces(Bytes(content.string()?))?,
                _ => return Err(Malformed(fields.0.len())),
            }
        }
        Ok(read)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn namespaces(mut bytes: Bytes<'_>) -> Result<Vec<(NamespaceKind, u32)>, Malformed> {
    let mut namespaces = Vec::new();
    while !bytes.is_empty() {
        let place: usize = bytes.narrow()?;
        let kind = KINDS.get(place).ok_or(Malformed(bytes.0.len()))?;
        namespaces.push((*kind, bytes.narrow()?));
    }
    Ok(namespaces)
}
