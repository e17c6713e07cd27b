//! Text in the making, for outputs that write a million lines a minute.
//!
//! A vector that grows is asked for room at every step, and copies what has no fixed length by
//! a call. Here the buffer is longer than the text, and all its bytes have a value: a short
//! piece is copied at a fixed length, of which what is too much is written over by the next.
//! Of some sixty keys and as many values in a line of JSON, that made a third of the
//! instructions.

use crate::decimal::{self, Decimal};

/// Bytes that are copied and judged at once.
const STEP: usize = 16;

/// A buffer that grew beyond this for one text shrinks again.
const KEPT: usize = 256 * 1024;

/// A text that grows at its end.
#[derive(Default)]
pub(crate) struct Line {
    /// The text, and whatever behind it.
    bytes: Vec<u8>,
    len: usize,
}

impl Line {
    /// Empties it, and gives memory back that few texts need.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
        if self.bytes.len() > KEPT {
            self.bytes.truncate(KEPT);
            self.bytes.shrink_to(KEPT);
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let Self { mut bytes, len } = self;
        bytes.truncate(len);
        bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds the first `len` bytes of `text`, which has so many.
    #[inline]
    pub(crate) fn put<const N: usize>(&mut self, text: &[u8; N], len: usize) {
        loop {
            let rest = self.bytes.get_mut(self.len..);
            if let Some(place) = rest.and_then(|rest| rest.first_chunk_mut::<N>()) {
                *place = *text;
                debug_assert!(len <= N);
                self.len += len;
                return;
            }
            self.grow(N);
        }
    }

    /// Adds one byte.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        self.put(&[byte], 1);
    }

    /// Adds `text`.
    pub(crate) fn extend(&mut self, text: &[u8]) {
        loop {
            if let Some(place) = self.bytes.get_mut(self.len..self.len + text.len()) {
                place.copy_from_slice(text);
                self.len += text.len();
                return;
            }
            self.grow(text.len());
        }
    }

    /// Adds a number, with zeros in front up to `width` digits.
    #[inline]
    pub(crate) fn number(&mut self, value: u64, width: usize) {
        match decimal::short(value, width) {
            Some((digits, len)) => self.put(&digits, len),
            None => self.long_number(value, width),
        }
    }

    #[inline(never)]
    fn long_number(&mut self, value: u64, width: usize) {
        let decimal = Decimal::new(value, width);
        self.put(decimal.digits(), decimal.len());
    }

    /// Adds `text` if it is made of ASCII that stands for itself in JSON, as nearly every
    /// one is, and says whether it is. It is judged while it is copied.
    pub(crate) fn put_plain(&mut self, text: &[u8]) -> bool {
        let start = self.len;
        let (steps, rest) = text.as_chunks::<STEP>();
        for step in steps {
            if !is_plain(step) {
                self.len = start;
                return false;
            }
            self.put(step, STEP);
        }
        let (last, len) = (short(rest), rest.len());
        let is_whole = is_plain(&last);
        if is_whole {
            self.put(&last, len);
        } else {
            self.len = start;
        }
        is_whole
    }

    #[cold]
    fn grow(&mut self, by: usize) {
        let needed = self.len + by;
        self.bytes.resize(needed.next_power_of_two().max(4096), 0);
    }
}

/// Less than a step, with blanks behind it. Of two halves that overlap: a copy of any length
/// would be a call.
#[inline]
fn short(text: &[u8]) -> [u8; STEP] {
    const BLANKS: u128 = u128::from_ne_bytes([b' '; STEP]);
    let len = text.len();
    let word = if let Some(head) = text.first_chunk()
        && let Some(tail) = text.last_chunk()
    {
        let (head, tail) = (u64::from_le_bytes(*head), u64::from_le_bytes(*tail));
        u128::from(head) | (u128::from(tail) << (8 * (len - 8)))
    } else if len >= 4
        && let Some(head) = text.first_chunk()
        && let Some(tail) = text.last_chunk()
    {
        let (head, tail) = (u32::from_le_bytes(*head), u32::from_le_bytes(*tail));
        u128::from(u64::from(head) | (u64::from(tail) << (8 * (len - 4))))
    } else {
        let of_three = text.iter().rev().fold(0, |word: u32, &byte| (word << 8) | u32::from(byte));
        u128::from(of_three)
    };
    (word | (BLANKS << (8 * len))).to_le_bytes()
}

/// Whether all of these stand for themselves. Eight at a time: compilers make a branch for
/// each byte of what is said of single ones.
#[inline]
fn is_plain(step: &[u8; STEP]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // The highest bit of each byte is set by one that is special, and by none above it that
    // is not: a borrow or a carry comes from special ones alone.
    let special = |eight: u64| {
        let control = eight.wrapping_sub(EACH * 0x20);
        let quote = (eight ^ (EACH * 0x22)).wrapping_sub(EACH);
        let backslash = (eight ^ (EACH * 0x5c)).wrapping_sub(EACH);
        let beyond = eight.wrapping_add(EACH) | eight;
        control | quote | backslash | beyond
    };
    let (eights, _) = step.as_chunks::<8>();
    let any = eights.iter().fold(0, |any, eight| any | special(u64::from_le_bytes(*eight)));
    any & (EACH << 7) == 0
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Line};

    #[test]
    fn pieces_stand_one_behind_the_other() {
        let mut line = Line::default();
        let mut expect = Vec::new();
        for turn in 0..2000_usize {
            line.push(b'<');
            line.put(b"0123456789", turn % 11);
            line.extend(&vec![b'x'; turn % 300]);
            line.number(turn as u64, turn % 5);
            expect.push(b'<');
            expect.extend_from_slice(&b"0123456789"[..turn % 11]);
            expect.extend_from_slice(&vec![b'x'; turn % 300]);
            expect.extend_from_slice(format!("{turn:0width$}", width = turn % 5).as_bytes());
        }
        assert!(line.as_bytes() == expect);
        assert_eq!(line.len(), expect.len());
        assert!(line.bytes.len() > KEPT);
        line.clear();
        assert_eq!((line.as_bytes(), line.bytes.capacity()), (&b""[..], KEPT));
        line.extend(b"again");
        assert_eq!(line.into_bytes(), b"again");
    }

    /// Any byte, at each place of texts of each length.
    #[test]
    fn what_stands_for_itself_is_written_and_else_nothing() {
        for len in 0..70 {
            for place in 0..len {
                for byte in 0..=u8::MAX {
                    let mut text: Vec<u8> = (b'a'..=b'z').cycle().take(len).collect();
                    text[place] = byte;
                    let mut line = Line::default();
                    line.push(b'"');
                    let is_plain = matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~');
                    assert_eq!(line.put_plain(&text), is_plain, "{len} {place} {byte}");
                    let expect = if is_plain { &text[..] } else { b"" };
                    assert_eq!(&line.as_bytes()[1..], expect);
                    line.push(b'"');
                    assert_eq!(line.as_bytes().last(), Some(&b'"'));
                }
            }
        }
        let mut line = Line::default();
        assert!(line.put_plain(b"") && line.as_bytes().is_empty());
    }
}
