//! Medians and ratios.

/// Where samples lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    /// The smallest.
    pub(super) min: f64,
    /// A quarter is below.
    pub(super) lower: f64,
    /// Half is below.
    pub(super) median: f64,
    /// Three quarters are below.
    pub(super) upper: f64,
    /// The largest.
    pub(super) max: f64,
}

impl Spread {
    /// Nothing, of nothing.
    pub(super) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let quarter = |number| quarter(&sorted, number);
        Some(Self {
            min: quarter(0)?,
            lower: quarter(1)?,
            median: quarter(2)?,
            upper: quarter(3)?,
            max: quarter(4)?,
        })
    }
}

/// The value at this many quarters of the way through sorted samples; between
/// two samples, on the line between them.
fn quarter(sorted: &[f64], number: usize) -> Option<f64> {
    let position = sorted.len().checked_sub(1)? * number;
    let (index, rest) = (position / 4, position % 4);
    let part = [0.0, 0.25, 0.5, 0.75][rest];
    let here = *sorted.get(index)?;
    let next = sorted.get(index + 1).copied().unwrap_or(here);
    Some(here + (next - here) * part)
}

/// The smallest sample below which so large a part of all lies, which is one of them: of
/// few samples a high quantile is the largest.
pub(super) fn quantile(samples: &[f64], part: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let below = float(sorted.len()) * part;
    let mut counted = sorted.iter().zip(1..);
    counted.find(|(_, count)| float(*count) >= below).map(|(sample, _)| *sample)
}

/// Each sample by the one of the same round.
pub(super) fn ratios(samples: &[f64], of: &[f64]) -> Vec<f64> {
    samples.iter().zip(of).map(|(sample, of)| sample / of).collect()
}

/// Each sample less the one of the same round.
pub(super) fn differences(samples: &[f64], less: &[f64]) -> Vec<f64> {
    samples.iter().zip(less).map(|(sample, less)| sample - less).collect()
}

/// The middle of the ratios within rounds.
pub(super) fn median_ratio(samples: &[f64], of: &[f64]) -> Option<f64> {
    Spread::of(&ratios(samples, of)).map(|spread| spread.median)
}

/// A count, to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts here stay far below 2^52")]
pub(super) fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::{Spread, differences, median_ratio, quantile};

    #[test]
    fn quartiles_lie_on_samples_or_between() {
        let spread = Spread::of(&[5.0, 1.0, 3.0, 2.0, 4.0]).unwrap();
        let expected = Spread { min: 1.0, lower: 2.0, median: 3.0, upper: 4.0, max: 5.0 };
        assert_eq!(spread, expected);
        let spread = Spread::of(&[4.0, 2.0]).unwrap();
        let expected = Spread { min: 2.0, lower: 2.5, median: 3.0, upper: 3.5, max: 4.0 };
        assert_eq!(spread, expected);
        assert_eq!(Spread::of(&[7.0]).map(|spread| spread.median), Some(7.0));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_quantile_is_a_sample() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&hundred, 0.5), Some(50.0));
        assert_eq!(quantile(&hundred, 0.99), Some(99.0));
        assert_eq!(quantile(&[3.0, 1.0], 0.99), Some(3.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn what_is_added_is_taken_within_rounds() {
        assert_eq!(differences(&[3.0, 30.0], &[2.0, 20.0]), [1.0, 10.0]);
    }

    #[test]
    fn ratios_are_taken_within_rounds() {
        // A slow round slows both; the ratio of the medians would say 1.1.
        assert_eq!(median_ratio(&[2.0, 20.0, 2.2], &[1.0, 10.0, 2.0]), Some(2.0));
        assert_eq!(median_ratio(&[1.0], &[]), None);
    }
}
