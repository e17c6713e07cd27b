//! Users and groups, by name and by number: from the system's databases, whichever they
//! are (`nsswitch.conf`).
//!
//! Those are libraries that the C library loads when it is asked. In a program that is
//! linked statically they find another C library's state than theirs, and take it down
//! (glibc 2.36, `libnss_systemd`: a segmentation fault at the first unknown user). So such
//! a program reads the files alone.

use std::{
    ffi::CString,
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
};

use exectrail_model::enrich::users::passwd_users;
use nix::{
    errno::Errno,
    unistd::{Gid, Group, Uid, User, getgrouplist},
};

/// Whether we are.
const IS_STATIC: bool = cfg!(target_feature = "crt-static");

/// The users of the host itself.
pub(crate) const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

/// What is read of these files.
const BYTES: u64 = 1 << 20;

/// The name of a user. This may take its time.
pub(crate) fn name_of_user(uid: u32) -> Result<Option<String>, Errno> {
    if IS_STATIC {
        return in_file(PASSWD, |number, _| number == uid).map(|found| found.map(|(_, name)| name));
    }
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(user) => Ok(user.map(|user| user.name)),
        // The ways of getpwuid_r(3) to say that there is none.
        Err(Errno::ENOENT | Errno::ESRCH | Errno::EBADF | Errno::EPERM) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A user, as the database has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) gid: u32,
    pub(crate) home: PathBuf,
    pub(crate) shell: PathBuf,
}

/// The user with this number.
pub(crate) fn account(uid: u32) -> Result<Option<Account>, Errno> {
    if IS_STATIC {
        let text = read(PASSWD).map_err(|error| errno(&error))?;
        let text = String::from_utf8_lossy(&text);
        return Ok(text.lines().find_map(|line| account_of_line(line, uid)));
    }
    let user = match User::from_uid(Uid::from_raw(uid)) {
        Err(Errno::ENOENT | Errno::ESRCH | Errno::EBADF | Errno::EPERM) => None,
        found => found?,
    };
    Ok(user.map(|User { name, gid, dir: home, shell, .. }| Account {
        name,
        gid: gid.as_raw(),
        home,
        shell,
    }))
}

fn account_of_line(line: &str, uid: u32) -> Option<Account> {
    let fields: Vec<_> = line.split(':').collect();
    let [name, _, number, gid, _, home, shell] = fields[..] else { return None };
    (number.parse() == Ok(uid)).then_some(())?;
    let (home, shell) = (home.into(), shell.into());
    Some(Account { name: name.to_owned(), gid: gid.parse().ok()?, home, shell })
}

/// The groups of a user, this one among them.
pub(crate) fn groups_of(name: &str, gid: u32) -> Result<Vec<u32>, Errno> {
    if IS_STATIC {
        let text = read(GROUP).map_err(|error| errno(&error))?;
        let text = String::from_utf8_lossy(&text);
        let others = text.lines().filter_map(|line| group_with(line, name));
        return Ok([gid].into_iter().chain(others.filter(|&other| other != gid)).collect());
    }
    let name = CString::new(name).map_err(|_| Errno::EINVAL)?;
    let groups = getgrouplist(&name, Gid::from_raw(gid))?;
    Ok(groups.into_iter().map(Gid::as_raw).collect())
}

fn group_with(line: &str, member: &str) -> Option<u32> {
    let fields: Vec<_> = line.split(':').collect();
    let [_, _, gid, members] = fields[..] else { return None };
    members.split(',').find(|name| *name == member)?;
    gid.parse().ok()
}

fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

/// The number of a user.
pub(crate) fn user_named(name: &str) -> Result<Option<u32>, Errno> {
    if IS_STATIC {
        return number_in(PASSWD, name);
    }
    Ok(User::from_name(name)?.map(|user| Uid::as_raw(user.uid)))
}

/// The number of a group.
pub(crate) fn group_named(name: &str) -> Result<Option<u32>, Errno> {
    if IS_STATIC {
        return number_in(GROUP, name);
    }
    Ok(Group::from_name(name)?.map(|group| Gid::as_raw(group.gid)))
}

fn number_in(path: &str, name: &str) -> Result<Option<u32>, Errno> {
    in_file(path, |_, own| own == name).map(|found| found.map(|(number, _)| number))
}

/// The first line that is meant, as for getpwuid(3). The lines of both files begin alike.
fn in_file(
    path: &str,
    is_meant: impl Fn(u32, &str) -> bool,
) -> Result<Option<(u32, String)>, Errno> {
    let text = read(path).map_err(|error| errno(&error))?;
    let mut found = passwd_users(&text).filter(|&(number, name)| is_meant(number, name));
    Ok(found.next().map(|(number, name)| (number, name.to_owned())))
}

/// The beginning of such a file.
pub(crate) fn read(path: &str) -> io::Result<Vec<u8>> {
    whole_lines(File::open(path)?, BYTES)
}

/// The lines within the first `most` bytes. Half a line can be a user, too, with
/// half an id.
fn whole_lines(file: impl io::Read, most: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(most).read_to_end(&mut text)?;
    if text.len() as u64 >= most {
        let end = text.iter().rposition(|&byte| byte == b'\n').unwrap_or(0);
        text.truncate(end);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_know_the_first_user() {
        assert_eq!(name_of_user(0).unwrap().as_deref(), Some("root"));
        assert_eq!((user_named("root"), group_named("root")), (Ok(Some(0)), Ok(Some(0))));
        assert_eq!(
            (number_in(PASSWD, "root"), number_in(GROUP, "root")),
            (Ok(Some(0)), Ok(Some(0)))
        );
        assert_eq!(number_in(PASSWD, "nobody-at-all"), Ok(None));
        assert_eq!(number_in("/nonexistent", "root"), Err(Errno::ENOENT));
    }

    #[test]
    fn both_ways_know_the_first_account() {
        let text = String::from_utf8(read(PASSWD).unwrap()).unwrap();
        let found = text.lines().find_map(|line| account_of_line(line, 0));
        assert_eq!(account(0).unwrap(), found);
        assert_eq!(found.unwrap().name, "root");
        assert!(groups_of("root", 0).unwrap().contains(&0));
        assert_eq!(group_with("wheel:x:10:ada,root", "root"), Some(10));
        assert_eq!(group_with("wheel:x:10:ada,rooty", "root"), None);
    }

    #[test]
    fn half_a_line_is_no_user() {
        let text = b"root:x:0:0:::\nada:x:1000:0:::\n".as_slice();
        assert_eq!(whole_lines(text, 100).unwrap(), text);
        for most in 14..30 {
            assert_eq!(whole_lines(text, most).unwrap(), text[..13]);
        }
        assert_eq!(whole_lines(text, 13).unwrap(), b"");
    }
}
