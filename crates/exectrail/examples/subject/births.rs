//! Execs by processes that were born, and have ended, in every way.

use std::io;

use crate::{
    process::{c_string, exec, fork, spawn, wait_for, wait_status},
    storm::{on_every_cpu, spawn_from_thread},
};

/// `count` turns, each of the next way: a fork, a vfork, a thread, a script, a
/// child that its parent's child gave birth to, a program that the kernel gives up
/// on when the old one is gone, and a process in a session of its own.
pub(crate) fn births(paths: [&str; 3], count: usize, workers: usize) {
    let [target, script, unmappable] = paths;
    let (path, script) = (c_string(target), c_string(script));
    on_every_cpu(count, workers, |turn| match turn % 7 {
        0 => wait_for(fork(|| drop(exec(target, &[target])))),
        1 => spawn(&path),
        2 => spawn_from_thread(&path),
        3 => spawn(&script),
        4 => sibling(target),
        5 => ends_in_its_exec(unmappable),
        _ => daemon(target),
    });
}

/// A child that has exec'd has a child with `CLONE_PARENT`: one of ours.
fn sibling(target: &str) {
    fork(|| drop(exec("/proc/self/exe", &["subject", "clone-parent", target])));
    wait_for_any();
    wait_for_any();
}

/// Gives birth to a sibling of this process, which execs `target`.
pub(crate) fn clone_parent(target: &str) {
    let flags = libc::CLONE_PARENT | libc::SIGCHLD;
    // SAFETY: a fork, while there is one thread.
    let child = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if child == 0 {
        let error = exec(target, &[target]);
        panic!("the exec failed: {error}");
    }
    assert!(child > 0, "clone: {}", io::Error::last_os_error());
}

fn ends_in_its_exec(unmappable: &str) {
    let status = wait_status(fork(|| drop(exec(unmappable, &[unmappable]))));
    assert!(libc::WIFSIGNALED(status), "it should be killed: {status:#x}");
}

/// The usual double fork, the exec last.
fn daemon(target: &str) {
    // SAFETY: a number.
    let adopts = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    assert_eq!(adopts, 0, "PR_SET_CHILD_SUBREAPER");
    fork(|| {
        // SAFETY: no arguments.
        unsafe { libc::setsid() };
        fork(|| drop(exec(target, &[target])));
        // SAFETY: ends this process; nothing of it is needed.
        unsafe { libc::_exit(0) };
    });
    wait_for_any();
    wait_for_any();
}

fn wait_for_any() {
    let mut status = 0;
    // SAFETY: whichever child is left; `status` lives through the call.
    let child = unsafe { libc::waitpid(-1, &raw mut status, 0) };
    assert!(child > 0 && status == 0, "child {child} ended with {status:#x}");
}
