//! Names and words of the errors that exec can end with.

/// Errno, name, and words. The numbers are those of x86 and Arm
/// (include/uapi/asm-generic/errno-base.h, errno.h).
const ERRORS: &[(u32, &str, &str)] = &[
    (1, "EPERM", "not permitted"),
    (2, "ENOENT", "no such file"),
    (3, "ESRCH", "no such process"),
    (4, "EINTR", "interrupted"),
    (5, "EIO", "I/O error"),
    (6, "ENXIO", "no such device"),
    (7, "E2BIG", "arguments too long"),
    (8, "ENOEXEC", "not an executable format"),
    (9, "EBADF", "bad file descriptor"),
    (10, "ECHILD", "no child process"),
    (11, "EAGAIN", "try again: process limit"),
    (12, "ENOMEM", "out of memory"),
    (13, "EACCES", "permission denied"),
    (14, "EFAULT", "bad address"),
    (16, "EBUSY", "busy"),
    (17, "EEXIST", "exists"),
    (18, "EXDEV", "crosses a mount"),
    (19, "ENODEV", "no such device"),
    (20, "ENOTDIR", "not a directory"),
    (21, "EISDIR", "is a directory"),
    (22, "EINVAL", "invalid argument"),
    (23, "ENFILE", "too many open files on the host"),
    (24, "EMFILE", "too many open files"),
    (26, "ETXTBSY", "file is being written"),
    (28, "ENOSPC", "no space left"),
    (30, "EROFS", "read-only file system"),
    (36, "ENAMETOOLONG", "name too long"),
    (38, "ENOSYS", "not implemented"),
    (40, "ELOOP", "too many symbolic links"),
    (75, "EOVERFLOW", "value too large"),
    (79, "ELIBACC", "library not accessible"),
    (80, "ELIBBAD", "library damaged"),
    (95, "EOPNOTSUPP", "not supported"),
    (110, "ETIMEDOUT", "timed out"),
    (116, "ESTALE", "stale file handle"),
    (121, "EREMOTEIO", "remote I/O error"),
    (122, "EDQUOT", "quota exceeded"),
    (126, "ENOKEY", "key not available"),
    (127, "EKEYEXPIRED", "key expired"),
    (129, "EKEYREJECTED", "key rejected"),
];

/// The name of an errno: `ENOENT` for 2. `None` for one that exec is not known
/// to end with; the number still stands in the event.
#[must_use]
pub fn name(errno: u32) -> Option<&'static str> {
    ERRORS.iter().find(|(number, ..)| *number == errno).map(|(_, name, _)| *name)
}

/// The errno in words: `no such file` for 2.
#[must_use]
pub fn words(errno: u32) -> Option<&'static str> {
    ERRORS.iter().find(|(number, ..)| *number == errno).map(|(.., words)| *words)
}

/// The errno of a name: 2 for `ENOENT`.
#[must_use]
pub fn number(name: &str) -> Option<u32> {
    ERRORS.iter().find(|(_, known, _)| *known == name).map(|(number, ..)| *number)
}

/// Every name that is known.
pub fn names() -> impl Iterator<Item = &'static str> {
    ERRORS.iter().map(|(_, name, _)| *name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_and_unknown() {
        assert_eq!(super::name(2), Some("ENOENT"));
        assert_eq!(super::words(8), Some("not an executable format"));
        assert_eq!(super::name(4000), None);
        assert_eq!(super::number("EACCES"), Some(13));
        assert_eq!(super::number("EACCESS"), None);
        assert!(super::names().all(|name| super::number(name).and_then(super::name) == Some(name)));
    }
}
