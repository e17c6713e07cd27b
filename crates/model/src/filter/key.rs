//! The words before the `=`.

use std::fmt;

use super::{IdKind, Mistake, NamespaceKind};
use crate::nearest::nearest;

/// What a selector is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Either path of the program.
    Path,
    /// The last component of either.
    Name,
    /// An argument.
    Arg,
    /// A user or group.
    Id(IdKind),
    /// The parent's program.
    Parent,
    /// A process and its descendants.
    Tree,
    /// A cgroup.
    Cgroup,
    /// A container.
    Container,
    /// A namespace.
    Namespace(NamespaceKind),
    /// How the exec ended.
    Result,
}

/// Each key; of two for the same, the first is the one that is shown.
const KEYS: [(&str, Key); 20] = [
    ("path", Key::Path),
    ("name", Key::Name),
    ("arg", Key::Arg),
    ("user", Key::Id(IdKind::User)),
    ("euser", Key::Id(IdKind::EffectiveUser)),
    ("group", Key::Id(IdKind::Group)),
    ("egroup", Key::Id(IdKind::EffectiveGroup)),
    ("parent", Key::Parent),
    ("tree", Key::Tree),
    ("cgroup", Key::Cgroup),
    ("container", Key::Container),
    ("pidns", Key::Namespace(NamespaceKind::Pid)),
    ("mntns", Key::Namespace(NamespaceKind::Mount)),
    ("netns", Key::Namespace(NamespaceKind::Net)),
    ("userns", Key::Namespace(NamespaceKind::User)),
    ("utsns", Key::Namespace(NamespaceKind::Uts)),
    ("ipcns", Key::Namespace(NamespaceKind::Ipc)),
    ("cgroupns", Key::Namespace(NamespaceKind::Cgroup)),
    ("ns", Key::Namespace(NamespaceKind::Pid)),
    ("result", Key::Result),
];

/// What other tools and our own fields call it.
const ELSEWHERE: [(&str, &str); 12] = [
    ("args", "arg"),
    ("comm", "name"),
    ("egid", "egroup"),
    ("errno", "result"),
    ("error", "result"),
    ("euid", "euser"),
    ("exe", "path"),
    ("filename", "path"),
    ("gid", "group"),
    ("pid", "tree"),
    ("ppid", "parent"),
    ("uid", "user"),
];

impl Key {
    /// The key of this name.
    ///
    /// # Errors
    ///
    /// When there is none; the error has the one that was probably meant.
    pub fn named(name: &str) -> Result<Self, Mistake> {
        KEYS.into_iter().find(|(known, _)| *known == name).map(|(_, key)| key).ok_or_else(|| {
            let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == name);
            let nearest = elsewhere
                .map(|(_, ours)| *ours)
                .or_else(|| nearest(name, KEYS.into_iter().map(|(known, _)| known)));
            Mistake::UnknownKey { key: name.to_owned(), nearest }
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        KEYS.into_iter().find(|(_, key)| *key == self).map_or("?", |(name, _)| name)
    }

    /// Every name that a key has.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KEYS.into_iter().map(|(name, _)| name)
    }

    /// Whether its values are patterns, in which a comma can stand in braces.
    pub(super) fn takes_patterns(self) -> bool {
        matches!(self, Self::Path | Self::Name | Self::Arg | Self::Parent)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
