//! Arguments whose addresses, pages or bytes are not what they should be.

use std::{
    ffi::c_char,
    fs, io,
    os::fd::AsRawFd,
    ptr,
    sync::{
        Barrier,
        atomic::{AtomicU8, Ordering},
    },
};

use crate::process::{NOTHING, Vector, c_string, exec};

const PAGE: usize = 4096;

/// An address that is no one's: the first pages are never mapped
/// (`vm.mmap_min_addr`).
fn nowhere<T>() -> *const T {
    ptr::without_provenance(16)
}

/// Execs `target` with a second argument whose address is no one's.
pub(crate) fn bad_argument(target: &str) {
    let path = c_string(target);
    let argv = [path.as_ptr(), nowhere(), c"third".as_ptr(), ptr::null()];
    raw_exec(path.as_ptr(), argv.as_ptr(), NOTHING.as_ptr());
}

/// Execs with null pointers and bad ones where there should be others.
pub(crate) fn with_argv(how: &str, target: &str) {
    let (path, good) = (c_string(target), Vector::new(&["zeroth", "argv-marker"]));
    let (path, good, none) = (path.as_ptr(), good.as_ptr(), NOTHING.as_ptr());
    match how {
        "null" => raw_exec(path, ptr::null(), none),
        "empty" => raw_exec(path, none, none),
        "bad-vector" => raw_exec(path, nowhere(), none),
        "bad-first" => {
            raw_exec(path, [nowhere(), c"argv-marker".as_ptr(), ptr::null()].as_ptr(), none);
        }
        "bad-name" => raw_exec(nowhere(), good, none),
        "bad-environment" => raw_exec(path, good, nowhere()),
        _ => panic!("no such vector: {how}"),
    }
}

/// Prints the error, if it comes back.
fn raw_exec(path: *const c_char, argv: *const *const c_char, environment: *const *const c_char) {
    // SAFETY: the kernel checks the addresses; that is what is tested.
    unsafe { libc::syscall(libc::SYS_execve, path, argv, environment) };
    println!("{}", io::Error::last_os_error());
}

/// Execs `target` with a vector and arguments that are mapped from a file and
/// that nothing has touched: none of their pages is there.
pub(crate) fn from_file(target: &str, file: &str) {
    let words = ["zeroth", "from a file", "", "file-marker"];
    let pages = words.len() + 1;
    let address = map(None, pages, None);
    let mut image = vec![0u8; pages * PAGE];
    for (index, word) in words.iter().enumerate() {
        let place = (index + 1) * PAGE;
        image[index * 8..][..8].copy_from_slice(&(address.addr() + place).to_ne_bytes());
        image[place..][..word.len()].copy_from_slice(word.as_bytes());
    }
    fs::write(file, image).expect("writing the image");
    let file = fs::File::open(file).expect("the image");
    let argv = map(Some(address), pages, Some(file.as_raw_fd()));
    raw_exec(c_string(target).as_ptr(), argv.cast(), NOTHING.as_ptr());
}

fn map(at: Option<*mut libc::c_void>, pages: usize, file: Option<i32>) -> *mut libc::c_void {
    let fixed = if at.is_some() { libc::MAP_FIXED } else { 0 };
    let anonymous = if file.is_none() { libc::MAP_ANONYMOUS } else { 0 };
    // SAFETY: a new mapping, or one that takes the place of ours.
    let address = unsafe {
        libc::mmap(
            at.unwrap_or(ptr::null_mut()),
            pages * PAGE,
            libc::PROT_READ,
            libc::MAP_PRIVATE | anonymous | fixed,
            file.unwrap_or(-1),
            0,
        )
    };
    assert!(address != libc::MAP_FAILED, "mmap");
    address
}

/// Long, so that the kernel can copy it half rewritten.
static REWRITTEN: [AtomicU8; 2049] = [const { AtomicU8::new(0) }; 2049];

/// Execs `target` with an argument that another thread rewrites all the time.
pub(crate) fn while_rewriting(target: &str) {
    let fill = |byte| {
        let text = &REWRITTEN[..REWRITTEN.len() - 1];
        for place in text {
            place.store(byte, Ordering::Relaxed);
        }
    };
    fill(b'a');
    let begun = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            begun.wait();
            loop {
                (b'a'..=b'z').for_each(fill);
            }
        });
        begun.wait();
        let path = c_string(target);
        let rewritten = REWRITTEN.as_ptr().cast();
        let argv = [path.as_ptr(), c"say".as_ptr(), rewritten, ptr::null()];
        raw_exec(path.as_ptr(), argv.as_ptr(), NOTHING.as_ptr());
        std::process::exit(1);
    });
}

/// Execs `target` under a name of its own that clears a terminal.
pub(crate) fn with_comm(target: &str) {
    // SAFETY: a string with a NUL; 15 bytes are kept.
    unsafe { libc::prctl(libc::PR_SET_NAME, c"a\n\x1b[2J\xff\x07b".as_ptr()) };
    println!("{}", exec(target, &[target, "comm-marker"]));
}

/// Calls itself `name`, execs what is missing, then `target`.
pub(crate) fn named(name: &str, missing: &str, target: &str) {
    let name = c_string(name);
    // SAFETY: a string with a NUL; 15 bytes are kept.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
    exec(missing, &[missing, "first"]);
    panic!("exec: {}", exec(target, &[target, "then"]));
}

/// Writes over its own arguments, where the kernel put them, and prints what
/// `/proc` has of them then.
pub(crate) fn rewrite_own() {
    let line = fs::read_to_string("/proc/self/stat").expect("stat");
    let fields = line.rsplit(") ").next().expect("fields").split(' ');
    // Fields 48 and 49, arg_start and arg_end; what is split begins with the third.
    let bounds: Vec<usize> =
        fields.skip(45).take(2).map(|field| field.parse().expect("an address")).collect();
    let [start, end] = bounds[..] else { panic!("no bounds: {line}") };
    for address in start..end {
        let byte = ptr::with_exposed_provenance_mut::<u8>(address);
        // SAFETY: our stack, below which nothing of Rust's lies; the strings are
        // not borrowed by anyone who still looks at them.
        unsafe {
            if byte.read() != 0 {
                byte.write(b'x');
            }
        }
    }
    crate::tell::tell(&["cmdline"]);
}
