//! What waits for the thread that writes.

use std::{io, mem};

/// From here on, what waits is packed, its buffer is one for all that has room, and is not
/// kept: glibc maps what is larger than 32 MiB by itself, and gives it back at once when it
/// is freed (`DEFAULT_MMAP_THRESHOLD_MAX`, malloc/malloc.c, 2.36); only what is used of it is
/// resident.
const LONG: usize = 512 << 10;

/// What is shorter than this is not packed: there is little in it that repeats.
const SHORT: usize = 512;

/// All that was handed over and is not out.
#[derive(Default)]
pub(super) struct Queue {
    next: Stretch,
    /// For the next one.
    spare: Stretch,
    /// As they are kept; those of the stretch that is being written are among them.
    pub(super) bytes: usize,
    pub(super) items: usize,
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

/// What was handed over, one piece after the other.
#[derive(Default)]
pub(super) struct Stretch {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
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
    pub(super) fn is_long_with(&self, more: usize) -> bool {
        more >= SHORT && self.next.bytes.len() + more > LONG
    }

    /// Takes these bytes, and leaves an empty buffer.
    pub(super) fn take(&mut self, bytes: &mut Vec<u8>, items: usize, room: usize) {
        let piece = Piece { stored: bytes.len(), packed_of: None, items };
        if self.next.bytes.is_empty() {
            mem::swap(&mut self.next.bytes, bytes);
            self.count(piece);
        } else {
            self.append(bytes, piece, room);
            bytes.clear();
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
        self.append(packed, piece, room);
        bytes.clear();
    }

    fn append(&mut self, stored: &[u8], piece: Piece, room: usize) {
        let all = &mut self.next.bytes;
        if all.len() + stored.len() > LONG.max(all.capacity()) {
            all.reserve_exact(room + stored.len());
        }
        all.extend_from_slice(stored);
        self.count(piece);
    }

    fn count(&mut self, piece: Piece) {
        self.bytes += piece.stored;
        self.items += piece.items;
        self.next.pieces.push(piece);
    }

    /// What is to be written next, if there is anything.
    pub(super) fn next(&mut self) -> Option<Stretch> {
        let is_empty = self.next.pieces.is_empty();
        if is_empty { None } else { Some(mem::replace(&mut self.next, mem::take(&mut self.spare))) }
    }

    /// Keeps the buffer of what has been written, unless it is a large one.
    pub(super) fn keep(&mut self, mut stretch: Stretch) {
        if stretch.bytes.capacity() <= LONG {
            stretch.bytes.clear();
            stretch.pieces.clear();
            self.spare = stretch;
        }
    }

    /// The items that are left are not out, and never will be.
    pub(super) fn fail(&mut self, error: io::Error) {
        self.bytes = 0;
        self.next = Stretch::default();
        self.failure = Some(error);
    }
}

impl Stretch {
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

/// Packs `bytes`, and says whether that made them shorter.
pub(super) fn pack(bytes: &[u8], packed: &mut Vec<u8>) -> bool {
    packed.resize(lz4_flex::block::get_maximum_output_size(bytes.len()), 0);
    let len = lz4_flex::block::compress_into(bytes, packed).unwrap_or(usize::MAX);
    packed.truncate(len);
    len < bytes.len()
}
