//! The smallest BPF program there is: what every tracer of execs pays at least.

use std::{io, thread, time::Duration};

/// `BPF_PROG_LOAD`, `BPF_RAW_TRACEPOINT_OPEN` and `BPF_PROG_TYPE_RAW_TRACEPOINT` of
/// include/uapi/linux/bpf.h.
const PROGRAM_LOAD: libc::c_int = 5;
const RAW_TRACEPOINT_OPEN: libc::c_int = 17;
const RAW_TRACEPOINT: u32 = 17;

/// The beginning of `union bpf_attr` for `BPF_PROG_LOAD`.
#[repr(C)]
struct Load {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
}

/// The same for `BPF_RAW_TRACEPOINT_OPEN`. No padding is left out: the kernel asks
/// for zeroes behind what it knows.
#[repr(C)]
struct Open {
    name: u64,
    program: u32,
    nothing: u32,
}

/// Holds a program that does nothing at `sched_process_exec`, until it is ended.
pub(crate) fn hold() {
    // r0 = 0; exit
    let instructions: [u64; 2] = [0xb7, 0x95];
    let load = Load {
        program_type: RAW_TRACEPOINT,
        instruction_count: 2,
        instructions: instructions.as_ptr().expose_provenance() as u64,
        license: c"Dual MIT/GPL".as_ptr().expose_provenance() as u64,
    };
    let program = bpf(PROGRAM_LOAD, &load);
    let open = Open {
        name: c"sched_process_exec".as_ptr().expose_provenance() as u64,
        program: u32::try_from(program).expect("a descriptor"),
        nothing: 0,
    };
    bpf(RAW_TRACEPOINT_OPEN, &open);
    eprintln!("tracing");
    loop {
        thread::sleep(Duration::from_secs(60));
    }
}

/// A descriptor that stays open until the end.
fn bpf<T>(command: libc::c_int, what: &T) -> libc::c_long {
    // SAFETY: the kernel reads as many bytes as are there, and what they point to lives.
    let answer =
        unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(what), size_of::<T>()) };
    assert!(answer >= 0, "bpf({command}): {}", io::Error::last_os_error());
    answer
}
