//! What waits for the thread that writes.
//!
//! A buffer that was handed over is not copied: it waits as it is, and another goes back for
//! it. There are so many and no more, since buffers that grow, are freed and are asked for anew
//! leave holes in the heap: with those, what is resident grew by a quarter in ten minutes.

use std::{collections::VecDeque, io, mem};

/// How long a buffer is that is kept for the next bytes: what whoever hands over much fills.
/// In long writes a file system takes pages by the folio, as large as their place allows: on
/// ext4 a byte took 0.30 ns in writes of 256 KiB, 0.42 in those of 64 (6.18).
pub(crate) const BUFFER: usize = 256 << 10;

/// So many bytes wait as they are, and so many buffers are kept for them. What is behind is
/// packed, in one buffer for all that has room, which is not kept: glibc maps what is larger
/// than 32 MiB by itself, and gives it back at once when it is freed
/// (`DEFAULT_MMAP_THRESHOLD_MAX`, malloc/malloc.c, 2.36); only what is used of it is resident.
const PLAIN: usize = 4 * BUFFER;

/// What is shorter than this is not packed: there is little in it that repeats.
const SHORT: usize = 512;

/// All that was handed over and is not out.
#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Stretch>,
    /// For the next bytes: the one that was filled last, and is in the CPU's cache, first.
    spare: Vec<Stretch>,
    /// How many of these nobody has asked for since the thread slept.
    idle: usize,
    /// Bytes in buffers that are not for packed ones; those of the stretch that is being
    /// written are among them.
    plain: usize,
    /// All of them, as they are kept, likewise.
    pub(super) bytes: usize,
    pub(super) items: usize,
    /// Bytes that the thread has taken since it slept.
    pub(super) taken: usize,
    pub(super) failure: Option<io::Error>,
    /// How the thread sleeps.
    pub(super) sleep: Sleep,
    pub(super) is_awaited: bool,
    pub(super) is_over: bool,
}

/// How the thread that writes sleeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sleep {
    /// It does not, or has been told to wake up.
    #[default]
    Not,
    /// For a while.
    Light,
    /// Until it is told.
    Deep,
}

/// A buffer of what was handed over, one piece after the other.
#[derive(Default)]
pub(super) struct Stretch {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    /// Whether it is for packed pieces.
    is_long: bool,
}

/// Whole items, which go out in one write.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    /// Bytes as they are kept.
    stored: usize,
    /// Bytes that they are packed of, if they are.
    packed_of: Option<usize>,
    pub(super) items: usize,
}

impl Queue {
    /// Whether so many bytes more are to be packed: the thread cannot keep up.
    pub(super) fn is_packed_with(&self, more: usize) -> bool {
        more >= SHORT && self.is_long_with(more)
    }

    fn is_long_with(&self, more: usize) -> bool {
        self.is_behind_packed() || self.plain > 0 && self.plain + more > PLAIN
    }

    fn is_behind_packed(&self) -> bool {
        self.waiting.back().is_some_and(|last| last.is_long)
    }

    /// Takes these bytes, and leaves an empty buffer.
    pub(super) fn take(&mut self, bytes: &mut Vec<u8>, items: usize, room: usize) {
        let piece = Piece { stored: bytes.len(), packed_of: None, items };
        if self.is_long_with(bytes.len()) {
            self.extend_long(bytes, room);
            bytes.clear();
        } else {
            self.plain += bytes.len();
            self.take_plain(bytes);
        }
        self.count(piece);
    }

    /// Behind the last ones, if they leave room for these; else the buffer itself.
    fn take_plain(&mut self, bytes: &mut Vec<u8>) {
        let last = self.waiting.back_mut().map(|last| &mut last.bytes);
        if let Some(last) = last.filter(|last| last.len() + bytes.len() <= BUFFER) {
            last.extend_from_slice(bytes);
            bytes.clear();
        } else {
            let mut next = self.spare.pop().unwrap_or_else(Stretch::plain);
            self.idle = self.idle.min(self.spare.len());
            mem::swap(&mut next.bytes, bytes);
            self.waiting.push_back(next);
        }
    }

    /// Takes these bytes, which are `packed`, likewise.
    pub(super) fn take_packed(
        &mut self,
        bytes: &mut Vec<u8>,
        packed: &[u8],
        items: usize,
        room: usize,
    ) {
        let piece = Piece { stored: packed.len(), packed_of: Some(bytes.len()), items };
        self.extend_long(packed, room);
        self.count(piece);
        bytes.clear();
    }

    /// Adds to the buffer for packed pieces.
    fn extend_long(&mut self, stored: &[u8], room: usize) {
        if !self.is_behind_packed() {
            self.waiting.push_back(Stretch::long(room));
        }
        if let Some(last) = self.waiting.back_mut() {
            last.bytes.extend_from_slice(stored);
        }
    }

    /// A piece whose bytes are the last ones.
    fn count(&mut self, piece: Piece) {
        self.bytes += piece.stored;
        self.items += piece.items;
        if let Some(last) = self.waiting.back_mut() {
            last.pieces.push(piece);
        }
    }

    /// What is to be written next, if there is anything.
    pub(super) fn next(&mut self) -> Option<Stretch> {
        let next = self.waiting.pop_front()?;
        self.taken += next.bytes.len();
        Some(next)
    }

    /// Keeps the buffer of what has been written, if it is one of those that are kept.
    pub(super) fn keep(&mut self, mut stretch: Stretch) {
        if stretch.is_long {
            return;
        }
        self.plain -= stretch.bytes.len();
        if stretch.bytes.capacity() <= BUFFER && self.spare.len() < PLAIN / BUFFER {
            stretch.bytes.clear();
            stretch.pieces.clear();
            self.spare.push(stretch);
        }
    }

    /// Gives up one that was not asked for, if there is one: after a stall, there are more
    /// than what comes asks for.
    pub(super) fn give_up_idle(&mut self) -> Option<Stretch> {
        let given_up = if self.idle > 0 { Some(self.spare.remove(0)) } else { None };
        self.idle = self.spare.len();
        given_up
    }

    /// The items that are left are not out, and never will be.
    pub(super) fn fail(&mut self, error: io::Error) {
        (self.bytes, self.plain) = (0, 0);
        self.waiting = VecDeque::new();
        self.failure = Some(error);
    }
}

impl Stretch {
    fn plain() -> Self {
        Self { bytes: Vec::with_capacity(BUFFER), ..Self::default() }
    }

    fn long(room: usize) -> Self {
        Self { bytes: Vec::with_capacity(room + PLAIN), is_long: true, ..Self::default() }
    }

    /// The pieces, each with its bytes as they are kept.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (Piece, &[u8])> {
        let mut rest = self.bytes.as_slice();
        self.pieces.iter().map(move |piece| {
            let (stored, behind) = rest.split_at(piece.stored);
            rest = behind;
            (*piece, stored)
        })
    }
}

impl Piece {
    /// Its bytes as they were handed over.
    ///
    /// # Errors
    ///
    /// When memory has changed by itself.
    pub(super) fn bytes<'a>(
        &self,
        stored: &'a [u8],
        unpacked: &'a mut Vec<u8>,
    ) -> io::Result<&'a [u8]> {
        let Some(len) = self.packed_of else { return Ok(stored) };
        unpacked.resize(len, 0);
        match lz4_flex::block::decompress_into(stored, unpacked) {
            Ok(all) if all == len => Ok(unpacked),
            _ => Err(io::Error::other("what waited to be written has changed in memory")),
        }
    }
}

/// Packs `bytes`, if that makes them shorter.
pub(super) fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(lz4_flex::block::compress(bytes)).filter(|packed| packed.len() < bytes.len())
}

#[cfg(test)]
mod tests {
    use super::{BUFFER, Queue};

    #[test]
    fn what_only_a_stall_asked_for_is_given_up() {
        let mut queue = Queue::default();
        let mut kept = Vec::new();
        for buffers in [4, 1, 1, 1, 1, 2, 2] {
            for _ in 0..buffers {
                queue.take(&mut vec![b'x'; BUFFER], 1, 0);
            }
            while let Some(stretch) = queue.next() {
                queue.keep(stretch);
            }
            drop(queue.give_up_idle());
            kept.push(queue.spare.len());
        }
        assert_eq!(kept, [4, 3, 2, 1, 1, 2, 2]);
    }
}
