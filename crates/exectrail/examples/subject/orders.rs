//! Execs one after the other, each by a child of its own, as the standard input has
//! them: a test's own shell, which can do what no shell can.

use std::{
    ffi::CString,
    fs::File,
    io::{self, BufRead, Read, Write},
    os::{
        fd::{FromRawFd, RawFd},
        unix::process::parent_id,
    },
    process, ptr, thread,
};

use serde_json::Value;

use crate::{
    files,
    process::{NOTHING, Vector, c_string, fork},
};

/// Says who it is, then does what each line says, and answers with the process that
/// called exec.
pub(crate) fn follow(comm: &str) {
    if !comm.is_empty() {
        let comm = c_string(comm);
        // SAFETY: a string with a NUL.
        let named = unsafe { libc::prctl(libc::PR_SET_NAME, comm.as_ptr()) };
        assert_eq!(named, 0, "PR_SET_NAME");
    }
    answer(&process::id().to_string());
    for line in io::stdin().lock().lines() {
        let order: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        answer(&carry_out(&order));
    }
}

fn answer(words: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{words}").and_then(|()| out.flush()).expect("somebody who listens");
}

/// Whoever it is that execs writes its id to a pipe, which it and the new program hold
/// open: when the pipe ends, so has the program, child of ours or not.
fn carry_out(order: &Value) -> String {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors.
    let made = unsafe { libc::pipe(ends.as_mut_ptr()) };
    assert_eq!(made, 0, "pipe");
    let [read, write] = ends;
    give_birth(order["birth"].as_str().unwrap_or("fork"), || {
        say(write, &process::id().to_string());
        exec(order);
    });
    // SAFETY: ours, and closed once; the other end is nobody else's.
    let mut read = unsafe {
        libc::close(write);
        File::from_raw_fd(read)
    };
    let mut pid = String::new();
    read.read_to_string(&mut pid).expect("an id");
    // Those who are ours end with it or before, and are gone then.
    // SAFETY: nobody asks for the status.
    while unsafe { libc::waitpid(-1, ptr::null_mut(), 0) } > 0 {}
    pid
}

fn say(to: RawFd, words: &str) {
    // SAFETY: as many bytes as there are.
    let written = unsafe { libc::write(to, words.as_ptr().cast(), words.len()) };
    assert!(written > 0, "write");
}

/// A process that does `what`, born in this way.
fn give_birth(way: &str, what: impl Fn() + Sync) {
    match way {
        "fork" => drop(fork(what)),
        "session" => drop(fork(|| {
            new_session();
            what();
        })),
        "thread" => thread::scope(|scope| {
            scope.spawn(|| fork(&what));
        }),
        "execs-from-thread" => drop(fork(|| {
            thread::scope(|scope| drop(scope.spawn(&what)));
        })),
        "vfork" => born_by_vfork(what),
        "sibling" => born_as_sibling(what),
        "orphan" => drop(fork(|| {
            new_session();
            let parent = process::id();
            fork(|| {
                while parent_id() == parent {
                    thread::yield_now();
                }
                what();
            });
        })),
        way => panic!("{way} is no birth"),
    }
}

fn new_session() {
    // SAFETY: no arguments.
    let made = unsafe { libc::setsid() };
    assert!(made > 0, "setsid");
}

/// A child that shares our memory, on a stack of its own, while we wait; as the C
/// library's `posix_spawn` has it.
fn born_by_vfork(what: impl Fn()) {
    const STACK: usize = 1 << 18;
    extern "C" fn child<F: Fn()>(what: *mut libc::c_void) -> libc::c_int {
        // SAFETY: `born_by_vfork` waits with it.
        unsafe { (*what.cast::<F>())() };
        127
    }
    fn start_of<F: Fn()>(_: &F) -> extern "C" fn(*mut libc::c_void) -> libc::c_int {
        child::<F>
    }
    let mut stack = vec![0u128; STACK / size_of::<u128>()];
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    let what_to_do = (&raw const what).cast_mut().cast();
    // SAFETY: the stack grows down from its end, and is ours until the child has
    // other memory or none.
    let child = unsafe {
        libc::clone(start_of(&what), stack.as_mut_ptr_range().end.cast(), flags, what_to_do)
    };
    assert!(child > 0, "clone: {}", io::Error::last_os_error());
}

/// Not a child of ours, but of our parent.
fn born_as_sibling(what: impl Fn()) {
    let flags = libc::CLONE_PARENT | libc::SIGCHLD;
    // SAFETY: a fork, while there is one thread.
    let sibling = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if sibling == 0 {
        what();
        // SAFETY: ends this process; nothing of it is needed.
        unsafe { libc::_exit(127) };
    }
    assert!(sibling > 0, "clone: {}", io::Error::last_os_error());
}

/// In whoever was born for it. It is no matter whether this comes back.
fn exec(order: &Value) {
    let text = |name: &str| order[name].as_str().unwrap_or_default();
    let words = order["args"].as_array().expect("arguments");
    let words: Vec<_> = words.iter().map(|word| word.as_str().expect("a word")).collect();
    if !text("cwd").is_empty() {
        std::env::set_current_dir(text("cwd")).expect("the directory");
    }
    let open = |how, name: &str| {
        (order["how"] == how).then(|| File::open(text(name)).expect("a file or directory"))
    };
    let (file, directory) = (open("descriptor", "path"), open("at", "dir"));
    become_user(&order["ids"]);
    match (text("how"), file, directory) {
        ("path", ..) => raw_exec(Some(&c_string(text("path"))), &words),
        ("nothing", ..) => raw_exec(None, &words),
        ("memory", ..) => files::memfd(text("path"), text("source"), &words),
        (_, Some(file), _) => files::exec_at(&file, c"", &words),
        (_, _, Some(directory)) => files::exec_at(&directory, &c_string(text("path")), &words),
        (how, ..) => panic!("exec {how}?"),
    }
}

/// Real and effective user, real and effective group; groups first, while we may.
fn become_user(ids: &Value) {
    let Some(ids) = ids.as_array() else { return };
    let id = |place: usize| {
        ids[place].as_u64().and_then(|id| libc::uid_t::try_from(id).ok()).expect("an id")
    };
    // SAFETY: numbers only.
    let done =
        unsafe { [libc::setresgid(id(2), id(3), id(3)), libc::setresuid(id(0), id(1), id(1))] };
    assert_eq!(done, [0, 0], "{}", io::Error::last_os_error());
}

/// `None` is an address that is not mapped.
fn raw_exec(path: Option<&CString>, words: &[&str]) {
    let argv = Vector::new(words);
    let path = path.map_or(ptr::without_provenance(8), |path| path.as_ptr());
    // SAFETY: the arrays end with a null, the strings with a NUL; of an address without a
    // string, the kernel says so.
    unsafe { libc::syscall(libc::SYS_execve, path, argv.as_ptr(), NOTHING.as_ptr()) };
}
