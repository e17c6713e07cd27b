//! Storms that take their own time, keep a pace, or are of a given size: what a
//! benchmark asks for.

use std::{
    fs,
    io::{Read as _, Write as _},
    thread,
    time::{Duration, Instant},
};

use crate::{
    process::{Vector, c_string, fork, posix_spawn, spawn, wait_for},
    storm::{on_every_cpu, pin_to},
};

/// Takes the time of `count` execs of `target`, each from before its birth until it was
/// waited for. Prints 1001 quantiles, from the fastest to the slowest, in nanoseconds.
pub(crate) fn timed(target: &str, count: usize) {
    let path = c_string(target);
    pin_to(0);
    let mut times: Vec<u128> = (0..count)
        .map(|_| {
            let start = Instant::now();
            spawn(&path);
            start.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    let quantile = |part: usize| times[part * (count - 1) / 1000].to_string();
    println!("{}", (0..=1000).map(quantile).collect::<Vec<_>>().join(" "));
}

/// Execs of `target` for so many milliseconds, `rate` a second, of all workers together;
/// as many as there can be for a rate of zero. Prints how many, and in how many
/// nanoseconds.
pub(crate) fn paced(target: &str, rate: usize, millis: usize, workers: usize) {
    let path = c_string(target);
    let length = Duration::from_millis(millis as u64);
    let pause = match rate {
        0 => Duration::ZERO,
        _ => Duration::from_secs(workers as u64) / u32::try_from(rate).expect("a rate"),
    };
    let (mut counts, count) = std::io::pipe().expect("pipe");
    let start = Instant::now();
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let children: Vec<_> = (0..workers)
        .map(|worker| {
            fork(|| {
                pin_to(worker % cpus);
                let mut done = 0_u32;
                // By the clock, so that a late exec does not delay those after it.
                while start.elapsed() < length && pause * done < length {
                    thread::sleep((pause * done).saturating_sub(start.elapsed()));
                    spawn(&path);
                    done += 1;
                }
                (&count).write_all(&done.to_ne_bytes()).expect("writing");
                std::process::exit(0);
            })
        })
        .collect();
    children.into_iter().for_each(wait_for);
    let took = start.elapsed().as_nanos();
    drop(count);
    let mut bytes = Vec::new();
    counts.read_to_end(&mut bytes).expect("reading");
    let (counts, _) = bytes.as_chunks::<4>();
    let all: u32 = counts.iter().map(|count| u32::from_ne_bytes(*count)).sum();
    println!("{all} {took}");
}

/// A storm whose execs have so many arguments, the name included, with so many bytes
/// behind the name.
pub(crate) fn sized(target: &str, arguments: usize, bytes: usize, count: usize, workers: usize) {
    let others = arguments.saturating_sub(1);
    let words: Vec<String> = (0..others)
        .map(|index| "x".repeat(bytes * (index + 1) / others - bytes * index / others))
        .collect();
    let words: Vec<&str> = [target].into_iter().chain(words.iter().map(String::as_str)).collect();
    let vector = Vector::new(&words);
    on_every_cpu(count, workers, |_| wait_for(posix_spawn(vector.as_ptr())));
}

/// A storm of which so many percent are `target`, evenly spread, and the rest `other`.
pub(crate) fn shared(target: &str, other: &str, percent: usize, count: usize, workers: usize) {
    let (path, other) = (c_string(target), c_string(other));
    on_every_cpu(count, workers, |turn| {
        let is_target = turn * percent / 100 != (turn + 1) * percent / 100;
        spawn(if is_target { &path } else { &other });
    });
}

/// One exec after so many milliseconds of quiet, `count` times, each under a name of its
/// own: `target` with five digits behind it. Prints, line by line, the monotonic clock
/// just before each, in nanoseconds.
pub(crate) fn beats(target: &str, count: usize, millis: usize) {
    for number in 0..count {
        let name = format!("{target}-{number:05}");
        fs::hard_link(target, &name).expect("a link");
        thread::sleep(Duration::from_millis(millis as u64));
        let before = monotonic();
        spawn(&c_string(&name));
        println!("{before}");
        fs::remove_file(&name).expect("removing a link");
    }
}

fn monotonic() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a structure on our stack.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    assert_eq!(done, 0, "clock_gettime");
    let part = |part: i64| u64::try_from(part).expect("a time after boot");
    part(now.tv_sec) * 1_000_000_000 + part(now.tv_nsec)
}
