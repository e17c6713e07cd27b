//! Execs by children that have another parent than the one they were born to,
//! or seem to.

use std::io;

use crate::process::{Vector, c_string, exec, fork, wait_for, wait_status};

/// Looks for `name` along the PATH, in a child that shares our memory.
pub(crate) fn spawn_by_name(name: &str, marker: &str) {
    unsafe extern "C" {
        static environ: *const *mut libc::c_char;
    }
    let (path, argv) = (c_string(name), Vector::new(&[name, marker]));
    let mut child = 0;
    // SAFETY: the arrays end with a null, the strings with a NUL.
    let failed = unsafe {
        libc::posix_spawnp(
            &raw mut child,
            path.as_ptr(),
            std::ptr::null(),
            std::ptr::null(),
            argv.as_ptr().cast(),
            environ,
        )
    };
    assert_eq!(failed, 0, "posix_spawnp");
    wait_for(child);
    println!("{child}");
}

/// A grandchild whose parent has ended execs `target`; we have adopted it.
/// Prints the grandchild.
pub(crate) fn orphan(target: &str, marker: &str) {
    // SAFETY: a number.
    let adopts = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    assert_eq!(adopts, 0, "PR_SET_CHILD_SUBREAPER");
    let adopter = std::process::id();
    let parent = fork(|| {
        fork(|| {
            while std::os::unix::process::parent_id() != adopter {
                std::thread::yield_now();
            }
            println!("{}", std::process::id());
            exec(target, &[target, marker]);
        });
        // SAFETY: ends this process; nothing of it is needed.
        unsafe { libc::_exit(0) };
    });
    wait_for(parent);
    let mut status = 0;
    // SAFETY: whichever child is left; `status` lives through the call.
    let last = unsafe { libc::waitpid(-1, &raw mut status, 0) };
    assert!(last > 0 && status == 0, "the grandchild ended with {status:#x}");
}

/// A child execs `target` when its parent, this process, runs the program
/// `parent` already, a subject too. Prints the child.
pub(crate) fn under_new(parent: &str, target: &str) {
    let child = fork(|| {
        // SAFETY: a number.
        unsafe { libc::raise(libc::SIGSTOP) };
        exec(target, &[target, "child"]);
    });
    println!("{child}");
    panic!("exec: {}", exec(parent, &[parent, "resume", &child.to_string()]));
}

/// Lets a child that stops itself run on, and waits for its end.
pub(crate) fn resume(child: libc::pid_t) {
    let mut status = 0;
    // SAFETY: a child of ours; `status` lives through the call.
    unsafe { libc::waitpid(child, &raw mut status, libc::WUNTRACED) };
    assert!(libc::WIFSTOPPED(status), "the child did not stop: {status:#x}");
    // SAFETY: numbers only.
    unsafe { libc::kill(child, libc::SIGCONT) };
    wait_for(child);
}

/// A child execs `target` while another process traces it. Prints both.
pub(crate) fn ptraced(target: &str, marker: &str) {
    let child = fork(|| {
        // SAFETY: two numbers.
        unsafe { libc::raise(libc::SIGSTOP) };
        exec(target, &[target, marker]);
    });
    let mut status = 0;
    // SAFETY: a child of ours; `status` lives through the call.
    unsafe { libc::waitpid(child, &raw mut status, libc::WUNTRACED) };
    assert!(libc::WIFSTOPPED(status), "the child did not stop: {status:#x}");
    let tracer = fork(|| trace(child));
    println!("{child} {tracer}");
    wait_status(tracer);
    wait_for(child);
}

/// Traces a stopped process to its end.
fn trace(child: libc::pid_t) {
    // SAFETY: numbers only.
    unsafe {
        let seized = libc::ptrace(libc::PTRACE_SEIZE, child, 0, 0);
        assert_eq!(seized, 0, "PTRACE_SEIZE: {}", io::Error::last_os_error());
        libc::kill(child, libc::SIGCONT);
        let mut status = 0;
        while libc::waitpid(child, &raw mut status, libc::__WALL) == child
            && libc::WIFSTOPPED(status)
        {
            libc::ptrace(libc::PTRACE_CONT, child, 0, 0);
        }
    }
}
