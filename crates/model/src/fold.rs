//! The misses of a walk through `PATH`, folded into what came of it.
//!
//! `execvp` tries one directory after the other, and each that does not have the
//! program is a failed exec: eight of them for an `env true`. Told one by one,
//! they bury what happened. A [`Folder`] holds them back until the walk is over;
//! then a success is told how many directories were tried before it, and of a
//! walk in vain one miss is released to stand for all.
//!
//! What counts as a walk: misses of one thread, one behind the other, of files
//! with the same last component, none of them tried twice. Failures that end a
//! walk, and those that were never part of one, come through at once.
//!
//! A miss is not lost by this. Of all that have come in,
//! `released + folded + held` is the number.

use std::{
    collections::{BTreeMap, btree_map, hash_map::RandomState},
    hash::BuildHasher as _,
};

use crate::filter::last_component;

/// How long a walk may take, from its first miss on, in nanoseconds. A walk
/// takes microseconds, on slow disks or a busy host milliseconds; nobody should
/// have to wait long for a failure, nor be able to hide it by failing on.
pub const PATIENCE: u64 = 200_000_000;

/// Walks that may be open at a time.
const WALKS: usize = 4096;

/// No file name is longer (`NAME_MAX`), so no walk for one can come to an end.
const NAME_MAX: usize = 255;

/// The errors that a walk goes on after, as in glibc's `execvpe` and in musl's:
/// `ENOENT`, `EACCES`, `ENODEV`, `ENOTDIR`, `ETIMEDOUT`, `ESTALE`.
const GOES_ON: [u32; 6] = [2, EACCES, 19, 20, 110, 116];

/// The error that a walk in vain ends with if it has met it anywhere.
const EACCES: u32 = 13;

/// Who walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Walker {
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
}

/// Holds the misses of walks back; of each walk, one payload is kept.
///
/// Payloads that are released come out at a function that each call is given,
/// together with the number of failures that they stand for, themselves included.
#[derive(Debug)]
pub struct Folder<T> {
    walks: BTreeMap<Walker, Walk<T>>,
    /// The open walks in the order in which they were opened.
    order: BTreeMap<u64, Walker>,
    opened: u64,
    folded: u64,
    patience: u64,
    hasher: RandomState,
}

#[derive(Debug)]
struct Walk<T> {
    /// Last component of what is searched for.
    name: Box<[u8]>,
    /// Digest of the first file that was tried.
    first: u64,
    /// When that was.
    since: u64,
    /// Place in the order.
    number: u64,
    tried: u32,
    errno: u32,
    payload: T,
}

/// A failed exec.
#[derive(Clone, Copy, Debug)]
pub struct Miss<'a> {
    /// Whose.
    pub walker: Walker,
    /// The file name as it was given to exec; empty if it is not known.
    pub filename: &'a [u8],
    /// Why it failed.
    pub errno: u32,
    /// When.
    pub ktime: u64,
}

impl<T> Folder<T> {
    /// For walks of at most `patience` nanoseconds; see [`PATIENCE`].
    #[must_use]
    pub fn new(patience: u64) -> Self {
        Self {
            walks: BTreeMap::new(),
            order: BTreeMap::new(),
            opened: 0,
            folded: 0,
            patience,
            hasher: RandomState::new(),
        }
    }

    /// Takes a failed exec. Of the walk that it belongs to, its payload or an
    /// earlier one is kept: the last, unless only an earlier one has the error
    /// that the walk will end with. The other is handed back, for its memory.
    pub fn failed(
        &mut self,
        miss: &Miss<'_>,
        payload: T,
        release: &mut impl FnMut(T, u32),
    ) -> Option<T> {
        self.tick(miss.ktime, release);
        let name = last_component(miss.filename).unwrap_or_default();
        let digest = self.hasher.hash_one(miss.filename);
        let goes_on = GOES_ON.contains(&miss.errno) && !name.is_empty() && name.len() <= NAME_MAX;
        let walk = self.walks.get_mut(&miss.walker);
        if let Some(walk) = walk.filter(|walk| *walk.name == *name && walk.first != digest) {
            let displaced = walk.extend(miss.errno, payload);
            if !goes_on {
                self.close(miss.walker, release);
            }
            return Some(displaced);
        }
        self.close(miss.walker, release);
        if goes_on {
            self.open(miss, (name, digest), payload, release);
        } else {
            release(payload, 1);
        }
        None
    }

    /// Takes a successful exec of the process `pid`, whichever of its threads
    /// it was: after an exec, none but the one that is called after the process
    /// is left. Tells how many misses went before it on the same walk, which are
    /// folded into it. All other walks of the process are over.
    pub fn succeeded(
        &mut self,
        pid: u32,
        filename: &[u8],
        ktime: u64,
        release: &mut impl FnMut(T, u32),
    ) -> u32 {
        self.tick(ktime, release);
        let name = last_component(filename).unwrap_or_default();
        let tried = self.only_walk(pid, name).and_then(|walker| self.remove(walker));
        let tried = tried.map_or(0, |walk| walk.tried);
        self.ended(pid, release);
        self.folded += u64::from(tried);
        tried
    }

    /// Takes the end of a process: its walks are over.
    pub fn ended(&mut self, pid: u32, release: &mut impl FnMut(T, u32)) {
        while let Some(walker) = self.of(pid).next().map(|(walker, _)| *walker) {
            self.close(walker, release);
        }
    }

    /// Releases the walks that have taken too long.
    pub fn tick(&mut self, now: u64, release: &mut impl FnMut(T, u32)) {
        while self.oldest().is_some_and(|walk| now.saturating_sub(walk.since) > self.patience) {
            self.close_oldest(release);
        }
    }

    /// Releases all walks.
    pub fn finish(&mut self, release: &mut impl FnMut(T, u32)) {
        while !self.order.is_empty() {
            self.close_oldest(release);
        }
    }

    /// How many misses have been folded into something else that was told: a
    /// success, or the one miss that stands for its walk.
    #[must_use]
    pub fn folded(&self) -> u64 {
        self.folded
    }

    /// How many misses are being held back.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.walks.values().map(|walk| u64::from(walk.tried)).sum()
    }

    /// When the next walk will have taken too long.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let end = self.oldest()?.since.saturating_add(self.patience);
        Some(end.saturating_add(1))
    }

    fn open(
        &mut self,
        miss: &Miss<'_>,
        (name, first): (&[u8], u64),
        payload: T,
        release: &mut impl FnMut(T, u32),
    ) {
        if self.walks.len() >= WALKS {
            self.close_oldest(release);
        }
        let number = self.opened;
        self.opened += 1;
        let (since, errno) = (miss.ktime, miss.errno);
        let walk = Walk { name: name.into(), first, since, number, tried: 1, errno, payload };
        self.order.insert(number, miss.walker);
        self.walks.insert(miss.walker, walk);
    }

    /// Ends a walk in vain.
    fn close(&mut self, walker: Walker, release: &mut impl FnMut(T, u32)) {
        if let Some(walk) = self.remove(walker) {
            self.folded += u64::from(walk.tried.saturating_sub(1));
            release(walk.payload, walk.tried);
        }
    }

    fn close_oldest(&mut self, release: &mut impl FnMut(T, u32)) {
        if let Some((_, walker)) = self.order.pop_first() {
            self.close(walker, release);
        }
    }

    fn remove(&mut self, walker: Walker) -> Option<Walk<T>> {
        let walk = self.walks.remove(&walker)?;
        self.order.remove(&walk.number);
        Some(walk)
    }

    fn oldest(&self) -> Option<&Walk<T>> {
        self.walks.get(self.order.first_key_value()?.1)
    }

    /// Who of a process walks for `name`; nobody if there are two, since it is
    /// not known which of them got there.
    fn only_walk(&self, pid: u32, name: &[u8]) -> Option<Walker> {
        let mut same = self.of(pid).filter(|(_, walk)| *walk.name == *name);
        let (walker, _) = same.next()?;
        same.next().is_none().then_some(*walker)
    }

    /// The walks of a process.
    fn of(&self, pid: u32) -> btree_map::Range<'_, Walker, Walk<T>> {
        self.walks.range(Walker { pid, tid: 0 }..=Walker { pid, tid: u32::MAX })
    }
}

impl<T> Walk<T> {
    /// Adds a miss; what comes back is the payload that is of no more use.
    fn extend(&mut self, errno: u32, payload: T) -> T {
        self.tried = self.tried.saturating_add(1);
        let ends = !GOES_ON.contains(&errno);
        if self.errno == EACCES && errno != EACCES && !ends {
            return payload;
        }
        self.errno = errno;
        std::mem::replace(&mut self.payload, payload)
    }
}

#[cfg(test)]
mod tests;
