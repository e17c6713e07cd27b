//! Conditions under which a program is run, each a word. They are brought about here and
//! not by a system's tools, since the smallest systems have none of them.

use std::{
    ffi::{CStr, CString},
    fs, io,
    os::unix::process::CommandExt,
    path::Path,
    process, ptr,
};

use rustix::{
    process::{Gid, Resource, Rlimit, Uid, ioctl_tiocsctty, setrlimit, setsid},
    thread::{
        CapabilitySet, CapabilitySets, capabilities, configure_capability_in_ambient_set,
        remove_capability_from_bounding_set, set_capabilities, set_keep_capabilities,
        set_thread_groups, set_thread_res_gid, set_thread_res_uid,
    },
};

use crate::{
    confined,
    process::{c_string, exec, fork, wait_status},
};

/// Brings about each condition in turn, then runs the program behind `--`. A condition
/// that cannot be is the end.
pub(crate) fn under(words: &[&str]) {
    let end = words.iter().position(|word| *word == "--").expect("--");
    let (conditions, program) = (&words[..end], &words[end + 1..]);
    for condition in conditions {
        let (name, value) = condition.split_once('=').unwrap_or((condition, ""));
        let done = bring_about(name, value);
        assert!(done.is_ok(), "{condition}: {done:?}");
    }
    panic!("{}: {}", program[0], exec(program[0], program));
}

fn bring_about(name: &str, value: &str) -> io::Result<()> {
    match name {
        "mounts" => apart(libc::CLONE_NEWNS).and_then(|()| mount(c"", "/", libc::MS_PRIVATE)),
        "network" => apart(libc::CLONE_NEWNET),
        "pids" => first_of_a_pid_namespace(),
        "users" => root_of_a_user_namespace(),
        "cover" => tmpfs(value, "mode=755"),
        "tmpfs" => {
            let (size, place) = value.split_once(':').expect("SIZE:PLACE");
            tmpfs(place, &format!("mode=755,size={size}"))
        }
        "file" => {
            let (path, text) = value.split_once(':').expect("PATH:TEXT");
            fs::write(path, text)
        }
        "read-only" => read_only(value),
        "cgroup" => fs::write(Path::new(value).join("cgroup.procs"), process::id().to_string()),
        "no-bpf" => {
            let refusal = libc::SECCOMP_RET_ERRNO | libc::EPERM.unsigned_abs();
            confined::answer([libc::SYS_bpf; 2], refusal, 0);
            Ok(())
        }
        "without" => without(capability(value)),
        "user" => become_user(value.parse().expect("a number")),
        "capabilities" => only(value.split(',').filter(|name| !name.is_empty())),
        limit => Ok(setrlimit(resource(limit), limit_of(value))?),
    }
}

fn resource(name: &str) -> Resource {
    match name {
        "files" => Resource::Nofile,
        "locked" => Resource::Memlock,
        "memory" => Resource::As,
        "file-size" => Resource::Fsize,
        name => panic!("{name} is no condition"),
    }
}

fn limit_of(value: &str) -> Rlimit {
    let most = (value != "unlimited").then(|| value.parse().expect("a number"));
    Rlimit { current: most, maximum: most }
}

fn apart(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: a number.
    checked(unsafe { libc::unshare(flags) })
}

fn checked(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Changes what is mounted, and all below.
fn mount(source: &CStr, place: &str, flags: libc::c_ulong) -> io::Result<()> {
    raw_mount(source, place, c"", flags | libc::MS_REC, None)
}

fn tmpfs(place: &str, options: &str) -> io::Result<()> {
    raw_mount(c"hostile", place, c"tmpfs", 0, Some(&c_string(options)))
}

fn read_only(place: &str) -> io::Result<()> {
    let here: CString = c_string(place);
    mount(&here, place, libc::MS_BIND)?;
    mount(&here, place, libc::MS_BIND | libc::MS_REMOUNT | libc::MS_RDONLY)
}

fn raw_mount(
    source: &CStr,
    place: &str,
    kind: &CStr,
    flags: libc::c_ulong,
    options: Option<&CString>,
) -> io::Result<()> {
    let place = c_string(place);
    let options = options.map_or(ptr::null(), |options| options.as_ptr().cast());
    // SAFETY: strings with a NUL, which live through the call.
    checked(unsafe { libc::mount(source.as_ptr(), place.as_ptr(), kind.as_ptr(), flags, options) })
}

/// A child goes on, with a `/proc` of its own; we end with what it ends with.
fn first_of_a_pid_namespace() -> io::Result<()> {
    apart(libc::CLONE_NEWPID)?;
    // SAFETY: there is one thread.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork");
    if child > 0 {
        process::exit(libc::WEXITSTATUS(wait_status(child)));
    }
    raw_mount(c"proc", "/proc", c"proc", 0, None)
}

fn root_of_a_user_namespace() -> io::Result<()> {
    apart(libc::CLONE_NEWUSER)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", "0 0 1")?;
    fs::write("/proc/self/gid_map", "0 0 1")
}

fn capability(name: &str) -> CapabilitySet {
    match name {
        "bpf" => CapabilitySet::BPF,
        "perfmon" => CapabilitySet::PERFMON,
        "sys_admin" => CapabilitySet::SYS_ADMIN,
        "sys_resource" => CapabilitySet::SYS_RESOURCE,
        "dac_override" => CapabilitySet::DAC_OVERRIDE,
        name => panic!("{name} is no capability"),
    }
}

/// Nor is it given back by an exec.
fn without(capability: CapabilitySet) -> io::Result<()> {
    remove_capability_from_bounding_set(capability)?;
    let held = capabilities(None)?;
    set(held.permitted - capability)
}

fn set(all: CapabilitySet) -> io::Result<()> {
    let sets = CapabilitySets { effective: all, permitted: all, inheritable: all };
    Ok(set_capabilities(None, sets)?)
}

/// Keeps its capabilities until it is told otherwise.
fn become_user(id: u32) -> io::Result<()> {
    set_keep_capabilities(true)?;
    set_thread_groups(&[])?;
    let (user, group) = (Uid::from_raw(id), Gid::from_raw(id));
    set_thread_res_gid(group, group, group)?;
    set_thread_res_uid(user, user, user)?;
    set(capabilities(None)?.permitted)
}

fn only<'n>(names: impl Iterator<Item = &'n str>) -> io::Result<()> {
    let kept = names.fold(CapabilitySet::empty(), |kept, name| kept | capability(name));
    for other in capabilities(None)?.permitted.difference(kept).iter() {
        remove_capability_from_bounding_set(other)?;
    }
    set(kept)?;
    for capability in kept.iter() {
        configure_capability_in_ambient_set(capability, true)?;
    }
    Ok(())
}

/// Runs a program as a login does: the terminal that stdin is becomes that of a session of
/// its own. What stands in the environment stays.
pub(crate) fn at_terminal(program: &str, args: &[&str]) {
    setsid().expect("a session");
    ioctl_tiocsctty(io::stdin()).expect("a terminal");
    panic!("{program}: {}", process::Command::new(program).args(args).exec());
}

/// Lives with so many others, who sleep, for as long as its standard input is open.
pub(crate) fn crowd(sleeper: &str, count: usize) {
    let all: Vec<_> =
        (0..count).map(|_| fork(|| panic!("{}", exec(sleeper, &[sleeper])))).collect();
    println!("{count}");
    io::copy(&mut io::stdin(), &mut io::sink()).expect("reading");
    for child in &all {
        // SAFETY: a child of ours, not waited for.
        unsafe { libc::kill(*child, libc::SIGKILL) };
    }
    for child in all {
        wait_status(child);
    }
}

/// Moves the wall clock by so many seconds.
pub(crate) fn step_clock(seconds: &str) {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let seconds: i64 = seconds.parse().expect("a number");
    // SAFETY: a structure on our stack.
    let stepped = unsafe {
        libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut time);
        time.tv_sec += seconds;
        libc::clock_settime(libc::CLOCK_REALTIME, &raw const time)
    };
    assert_eq!(stepped, 0, "clock_settime: {}", io::Error::last_os_error());
}

/// Prints how many programs there are in the kernel that this user has loaded.
pub(crate) fn programs_of(user: &str) {
    /// include/uapi/linux/bpf.h.
    const PROG_GET_NEXT_ID: libc::c_int = 11;
    const PROG_GET_FD_BY_ID: libc::c_int = 13;
    const OBJ_GET_INFO_BY_FD: libc::c_int = 15;
    /// Of `created_by_uid` in `struct bpf_prog_info`, in words.
    const CREATED_BY: usize = 12;
    let user: u32 = user.parse().expect("a number");
    let bpf = |command: libc::c_int, words: &mut [u32; 32]| {
        // SAFETY: attributes as long as said.
        unsafe { libc::syscall(libc::SYS_bpf, command, words.as_mut_ptr(), size_of_val(words)) }
    };
    let (mut id, mut count) = (0, 0);
    loop {
        let mut next = [0; 32];
        next[0] = id;
        if bpf(PROG_GET_NEXT_ID, &mut next) < 0 {
            break;
        }
        id = next[1];
        let mut open = [0; 32];
        open[0] = id;
        // One that is gone meanwhile is not counted.
        let Ok(fd @ 0..) = libc::c_int::try_from(bpf(PROG_GET_FD_BY_ID, &mut open)) else {
            continue;
        };
        let mut info = [0_u32; 32];
        let mut ask = [0; 32];
        ask[..2].copy_from_slice(&[fd.unsigned_abs(), 128]);
        let [low, high] = halves((&raw mut info) as u64);
        ask[2..4].copy_from_slice(&[low, high]);
        let asked = bpf(OBJ_GET_INFO_BY_FD, &mut ask);
        // SAFETY: ours, and closed once.
        unsafe { libc::close(fd) };
        assert_eq!(asked, 0, "BPF_OBJ_GET_INFO_BY_FD: {}", io::Error::last_os_error());
        count += usize::from(info[CREATED_BY] == user);
    }
    println!("{count}");
}

/// As they stand in memory.
fn halves(address: u64) -> [u32; 2] {
    let bytes = address.to_ne_bytes();
    [0, 4].map(|at| u32::from_ne_bytes([0, 1, 2, 3].map(|byte| bytes[at + byte])))
}
