//! Execs by processes that may not, or that are expected to crash.

use crate::process::exec;

/// Execs `target` where seccomp does not allow it: `errno` refuses the system
/// call with EPERM, `kill` ends the process. Prints the error, if it lives.
pub(crate) fn seccomp(action: &str, target: &str) {
    let verdict = match action {
        "errno" => libc::SECCOMP_RET_ERRNO | libc::EPERM.unsigned_abs(),
        "kill" => libc::SECCOMP_RET_KILL_PROCESS,
        _ => panic!("errno or kill"),
    };
    no_core();
    filter_execs(verdict);
    println!("{}", exec(target, &[target, "seccomp-marker"]));
}

fn filter_execs(verdict: u32) {
    let jump = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let mut program = [
        // The call's number is the first word of `struct seccomp_data`.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(jump, number(libc::SYS_execve), 2),
        step(jump, number(libc::SYS_execveat), 1),
        step(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0),
        step(libc::BPF_RET | libc::BPF_K, verdict, 0),
    ];
    let len = program.len().try_into().expect("a short program");
    let filter = libc::sock_fprog { len, filter: program.as_mut_ptr() };
    // SAFETY: a program of the length that is said; the kernel checks it.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0, "no_new_privs");
        let set = libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter);
        assert_eq!(set, 0, "PR_SET_SECCOMP");
    }
}

fn number(call: libc::c_long) -> u32 {
    call.try_into().expect("a small number")
}

/// One instruction; a jump skips `skip` others where the word is `value`.
fn step(code: u32, value: u32, skip: u8) -> libc::sock_filter {
    let code = code.try_into().expect("a code has 16 bits");
    libc::sock_filter { code, jt: skip, jf: 0, k: value }
}

/// Execs `target`, which is going to crash, without leaving a core behind.
pub(crate) fn without_core(target: &str, args: &[&str]) {
    no_core();
    panic!("exec: {}", exec(target, args));
}

fn no_core() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a structure on our stack.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) }, 0, "setrlimit");
}
