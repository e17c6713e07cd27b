//! Telling losses where they happened.
//!
//! Every record carries what its lane had lost before it, by reason. A step in one
//! of these numbers says how many are missing, why, and that they are missing
//! between the lane's previous record and this one.

use exectrail_abi::{counters::INTERRUPTIBLE_ROWS, fault::Loss};

use crate::event::Lost;

/// What each lane had lost when it was last heard of.
#[derive(Debug, Default)]
pub struct Losses {
    /// In the order of their numbers: there are few, and one is looked for with each record.
    lanes: Vec<(u32, [u32; Loss::COUNT])>,
    cpus: u32,
}

impl Losses {
    /// For a host of `cpus` possible CPUs.
    #[must_use]
    pub fn new(cpus: u32) -> Self {
        Self { cpus, ..Self::default() }
    }

    /// Notes what `lane` has lost so far, by [`Loss`] and modulo 2^32, and tells
    /// what was not told yet. Older news than the last (a counter read from its
    /// map can overtake the records in the ring) tells nothing.
    pub fn update(&mut self, lane: u32, lost: [u32; Loss::COUNT]) -> impl Iterator<Item = Lost> {
        let cpu = if lane < self.cpus { lane } else { (lane - self.cpus) / INTERRUPTIBLE_ROWS };
        let known = self.known(lane);
        let mut steps = [0; Loss::COUNT];
        for ((known, now), step) in known.iter_mut().zip(lost).zip(&mut steps) {
            let forward = now.wrapping_sub(*known);
            // Half the range: a step backwards looks like a huge one forwards.
            if forward <= u32::MAX / 2 {
                *known = now;
                *step = forward;
            }
        }
        let told = Loss::ALL.into_iter().zip(steps).filter(|&(_, step)| step != 0);
        told.map(move |(loss, step)| Lost { count: step.into(), reason: loss.reason(), cpu })
    }

    fn known(&mut self, lane: u32) -> &mut [u32; Loss::COUNT] {
        let place = self.lanes.binary_search_by_key(&lane, |&(lane, _)| lane);
        let place = place.unwrap_or_else(|place| {
            self.lanes.insert(place, (lane, [0; Loss::COUNT]));
            place
        });
        &mut self.lanes[place].1
    }
}

#[cfg(test)]
mod tests {
    use exectrail_abi::counters::INTERRUPTIBLE_ROWS;

    use super::{Losses, Lost};

    fn told(losses: &mut Losses, lane: u32, lost: [u32; 3]) -> Vec<Lost> {
        losses.update(lane, lost).collect()
    }

    #[test]
    fn a_step_is_told_once_with_its_cpu_and_its_reason() {
        let mut losses = Losses::new(2);
        assert_eq!(told(&mut losses, 1, [0; 3]), []);
        let ring_full = |count| Lost { count, reason: "ring_full", cpu: 1 };
        let missed = |count| Lost { count, reason: "missed", cpu: 1 };
        assert_eq!(told(&mut losses, 1, [7, 0, 0]), [ring_full(7)]);
        assert_eq!(told(&mut losses, 1, [7, 0, 0]), []);
        assert_eq!(told(&mut losses, 1, [9, 0, 3]), [ring_full(2), missed(3)]);
        assert_eq!(told(&mut losses, 1, [9, 0, 4]), [missed(1)]);
    }

    #[test]
    fn the_lanes_of_what_can_be_interrupted_belong_to_their_cpu() {
        let mut losses = Losses::new(2);
        assert_eq!(told(&mut losses, 2, [0, 1, 0])[0].cpu, 0);
        let last_of_first = 2 + INTERRUPTIBLE_ROWS - 1;
        assert_eq!(told(&mut losses, last_of_first, [0, 1, 0])[0].cpu, 0);
        assert_eq!(told(&mut losses, last_of_first + 1, [0, 1, 0])[0].cpu, 1);
    }

    #[test]
    fn older_news_and_a_wrapped_counter() {
        let mut losses = Losses::new(1);
        told(&mut losses, 0, [10, 0, 0]);
        assert_eq!(told(&mut losses, 0, [4, 0, 0]), []);
        let mut losses = Losses::new(1);
        told(&mut losses, 0, [u32::MAX / 2, 0, 0]);
        told(&mut losses, 0, [u32::MAX - 1, 0, 0]);
        assert_eq!(told(&mut losses, 0, [3, 0, 0])[0].count, 5);
    }
}
