//! Many execs.

use std::{ffi::CString, io, time::Instant};

use crate::process::{c_string, exec, fork, spawn, spawn_in_vain, wait_for, wait_status};

/// Stays on this CPU from here on; if it has been taken away meanwhile, on any.
pub(crate) fn pin_to(cpu: usize) {
    // SAFETY: a set on our stack, as large as said.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        let done = libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
        let error = io::Error::last_os_error();
        let is_away = error.raw_os_error() == Some(libc::EINVAL);
        assert!(done == 0 || is_away, "sched_setaffinity: {error}");
    }
}

/// The stale-buffer sequence, on one CPU: a long path, then a short one.
pub(crate) fn alternate(long: &str, short: &str, count: usize) {
    pin_to(0);
    for _ in 0..count {
        for path in [long, short] {
            spawn(&c_string(path));
        }
    }
}

/// `count` execs of `target`, spread over `workers` processes, one per CPU in
/// turn. Prints the wall time in nanoseconds.
pub(crate) fn storm(target: &str, count: usize, workers: usize) {
    let path = c_string(target);
    on_every_cpu(count, workers, |_| spawn(&path));
}

/// The same, in turn by fork, from a thread that does not lead its process, by
/// vfork, and of `script`, by vfork too.
pub(crate) fn mixed(target: &str, script: &str, count: usize, workers: usize) {
    let (path, script) = (c_string(target), c_string(script));
    on_every_cpu(count, workers, |turn| match turn % 4 {
        0 => wait_for(fork(|| drop(exec(target, &[target])))),
        1 => spawn_from_thread(&path),
        2 => spawn(&path),
        _ => spawn(&script),
    });
}

/// `count` execs of what is not there, below `directory`: of a worker itself, of a child,
/// and of one that has its parent's memory.
pub(crate) fn failures(directory: &str, count: usize, workers: usize) {
    on_every_cpu(count, workers, |turn| {
        let missing = format!("{directory}/missing-{}-{turn}", std::process::id());
        match turn % 3 {
            0 => drop(exec(&missing, &[&missing])),
            1 => drop(wait_status(fork(|| drop(exec(&missing, &[&missing]))))),
            _ => spawn_in_vain(&c_string(&missing)),
        }
    });
}

/// `exec` is told which turn of its worker it is.
pub(crate) fn on_every_cpu(count: usize, workers: usize, exec: impl Fn(usize)) {
    let start = Instant::now();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let children: Vec<_> = (0..workers)
        .map(|worker| {
            fork(|| {
                pin_to(worker % cpus);
                (0..count / workers).for_each(&exec);
                std::process::exit(0);
            })
        })
        .collect();
    children.into_iter().for_each(wait_for);
    println!("{}", start.elapsed().as_nanos());
}

pub(crate) fn spawn_from_thread(path: &CString) {
    let child = fork(|| {
        let target = path.to_str().expect("UTF-8").to_owned();
        let _ = std::thread::spawn(move || exec(&target, &[&target])).join();
    });
    wait_for(child);
}
