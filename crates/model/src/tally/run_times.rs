//! How long runs took, by steps that are at most a quarter wide.

use exectrail_abi::tally::{STEP_BITS, STEPS, UNIT_BITS};

/// Ends by step of their run time, as [`exectrail_abi::tally`] has them.
#[derive(Clone, Debug)]
pub struct RunTimes {
    steps: Box<[u64]>,
}

impl Default for RunTimes {
    fn default() -> Self {
        Self { steps: vec![0; STEPS].into() }
    }
}

impl RunTimes {
    /// Takes what one lane has counted.
    pub fn count(&mut self, lane: &[u32]) {
        for (sum, more) in self.steps.iter_mut().zip(lane) {
            *sum += u64::from(*more);
        }
    }

    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.steps.iter_mut().zip(&other.steps) {
            *sum += more;
        }
    }

    /// The time, in nanoseconds, that so many of a hundred runs did not exceed: the
    /// middle of its step, an eighth too much or too little at most. `None` without any
    /// run.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let all: u64 = self.steps.iter().sum();
        // Of 1 to 100 runs, the 99th percentile is that of the longest.
        let wanted = (u128::from(all) * u128::from(percent)).div_ceil(100);
        let mut so_far = 0u128;
        let step = self.steps.iter().position(|&count| {
            so_far += u128::from(count);
            count > 0 && so_far >= wanted
        })?;
        Some(u64::midpoint(begin(step), begin(step + 1)))
    }
}

/// Where a step begins, in nanoseconds.
fn begin(step: usize) -> u64 {
    const FIRST: usize = 1 << STEP_BITS;
    let units = match step / FIRST {
        0 => step as u64,
        power => ((FIRST + step % FIRST) as u64) << (power - 1),
    };
    units << UNIT_BITS
}

#[cfg(test)]
mod tests {
    use super::{RunTimes, begin};
    use exectrail_abi::tally::STEPS;

    /// The step of a time, found by looking through all.
    fn step_of(nanoseconds: u64) -> usize {
        (0..STEPS).rfind(|&step| begin(step) <= nanoseconds).unwrap()
    }

    #[test]
    fn steps_are_at_most_a_quarter_wide() {
        for step in 0..STEPS {
            let (from, to) = (begin(step), begin(step + 1));
            assert!(from < to, "{step}");
            // The first ones are units.
            assert!(step < 4 || (to - from) * 4 <= from, "{step}: {from} {to}");
        }
        assert_eq!(begin(4), 4096);
        // A year, and some.
        assert!(begin(STEPS) > 365 * 24 * 3_600_000_000_000);
    }

    #[test]
    fn percentiles_are_an_eighth_off_at_most() {
        assert_eq!(RunTimes::default().percentile(99), None);
        for time in [5_000, 50_000_000, 51_234_567, 3_600_000_000_000u64] {
            let mut lane = [0; STEPS];
            lane[step_of(1_000)] = 98;
            lane[step_of(time)] = 2;
            let mut times = RunTimes::default();
            times.count(&lane);
            let p99 = times.percentile(99).unwrap();
            assert!(p99.abs_diff(time) * 8 <= time, "{time}: {p99}");
            assert!(times.percentile(98).unwrap() < 2_000);
            let mut twice = times.clone();
            twice.add(&times);
            assert_eq!(twice.percentile(99), Some(p99));
        }
    }
}
