//! Where a program runs, and from whom it comes: cgroup, container, parent.

use std::borrow::Cow;

use exectrail_abi::fault::Fault;

use super::{
    Mistake, PathPattern, Selector, Told, What, WordPattern,
    pattern::{check_normal, last_component},
};
use crate::{enrich::container::container_of, event::Program};

/// A cgroup of the unified hierarchy, and all below it: an absolute path without a
/// last slash, and so nothing for the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CgroupPath(Box<str>);

impl CgroupPath {
    /// The path from the root of the hierarchy; empty for the root itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the program runs there or below. Of a path of which only the end is
    /// known, nobody knows where it begins.
    #[must_use]
    pub fn holds(&self, program: &Program<'_>) -> bool {
        let known = program.cgroup.filter(|_| !program.faults.has(Fault::CgroupCut));
        let rest = known.and_then(|path| path.strip_prefix(self.0.as_bytes()));
        rest.is_some_and(|rest| rest.first().is_none_or(|&byte| byte == b'/'))
    }

    pub(super) fn written(&self) -> Cow<'_, str> {
        if self.0.is_empty() { "/".into() } else { (&*self.0).into() }
    }
}

/// `/path` in the unified hierarchy, `CONTROLLER:/path` in one of version 1.
pub(super) fn cgroup(text: &str) -> Result<Selector, Mistake> {
    if text.starts_with('/') {
        let path = cgroup_path(text)?;
        return Ok(Selector::Cgroup(CgroupPath(path.strip_suffix('/').unwrap_or(path).into())));
    }
    let no_cgroup = || Mistake::NoCgroup(text.to_owned());
    let (controller, path) = text.split_once(':').ok_or_else(no_cgroup)?;
    let name = controller.strip_prefix("name=").unwrap_or(controller);
    let may = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    if name.is_empty() || !name.chars().all(may) || !path.starts_with('/') {
        return Err(no_cgroup());
    }
    let (controller, path) = (controller.into(), cgroup_path(path)?.into());
    Ok(Selector::Told(Told::new(What::CgroupV1 { controller, path })))
}

fn cgroup_path(path: &str) -> Result<&str, Mistake> {
    if path.contains('*') {
        return Err(Mistake::CgroupPattern);
    }
    if path == "/" {
        return Ok(path);
    }
    check_normal(path).map(|()| path).map_err(|mistake| match mistake {
        // Not as for files: the root itself is meant, too.
        Mistake::NotNormal { given, instead } if instead == "/**" => {
            Mistake::NotNormal { given, instead: "/".to_owned() }
        }
        mistake => mistake,
    })
}

/// Digits of a container's id that are enough, as for `docker`.
const SHORT_ID: usize = 12;
/// Digits that it has.
const WHOLE_ID: usize = 64;

/// Which containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerPattern {
    /// Any: `*`.
    Any,
    /// None at all: `none`.
    None,
    /// The one of this id, or whose id begins so, or of this name.
    Called(Box<str>),
}

impl ContainerPattern {
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        match text {
            "*" => Ok(Self::Any),
            "none" => Ok(Self::None),
            // It is part of a cgroup's name.
            _ if text.contains(['*', '/']) => Err(Mistake::NoContainer(text.to_owned())),
            _ => Ok(Self::Called(text.into())),
        }
    }

    /// Whether the program runs in one of these.
    #[must_use]
    pub fn holds(&self, program: &Program<'_>) -> bool {
        let Some(cgroup) = program.cgroup else { return false };
        match (self, container_of(cgroup)) {
            (Self::Any, container) => container.is_some(),
            (Self::None, None) => !program.faults.has(Fault::CgroupCut),
            (Self::Called(called), Some(container)) => is_called(container.id, called.as_bytes()),
            (Self::None, Some(_)) | (Self::Called(_), None) => false,
        }
    }

    pub(super) fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Any => "*".into(),
            Self::None => "none".into(),
            Self::Called(called) => (&**called).into(),
        }
    }
}

fn is_called(id: &[u8], called: &[u8]) -> bool {
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_short = called.len() >= SHORT_ID && id.len() == WHOLE_ID && called.iter().all(is_hex);
    id == called || (is_short && id.starts_with(called)) || unescaped(id).eq(called.iter().copied())
}

/// systemd writes `my\x2dbox` for `my-box` (systemd-escape(1)).
fn unescaped(name: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let escaped = rest.strip_prefix(b"\\x").and_then(|after| {
            let (digits, after) = after.split_at_checked(2)?;
            Some((u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?, after))
        });
        let (byte, after) = match escaped {
            Some(unescaped) => unescaped,
            None => rest.split_first().map(|(&byte, after)| (byte, after))?,
        };
        rest = after;
        Some(byte)
    })
}

/// Which parents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParentPattern {
    /// Those whose executable has such a path.
    Path(PathPattern),
    /// Those whose executable's last component is such a name, or the kernel's short
    /// name: up to 15 bytes, which a process can change.
    Name(WordPattern),
}

impl ParentPattern {
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        if PathPattern::is_meant(text) {
            PathPattern::parse(text).map(Self::Path)
        } else {
            WordPattern::name(text).map(Self::Name)
        }
    }

    /// Whether the program's parent is one of these.
    #[must_use]
    pub fn holds(&self, program: &Program<'_>) -> bool {
        let Some(parent) = &program.parent else { return false };
        match self {
            Self::Path(pattern) => {
                let exe = parent.exe.filter(|_| !program.faults.has(Fault::ParentExeCut));
                exe.is_some_and(|exe| pattern.matches(exe))
            }
            Self::Name(pattern) => {
                let comm = Some(parent.comm).filter(|comm| !comm.is_empty());
                let name = parent.exe.and_then(last_component);
                [comm, name].into_iter().flatten().any(|name| pattern.matches(name))
            }
        }
    }

    pub(super) fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Path(pattern) => pattern.written(),
            Self::Name(pattern) => pattern.written(),
        }
    }
}
