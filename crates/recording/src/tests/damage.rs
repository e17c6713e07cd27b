//! Recordings that were cut, and such that have other bytes than were written.

use std::io::{self, Read};

use super::samples::{Replayed, all, dumped, recorded, replayed};
use crate::{OpenError, Reader, Step};

/// Whether what was read is part of what was written, in its order.
fn is_part(read: &[String], written: &[String]) -> bool {
    let mut rest = written.iter();
    read.iter().all(|event| rest.any(|other| other == event))
}

/// At every byte: what is whole is read, in full, and what is not is counted.
#[test]
fn a_recording_that_is_cut_is_read_up_to_its_last_whole_frame() {
    let whole = recorded(&all(), true);
    let expect = dumped(&all());
    let mut frames = 0;
    let mut known = 0;
    for len in 0..whole.len() {
        let Replayed { events, damages, end } = replayed(&whole[..len]);
        assert!(damages.is_empty() && !end.is_whole, "{len}: {damages:?}");
        assert_eq!(events, expect[..events.len()], "{len}");
        assert!(events.len() >= known, "{len}");
        // No byte is passed over in silence.
        if events.len() > known {
            frames += 1;
            assert_eq!(end.rest, 0);
        }
        known = events.len();
    }
    // Three of each frame of three, and the rest; but the account, which is the last.
    assert_eq!((frames, known), (4, expect.len() - 1));
    assert!(replayed(&whole).end.is_whole);
}

#[test]
fn a_flipped_bit_anywhere_makes_no_wrong_event_and_is_told() {
    let whole = recorded(&all(), true);
    let expect = dumped(&all());
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            if at < 8 {
                assert!(matches!(Reader::open(&*bytes), Err(OpenError::Foreign)), "{at}");
                continue;
            }
            let Replayed { events, damages, end } = replayed(&bytes);
            assert!(is_part(&events, &expect), "{at}.{bit}");
            assert!(!damages.is_empty() || end.rest > 0, "{at}.{bit}: silence");
            let lost: u64 = damages.iter().filter_map(|damage| damage.events).sum();
            let is_counted = damages.iter().all(|damage| damage.events.is_some());
            if is_counted && end.is_whole {
                assert_eq!(events.len() as u64 + lost, expect.len() as u64, "{at}.{bit}");
            }
            assert!(events.len() + 3 >= expect.len() || at < 400, "{at}.{bit}: {damages:?}");
        }
    }
}

/// Whatever is put between, taken away or overwritten.
#[test]
fn a_damaged_place_ends_where_the_next_frame_begins() {
    let whole = recorded(&all(), true);
    let expect = dumped(&all());
    let frames: Vec<_> =
        (0..whole.len()).filter(|&at| whole[at..].starts_with(b"\xfeXRF")).collect();
    assert_eq!(frames.len(), 6);
    for (number, &at) in frames.iter().enumerate().skip(1) {
        let (bytes, text) = (vec![0xfe; 70_000], vec![b'x'; 300_000]);
        for garbage in [&b"\xfe"[..], b"\xfeXRF", &[0; 100], &bytes, &text] {
            let bytes = [&whole[..at], garbage, &whole[at..]].concat();
            let Replayed { events, damages, end } = replayed(&bytes);
            assert_eq!(events, expect);
            assert!(end.is_whole);
            let [damage] = damages[..] else { panic!("{damages:?}") };
            assert_eq!(
                (damage.offset, damage.bytes, damage.events),
                (at as u64, garbage.len() as u64, Some(0))
            );
        }
        let end = frames.get(number + 1).copied().unwrap_or(whole.len());
        let bytes = [&whole[..at], &whole[end..]].concat();
        let Replayed { events, damages, .. } = replayed(&bytes);
        assert!(is_part(&events, &expect) && events.len() < expect.len());
        if end < whole.len() {
            let lost = damages.iter().filter_map(|damage| damage.events).sum::<u64>();
            assert_eq!(events.len() as u64 + lost, expect.len() as u64);
        }
    }
}

#[test]
fn zeros_behind_the_last_frame_are_no_damage() {
    let cut = recorded(&all(), false);
    let replayed = replayed(&[&cut[..], &[0; 5000]].concat());
    assert_eq!(replayed.end.rest, 5000);
    assert!(replayed.damages.is_empty());
}

/// Gives what is there, a few bytes at a time.
struct Growing<'g> {
    bytes: &'g [u8],
    there: usize,
}

impl Read for &mut Growing<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut there = &self.bytes[..self.there];
        let read = there.read(room)?;
        self.bytes = &self.bytes[read..];
        self.there -= read;
        Ok(read)
    }
}

#[test]
fn a_recording_is_read_while_it_is_written() {
    let whole = recorded(&all(), true);
    for step in [1, 7, 100] {
        let mut growing = Growing { bytes: &whole, there: 0 };
        let mut left = whole.len();
        let mut frames = 0;
        // Something has to be there to know what it is.
        growing.there = 16;
        left -= 16;
        // The reader keeps what is not whole yet.
        let growing = std::cell::RefCell::new(growing);
        let mut reader = Reader::open(Shared(&growing)).unwrap();
        loop {
            match reader.step().unwrap() {
                Step::Description(_) => {}
                Step::Events(_) => frames += 1,
                Step::Damage(damage) => panic!("{damage:?}"),
                Step::End(end) if end.is_whole => break,
                Step::End(_) => {
                    let more = step.min(left);
                    assert!(more > 0, "it has no end");
                    growing.borrow_mut().there += more;
                    left -= more;
                }
            }
        }
        assert_eq!((frames, left), (5, 0));
    }
}

struct Shared<'s, 'g>(&'s std::cell::RefCell<Growing<'g>>);

impl Read for Shared<'_, '_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        (&mut *self.0.borrow_mut()).read(room)
    }
}

/// What claims to be long is not allocated, and what makes no sense is no panic.
#[test]
fn any_bytes_are_read_to_their_end() {
    let whole = recorded(&all(), true);
    let mut seed = 1_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for _ in 0..2000 {
        let mut bytes = whole.clone();
        for _ in 0..=random() % 8 {
            let at = usize::try_from(random()).unwrap_or(0) % (bytes.len() - 16) + 16;
            bytes[at] = random().to_le_bytes()[0];
        }
        let replayed = replayed(&bytes);
        assert!(is_part(&replayed.events, &dumped(&all())));
    }
}
