//! Processes: how they begin, and how they are waited for.

use std::{
    ffi::{CString, c_char},
    io, ptr,
};

/// No environment.
pub(crate) const NOTHING: [*const c_char; 1] = [ptr::null()];

pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text).expect("no NUL")
}

/// An argument vector, and the strings that it points to.
pub(crate) struct Vector {
    addresses: Vec<*const c_char>,
    _strings: Vec<CString>,
}

// SAFETY: the strings move with their addresses, and nothing changes them.
unsafe impl Send for Vector {}

impl Vector {
    pub(crate) fn new(words: &[&str]) -> Self {
        let strings: Vec<_> = words.iter().map(|word| c_string(word)).collect();
        let addresses = strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
        Self { addresses, _strings: strings }
    }

    pub(crate) fn as_ptr(&self) -> *const *const c_char {
        self.addresses.as_ptr()
    }
}

/// Execs `target`. Comes back with the error, if it failed.
pub(crate) fn exec(target: &str, args: &[&str]) -> io::Error {
    let (path, vector) = (c_string(target), Vector::new(args));
    // SAFETY: the arrays end with a null, the strings with a NUL.
    let answer = unsafe { libc::execve(path.as_ptr(), vector.as_ptr(), NOTHING.as_ptr()) };
    // A success that a supervisor made up leaves whatever error was there before.
    if answer == 0 { io::Error::from_raw_os_error(0) } else { io::Error::last_os_error() }
}

/// A child that does `what` and then is gone, whatever came of it.
pub(crate) fn fork(what: impl FnOnce()) -> libc::pid_t {
    // SAFETY: called while there is one thread.
    let child = unsafe { libc::fork() };
    if child == 0 {
        what();
        // SAFETY: ends this process; nothing of it is needed.
        unsafe { libc::_exit(127) };
    }
    assert!(child > 0, "fork");
    child
}

pub(crate) fn posix_spawn(argv: *const *const c_char) -> libc::pid_t {
    let (child, error) = try_to_spawn(argv);
    assert_eq!(error, 0, "posix_spawn");
    child
}

/// Tries to run what is not there.
pub(crate) fn spawn_in_vain(path: &CString) {
    let (_, error) = try_to_spawn([path.as_ptr(), ptr::null()].as_ptr());
    assert_eq!(error, libc::ENOENT, "posix_spawn");
}

/// A child, and zero or why there is none.
fn try_to_spawn(argv: *const *const c_char) -> (libc::pid_t, libc::c_int) {
    let mut child = 0;
    // SAFETY: the arrays end with a null, the strings with a NUL.
    let error = unsafe {
        libc::posix_spawn(
            &raw mut child,
            *argv,
            ptr::null(),
            ptr::null(),
            argv.cast::<*mut c_char>(),
            NOTHING.as_ptr().cast::<*mut c_char>(),
        )
    };
    (child, error)
}

/// Runs `path` with its own name as the only argument.
pub(crate) fn spawn(path: &CString) {
    let argv = [path.as_ptr(), ptr::null()];
    wait_for(posix_spawn(argv.as_ptr()));
}

pub(crate) fn wait_for(child: libc::pid_t) {
    let status = wait_status(child);
    assert!(status == 0, "the child ended with {status:#x}");
}

pub(crate) fn wait_status(child: libc::pid_t) -> libc::c_int {
    let mut status = 0;
    // SAFETY: a child of ours; `status` lives through the call.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert!(waited == child, "waitpid: {}", io::Error::last_os_error());
    status
}
