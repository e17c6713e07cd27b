//! Arguments that are too long for one record, put together again.
//!
//! The kernel side sends the pieces of an exec before its record, all of them in
//! one run that nothing interrupts. So the pieces that a lane has sent since its last
//! record belong to its next one. A piece that the buffer had no room for leaves a
//! gap; what is known is then the beginning, up to the first gap, and the end, from
//! the last one on.

use std::collections::HashMap;

use exectrail_abi::{
    fault::Fault,
    record::{ARGS_LIMIT, Exec, Piece},
};

/// What each lane has sent ahead of a record.
#[derive(Debug, Default)]
pub struct Pieces {
    lanes: HashMap<u32, Assembly>,
}

/// The arguments of one exec, as far as they have come.
#[derive(Debug, Default)]
struct Assembly {
    /// [`Header::ktime`](exectrail_abi::record::Header::ktime) of the record.
    of: u64,
    /// From the first byte on, up to the first gap.
    head: Vec<u8>,
    /// From the last gap on.
    tail: Vec<u8>,
    /// Where in the arguments the next byte belongs, gaps counted.
    next: u64,
}

impl Assembly {
    fn add(&mut self, offset: u64, bytes: &[u8]) {
        if offset != self.next {
            // From here on there is a gap between `head` and `tail`.
            self.tail.clear();
        }
        let has_gap = self.next != self.head.len() as u64 || offset != self.next;
        let part = if has_gap { &mut self.tail } else { &mut self.head };
        part.extend_from_slice(bytes);
        self.next = offset.saturating_add(bytes.len() as u64);
    }
}

impl Pieces {
    /// Keeps a piece.
    pub fn add(&mut self, piece: &Piece, bytes: &[u8]) {
        let assembly = self.lanes.entry(piece.header.lane).or_default();
        if assembly.of != piece.of {
            // The record that those before belong to was lost.
            *assembly = Assembly { of: piece.of, ..Assembly::default() };
        }
        // No exec has more: who sends more is no kernel.
        if assembly.head.len() + assembly.tail.len() + bytes.len() <= ARGS_LIMIT as usize {
            assembly.add(piece.offset, bytes);
        }
    }

    /// The arguments of a record, of which it has the `last` part itself: all of them,
    /// unless pieces went before it. They are put together in `buffer`. If there is a
    /// gap, the record says so afterwards, as it does of a gap in arguments that came
    /// in one piece.
    pub fn whole<'a>(
        &mut self,
        record: &mut Exec,
        last: &'a [u8],
        buffer: &'a mut Vec<u8>,
    ) -> &'a [u8] {
        if record.args_offset == 0 {
            return last;
        }
        let assembly = self.lanes.remove(&record.header.lane);
        let mut assembly =
            assembly.filter(|assembly| assembly.of == record.header.ktime).unwrap_or_default();
        assembly.add(record.args_offset, last);
        if assembly.head.len() as u64 != assembly.next {
            record.args_cut = u32::try_from(assembly.head.len()).unwrap_or(u32::MAX);
            if record.faults & Fault::ArgsCut.bit() == 0 {
                record.faults |= Fault::ArgsShortened.bit();
            }
        }
        *buffer = assembly.head;
        buffer.append(&mut assembly.tail);
        buffer
    }
}

#[cfg(test)]
mod tests;
