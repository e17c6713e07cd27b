//! Writing behind: a thread writes, so that whoever hands over need not wait for the place.
//!
//! A write to a regular file waits now and then: for the journal of its file system, or
//! until pages have been cleaned (`balance_dirty_pages`, mm/page-writeback.c, 6.18). 0.6 s
//! were seen on a disk that others write to as well, while the default buffer between kernel
//! and reader holds 0.15 s of a storm on two cores. What waits for the place waits here.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How many bytes may wait: more than a second of a storm on two cores as JSON. Whoever
/// comes with more waits, too.
const ROOM: usize = 32 << 20;

/// From here on, a buffer is one for all that has room, and is not kept: glibc maps what is
/// larger than 32 MiB by itself, and gives it back at once when it is freed
/// (`DEFAULT_MMAP_THRESHOLD_MAX`, malloc/malloc.c, 2.36); only what is used of it is resident.
const LARGE: usize = 128 << 10;

/// How long a failure may stay unknown where nothing more is handed over.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

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
    /// Told to the thread, if it is idle.
    came: Condvar,
    /// Told to who waits for room, or for all to be out.
    went: Condvar,
    place: Mutex<Box<dyn Write + Send>>,
}

#[derive(Default)]
struct Queue {
    next: Stretch,
    /// For the next one.
    spare: Stretch,
    /// Those of the stretch that is being written are among them.
    bytes: usize,
    items: usize,
    failure: Option<io::Error>,
    is_idle: bool,
    is_awaited: bool,
    is_over: bool,
}

/// What was handed over, one piece after the other.
#[derive(Default)]
struct Stretch {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

/// Whole items, which go out in one write.
#[derive(Clone, Copy)]
struct Piece {
    bytes: usize,
    items: usize,
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
        queue.take(bytes, items, self.room);
        if mem::take(&mut queue.is_idle) {
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
        if is_at_rest { None } else { Some(Instant::now() + LOOK_AGAIN) }
    }

    fn start(&mut self) {
        if let Writer::Waiting = self.writer {
            let shared = Arc::clone(&self.shared);
            let thread = thread::Builder::new().name("writer".to_owned());
            let started = thread.spawn(move || {
                while let Some(stretch) = shared.next_or_wait() {
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
            queue = self.went.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn next(&self) -> Option<Stretch> {
        lock(&self.queue).next()
    }

    /// `None` once there is no more to do.
    fn next_or_wait(&self) -> Option<Stretch> {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(stretch) = queue.next() {
                return Some(stretch);
            }
            if queue.is_over || queue.failure.is_some() {
                return None;
            }
            queue.is_idle = true;
            queue = self.came.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn write(&self, stretch: Stretch) {
        let mut rest = stretch.bytes.as_slice();
        for piece in &stretch.pieces {
            let (bytes, behind) = rest.split_at(piece.bytes);
            let (written, outcome) = write_all(&mut **lock(&self.place), bytes);
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
            queue.bytes -= piece.bytes;
            rest = behind;
        }
        lock(&self.queue).keep(stretch);
    }
}

impl Queue {
    fn take(&mut self, bytes: &mut Vec<u8>, items: usize, room: usize) {
        self.items += items;
        self.bytes += bytes.len();
        let Stretch { bytes: all, pieces } = &mut self.next;
        pieces.push(Piece { bytes: bytes.len(), items });
        if all.is_empty() {
            mem::swap(all, bytes);
            return;
        }
        if all.len() + bytes.len() > LARGE.max(all.capacity()) {
            all.reserve_exact(room + bytes.len());
        }
        all.append(bytes);
    }

    fn next(&mut self) -> Option<Stretch> {
        let is_empty = self.next.pieces.is_empty();
        if is_empty { None } else { Some(mem::replace(&mut self.next, mem::take(&mut self.spare))) }
    }

    fn keep(&mut self, mut stretch: Stretch) {
        if stretch.bytes.capacity() <= LARGE {
            stretch.bytes.clear();
            stretch.pieces.clear();
            self.spare = stretch;
        }
    }

    /// The items that are left are not out, and never will be.
    fn fail(&mut self, error: io::Error) {
        self.bytes = 0;
        self.next = Stretch::default();
        self.failure = Some(error);
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
