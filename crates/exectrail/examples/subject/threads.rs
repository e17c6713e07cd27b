//! Execs by threads.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use crate::process::exec;

pub(crate) fn exec_from_thread(target: &str, marker: &str) {
    println!("{}", std::process::id());
    std::thread::scope(|scope| scope.spawn(|| exec(target, &[target, marker])).join().is_ok());
    panic!("the exec failed");
}

/// A thread fails first, then succeeds. Prints its id.
pub(crate) fn fail_and_exec(missing: &str, target: &str) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // SAFETY: no arguments.
            println!("{}", unsafe { libc::gettid() });
            exec(missing, &[missing, "first"]);
            exec(target, &[target, "then"]);
        });
    });
    panic!("the exec failed");
}

/// Nine threads exec at the same time; one of them wins.
pub(crate) fn exec_from_all(target: &str) {
    const OTHERS: usize = 8;
    // They spin: one that sleeps at a barrier wakes up too late.
    let there = AtomicUsize::new(0);
    let wait_for_all = || {
        there.fetch_add(1, Ordering::SeqCst);
        while there.load(Ordering::SeqCst) < OTHERS + 1 {
            std::thread::yield_now();
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..OTHERS {
            scope.spawn(|| {
                wait_for_all();
                exec(target, &[target, "thread"]);
            });
        }
        wait_for_all();
        exec(target, &[target, "leader"]);
    });
    panic!("the execs failed");
}

/// The first thread ends, another execs.
pub(crate) fn exec_after_leader(target: &str, marker: &str) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_for_end_of_leader();
            panic!("the exec failed: {}", exec(target, &[target, marker]));
        });
        // SAFETY: ends this thread alone; the scope keeps what the other uses.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    });
}

/// The first thread ends with status 0; after `millis` another one ends the
/// process with `code`.
pub(crate) fn leader_first(millis: u64, code: i32) {
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(millis));
            std::process::exit(code);
        });
        // SAFETY: ends this thread alone; the scope keeps what the other uses.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    });
}

/// Each thread ends by itself, the first one with `leader`, and another one after
/// it with `last`.
pub(crate) fn end_each(leader: i32, last: i32) {
    std::thread::scope(|scope| {
        scope.spawn(move || {
            wait_for_end_of_leader();
            // SAFETY: ends this thread, the last one.
            unsafe { libc::syscall(libc::SYS_exit, last) };
        });
        // SAFETY: ends this thread alone; the scope keeps what the other uses.
        unsafe { libc::syscall(libc::SYS_exit, leader) };
    });
}

/// Until the first thread is a zombie.
fn wait_for_end_of_leader() {
    let state = format!("/proc/self/task/{}/stat", std::process::id());
    while !fs::read_to_string(&state).is_ok_and(|text| text.contains(") Z ")) {
        std::thread::sleep(Duration::from_millis(1));
    }
}
