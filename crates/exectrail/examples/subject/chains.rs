//! Processes that exec themselves, several times in a row.

use std::ffi::{CString, c_char};

use crate::{
    elf,
    process::{NOTHING, c_string, fork, posix_spawn, wait_for},
    storm::on_every_cpu,
};

/// Chains that a worker has under way at a time.
const AT_ONCE: usize = 32;
/// Execs of the longest chain.
const LONGEST: usize = 12;

/// Writes a program whose first argument is a letter: it execs itself with the
/// letter before, and at `a` it exits. It sleeps before, so that a chain takes
/// its time.
pub(crate) fn program(path: &str) {
    #[cfg(target_arch = "x86_64")]
    let code: &[u8] = &[
        0x48, 0x8b, 0x44, 0x24, 0x10, // mov rax, [rsp+16]: argv[1]
        0x80, 0x38, b'a', // cmp byte [rax], 'a'
        0x74, 0x2a, // je exit
        0xfe, 0x08, // dec byte [rax]
        0x68, 0x80, 0x84, 0x1e, 0x00, // push 2000000: a timespec of two milliseconds
        0x6a, 0x00, // push 0
        0x48, 0x89, 0xe7, // mov rdi, rsp
        0x31, 0xf6, // xor esi, esi
        0xb8, 35, 0, 0, 0, // mov eax, 35 (nanosleep)
        0x0f, 0x05, // syscall
        0x58, 0x58, // pop rax, twice
        0x48, 0x8b, 0x7c, 0x24, 0x08, // mov rdi, [rsp+8]: argv[0]
        0x48, 0x8d, 0x74, 0x24, 0x08, // lea rsi, [rsp+8]: argv
        0x31, 0xd2, // xor edx, edx: no environment
        0xb8, 59, 0, 0, 0, // mov eax, 59 (execve)
        0x0f, 0x05, // syscall
        0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05, // exit: as in `elf::tiny`
    ];
    #[cfg(target_arch = "aarch64")]
    let code: &[u8] = &[
        0xf940_0be0_u32, // ldr x0, [sp, 16]: argv[1]
        0x3940_0001,     // ldrb w1, [x0]
        0x7101_843f,     // cmp w1, 'a'
        0x5400_0220,     // b.eq exit
        0x5100_0421,     // sub w1, w1, 1
        0x3900_0001,     // strb w1, [x0]
        0xd100_43ff,     // sub sp, sp, 16
        0xd290_9001,     // mov x1, 0x8480
        0xf2a0_03c1,     // movk x1, 0x1e, lsl 16: two milliseconds
        0xa900_07ff,     // stp xzr, x1, [sp]: a timespec
        0x9100_03e0,     // mov x0, sp
        0xd280_0001,     // mov x1, 0
        0xd280_0ca8,     // mov x8, 101 (nanosleep)
        0xd400_0001,     // svc 0
        0x9100_43ff,     // add sp, sp, 16
        0xf940_07e0,     // ldr x0, [sp, 8]: argv[0]
        0x9100_23e1,     // add x1, sp, 8: argv
        0xd280_0002,     // mov x2, 0: no environment
        0xd280_1ba8,     // mov x8, 221 (execve)
        0xd400_0001,     // svc 0
        0xd280_0000,     // exit: mov x0, 0
        0xd280_0ba8,     // mov x8, 93
        0xd400_0001,     // svc 0
    ]
    .map(u32::to_le_bytes)
    .concat();
    elf::program(path, code);
}

/// `count` chains of that program, of all lengths up to the longest, spread over
/// `workers` processes. Every other one is born by fork, so that there is a while
/// between its birth and its first exec; the rest by vfork.
pub(crate) fn chains(path: &str, count: usize, workers: usize) {
    let path = c_string(path);
    on_every_cpu(count / AT_ONCE, workers, |turn| {
        let children = [0; AT_ONCE].map(|_| start(&path, any_length(turn)));
        children.into_iter().for_each(wait_for);
    });
}

fn start(path: &CString, length: usize) -> libc::pid_t {
    let letter = [b'a' + u8::try_from(length - 1).expect("a letter"), 0];
    let argv = [path.as_ptr(), letter.as_ptr().cast::<c_char>(), std::ptr::null()];
    if length.is_multiple_of(2) {
        return posix_spawn(argv.as_ptr());
    }
    fork(|| {
        // SAFETY: the arrays end with a null, the strings with a NUL.
        unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), NOTHING.as_ptr()) };
    })
}

/// No two workers and no two turns have the same row of lengths.
fn any_length(turn: usize) -> usize {
    use std::hash::{BuildHasher as _, RandomState};
    let any = RandomState::new().hash_one((turn, std::process::id()));
    1 + usize::try_from(any % LONGEST as u64).expect("a small number")
}
