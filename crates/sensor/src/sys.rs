//! System calls that no crate of ours offers in a safe form: the one room of
//! this crate where `unsafe` is allowed.
#![expect(unsafe_code, reason = "raw system calls; each block says why it holds")]

mod kernel_types;
mod no_files;
mod pages;
mod ring;

pub(crate) use kernel_types::KernelTypes;
pub(crate) use no_files::open_no_files;
pub(crate) use ring::{HEAD, Ring};

use std::{
    io,
    mem::size_of,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use aya_obj::generated::bpf_prog_info;

/// `PERF_TYPE_TRACEPOINT` (`include/uapi/linux/perf_event.h`).
const PERF_TYPE_TRACEPOINT: u32 = 2;
/// `PERF_FLAG_FD_CLOEXEC`, same file.
const PERF_FLAG_FD_CLOEXEC: libc::c_ulong = 8;
/// `PERF_EVENT_IOC_ENABLE`, `_IO('$', 0)`.
const PERF_EVENT_IOC_ENABLE: libc::c_ulong = 0x2400;
/// `PERF_EVENT_IOC_SET_BPF`, `_IOW`.
const PERF_EVENT_IOC_SET_BPF: libc::c_ulong = 0x4004_2408;
/// `BPF_OBJ_GET_INFO_BY_FD` (include/uapi/linux/bpf.h).
const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;

/// The first version of `struct perf_event_attr`, 64 bytes, which every kernel
/// takes: a tracepoint's id is all that we need to say.
#[repr(C)]
struct PerfEventAttr {
    kind: u32,
    size: u32,
    config: u64,
    rest: [u64; 6],
}

impl PerfEventAttr {
    /// `PERF_ATTR_SIZE_VER0` (`include/uapi/linux/perf_event.h`).
    const SIZE: u32 = 64;
}

const _: () = assert!(size_of::<PerfEventAttr>() == PerfEventAttr::SIZE as usize);

/// Attaches a loaded program to the classic tracepoint with this id, on every
/// CPU. It is detached when the file descriptor is closed.
///
/// Aya does the same but reads the id from a mounted tracefs only.
pub(crate) fn attach_tracepoint(program: BorrowedFd<'_>, id: u64) -> io::Result<OwnedFd> {
    let attr = PerfEventAttr {
        kind: PERF_TYPE_TRACEPOINT,
        size: PerfEventAttr::SIZE,
        config: id,
        rest: [0; 6],
    };
    let (any_process, cpu, no_group): (libc::pid_t, libc::c_int, libc::c_int) = (-1, 0, -1);
    // SAFETY: `attr` lives through the call and says its own size.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attr,
            any_process,
            cpu,
            no_group,
            PERF_FLAG_FD_CLOEXEC,
        )
    };
    let fd = i32::try_from(checked(fd)?).map_err(io::Error::other)?;
    // SAFETY: the kernel has just given it to us alone.
    let event = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: both file descriptors are open.
    let set =
        unsafe { libc::ioctl(event.as_raw_fd(), PERF_EVENT_IOC_SET_BPF, program.as_raw_fd()) };
    checked(set.into())?;
    // SAFETY: the file descriptor is open.
    let enabled = unsafe { libc::ioctl(event.as_raw_fd(), PERF_EVENT_IOC_ENABLE, 0) };
    checked(enabled.into())?;
    Ok(event)
}

/// What the kernel tells of a loaded program. What it is too old to tell is zero there.
pub(crate) struct ProgramFacts {
    /// How often it was skipped because one was running already on that CPU (see
    /// `counters::MISSES_COUNTED`).
    pub(crate) recursion_misses: u64,
    /// Instructions that the verifier walked, since 5.16.
    pub(crate) verified_insns: u32,
}

/// Asks the kernel about a loaded program.
pub(crate) fn program_facts(program: BorrowedFd<'_>) -> io::Result<ProgramFacts> {
    #[repr(C)]
    struct Attr {
        fd: u32,
        len: u32,
        info: u64,
        /// The kernel wants zeroes in what it does not use.
        rest: [u64; 14],
    }
    // SAFETY: a structure of integers, for which zeroes are valid.
    let mut info: bpf_prog_info = unsafe { std::mem::zeroed() };
    let mut attr = Attr {
        fd: program.as_raw_fd().cast_unsigned(),
        len: u32::try_from(size_of::<bpf_prog_info>()).map_err(io::Error::other)?,
        info: (&raw mut info) as u64,
        rest: [0; 14],
    };
    // SAFETY: `attr` says where `info` is and how long, and both live through the call.
    let done = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &raw mut attr, size_of::<Attr>())
    };
    checked(done)?;
    let bpf_prog_info { recursion_misses, verified_insns, .. } = info;
    Ok(ProgramFacts { recursion_misses, verified_insns })
}

/// Waits until every program that runs now on any CPU has ended: programs run with
/// RCU read locked, and this waits for a grace period (membarrier(2)). Where the
/// kernel cannot do that, it waits far longer than any program of ours runs.
pub(crate) fn wait_for_programs() {
    /// `MEMBARRIER_CMD_GLOBAL` (`include/uapi/linux/membarrier.h`).
    const GLOBAL: libc::c_int = 1;
    // SAFETY: numbers only.
    let waited = unsafe { libc::syscall(libc::SYS_membarrier, GLOBAL, 0, 0) };
    if waited != 0 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Gives memory that was freed back to the system: parsing the object takes some once, and
/// BTF that cannot be mapped, which would stay resident for the life of the trace.
pub(crate) fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: no argument, no state but the allocator's own.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Gives pages of the program's own file back to the system, which were needed once: they
/// would stay resident for the life of the trace. Whoever reads them again has them from
/// the file.
pub(crate) fn give_pages_back(bytes: &'static [u8]) {
    let page = rustix::param::page_size();
    // Pages at the ends have others' bytes, too.
    let before = bytes.as_ptr().align_offset(page);
    let Some(whole) = bytes.get(before..) else { return };
    let len = whole.len() / page * page;
    // SAFETY: the pages are those of a constant of the program's file, which nothing has
    // written to; their bytes are the same when they come back.
    unsafe {
        libc::madvise(whole.as_ptr().cast_mut().cast(), len, libc::MADV_DONTNEED);
    }
}

/// Has this thread run before all that is not real-time, at the lowest real-time priority,
/// and those threads that it starts from now on.
///
/// # Errors
///
/// Without `CAP_SYS_NICE` and with `RLIMIT_RTPRIO` at zero (`EPERM`).
pub fn run_before_others() -> io::Result<()> {
    let (this_thread, lowest) = (0, libc::sched_param { sched_priority: 1 });
    // By its number: musl's function of this name does nothing.
    // SAFETY: the parameter lives through the call.
    checked(unsafe {
        libc::syscall(libc::SYS_sched_setscheduler, this_thread, libc::SCHED_RR, &raw const lowest)
    })
    .map(drop)
}

fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
