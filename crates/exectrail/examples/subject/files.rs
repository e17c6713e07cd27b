//! Files named by descriptor, by directory and name, or not at all.

use std::{
    ffi::{CStr, c_char},
    fs::File,
    io,
    os::fd::{AsRawFd, FromRawFd},
    path::Path,
};

use crate::process::{NOTHING, Vector, c_string};

/// Where the descriptor of an exec by descriptor stands, so that the name that
/// the kernel makes of it is known: `/dev/fd/100`.
const PLACE: libc::c_int = 100;

/// include/uapi/linux/fcntl.h, 6.14.
const AT_EXECVE_CHECK: libc::c_int = 0x10000;

/// Execs a file by its descriptor.
pub(crate) fn fexecve(target: &str, args: &[&str]) {
    let file = File::open(target).expect("the target");
    exec_at(&file, c"", args);
}

/// The same when its name is gone.
pub(crate) fn fexecve_unlinked(target: &str, args: &[&str]) {
    let file = File::open(target).expect("the target");
    std::fs::remove_file(target).expect("unlink");
    // Gone with its directory, where that is empty then.
    let _ = Path::new(target).parent().map(std::fs::remove_dir);
    exec_at(&file, c"", args);
}

/// Execs what never had a name.
pub(crate) fn memfd(name: &str, source: &str, args: &[&str]) {
    let name = c_string(name);
    // SAFETY: a string with a NUL.
    let descriptor = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) };
    assert!(descriptor >= 0, "memfd_create");
    // SAFETY: nobody else has this descriptor.
    let mut file = unsafe { File::from_raw_fd(descriptor) };
    io::copy(&mut File::open(source).expect("the source"), &mut file).expect("copying");
    exec_at(&file, c"", args);
}

/// Execs a file by its name in a directory that is given by descriptor.
pub(crate) fn execveat(directory: &str, name: &str, args: &[&str]) {
    let directory = File::open(directory).expect("the directory");
    exec_at(&directory, &c_string(name), args);
}

/// Prints the error, if it comes back.
pub(crate) fn exec_at(file: &File, name: &CStr, args: &[&str]) {
    // SAFETY: two numbers.
    let placed = unsafe { libc::dup3(file.as_raw_fd(), PLACE, libc::O_CLOEXEC) };
    assert_eq!(placed, PLACE, "dup3");
    let flags = if name.is_empty() { libc::AT_EMPTY_PATH } else { 0 };
    raw_execveat(PLACE, name, &Vector::new(args), flags);
    println!("{}", io::Error::last_os_error());
}

/// Asks whether `target` may be executed, with `AT_EXECVE_CHECK`.
pub(crate) fn check(target: &str) {
    let argv = Vector::new(&[target, "asks-only"]);
    println!("{}", raw_execveat(libc::AT_FDCWD, &c_string(target), &argv, AT_EXECVE_CHECK));
}

/// The same for an open file, as an interpreter asks before it reads a script.
pub(crate) fn check_descriptor(target: &str) {
    let file = File::open(target).expect("the target");
    let argv = Vector::new(&[target, "asks-only"]);
    let flags = AT_EXECVE_CHECK | libc::AT_EMPTY_PATH;
    println!("{}", raw_execveat(file.as_raw_fd(), c"", &argv, flags));
}

fn raw_execveat(at: libc::c_int, name: &CStr, argv: &Vector, flags: libc::c_int) -> libc::c_long {
    let environment: *const *const c_char = NOTHING.as_ptr();
    // SAFETY: the arrays end with a null, the strings with a NUL.
    unsafe {
        libc::syscall(libc::SYS_execveat, at, name.as_ptr(), argv.as_ptr(), environment, flags)
    }
}

/// Gives a file one capability, `CAP_NET_RAW`, permitted and effective.
pub(crate) fn give_capability(path: &str) {
    /// `struct vfs_cap_data`, include/uapi/linux/capability.h.
    const REVISION_2: u32 = 0x0200_0000;
    const EFFECTIVE: u32 = 1;
    const CAP_NET_RAW: u32 = 13;
    let value = [REVISION_2 | EFFECTIVE, 1 << CAP_NET_RAW, 0, 0, 0].map(u32::to_le_bytes).concat();
    let (path, name) = (c_string(path), c"security.capability");
    // SAFETY: strings with a NUL, and a value as long as said.
    let set = unsafe {
        libc::setxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0)
    };
    assert_eq!(set, 0, "setxattr: {}", io::Error::last_os_error());
}
