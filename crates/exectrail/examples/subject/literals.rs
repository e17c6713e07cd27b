//! Arguments that nothing has touched before the exec.

use std::{ffi::c_char, ptr};

use crate::process::{NOTHING, posix_spawn, wait_for};

/// Pointers in a static array, to strings that nothing has touched: at the
/// entry of the system call their pages are often not there.
struct Literals([*const c_char; 5]);
// SAFETY: constant addresses of constants.
unsafe impl Sync for Literals {}

static LITERALS: Literals = Literals([
    c"/usr/bin/true".as_ptr(),
    c"a literal".as_ptr(),
    c"".as_ptr(),
    c"exectrail-literal-marker".as_ptr(),
    ptr::null(),
]);

pub(crate) fn run(how: &str, count: usize) {
    for _ in 0..count {
        let argv = LITERALS.0.as_ptr();
        // SAFETY: the arrays end with a null, the strings with a NUL; a child of
        // vfork calls nothing but exec and _exit.
        unsafe {
            let child = match how {
                "fork" => libc::fork(),
                "vfork" => vfork_exec(argv),
                "posix_spawn" => posix_spawn(argv),
                _ => panic!("fork, vfork or posix_spawn"),
            };
            if child == 0 {
                libc::execve(*argv, argv, NOTHING.as_ptr());
                libc::_exit(127);
            }
            wait_for(child);
        }
    }
}

/// What vfork does, on a stack of its own: Rust does not know functions that
/// return twice.
fn vfork_exec(argv: *const *const c_char) -> libc::pid_t {
    extern "C" fn child(argv: *mut libc::c_void) -> libc::c_int {
        let argv = argv.cast::<*const c_char>().cast_const();
        // SAFETY: the array that `vfork_exec` got.
        unsafe { libc::execve(*argv, argv, NOTHING.as_ptr()) };
        127
    }
    let mut stack = [0u128; 1024];
    let top = stack.as_mut_ptr_range().end.cast();
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the parent stands still until the child has left this stack.
    unsafe { libc::clone(child, top, flags, argv.cast_mut().cast()) }
}
