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

    /// Adds `text` in quotes if it is made of ASCII that stands for itself in JSON, as nearly
    /// every one is, and says whether it is. It is judged while it is copied.
    pub(crate) fn put_quoted(&mut self, text: &[u8]) -> bool {
        let len = text.len() + 2;
        loop {
            let place = self.bytes.get_mut(self.len..self.len + len);
            if let Some([first, inner @ .., last]) = place {
                (*first, *last) = (b'"', b'"');
                let is_whole = copy_plain(text, inner);
                self.len += if is_whole { len } else { 0 };
                return is_whole;
            }
            self.grow(len);
        }
    }

    #[cold]
    fn grow(&mut self, by: usize) {
        let needed = self.len + by;
        self.bytes.resize(needed.next_power_of_two().max(4096), 0);
    }
}

/// Copies `text` to a place of its length, as long as all of it stands for itself. Of parts that
/// overlap: a copy of any length would be a call.
#[inline]
fn copy_plain(text: &[u8], place: &mut [u8]) -> bool {
    if let (Some(last), Some(_)) = (text.last_chunk::<STEP>(), place.last_chunk::<STEP>()) {
        let (steps, _) = text.as_chunks::<STEP>();
        let (places, _) = place.as_chunks_mut::<STEP>();
        for (step, place) in steps.iter().zip(places) {
            if !is_plain(step) {
                return false;
            }
            *place = *step;
        }
        if let Some(place) = place.last_chunk_mut() {
            *place = *last;
        }
        return is_plain(last);
    }
    copy_halves::<8>(text, place)
        .or_else(|| copy_halves::<4>(text, place))
        .unwrap_or_else(|| copy_few(text, place))
}

/// Copies a text of `HALF` bytes or more, and twice as many at most, and says whether all of
/// them stand for themselves; `None` if it has fewer.
#[inline]
fn copy_halves<const HALF: usize>(text: &[u8], place: &mut [u8]) -> Option<bool> {
    let (head, tail) = (text.first_chunk::<HALF>()?, text.last_chunk::<HALF>()?);
    *place.first_chunk_mut()? = *head;
    *place.last_chunk_mut()? = *tail;
    let mut step = [b' '; STEP];
    step[..HALF].copy_from_slice(head);
    step[STEP - HALF..].copy_from_slice(tail);
    Some(is_plain(&step))
}

/// Copies less than four bytes.
#[inline]
fn copy_few(text: &[u8], place: &mut [u8]) -> bool {
    let few = match *text {
        [] => return true,
        [one] => [one; 3],
        [one, two] => [one, two, two],
        [one, two, three, ..] => [one, two, three],
    };
    for (place, byte) in place.iter_mut().zip(few) {
        *place = byte;
    }
    few.into_iter().all(|byte| difference(byte) != 0)
}

/// Whether all of these do. The least difference from what does not is looked for, of which a
/// compiler makes a few instructions for all; of comparisons it makes a branch for each.
#[inline]
fn is_plain(step: &[u8; STEP]) -> bool {
    step.iter().fold(u8::MAX, |least, &byte| least.min(difference(byte))) != 0
}

/// From the nearest byte that does not stand for itself, if not much farther from another.
#[inline]
fn difference(byte: u8) -> u8 {
    let from_outside = byte.saturating_sub(0x1f).min(0x7f_u8.saturating_sub(byte));
    from_outside.min(byte ^ b'"').min(byte ^ b'\\')
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
                    let is_plain = matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~');
                    line.push(b'[');
                    assert_eq!(line.put_quoted(&text), is_plain, "{len} {place} {byte}");
                    line.push(b']');
                    let quoted = [b"[\"", &text[..], b"\"]"].concat();
                    assert_eq!(line.as_bytes(), if is_plain { &quoted } else { &b"[]"[..] });
                }
            }
        }
        let mut line = Line::default();
        assert!(line.put_quoted(b""));
        assert_eq!(line.as_bytes(), b"\"\"");
    }
}
