//! The head of a file, and frames: a heading of fixed length with two checksums, and what
//! it holds, mostly compressed.

/// Version of the format. A reader refuses those that it does not know.
pub const VERSION: u16 = 1;

/// What a file begins with. The first byte is in no text; the line ends tell of transfers
/// that change them.
const MAGIC: [u8; 8] = *b"\x89EXR\r\n\x1a\n";

/// Bytes of the head: magic, version, two of zero, and a checksum of all of these.
pub(crate) const HEAD_LEN: usize = 16;

/// Most bytes in a frame, before it is compressed: the longest event has 6 MiB of
/// arguments. What claims more is no frame, so that nothing larger is ever allocated.
pub const FRAME_MAX: usize = 16 << 20;

/// What a frame begins with; its first byte is in no UTF-8.
pub(crate) const MARKER: [u8; 4] = *b"\xfeXRF";

/// Bytes of a heading.
pub(crate) const HEADING_LEN: usize = 36;

/// Bytes of a heading before its own checksum.
const CHECKED: usize = 32;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What the recording is of.
    Description = 1,
    /// Events.
    Events = 2,
    /// The account of a recording that has come to its end: one event.
    Account = 3,
}

/// A heading that has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    pub(crate) kind: Kind,
    pub(crate) is_packed: bool,
    /// Bytes behind the heading.
    pub(crate) stored: usize,
    /// Bytes once they are unpacked.
    pub(crate) len: usize,
    /// Events in the frames before.
    pub(crate) first: u64,
    /// Events in this one.
    pub(crate) count: u32,
    /// Checksum of the bytes behind the heading.
    pub(crate) checksum: u32,
}

/// The head of a file of this version.
pub(crate) fn head() -> [u8; HEAD_LEN] {
    let mut head = [0; HEAD_LEN];
    head[..8].copy_from_slice(&MAGIC);
    head[8..10].copy_from_slice(&VERSION.to_le_bytes());
    let checksum = crc32fast::hash(&head[..12]);
    head[12..].copy_from_slice(&checksum.to_le_bytes());
    head
}

/// What the first bytes of a file say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// This is a recording of this version, or the first bytes of one.
    Known,
    /// It is one of another version.
    Other(u16),
    /// It begins like one, and then makes no sense.
    Damaged,
    /// It is something else.
    Foreign,
}

impl Head {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        if head().starts_with(bytes) {
            return Self::Known;
        }
        match bytes.first_chunk::<HEAD_LEN>() {
            Some(head) if head.starts_with(&MAGIC) => {
                if is_checksum(&head[..12], word(head, 12)) {
                    Self::Other(u16::from_le_bytes([head[8], head[9]]))
                } else {
                    Self::Damaged
                }
            }
            _ => Self::Foreign,
        }
    }
}

impl Heading {
    pub(crate) fn bytes(&self) -> [u8; HEADING_LEN] {
        let mut bytes = [0; HEADING_LEN];
        bytes[..4].copy_from_slice(&MARKER);
        bytes[4] = self.kind as u8;
        bytes[5] = u8::from(self.is_packed);
        let short = |len: usize| u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
        bytes[8..12].copy_from_slice(&short(self.stored));
        bytes[12..16].copy_from_slice(&short(self.len));
        bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.count.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.checksum.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[..CHECKED]);
        bytes[32..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The heading that stands there, if one does.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADING_LEN] = bytes.first_chunk()?;
        if !bytes.starts_with(&MARKER) || !is_checksum(&bytes[..CHECKED], word(bytes, 32)) {
            return None;
        }
        let kind = match bytes[4] {
            1 => Kind::Description,
            2 => Kind::Events,
            3 => Kind::Account,
            _ => return None,
        };
        let size = |at| usize::try_from(word(bytes, at)).ok().filter(|&size| size <= FRAME_MAX);
        let is_packed = match bytes[5..8] {
            [0, 0, 0] => false,
            [1, 0, 0] => true,
            _ => return None,
        };
        Some(Self {
            kind,
            is_packed,
            stored: size(8)?,
            len: size(12)?,
            first: u64::from(word(bytes, 16)) | u64::from(word(bytes, 20)) << 32,
            count: word(bytes, 24),
            checksum: word(bytes, 28),
        })
    }

    /// What the frame holds, from the bytes behind its heading; none if it is not that.
    pub(crate) fn unpack<'b>(&self, stored: &'b [u8], room: &'b mut Vec<u8>) -> Option<&'b [u8]> {
        if stored.len() != self.stored || !is_checksum(stored, self.checksum) {
            return None;
        }
        if !self.is_packed {
            return (stored.len() == self.len).then_some(stored);
        }
        room.clear();
        room.shrink_to(1 << 20);
        room.resize(self.len, 0);
        let len = lz4_flex::block::decompress_into(stored, room).ok()?;
        (len == self.len).then_some(room.as_slice())
    }
}

/// Fuzzing gets nowhere if each change is found out here, so that it takes every checksum
/// for the right one.
fn is_checksum(bytes: &[u8], checksum: u32) -> bool {
    cfg!(fuzzing) || crc32fast::hash(bytes) == checksum
}

/// Four bytes, the lowest first.
fn word<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    let word = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    u32::from_le_bytes(*word.unwrap_or(&[0; 4]))
}
