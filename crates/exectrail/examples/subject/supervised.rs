//! Execs that seccomp asks another thread about.

use std::{io, mem, thread};

use crate::{
    confined::{install, no_core},
    process::exec,
};

/// Execs `target` while a supervisor answers: `refuse` with EACCES, `pretend` with
/// a success that is none, `continue` by letting the kernel go on. Prints what
/// became of it, if it comes back.
pub(crate) fn notified(answer: &str, target: &str) {
    // The answer's id is that of the question.
    let mut response = libc::seccomp_notif_resp { id: 0, val: 0, error: 0, flags: 0 };
    match answer {
        "refuse" => response.error = -libc::EACCES,
        "pretend" => {}
        "continue" => {
            let flag = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE;
            response.flags = flag.try_into().expect("a flag of 32 bits");
        }
        _ => panic!("refuse, pretend or continue"),
    }
    no_core();
    let listener = install(libc::SECCOMP_RET_USER_NOTIF, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
    let listener = libc::c_int::try_from(listener).expect("a descriptor");
    // It execs nothing itself, so that its filter does not matter.
    thread::spawn(move || supervise(listener, response));
    println!("{}", exec(target, &[target, "notify-marker"]));
}

/// Answers one question. An exec that goes on ends this thread.
fn supervise(listener: libc::c_int, mut response: libc::seccomp_notif_resp) {
    // SAFETY: all zeroes is a value of it, and the one that the kernel asks for;
    // both structures live through the calls.
    unsafe {
        let mut question: libc::seccomp_notif = mem::zeroed();
        let heard = libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut question);
        assert_eq!(heard, 0, "NOTIF_RECV: {}", io::Error::last_os_error());
        response.id = question.id;
        let sent = libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut response);
        assert_eq!(sent, 0, "NOTIF_SEND: {}", io::Error::last_os_error());
    }
}
