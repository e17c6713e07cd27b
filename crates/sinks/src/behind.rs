//! Writing behind: a thread writes, so that whoever hands over need not wait for the place.
//!
//! A write to a regular file waits now and then: for the journal of its file system, until
//! pages have been cleaned (`balance_dirty_pages`, mm/page-writeback.c, 6.18), or for the
//! kernel's own threads that write pages out, which a storm of processes starves: 5 s were
//! seen, while the default buffer between kernel and reader holds 0.15 s of a storm on two
//! cores. What waits for the place waits here; where it is much, it is packed.

mod queue;

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

pub(crate) use self::queue::BUFFER;
use self::queue::{Queue, Sleep, Stretch, pack};

/// How many bytes may wait, packed ones as they are: more than ten seconds of a storm on two
/// cores as JSON, which LZ4 makes a tenth of or less.
const ROOM: usize = 32 << 20;

/// With so many bytes waiting, the thread is told at once, even if it will look by itself.
const EAGER: usize = 768 << 10;

/// Once it has found something, the thread looks again by itself so much later, until it finds
/// nothing: what comes fast wakes it by a timer of its own, and not by a call and an interrupt
/// for each batch of events.
const LOOK_AGAIN: Duration = Duration::from_millis(4);

/// The same in a storm, in which it has found a [`BUFFER`] at least; by then, another of the
/// reader's batches is there.
const LOOK_AGAIN_IN_STORM: Duration = Duration::from_millis(30);

/// How long a failure may stay unknown where nothing more is handed over.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// A place, and who writes there.
pub struct WriteBehind {
    shared: Arc<Shared>,
    writer: Writer,
    room: usize,
}

enum Writer {
    /// Started for the first bytes: by then, the program has given up its rights, and a
    /// thread has those of who started it.
    Waiting,
    Thread(JoinHandle<()>),
    /// There is no thread to be had: who hands over writes.
    Nobody,
}

struct Shared {
    queue: Mutex<Queue>,
    /// Told to the thread, if it sleeps.
    came: Condvar,
    /// Told to who waits for room, or for all to be out.
    went: Condvar,
    place: Mutex<Box<dyn Write + Send>>,
}

impl WriteBehind {
    /// Writes to this place, which either takes all of a piece, or as many whole lines of
    /// it as there is room for.
    #[must_use]
    pub fn new(place: Box<dyn Write + Send>) -> Self {
        Self::with_room(place, ROOM)
    }

    fn with_room(place: Box<dyn Write + Send>, room: usize) -> Self {
        let shared = Shared {
            queue: Mutex::default(),
            came: Condvar::new(),
            went: Condvar::new(),
            place: Mutex::new(place),
        };
        Self { shared: Arc::new(shared), writer: Writer::Waiting, room }
    }

    /// Takes these bytes, with so many items in them, and leaves an empty buffer. Waits
    /// while there is no room.
    ///
    /// # Errors
    ///
    /// When the place has failed with earlier ones: these stay with the caller.
    pub fn put(&mut self, bytes: &mut Vec<u8>, items: usize) -> io::Result<()> {
        self.start();
        let mut queue = self.shared.until(|queue| queue.bytes < self.room)?;
        let mut packed = None;
        if queue.is_packed_with(bytes.len()) {
            drop(queue);
            packed = pack(bytes);
            queue = self.shared.until(|_| true)?;
        }
        match packed {
            Some(packed) => queue.take_packed(bytes, &packed, items, self.room),
            None => queue.take(bytes, items, self.room),
        }
        if queue.sleep == Sleep::Deep || queue.sleep == Sleep::Light && queue.bytes >= EAGER {
            queue.sleep = Sleep::Not;
            self.shared.came.notify_one();
        }
        drop(queue);
        if let Writer::Nobody = self.writer {
            self.shared.next().into_iter().for_each(|stretch| self.shared.write(stretch));
        }
        Ok(())
    }

    /// Waits until all is out.
    ///
    /// # Errors
    ///
    /// When the place has failed.
    pub fn flush(&mut self) -> io::Result<()> {
        drop(self.shared.until(|queue| queue.bytes == 0)?);
        lock(&self.shared.place).flush()
    }

    /// Says whether all is well so far.
    ///
    /// # Errors
    ///
    /// When the place has failed.
    pub fn check(&self) -> io::Result<()> {
        lock(&self.shared.queue).failure.as_ref().map_or(Ok(()), |error| Err(again(error)))
    }

    /// Of the items that it took, how many are not out.
    #[must_use]
    pub fn resting(&self) -> usize {
        lock(&self.shared.queue).items
    }

    /// When to [`check`](Self::check), at the latest, if there is anything to be known.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let queue = lock(&self.shared.queue);
        let is_at_rest = queue.bytes == 0 && queue.failure.is_none();
        if is_at_rest { None } else { Some(Instant::now() + ASK_AGAIN) }
    }

    fn start(&mut self) {
        if let Writer::Waiting = self.writer {
            let shared = Arc::clone(&self.shared);
            let thread = thread::Builder::new().name("writer".to_owned());
            let started = thread.spawn(move || {
                while let Some(stretch) = shared.next_or_sleep() {
                    shared.write(stretch);
                }
            });
            self.writer = started.map_or(Writer::Nobody, Writer::Thread);
        }
    }
}

impl Drop for WriteBehind {
    /// What was handed over gets out.
    fn drop(&mut self) {
        if let Writer::Thread(thread) = mem::replace(&mut self.writer, Writer::Nobody) {
            lock(&self.shared.queue).is_over = true;
            self.shared.came.notify_one();
            // It has told of its failures.
            drop(thread.join());
        }
    }
}

impl Shared {
    /// Waits for this, or for a failure.
    fn until(&self, is_so: impl Fn(&Queue) -> bool) -> io::Result<MutexGuard<'_, Queue>> {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(error) = &queue.failure {
                return Err(again(error));
            }
            if is_so(&queue) {
                return Ok(queue);
            }
            queue.is_awaited = true;
            self.came.notify_one();
            queue = self.went.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn next(&self) -> Option<Stretch> {
        lock(&self.queue).next()
    }

    /// `None` once there is no more to do.
    fn next_or_sleep(&self) -> Option<Stretch> {
        let mut queue = lock(&self.queue);
        let mut has_slept = false;
        loop {
            if let Some(stretch) = queue.next() {
                return Some(stretch);
            }
            if queue.is_over || queue.failure.is_some() {
                return None;
            }
            drop(queue.give_up_idle());
            queue = if has_slept {
                queue.sleep = Sleep::Deep;
                self.came.wait(queue).unwrap_or_else(PoisonError::into_inner)
            } else {
                queue.sleep = Sleep::Light;
                let is_storm = mem::take(&mut queue.taken) >= BUFFER;
                let pause = if is_storm { LOOK_AGAIN_IN_STORM } else { LOOK_AGAIN };
                let woken = self.came.wait_timeout(queue, pause);
                woken.unwrap_or_else(PoisonError::into_inner).0
            };
            queue.sleep = Sleep::Not;
            has_slept = true;
        }
    }

    fn write(&self, stretch: Stretch) {
        let mut unpacked = Vec::new();
        for (piece, stored) in stretch.pieces() {
            let (written, bytes, outcome) = match piece.bytes(stored, &mut unpacked) {
                Ok(bytes) => {
                    let (written, outcome) = write_all(&mut **lock(&self.place), bytes);
                    (written, bytes, outcome)
                }
                Err(error) => (0, stored, Err(error)),
            };
            let mut queue = lock(&self.queue);
            if mem::take(&mut queue.is_awaited) {
                self.went.notify_all();
            }
            if let Err(error) = outcome {
                let left = bytes.get(written..).filter(|_| written > 0);
                queue.items -= piece.items - left.map_or(piece.items, lines);
                return queue.fail(error);
            }
            queue.items -= piece.items;
            queue.bytes -= stored.len();
        }
        lock(&self.queue).keep(stretch);
    }
}

/// Writes as much as the place takes, and says how much that was.
pub(crate) fn write_all(place: &mut dyn Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    loop {
        let rest = bytes.get(written..).unwrap_or_default();
        if rest.is_empty() {
            return (written, Ok(()));
        }
        match place.write(rest) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
}

/// How many lines end here.
pub(crate) fn lines(bytes: &[u8]) -> usize {
    bytes.split(|&byte| byte == b'\n').count() - 1
}

/// An error is told as often as it is asked for.
fn again(error: &io::Error) -> io::Error {
    let known = error.raw_os_error().map(io::Error::from_raw_os_error);
    known.unwrap_or_else(|| io::Error::new(error.kind(), error.to_string()))
}

/// Whoever panicked with it left it as whole as it was.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
