//! The subject of the live tests and benchmarks: execs in ways that a shell
//! cannot, as often as it is told.
//!
//! Each command prints what it did as far as a test needs to know, and fails
//! loudly when it could not do it.
#![expect(unsafe_code, reason = "fork, vfork and raw execs are the point of it")]
#![expect(clippy::panic, clippy::expect_used, reason = "a test program ends loudly")]
#![expect(clippy::multiple_unsafe_ops_per_block, reason = "system calls in a row")]

use std::{
    env,
    ffi::{CString, OsString, c_char},
    hint::black_box,
    ptr,
    time::Instant,
};

fn main() {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let words: Vec<&str> = args.iter().map(|arg| arg.to_str().unwrap_or("")).collect();
    match words.as_slice() {
        ["exit", ..] => {}
        ["literals", how, count] => literals(how, number(count)),
        ["alternate", long, short, count] => alternate(long, short, number(count)),
        ["storm", target, count, workers] => storm(target, number(count), number(workers)),
        ["exec-from-thread", target, marker] => exec_from_thread(target, marker),
        ["execveat-check", target] => execveat_check(target),
        ["exec-null-argument", target] => exec_bad_argument(target),
        ["getppid", count] => getppid(number(count)),
        ["tiny", path] => tiny(path),
        _ => panic!("subject: unknown command: {words:?}"),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn c_string(text: &str) -> CString {
    CString::new(text).expect("no NUL")
}

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

fn literals(how: &str, count: usize) {
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
                libc::execve(*argv, argv, [ptr::null()].as_ptr());
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
        unsafe { libc::execve(*argv, argv, [ptr::null()].as_ptr()) };
        127
    }
    let mut stack = [0u128; 1024];
    let top = stack.as_mut_ptr_range().end.cast();
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the parent stands still until the child has left this stack.
    unsafe { libc::clone(child, top, flags, argv.cast_mut().cast()) }
}

fn posix_spawn(argv: *const *const c_char) -> libc::pid_t {
    let mut child = 0;
    let environment = [ptr::null_mut::<c_char>()];
    // SAFETY: the arrays end with a null, the strings with a NUL.
    let failed = unsafe {
        libc::posix_spawn(
            &raw mut child,
            *argv,
            ptr::null(),
            ptr::null(),
            argv.cast::<*mut c_char>(),
            environment.as_ptr(),
        )
    };
    assert_eq!(failed, 0, "posix_spawn");
    child
}

fn wait_for(child: libc::pid_t) {
    let mut status = 0;
    // SAFETY: a child of ours; `status` lives through the call.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert!(waited == child && status == 0, "the child ended with {status:#x}");
}

fn pin_to(cpu: usize) {
    // SAFETY: a set on our stack, as large as said.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        let done = libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
        assert_eq!(done, 0, "sched_setaffinity");
    }
}

/// The stale-buffer sequence, on one CPU: a long path, then a short one.
fn alternate(long: &str, short: &str, count: usize) {
    pin_to(0);
    for _ in 0..count {
        for path in [long, short] {
            spawn(&c_string(path));
        }
    }
}

/// Runs `path` with its own name as the only argument.
fn spawn(path: &CString) {
    let argv = [path.as_ptr(), ptr::null()];
    wait_for(posix_spawn(argv.as_ptr()));
}

/// `count` execs of `target`, spread over `workers` processes, one per CPU in
/// turn. Prints the wall time in nanoseconds.
fn storm(target: &str, count: usize, workers: usize) {
    let path = c_string(target);
    let start = Instant::now();
    let children: Vec<_> = (0..workers)
        .map(|worker| {
            // SAFETY: one thread; the child runs the loop below and exits.
            let child = unsafe { libc::fork() };
            if child == 0 {
                pin_to(worker % std::thread::available_parallelism().map_or(1, usize::from));
                for _ in 0..count / workers {
                    spawn(&path);
                }
                std::process::exit(0);
            }
            child
        })
        .collect();
    children.into_iter().for_each(wait_for);
    println!("{}", start.elapsed().as_nanos());
}

fn exec_from_thread(target: &str, marker: &str) {
    let (target, marker) = (c_string(target), c_string(marker));
    println!("{}", std::process::id());
    let thread = std::thread::spawn(move || {
        let argv = [target.as_ptr(), marker.as_ptr(), ptr::null()];
        // SAFETY: the array ends with a null, the strings with a NUL.
        unsafe { libc::execve(target.as_ptr(), argv.as_ptr(), [ptr::null()].as_ptr()) };
    });
    let _ = thread.join();
    panic!("the exec failed");
}

/// Asks whether `target` may be executed, with `AT_EXECVE_CHECK`.
fn execveat_check(target: &str) {
    let path = c_string(target);
    let argv = [path.as_ptr(), c"asks-only".as_ptr(), ptr::null()];
    // SAFETY: as above; with this flag nothing is executed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_execveat,
            libc::AT_FDCWD,
            path.as_ptr(),
            argv.as_ptr(),
            [ptr::null::<c_char>()].as_ptr(),
            0x10000,
        )
    };
    println!("{result}");
}

/// Execs `target` with a second argument whose address is no one's.
fn exec_bad_argument(target: &str) {
    let path = c_string(target);
    let nowhere = ptr::without_provenance::<c_char>(16);
    let argv = [path.as_ptr(), nowhere, c"third".as_ptr(), ptr::null()];
    // SAFETY: the kernel checks the addresses; that is what is tested.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), [ptr::null()].as_ptr()) };
    println!("{}", std::io::Error::last_os_error());
}

/// A system call that does nothing, `count` times. Prints nanoseconds per call.
fn getppid(count: usize) {
    let start = Instant::now();
    for _ in 0..count {
        // SAFETY: no arguments. Not through libc's wrapper, which could cache.
        black_box(unsafe { libc::syscall(libc::SYS_getppid) });
    }
    let calls = u32::try_from(count).expect("a number of calls");
    println!("{:.2}", start.elapsed().as_secs_f64() * 1e9 / f64::from(calls));
}

/// Writes the smallest program there is: one that exits. So an exec costs what
/// the kernel makes of it, and little else.
fn tiny(path: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, tiny_elf()).expect("writing the tiny program");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("chmod");
}

fn tiny_elf() -> Vec<u8> {
    #[cfg(target_arch = "x86_64")]
    // xor edi, edi; mov eax, 60 (exit); syscall
    let (machine, code): (u16, &[u8]) = (62, &[0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05]);
    #[cfg(target_arch = "aarch64")]
    // mov x0, 0; mov x8, 93 (exit); svc 0
    let (machine, code): (u16, &[u8]) =
        (183, &[0, 0, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0, 0, 0xd4]);
    let (base, header, segment): (u64, u16, u16) = (0x40_0000, 64, 56);
    let entry = base + u64::from(header) + u64::from(segment);
    let size = u64::from(header) + u64::from(segment) + code.len() as u64;
    let mut elf = Vec::from(*b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    // e_type EXEC, e_machine, e_version, e_entry, e_phoff, e_shoff, e_flags,
    // e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx.
    elf.extend(2u16.to_le_bytes());
    elf.extend(machine.to_le_bytes());
    elf.extend(1u32.to_le_bytes());
    elf.extend([entry, u64::from(header), 0].map(u64::to_le_bytes).concat());
    elf.extend(0u32.to_le_bytes());
    elf.extend([header, segment, 1, 0, 0, 0].map(u16::to_le_bytes).concat());
    // p_type LOAD, p_flags RX, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align.
    elf.extend([1u32, 5].map(u32::to_le_bytes).concat());
    elf.extend([0, base, base, size, size, 0x1000].map(u64::to_le_bytes).concat());
    elf.extend(code);
    elf
}
