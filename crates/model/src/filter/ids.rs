//! Users, groups and namespaces: numbers, and the names that stand for them.

use std::borrow::Cow;

use exectrail_abi::fault::Fault;

use super::{Host, Mistake};
use crate::event::Program;

/// Which of a process's ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// The real user.
    User,
    /// The effective user.
    EffectiveUser,
    /// The real group.
    Group,
    /// The effective group.
    EffectiveGroup,
}

impl IdKind {
    /// The id of this kind, if it is known.
    #[must_use]
    pub fn of(self, program: &Program<'_>) -> Option<u32> {
        program.creds.map(|creds| match self {
            Self::User => creds.uid,
            Self::EffectiveUser => creds.euid,
            Self::Group => creds.gid,
            Self::EffectiveGroup => creds.egid,
        })
    }

    fn is_group(self) -> bool {
        matches!(self, Self::Group | Self::EffectiveGroup)
    }
}

/// A user or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id {
    /// The number, by which it is known to the kernel.
    pub number: u32,
    /// The name, if it was given by name.
    pub name: Option<Box<str>>,
}

impl Id {
    pub(super) fn parse(kind: IdKind, text: &str, host: &dyn Host) -> Result<Self, Mistake> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            // The last number is the kernel's "none of it".
            let number = text.parse().ok().filter(|&number| number != u32::MAX);
            let number = number.ok_or_else(|| Mistake::IdRange(text.to_owned()))?;
            return Ok(Self { number, name: None });
        }
        let (number, unknown): (_, fn(String) -> Mistake) = if kind.is_group() {
            (host.group(text), Mistake::UnknownGroup)
        } else {
            (host.user(text), Mistake::UnknownUser)
        };
        let number = number.ok_or_else(|| unknown(text.to_owned()))?;
        Ok(Self { number, name: Some(text.into()) })
    }

    /// As it is written.
    pub(super) fn written(&self) -> Cow<'_, str> {
        match &self.name {
            Some(name) => (&**name).into(),
            None => self.number.to_string().into(),
        }
    }
}

/// Kinds of namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamespaceKind {
    /// Process ids.
    Pid,
    /// Mounts.
    Mount,
    /// Network.
    Net,
    /// Users and capabilities.
    User,
    /// Host name.
    Uts,
    /// System V IPC and POSIX message queues.
    Ipc,
    /// The root that cgroup paths are shown from.
    Cgroup,
}

impl NamespaceKind {
    /// The name of its file in `/proc/PID/ns`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pid => "pid",
            Self::Mount => "mnt",
            Self::Net => "net",
            Self::User => "user",
            Self::Uts => "uts",
            Self::Ipc => "ipc",
            Self::Cgroup => "cgroup",
        }
    }

    /// The inode of the namespace of this kind, if it is known.
    #[must_use]
    pub fn of(self, program: &Program<'_>) -> Option<u32> {
        let of = program.namespaces.as_ref();
        let inode = match self {
            Self::Pid if program.faults.has(Fault::Process) => None,
            Self::Pid => Some(program.process.pid_ns),
            Self::Mount => of.map(|namespaces| namespaces.mnt),
            Self::Net => of.map(|namespaces| namespaces.net),
            Self::User => of.map(|namespaces| namespaces.user),
            Self::Uts => of.map(|namespaces| namespaces.uts),
            Self::Ipc => of.map(|namespaces| namespaces.ipc),
            Self::Cgroup => of.map(|namespaces| namespaces.cgroup),
        };
        inode.filter(|&inode| inode != 0)
    }
}

/// A namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Its inode, which is never zero.
    pub inode: u32,
    /// It was given as `host`.
    pub is_host: bool,
}

impl Namespace {
    pub(super) fn parse(kind: NamespaceKind, text: &str, host: &dyn Host) -> Result<Self, Mistake> {
        let is_host = text == "host";
        let inode = if is_host {
            host.namespace(kind).ok_or(Mistake::NoHostNamespace(kind.name()))?
        } else {
            let inode = text.parse().ok().filter(|&inode| inode != 0);
            inode.ok_or_else(|| Mistake::NoNamespace(text.to_owned()))?
        };
        Ok(Self { inode, is_host })
    }

    /// As it is written.
    pub(super) fn written(self) -> Cow<'static, str> {
        if self.is_host { "host".into() } else { self.inode.to_string().into() }
    }
}
