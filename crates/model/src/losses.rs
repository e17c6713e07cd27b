//! Telling losses where they happened.
//!
//! Every record carries how many records its lane had dropped before it. A step
//! in that number says how many are missing, and that they are missing between
//! the lane's previous record and this one.

use std::collections::HashMap;

use exectrail_abi::{counters::ATTEMPT_ROWS, fault::Drop};

use crate::event::Lost;

/// What each lane had dropped when it was last heard of.
#[derive(Debug, Default)]
pub struct Losses {
    lanes: HashMap<u32, u32>,
    cpus: u32,
    told: u64,
}

impl Losses {
    /// For a host of `cpus` possible CPUs.
    #[must_use]
    pub fn new(cpus: u32) -> Self {
        Self { cpus, ..Self::default() }
    }

    /// Notes that `lane` has dropped `dropped` records so far, modulo 2^32, and
    /// tells those not told yet. Older news than the last (a counter read from
    /// its map can overtake the records in the ring) tells nothing.
    pub fn update(&mut self, lane: u32, dropped: u32) -> Option<Lost> {
        let last = self.lanes.entry(lane).or_insert(0);
        let step = dropped.wrapping_sub(*last);
        // Half the range: a step backwards looks like a huge one forwards.
        if step == 0 || step > u32::MAX / 2 {
            return None;
        }
        *last = dropped;
        self.told += u64::from(step);
        let cpu = if lane < self.cpus { lane } else { (lane - self.cpus) / ATTEMPT_ROWS };
        Some(Lost { count: u64::from(step), reason: Drop::RingFull.reason(), cpu })
    }

    /// All losses told so far.
    #[must_use]
    pub fn told(&self) -> u64 {
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::Losses;

    #[test]
    fn a_step_is_told_once_and_with_its_cpu() {
        let mut losses = Losses::new(2);
        assert_eq!(losses.update(1, 0), None);
        let lost = losses.update(1, 7).unwrap();
        assert_eq!((lost.count, lost.cpu, lost.reason), (7, 1, "ring_full"));
        assert_eq!(losses.update(1, 7), None);
        assert_eq!(losses.update(1, 9).unwrap().count, 2);
        assert_eq!(losses.told(), 9);
    }

    #[test]
    fn the_lanes_of_attempts_belong_to_their_cpu() {
        let mut losses = Losses::new(2);
        assert_eq!(losses.update(2, 1).unwrap().cpu, 0);
        assert_eq!(losses.update(2 + 5, 1).unwrap().cpu, 1);
    }

    #[test]
    fn older_news_and_a_wrapped_counter() {
        let mut losses = Losses::new(1);
        losses.update(0, 10);
        assert_eq!(losses.update(0, 4), None);
        let mut losses = Losses::new(1);
        losses.update(0, u32::MAX / 2);
        losses.update(0, u32::MAX - 1);
        assert_eq!(losses.update(0, 3).unwrap().count, 5);
    }
}
