//! Keys, as terminals send them.
//!
//! They are read here, and not by a library: from a terminal that is gone there is always
//! something to read, and it is nothing, which kept crossterm 0.29 reading for ever.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Read as _},
    os::fd::{AsFd, BorrowedFd},
};

use exectrail_tui::Key;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Bytes that are read at once. What is pasted comes bit by bit, so that events are taken
/// meanwhile.
const AT_ONCE: usize = 32;

/// Bytes of a sequence, at most; the longest that means anything has some ten.
const LONGEST: usize = 32;

const ESCAPE: u8 = 0x1b;

/// Where keys are pressed.
pub(super) struct Keyboard {
    terminal: File,
    /// The beginning of a key whose rest has not come.
    begun: Vec<u8>,
}

impl Keyboard {
    pub(super) fn new(terminal: File) -> Self {
        Self { terminal, begun: Vec::new() }
    }

    /// Keys that have been pressed, if there are any; an error once the terminal is gone.
    pub(super) fn pressed(&mut self) -> io::Result<Vec<Key>> {
        if self.is_ready()? {
            let mut bytes = [0; AT_ONCE];
            match self.terminal.read(&mut bytes) {
                Ok(0) if !self.terminal.is_terminal() => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(read) => self.begun.extend(bytes.iter().take(read)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        let is_all = !self.is_ready()?;
        let mut keys = Vec::new();
        let mut understood = 0;
        while let Some((len, key)) = self.begun.get(understood..).and_then(|it| first(it, is_all)) {
            understood += len;
            keys.extend(key);
        }
        self.begun.drain(..understood);
        Ok(keys)
    }

    fn is_ready(&self) -> io::Result<bool> {
        let mut fds = [PollFd::new(&self.terminal, PollFlags::IN)];
        match poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Keyboard {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.terminal.as_fd()
    }
}

/// How many bytes the first key has, and which it is, if it is one of those that can mean
/// something. None, if it has only begun, and not `is_all` that there is.
fn first(bytes: &[u8], is_all: bool) -> Option<(usize, Option<Key>)> {
    Some(match bytes {
        [] | [ESCAPE, b'O'] => return None,
        [ESCAPE] if !is_all => return None,
        [ESCAPE] | [ESCAPE, ESCAPE, ..] => (1, Some(Key::Escape)),
        [ESCAPE, b'[', rest @ ..] => return sequence(rest).map(|(len, key)| (2 + len, key)),
        [ESCAPE, b'O', last, ..] => (3, named(*last, b"")),
        // With Alt, a key is another one.
        [ESCAPE, rest @ ..] => return first(rest, is_all).map(|(len, _)| (1 + len, None)),
        [b'\r', ..] => (1, Some(Key::Enter)),
        [0x7f, ..] => (1, Some(Key::Backspace)),
        [letter @ 0x01..=0x1a, ..] => (1, Some(Key::Ctrl(char::from(letter - 1 + b'a')))),
        [0x00..=0x1f, ..] => (1, None),
        _ => return letter(bytes),
    })
}

fn letter(bytes: &[u8]) -> Option<(usize, Option<Key>)> {
    let head = bytes.get(..4).unwrap_or(bytes);
    let (valid, wrong) = match str::from_utf8(head) {
        Ok(text) => (text, None),
        Err(error) => {
            let valid = head.get(..error.valid_up_to()).unwrap_or_default();
            (str::from_utf8(valid).unwrap_or_default(), error.error_len())
        }
    };
    match (valid.chars().next(), wrong) {
        (Some(letter), _) => Some((letter.len_utf8(), Some(Key::Char(letter)))),
        (None, wrong) => wrong.map(|len| (len, None)),
    }
}

/// What comes behind `ESC [`: numbers, and what ends them (ECMA-48, 5.4).
fn sequence(bytes: &[u8]) -> Option<(usize, Option<Key>)> {
    // Of the console's function keys (console_codes(4)).
    if let [b'[', rest @ ..] = bytes {
        return (!rest.is_empty()).then_some((2, None));
    }
    let Some(end) = bytes.iter().position(|byte| !(0x20..=0x3f).contains(byte)) else {
        return (bytes.len() >= LONGEST).then_some((bytes.len(), None));
    };
    let (numbers, rest) = bytes.split_at(end);
    let last = rest.first().copied().filter(|byte| (0x40..=0x7e).contains(byte));
    Some(last.map_or((end, None), |last| (end + 1, named(last, numbers))))
}

/// The key that has this sequence; with Ctrl or Shift, it is the same.
fn named(last: u8, numbers: &[u8]) -> Option<Key> {
    let number = numbers.split(|byte| *byte == b';').next().unwrap_or_default();
    Some(match (last, number) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', b"1" | b"7") => Key::Home,
        (b'F', _) | (b'~', b"4" | b"8") => Key::End,
        (b'~', b"3") => Key::Delete,
        (b'~', b"5") => Key::PageUp,
        (b'~', b"6") => Key::PageDown,
        // Enter, of the numeric keypad.
        (b'M', b"") => Key::Enter,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of these bytes, and how many bytes wait for more.
    fn keys(bytes: &[u8], is_all: bool) -> (Vec<Key>, usize) {
        let (mut keys, mut at) = (Vec::new(), 0);
        while let Some((len, key)) = first(&bytes[at..], is_all) {
            assert!(len > 0, "{bytes:?}");
            at += len;
            keys.extend(key);
        }
        (keys, bytes.len() - at)
    }

    #[test]
    fn keys_have_their_bytes() {
        for (bytes, expect) in [
            ("", &[][..]),
            ("aG?", &[Key::Char('a'), Key::Char('G'), Key::Char('?')]),
            ("é日", &[Key::Char('é'), Key::Char('日')]),
            ("\x03\x17\x1a\x08", &[Key::Ctrl('c'), Key::Ctrl('w'), Key::Ctrl('z'), Key::Ctrl('h')]),
            ("\r\x7f\0\x1f", &[Key::Enter, Key::Backspace]),
            ("\x1b", &[Key::Escape]),
            ("\x1b\x1b[A", &[Key::Escape, Key::Up]),
            ("\x1b[B\x1b[C\x1bOD", &[Key::Down, Key::Right, Key::Left]),
            ("\x1b[H\x1bOF\x1b[1~\x1b[4~", &[Key::Home, Key::End, Key::Home, Key::End]),
            ("\x1b[3~\x1b[5~\x1b[6~", &[Key::Delete, Key::PageUp, Key::PageDown]),
            ("\x1b[1;5A\x1b[5;2~", &[Key::Up, Key::PageUp]),
            // Keys that mean nothing leave nothing behind.
            ("\x1bx\x1b\x03\x1bé\x1b[15~\x1b[[A\x1b[?1;2c\x1b[200~\x1bOPq", &[Key::Char('q')]),
        ] {
            assert_eq!(keys(bytes.as_bytes(), true), (expect.to_vec(), 0), "{bytes:?}");
        }
        assert_eq!(keys(b"a\xff\xc3(b", true).0, [Key::Char('a'), Key::Char('('), Key::Char('b')]);
    }

    #[test]
    fn a_key_can_come_in_pieces() {
        for whole in ["\x1b[A", "\x1b[5~", "\x1bOA", "日", "\x1b[1;5A"] {
            let (expect, _) = keys(whole.as_bytes(), true);
            for len in 1..whole.len() {
                let begun = &whole.as_bytes()[..len];
                assert_eq!(keys(begun, false), (vec![], len), "{begun:?}");
            }
            assert_eq!(expect.len(), 1);
        }
    }

    #[test]
    fn whatever_comes_little_of_it_waits() {
        const BYTES: &[u8] = b"\x1b\x1b[[O;;0123456789?A~M\r\xc3\xe6\xa9\xff\0q";
        let mut state = 1_u32;
        let mut any = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            BYTES[(state >> 8) as usize % BYTES.len()]
        };
        for _ in 0..20_000 {
            let bytes: Vec<_> = (0..40).map(|_| any()).collect();
            let (_, waits) = keys(&bytes, true);
            assert!(waits < LONGEST + 2, "{bytes:?}");
        }
        assert_eq!(keys(&[b"\x1b[".as_slice(), &[b'1'; 100]].concat(), true), (vec![], 0));
    }
}
