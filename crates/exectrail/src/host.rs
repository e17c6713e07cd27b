//! What the names in rules stand for on this host. It is asked once for each name,
//! when the rule is read, and may wait for a directory server then.

use std::fs;

use exectrail_model::filter::{Host, NamespaceKind};

use crate::accounts;

/// This host.
pub(crate) struct ThisHost;

impl Host for ThisHost {
    fn user(&self, name: &str) -> Option<u32> {
        found("user", name, accounts::user_named(name))
    }

    fn group(&self, name: &str) -> Option<u32> {
        found("group", name, accounts::group_named(name))
    }

    fn namespace(&self, kind: NamespaceKind) -> Option<u32> {
        match fs::read_link(format!("/proc/1/ns/{}", kind.name())) {
            Ok(link) => inode(link.to_str()?, kind),
            Err(error) => {
                log::info!("the host's {} namespace: {error}", kind.name());
                first(kind)
            }
        }
    }
}

/// This host, with its namespaces as they were at the start: later we may not be
/// allowed to look.
pub(crate) struct KnownHost {
    namespaces: Vec<(NamespaceKind, u32)>,
}

impl KnownHost {
    /// Looks at everything.
    pub(crate) fn look() -> Self {
        let kinds = [
            NamespaceKind::Pid,
            NamespaceKind::Mount,
            NamespaceKind::Net,
            NamespaceKind::User,
            NamespaceKind::Uts,
            NamespaceKind::Ipc,
            NamespaceKind::Cgroup,
        ];
        let known = |kind| Some((kind, ThisHost.namespace(kind)?));
        Self { namespaces: kinds.into_iter().filter_map(known).collect() }
    }
}

impl KnownHost {
    /// A host that has these.
    pub(crate) fn with(namespaces: Vec<(NamespaceKind, u32)>) -> Self {
        Self { namespaces }
    }

    /// The host's own namespaces, as far as they are known.
    pub(crate) fn namespaces(self) -> Vec<(NamespaceKind, u32)> {
        self.namespaces
    }
}

impl Host for KnownHost {
    fn user(&self, name: &str) -> Option<u32> {
        ThisHost.user(name)
    }

    fn group(&self, name: &str) -> Option<u32> {
        ThisHost.group(name)
    }

    fn namespace(&self, kind: NamespaceKind) -> Option<u32> {
        self.namespaces.iter().find(|(known, _)| *known == kind).map(|(_, inode)| *inode)
    }
}

/// The databases' way to fail is often the same as to know nobody.
fn found<T>(what: &str, name: &str, answer: Result<Option<T>, nix::Error>) -> Option<T> {
    answer.unwrap_or_else(|error| {
        log::warn!("looking up {what} {name}: {error}");
        None
    })
}

/// The number in `pid:[4026531836]`.
fn inode(link: &str, kind: NamespaceKind) -> Option<u32> {
    link.strip_prefix(kind.name())?.strip_prefix(":[")?.strip_suffix(']')?.parse().ok()
}

/// Numbers that every kernel gives to its first namespaces (`include/linux/proc_ns.h`,
/// since 3.8), for those who may not look into another user's process.
fn first(kind: NamespaceKind) -> Option<u32> {
    match kind {
        NamespaceKind::Ipc => Some(0xefff_ffff),
        NamespaceKind::Uts => Some(0xefff_fffe),
        NamespaceKind::User => Some(0xefff_fffd),
        NamespaceKind::Pid => Some(0xefff_fffc),
        NamespaceKind::Cgroup => Some(0xefff_fffb),
        NamespaceKind::Mount | NamespaceKind::Net => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_host() {
        assert_eq!(ThisHost.user("root"), Some(0));
        assert_eq!(ThisHost.group("root"), Some(0));
        assert_eq!(ThisHost.user("nobody-is-called-so"), None);
        assert_eq!(ThisHost.group("nobody-is-called-so"), None);
    }

    #[test]
    fn namespaces_of_this_host() {
        assert_eq!(inode("pid:[4026531836]", NamespaceKind::Pid), Some(4_026_531_836));
        assert_eq!(inode("net:[4026531836]", NamespaceKind::Pid), None);
        assert!(ThisHost.namespace(NamespaceKind::Pid).is_some());
    }
}
