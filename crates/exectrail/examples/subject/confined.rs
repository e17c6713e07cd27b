//! Execs by processes that may not, or that are expected to crash.

use std::io;

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
    install(verdict, 0);
}

/// Has seccomp answer each exec with `verdict`; gives what the system call does.
pub(crate) fn install(verdict: u32, flags: libc::c_ulong) -> libc::c_long {
    answer([libc::SYS_execve, libc::SYS_execveat], verdict, flags)
}

/// The same for other system calls.
pub(crate) fn answer(calls: [libc::c_long; 2], verdict: u32, flags: libc::c_ulong) -> libc::c_long {
    let jump = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let mut program = [
        // The call's number is the first word of `struct seccomp_data`.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(jump, number(calls[0]), 2),
        step(jump, number(calls[1]), 1),
        step(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0),
        step(libc::BPF_RET | libc::BPF_K, verdict, 0),
    ];
    let len = program.len().try_into().expect("a short program");
    let filter = libc::sock_fprog { len, filter: program.as_mut_ptr() };
    // SAFETY: a program of the length that is said; the kernel checks it.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0, "no_new_privs");
        let mode = libc::SECCOMP_SET_MODE_FILTER;
        let set = libc::syscall(libc::SYS_seccomp, mode, flags, &raw const filter);
        assert!(set >= 0, "seccomp: {}", io::Error::last_os_error());
        set
    }
}

/// `include/uapi/linux/landlock.h`: a right to be handled, and the first version
/// of the attributes, which has nothing else.
const LANDLOCK_ACCESS_FS_EXECUTE: u64 = 1;

/// Execs `target` where Landlock allows no file to be executed. Prints the error,
/// or that the kernel has no Landlock.
pub(crate) fn landlocked(target: &str) {
    let handled = LANDLOCK_ACCESS_FS_EXECUTE;
    let size = size_of_val(&handled);
    // SAFETY: attributes on our stack, as long as said; then numbers.
    unsafe {
        let create = libc::SYS_landlock_create_ruleset;
        let ruleset = libc::syscall(create, &raw const handled, size, 0);
        if ruleset < 0 {
            println!("no Landlock: {}", io::Error::last_os_error());
            return;
        }
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0, "no_new_privs");
        let restricted = libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0);
        assert_eq!(restricted, 0, "landlock: {}", io::Error::last_os_error());
    }
    println!("{}", exec(target, &[target, "landlock-marker"]));
}

fn number(call: libc::c_long) -> u32 {
    call.try_into().expect("a small number")
}

/// One instruction; a jump skips `skip` others where the word is `value`.
fn step(code: u32, value: u32, skip: u8) -> libc::sock_filter {
    let code = code.try_into().expect("a code has 16 bits");
    libc::sock_filter { code, jt: skip, jf: 0, k: value }
}

/// Execs `target`, which is going to crash and may leave a core behind.
pub(crate) fn with_core(target: &str, args: &[&str]) {
    limit_core(libc::RLIM_INFINITY);
    panic!("exec: {}", exec(target, args));
}

/// Execs `target`, which is going to crash, without leaving a core behind.
pub(crate) fn without_core(target: &str, args: &[&str]) {
    no_core();
    panic!("exec: {}", exec(target, args));
}

pub(crate) fn no_core() {
    limit_core(0);
}

fn limit_core(bytes: libc::rlim_t) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: a structure on our stack.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) }, 0, "setrlimit");
}
