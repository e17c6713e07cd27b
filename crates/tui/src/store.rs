//! What is kept of the events: the last ones, up to a number and up to a size.
//!
//! An event rests as a recording has it, some 150 bytes, and is decoded only to be looked
//! at. What is forgotten is counted.

use std::collections::{HashMap, VecDeque};

use exectrail_model::{
    cpid::BootId,
    event::{Body, Event, Moment},
};
use exectrail_recording::Encoder;

/// How many events are kept, unless another number is asked for.
pub const EVENTS_KEPT: usize = 100_000;

/// How many bytes they may have, all in all.
pub const BYTES_KEPT: usize = 64 << 20;

/// A block is let go as a whole, so that memory goes back in pieces that are of use.
const BLOCK_EVENTS: usize = 1024;
const BLOCK_BYTES: usize = 256 << 10;

/// What an event costs besides its bytes, about: its row, its place in the view, and that
/// of its process in the map.
const COST: usize = 160;

/// The kind of an event, as far as it matters which lines are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Exec,
    Failed,
    Exit { is_bad: bool },
    Lost,
}

/// An event that is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept<'s> {
    pub(crate) kind: Kind,
    pub(crate) moment: Moment,
    pub(crate) bytes: &'s [u8],
    /// The number of the event that tells the end of its process.
    pub(crate) end: Option<u64>,
}

#[derive(Debug)]
struct Row {
    kind: Kind,
    moment: Moment,
    end: Option<u64>,
    /// Where its bytes end in the block.
    until: usize,
}

#[derive(Debug, Default)]
struct Block {
    /// The number of its first event.
    first: u64,
    rows: Vec<Row>,
    bytes: Vec<u8>,
}

/// The events that are kept, by the number of their arrival.
#[derive(Debug)]
pub(crate) struct Store {
    encoder: Encoder,
    blocks: VecDeque<Block>,
    /// The number of the oldest one that is kept.
    first: u64,
    /// The number of the next one.
    next: u64,
    most: u64,
    bytes: usize,
    most_bytes: usize,
    /// The last exec of each process, by when it started and its id.
    living: HashMap<(u64, u32), u64>,
    /// Execs whose ends have come since somebody asked.
    ended: Vec<u64>,
}

impl Store {
    pub(crate) fn new(boot: Option<BootId>, most: usize, most_bytes: usize) -> Self {
        Self {
            encoder: Encoder::new(boot),
            blocks: VecDeque::new(),
            first: 0,
            next: 0,
            most: (most as u64).max(1),
            bytes: 0,
            most_bytes,
            living: HashMap::new(),
            ended: Vec::new(),
        }
    }

    /// Keeps an event.
    pub(crate) fn push(&mut self, event: &Event<'_>) {
        let kind = match &event.body {
            Body::Exec(_) => Kind::Exec,
            Body::Failed(..) => Kind::Failed,
            Body::Exit(ended) => {
                Kind::Exit { is_bad: ended.status.is_some_and(|status| status.code() != Some(0)) }
            }
            Body::Lost(_) => Kind::Lost,
            Body::Summary(_) => return,
        };
        let number = self.next;
        self.join(event, number);
        let is_full =
            |block: &Block| block.rows.len() >= BLOCK_EVENTS || block.bytes.len() >= BLOCK_BYTES;
        if self.blocks.back().is_none_or(is_full) {
            self.blocks.push_back(Block { first: number, ..Block::default() });
        }
        let Some(block) = self.blocks.back_mut() else { return };
        let before = block.bytes.len();
        self.encoder.body(event, &mut block.bytes);
        let until = block.bytes.len();
        block.rows.push(Row { kind, moment: event.moment, end: None, until });
        self.bytes += until - before + COST;
        self.next += 1;
        while self.next - self.first > self.most
            || self.bytes > self.most_bytes && self.next - self.first > 1
        {
            self.forget();
        }
    }

    /// Brings the end of a process to its last exec.
    fn join(&mut self, event: &Event<'_>, number: u64) {
        match &event.body {
            // Of those whose start could not be read, one is taken for another.
            Body::Exec(program) if program.process.start != 0 => {
                self.living.insert((program.process.start, program.process.pid), number);
            }
            Body::Exit(ended) => {
                let exec = self.living.remove(&(ended.process.start, ended.process.pid));
                if let Some(row) = exec.and_then(|exec| self.row_mut(exec)) {
                    row.end = Some(number);
                    self.ended.extend(exec);
                }
            }
            _ => {}
        }
    }

    fn forget(&mut self) {
        let Some(block) = self.blocks.front() else { return };
        let bytes = self.get(self.first).map_or(0, |kept| kept.bytes.len());
        let is_last = self.first + 1 >= block.first + block.rows.len() as u64;
        self.first += 1;
        self.bytes = self.bytes.saturating_sub(bytes + COST);
        if is_last {
            self.blocks.pop_front();
            // Those whose ends never came.
            let first = self.first;
            self.living.retain(|_, exec| *exec >= first);
        }
    }

    fn block(&self, number: u64) -> Option<usize> {
        if !(self.first..self.next).contains(&number) {
            return None;
        }
        self.blocks.partition_point(|block| block.first <= number).checked_sub(1)
    }

    fn row_mut(&mut self, number: u64) -> Option<&mut Row> {
        let block = self.block(number)?;
        let block = self.blocks.get_mut(block)?;
        block.rows.get_mut(usize::try_from(number - block.first).ok()?)
    }

    /// The event of this number, if it is kept still.
    pub(crate) fn get(&self, number: u64) -> Option<Kept<'_>> {
        let block = self.blocks.get(self.block(number)?)?;
        let at = usize::try_from(number - block.first).ok()?;
        let Row { kind, moment, end, until } = *block.rows.get(at)?;
        let from = at.checked_sub(1).and_then(|before| block.rows.get(before));
        let bytes = block.bytes.get(from.map_or(0, |row| row.until)..until)?;
        Some(Kept { kind, moment, bytes, end })
    }

    /// The number of the oldest one that is kept: so many were forgotten.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The number of the next one: so many have come.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Execs whose ends have come since this was asked last.
    pub(crate) fn take_ended(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.ended)
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.bytes.capacity()).sum()
    }
}
