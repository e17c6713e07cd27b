use std::collections::BTreeMap;

use super::{EACCES, Folder, GOES_ON, Miss, NAME_MAX, PATIENCE, WALKS, Walker};

const ENOENT: u32 = 2;
const ETXTBSY: u32 = 26;

/// A folder of payloads that are plain numbers, and what it has released.
struct Bench {
    folder: Folder<u32>,
    out: Vec<(u32, u32)>,
    payload: u32,
}

impl Bench {
    fn new() -> Self {
        Self { folder: Folder::new(PATIENCE), out: Vec::new(), payload: 0 }
    }

    /// The payloads count from one.
    fn miss(&mut self, (pid, tid): (u32, u32), path: &str, errno: u32, ktime: u64) -> Option<u32> {
        self.payload += 1;
        let (walker, filename) = (Walker { pid, tid }, path.as_bytes());
        let miss = Miss { walker, filename, errno, ktime };
        self.folder.failed(&miss, self.payload, &mut |it, tried| self.out.push((it, tried)))
    }

    fn walk(&mut self, pid: u32, paths: &[&str]) {
        for path in paths {
            self.miss((pid, pid), path, ENOENT, 0);
        }
    }

    fn success(&mut self, pid: u32, path: &str, ktime: u64) -> u32 {
        let release = &mut |it, tried| self.out.push((it, tried));
        self.folder.succeeded(pid, path.as_bytes(), ktime, release)
    }

    fn tick(&mut self, now: u64) {
        self.folder.tick(now, &mut |it, tried| self.out.push((it, tried)));
    }

    fn finish(&mut self) {
        self.folder.finish(&mut |it, tried| self.out.push((it, tried)));
        assert_eq!((self.folder.held(), self.folder.deadline()), (0, None));
        assert!(self.folder.walks.is_empty() && self.folder.order.is_empty());
    }

    /// Everything that has been released since the last time.
    fn released(&mut self) -> Vec<(u32, u32)> {
        std::mem::take(&mut self.out)
    }
}

#[test]
fn a_success_swallows_the_walk_before_it() {
    let mut bench = Bench::new();
    bench.walk(7, &["/usr/local/bin/x", "/usr/bin/x", "/sbin/x"]);
    assert_eq!(bench.folder.held(), 3);
    assert_eq!(bench.success(7, "/bin/x", 10), 3);
    assert_eq!(bench.folder.folded(), 3);
    bench.finish();
    assert_eq!(bench.released(), []);
    assert_eq!(bench.success(7, "/bin/x", 11), 0);
}

#[test]
fn a_walk_in_vain_is_one_failure() {
    let mut bench = Bench::new();
    bench.walk(7, &["/usr/bin/x", "/bin/x", "x"]);
    bench.tick(PATIENCE);
    assert_eq!(bench.released(), []);
    assert_eq!(bench.folder.deadline(), Some(PATIENCE + 1));
    bench.tick(PATIENCE + 1);
    assert_eq!(bench.released(), [(3, 3)]);
    assert_eq!(bench.folder.folded(), 2);
}

#[test]
fn a_walk_goes_on_over_every_error_that_libc_goes_on_after() {
    let mut bench = Bench::new();
    for (number, errno) in GOES_ON.into_iter().enumerate() {
        bench.miss((7, 7), &format!("/{number}/x"), errno, 0);
    }
    assert_eq!(bench.success(7, "/bin/x", 0), 6);
}

#[test]
fn the_error_that_the_walker_is_told_is_the_one_that_stays() {
    let mut bench = Bench::new();
    assert_eq!(bench.miss((7, 7), "/a/x", ENOENT, 0), None);
    assert_eq!(bench.miss((7, 7), "/b/x", EACCES, 0), Some(1));
    assert_eq!(bench.miss((7, 7), "/c/x", ENOENT, 0), Some(3));
    assert_eq!(bench.miss((7, 7), "/d/x", EACCES, 0), Some(2));
    assert_eq!(bench.miss((7, 7), "/e/x", ENOENT, 0), Some(5));
    bench.finish();
    assert_eq!(bench.released(), [(4, 5)]);
}

#[test]
fn an_error_that_ends_the_walk_stands_for_it() {
    let mut bench = Bench::new();
    bench.miss((7, 7), "/a/x", EACCES, 0);
    assert_eq!(bench.miss((7, 7), "/b/x", ETXTBSY, 0), Some(1));
    assert_eq!(bench.released(), [(2, 2)]);
    // Without a walk it is nothing but itself; nor is it part of another one's.
    bench.miss((7, 7), "/a/x", ETXTBSY, 0);
    bench.miss((7, 7), "/a/y", ENOENT, 0);
    bench.miss((7, 7), "/a/x", ETXTBSY, 0);
    assert_eq!(bench.released(), [(3, 1), (4, 1), (5, 1)]);
    assert_eq!(bench.folder.folded(), 1);
}

#[test]
fn another_name_is_another_walk() {
    let mut bench = Bench::new();
    bench.walk(7, &["/a/x", "/b/x", "/a/xx"]);
    assert_eq!(bench.released(), [(2, 2)]);
    assert_eq!(bench.success(7, "/b/x", 0), 0);
    assert_eq!(bench.released(), [(3, 1)]);
}

/// A program that waits for a file to appear has not tried a directory each time.
#[test]
fn the_same_file_again_is_another_walk() {
    let mut bench = Bench::new();
    bench.walk(7, &["/a/x", "/b/x", "/a/x", "/b/x", "/a/x", "/a/x"]);
    bench.miss((7, 7), "/a/x", ETXTBSY, 0);
    assert_eq!(bench.released(), [(2, 2), (4, 2), (5, 1), (6, 1), (7, 1)]);
    assert_eq!(bench.folder.folded(), 2);
}

#[test]
fn names_that_no_walk_can_have() {
    let mut bench = Bench::new();
    let long = format!("/a/{}", "x".repeat(NAME_MAX + 1));
    bench.walk(7, &["", "/bin/", "/", &long]);
    assert_eq!(bench.released(), [(1, 1), (2, 1), (3, 1), (4, 1)]);
    bench.walk(7, &[&long[1..=NAME_MAX]]);
    assert_eq!(bench.folder.held(), 1);
    assert_eq!(bench.success(7, "", 0), 0);
    assert_eq!(bench.released(), [(5, 1)]);
}

#[test]
fn a_thread_that_execs_becomes_the_process() {
    let mut bench = Bench::new();
    bench.miss((7, 9), "/a/x", ENOENT, 0);
    bench.miss((7, 8), "/a/y", ENOENT, 0);
    bench.miss((7, 9), "/b/x", ENOENT, 0);
    bench.miss((8, 8), "/b/x", ENOENT, 0);
    assert_eq!(bench.success(7, "/bin/x", 0), 2);
    assert_eq!(bench.released(), [(2, 1)]);
    assert_eq!(bench.folder.held(), 1);
}

#[test]
fn of_two_threads_on_one_walk_nobody_knows_who_got_there() {
    let mut bench = Bench::new();
    bench.miss((7, 7), "/a/x", ENOENT, 0);
    bench.miss((7, 8), "/a/x", ENOENT, 0);
    assert_eq!(bench.success(7, "/bin/x", 0), 0);
    assert_eq!(bench.released(), [(1, 1), (2, 1)]);
}

#[test]
fn a_process_that_ends_has_walked_enough() {
    let mut bench = Bench::new();
    bench.walk(7, &["/a/x", "/b/x"]);
    bench.walk(8, &["/a/x"]);
    bench.folder.ended(7, &mut |it, tried| bench.out.push((it, tried)));
    assert_eq!(bench.released(), [(2, 2)]);
}

#[test]
fn who_fails_on_and_on_cannot_hide_it() {
    let mut bench = Bench::new();
    for step in 0..1000 {
        bench.miss((7, 7), &format!("/{step}/x"), ENOENT, step * PATIENCE / 100);
    }
    assert_eq!(bench.released().len(), 9);
    // A success that comes too late is one without a walk.
    assert_eq!(bench.success(7, "/bin/x", u64::MAX), 0);
    assert_eq!(bench.released().len(), 1);
}

#[test]
fn walks_have_a_bound_and_the_oldest_goes_first() {
    let mut bench = Bench::new();
    let all = u32::try_from(WALKS).unwrap() + 3;
    for pid in (0..all).rev() {
        bench.walk(pid, &["/a/x"]);
    }
    assert_eq!(bench.folder.walks.len(), WALKS);
    assert_eq!(bench.released(), [(1, 1), (2, 1), (3, 1)]);
    bench.finish();
    assert!(bench.released().into_iter().eq((4..=all).map(|payload| (payload, 1))));
}

/// What a run of random events has brought to light.
#[derive(Default)]
struct Account {
    /// Payloads that have left, with what they stood for; zero if displaced.
    left: BTreeMap<u32, u32>,
    /// Misses that a success was told of, and successes that were told of some.
    before_successes: u64,
    told_successes: usize,
}

impl Account {
    fn leave(&mut self, payload: u32, tried: u32) {
        assert_eq!(self.left.insert(payload, tried), None, "payload {payload} left twice");
    }

    fn succeed(&mut self, tried: u32) {
        self.before_successes += u64::from(tried);
        self.told_successes += usize::from(tried > 0);
    }

    fn check(&mut self, bench: &mut Bench) {
        for (payload, tried) in bench.released() {
            assert!(tried > 0);
            self.leave(payload, tried);
        }
        let told: u64 = self.left.values().map(|tried| u64::from(*tried)).sum();
        let released = self.left.values().filter(|tried| **tried > 0).count() as u64;
        let (held, folded) = (bench.folder.held(), bench.folder.folded());
        assert_eq!(u64::from(bench.payload), told + self.before_successes + held);
        assert_eq!(u64::from(bench.payload), released + folded + held);
        let open = bench.folder.walks.len();
        assert_eq!(open, bench.folder.order.len());
        assert_eq!(bench.payload as usize, self.left.len() + self.told_successes + open);
    }
}

/// Whatever happens in whatever order: what has come in is released, folded or
/// held, each payload leaves once, and the numbers add up at every step.
#[test]
fn the_account_is_closed_at_every_step() {
    for seed in 1..40 {
        let mut draw = generator(seed);
        let (mut bench, mut account) = (Bench::new(), Account::default());
        let mut now = 0;
        for _ in 0..2000 {
            // Clocks of several CPUs: not always forwards.
            now += u64::from(draw(10_000_000));
            let ktime = now.saturating_sub(u64::from(draw(20_000_000)));
            let pid = draw(5);
            let path = format!("/{}/{}", draw(4), ["x", "y", ""][draw(3) as usize]);
            match draw(10) {
                0 => account.succeed(bench.success(pid, &path, ktime)),
                1 => bench.tick(ktime),
                2 => bench.folder.ended(pid, &mut |it, tried| bench.out.push((it, tried))),
                _ => {
                    let errno = [ENOENT, ENOENT, EACCES, ETXTBSY][draw(4) as usize];
                    let displaced = bench.miss((pid, pid + draw(2)), &path, errno, ktime);
                    if let Some(payload) = displaced {
                        account.leave(payload, 0);
                    }
                }
            }
            account.check(&mut bench);
        }
        bench.finish();
        account.check(&mut bench);
        assert!(account.told_successes > 0);
    }
}

/// Numbers below a bound, the same for the same seed.
fn generator(seed: u64) -> impl FnMut(u32) -> u32 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    move |bound| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u32::try_from(state >> 33).unwrap() % bound
    }
}
