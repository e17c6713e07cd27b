//! Who the command is run as.
//!
//! Tracing takes rights that the command has no use for: under sudo it is run as the user
//! who called it. Rights that exectrail has from its file do not reach the command, since
//! an exec by a user takes none along but the ambient ones (capabilities(7)); those go.

use std::{env, fmt, io, process::Command};

use anyhow::Context;
use rustix::{
    process::{Gid, Uid, geteuid, getuid},
    thread::{
        CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
        set_capabilities, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
    },
};

use crate::{
    accounts::{self, Account},
    exit::UsageError,
};

/// What sudo tells of its caller, to be gone with it.
const SUDO: [&str; 5] = ["SUDO_UID", "SUDO_GID", "SUDO_USER", "SUDO_COMMAND", "SUDO_HOME"];

/// Whom the command is run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// As we are, with all that we may do.
    Ours,
    /// As we are, with no more rights than a user's command has.
    Plain,
    /// As the user who called sudo.
    Caller {
        uid: u32,
        gid: u32,
        groups: Vec<u32>,
        /// Known if it is in the database of users.
        account: Option<Account>,
    },
}

impl Identity {
    /// Of the one who called us.
    pub(crate) fn of_caller(as_root: bool) -> anyhow::Result<Self> {
        if as_root {
            return Ok(Self::Ours);
        }
        if !is_root() {
            return Ok(Self::Plain);
        }
        let Some(uid) = number("SUDO_UID")?.filter(|&uid| uid != 0) else { return Ok(Self::Ours) };
        let account = accounts::account(uid).with_context(|| format!("looking up user {uid}"))?;
        let gid = match number("SUDO_GID")? {
            Some(gid) => gid,
            None => account.as_ref().map_or(uid, |account| account.gid),
        };
        let groups = match &account {
            Some(account) => accounts::groups_of(&account.name, gid)
                .with_context(|| format!("looking up the groups of {}", account.name))?,
            None => vec![gid],
        };
        Ok(Self::Caller { uid, gid, groups, account })
    }

    /// User and group, if these are not ours.
    pub(crate) fn another(&self) -> Option<(u32, u32)> {
        match self {
            Self::Caller { uid, gid, .. } => Some((*uid, *gid)),
            Self::Ours | Self::Plain => None,
        }
    }

    /// As the held process reads it.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Ours => "ours".to_owned(),
            Self::Plain => "plain".to_owned(),
            Self::Caller { uid, gid, groups, .. } => {
                let groups: Vec<_> = groups.iter().map(u32::to_string).collect();
                format!("{uid}:{gid}:{}", groups.join(","))
            }
        }
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        match text {
            "ours" => return Some(Self::Ours),
            "plain" => return Some(Self::Plain),
            _ => {}
        }
        let mut parts = text.splitn(3, ':');
        let mut id = || parts.next()?.parse().ok();
        let (uid, gid) = (id()?, id()?);
        let groups = parts.next()?.split(',').filter(|group| !group.is_empty());
        let groups = groups.map(|group| group.parse().ok()).collect::<Option<_>>()?;
        Some(Self::Caller { uid, gid, groups, account: None })
    }

    /// What the command finds in its environment: of the user it is run as, not of root
    /// with whom sudo has filled it in.
    pub(super) fn put_into_environment(&self, command: &mut Command) {
        let Self::Caller { account: Some(account), .. } = self else { return };
        for name in SUDO.into_iter().chain(["MAIL"]) {
            command.env_remove(name);
        }
        command.env("USER", &account.name).env("LOGNAME", &account.name);
        command.env("HOME", &account.home).env("SHELL", &account.shell);
    }

    /// Becomes it, for good. The process has one thread.
    pub(super) fn take_on(&self) -> io::Result<()> {
        match self {
            Self::Ours => {}
            Self::Plain => {
                clear_ambient_capability_set()?;
                let held = capabilities(None)?;
                let inheritable = CapabilitySet::empty();
                set_capabilities(None, CapabilitySets { inheritable, ..held })?;
            }
            Self::Caller { uid, gid, groups, .. } => {
                clear_ambient_capability_set()?;
                let groups: Vec<_> = groups.iter().map(|&group| Gid::from_raw(group)).collect();
                set_thread_groups(&groups)?;
                let (uid, gid) = (Uid::from_raw(*uid), Gid::from_raw(*gid));
                set_thread_res_gid(gid, gid, gid)?;
                // All capabilities go with the last of root's ids.
                set_thread_res_uid(uid, uid, uid)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours | Self::Plain => f.write_str("the rights of a user's command"),
            Self::Caller { uid, gid, .. } => write!(f, "user {uid} and group {gid}"),
        }
    }
}

/// The user who called sudo, if we are root by that.
pub(crate) fn caller() -> Option<u32> {
    number("SUDO_UID").ok().flatten().filter(|_| is_root())
}

fn is_root() -> bool {
    geteuid().is_root() && getuid().is_root()
}

/// A number of sudo's.
fn number(name: &str) -> Result<Option<u32>, UsageError> {
    let Some(value) = env::var_os(name) else { return Ok(None) };
    // The last one is nobody's (`setresuid(2)`): it would change nothing.
    let number = value.to_str().and_then(|text| text.parse().ok()).filter(|&id| id != u32::MAX);
    number.map(Some).ok_or_else(|| {
        UsageError(format!(
            "{name} is '{}', and no number of a user or group, so the command could not be \
             run as who called sudo; correct it, or use --as-root",
            value.to_string_lossy().escape_debug()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::Identity;

    #[test]
    fn what_is_written_is_read() {
        let caller = |groups: &[u32]| Identity::Caller {
            uid: 1000,
            gid: 100,
            groups: groups.to_vec(),
            account: None,
        };
        for identity in [Identity::Ours, Identity::Plain, caller(&[]), caller(&[100, 27])] {
            assert_eq!(Identity::read(&identity.written()), Some(identity));
        }
        for text in ["", "1000", "1000:100", "1000:100:x", "root:root:"] {
            assert_eq!(Identity::read(text), None, "{text}");
        }
    }
}
