//! Events in another order than that of time: all have to be there before the first is shown.
//!
//! They are kept as a recording has them, each behind its key, a string of bytes: so a million
//! of them take some hundred megabytes. There is room for a certain amount; what it is not
//! enough for is never left out in silence.

mod asked;

use exectrail_model::{cpid::BootId, event::Event, fields::Field, order::Order};
use exectrail_recording::Packer;

pub(crate) use self::asked::{of_processes, of_recording, of_trace};

/// How many bytes the events of a live trace may take: nobody expects more of a tracer.
const LIVE: usize = 256 << 20;
/// The same of a recording.
const RECORDED: usize = 2 << 30;

/// Besides itself, a small piece of memory takes so much (malloc/malloc.c of glibc: a size,
/// and up to the next 16).
const PIECE: usize = 16;

/// Events that are to be shown in an order.
pub(crate) struct Sorting {
    order: Order<Field>,
    packer: Packer,
    kept: Vec<Kept>,
    bytes: usize,
    room: usize,
    /// Whether an event has come that there was no room for.
    is_over_full: bool,
    /// Of the kept ones, those that count: all but the lost.
    counted: u64,
    /// Those that come after so many are nothing more to us.
    first: u64,
    /// No more than so many are going to be shown, those that stand first.
    most: u64,
    turned_away: u64,
    unkept: u64,
    bytes_of_one: Vec<u8>,
}

/// One of them.
struct Kept {
    /// The key, and behind it the event.
    bytes: Box<[u8]>,
    key: u32,
    /// How many events it stands for; none of those that were lost.
    stands_for: u32,
}

impl Kept {
    fn key(&self) -> &[u8] {
        self.bytes.get(..self.key as usize).unwrap_or_default()
    }

    fn event(&self) -> &[u8] {
        self.bytes.get(self.key as usize..).unwrap_or_default()
    }

    fn size(&self) -> usize {
        self.bytes.len() + size_of::<Self>() + PIECE
    }
}

impl Sorting {
    /// Of a live trace, which ends after so many events.
    pub(crate) fn live(order: Order<Field>, boot: Option<BootId>, count: Option<u64>) -> Self {
        Self { first: count.unwrap_or(u64::MAX), ..Self::new(order, boot, LIVE) }
    }

    /// Of a recording, of which so many are shown.
    pub(crate) fn recorded(order: Order<Field>, boot: Option<BootId>, count: Option<u64>) -> Self {
        Self { most: count.unwrap_or(u64::MAX), ..Self::new(order, boot, RECORDED) }
    }

    fn new(order: Order<Field>, boot: Option<BootId>, room: usize) -> Self {
        Self {
            order,
            packer: Packer::new(boot),
            kept: Vec::new(),
            bytes: 0,
            room,
            is_over_full: false,
            counted: 0,
            first: u64::MAX,
            most: u64::MAX,
            turned_away: 0,
            unkept: 0,
            bytes_of_one: Vec::new(),
        }
    }

    /// Keeps an event that stands for so many, none if it tells of a loss.
    pub(crate) fn keep(&mut self, event: &Event<'_>, stands_for: u64) {
        if stands_for > 0 && self.counted >= self.first {
            self.turned_away += stands_for;
            return;
        }
        let Self { order, packer, bytes_of_one: bytes, .. } = self;
        bytes.clear();
        order.key(event, bytes);
        let key = bytes.len();
        packer.pack(event, bytes);
        let kept = Kept {
            key: u32::try_from(key).unwrap_or(u32::MAX),
            bytes: bytes.as_slice().into(),
            stands_for: u32::try_from(stands_for).unwrap_or(u32::MAX),
        };
        bytes.shrink_to(1 << 20);
        if self.bytes + kept.size() > self.room {
            self.prune();
            // With hardly any room made, it would soon be for each of them.
            self.is_over_full |= self.bytes + kept.size() > self.room - self.room / 8;
        }
        if self.is_over_full {
            self.unkept += stands_for;
            return;
        }
        self.bytes += kept.size();
        self.counted += u64::from(stands_for > 0);
        self.kept.push(kept);
        if self.counted / 2 >= self.most.max(4096) {
            self.prune();
        }
    }

    /// Whether there is use for more.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over_full || self.counted >= self.first
    }

    /// Says that events have come that there was no room for, if so.
    pub(crate) fn over_full(&self) -> Option<String> {
        let (counted, room) = (self.counted, self.room >> 20);
        self.is_over_full.then(|| {
            format!("--sort: {counted} events take the {room} MiB that there are to keep them in")
        })
    }

    /// How many there are.
    pub(crate) fn counted(&self) -> u64 {
        self.counted
    }

    /// Events behind those that were asked for.
    pub(crate) fn turned_away(&self) -> u64 {
        self.turned_away
    }

    /// Events that there was no room for.
    pub(crate) fn unkept(&self) -> u64 {
        self.unkept
    }

    /// Sorts; those that came first stay before their equals.
    fn sort(&mut self) {
        self.kept.sort_by(|one, other| one.key().cmp(other.key()));
    }

    /// Forgets those that will not be shown, whatever else comes.
    fn prune(&mut self) {
        if self.counted <= self.most {
            return;
        }
        self.sort();
        let mut left = self.most;
        let Self { kept, bytes, counted, turned_away, .. } = self;
        kept.retain(|one| {
            if one.stands_for == 0 || left > 0 {
                left -= u64::from(one.stands_for > 0);
                return true;
            }
            *bytes -= one.size();
            *counted -= 1;
            *turned_away += u64::from(one.stands_for);
            false
        });
    }

    /// Hands over all of them, sorted, each with the number of those that it stands for.
    pub(crate) fn show(&mut self, mut show: impl FnMut(&Event<'_>, u64)) {
        self.prune();
        self.sort();
        for kept in std::mem::take(&mut self.kept) {
            match self.packer.unpack(kept.event()) {
                Ok(event) => show(&event, kept.stands_for.into()),
                // What was packed can be unpacked.
                Err(_) => self.unkept += u64::from(kept.stands_for),
            }
        }
    }
}

#[cfg(test)]
mod tests;
