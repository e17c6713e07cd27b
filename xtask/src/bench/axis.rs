//! Axes: from where to where, which ticks, and where a number lies.

/// An axis of a plot.
pub(super) struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
    pub(super) ticks: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scale {
    Linear,
    /// Powers of ten are equally far from each other.
    Logarithmic,
}

/// Beyond this, what is small on a linear axis cannot be told from nothing.
const LINEAR_SPAN: f64 = 20.0;

impl Axis {
    /// One that shows all of these numbers. On a logarithmic one, what is not above zero
    /// lies at its beginning.
    pub(super) fn over(numbers: &[f64], logarithmic: bool) -> Self {
        let numbers = || numbers.iter().copied().filter(|number| number.is_finite());
        let most = numbers().fold(0.0, f64::max);
        let positive = numbers().filter(|number| *number > 0.0).fold(f64::INFINITY, f64::min);
        if logarithmic && positive.is_finite() && most > positive {
            return Self::logarithmic(positive, most);
        }
        let least = numbers().fold(0.0, f64::min);
        Self::linear(least, if most > least { most } else { least + 1.0 })
    }

    /// The same; logarithmic if the numbers span so much that it has to be.
    pub(super) fn fitting(numbers: &[f64]) -> Self {
        let positive: Vec<f64> = numbers.iter().copied().filter(|number| *number > 0.0).collect();
        let least = positive.iter().copied().fold(f64::INFINITY, f64::min);
        let most = positive.iter().copied().fold(0.0, f64::max);
        let all_positive = positive.len() == numbers.len();
        Self::over(numbers, all_positive && most / least > LINEAR_SPAN)
    }

    fn linear(from: f64, to: f64) -> Self {
        let step = step((to - from) / 6.0);
        let (first, last) = ((from / step).floor(), (to / step).ceil());
        let mut ticks = Vec::new();
        let mut tick = first;
        while tick <= last {
            ticks.push(tick * step);
            tick += 1.0;
        }
        Self { scale: Scale::Linear, from: first * step, to: last * step, ticks }
    }

    fn logarithmic(low: f64, high: f64) -> Self {
        let (first, last) = (low.log10().floor(), high.log10().ceil());
        let mut ticks = Vec::new();
        let mut power = first;
        while power <= last {
            let between: &[f64] = if last - first > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
            ticks.extend(between.iter().map(|part| part * 10_f64.powf(power)));
            power += 1.0;
        }
        // From the last tick below to the first above: an axis that ends at a power of ten
        // can be half empty.
        let below = |tick: &&f64| **tick <= low * 1.000_001;
        let above = |tick: &&f64| **tick >= high * 0.999_999;
        let from = ticks.iter().rfind(below).copied().unwrap_or(low);
        let to = ticks.iter().find(above).copied().unwrap_or(high);
        ticks.retain(|tick| (from..=to).contains(tick));
        Self { scale: Scale::Logarithmic, from, to, ticks }
    }

    /// Where a number lies, from 0 to 1.
    pub(super) fn place(&self, number: f64) -> f64 {
        let place = match self.scale {
            Scale::Linear => (number - self.from) / (self.to - self.from),
            Scale::Logarithmic => {
                (number.max(self.from) / self.from).log10() / (self.to / self.from).log10()
            }
        };
        place.clamp(0.0, 1.0)
    }
}

/// The next of 1, 2, 5 and their tenfolds.
fn step(at_least: f64) -> f64 {
    let power = 10_f64.powf(at_least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|part| part * power);
    steps.into_iter().find(|step| *step >= at_least * 0.999_999).unwrap_or(power * 10.0)
}

/// A number beside a tick: with commas between thousands, and as few digits as there can be.
pub(super) fn label(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let size = number.abs();
    let decimals = [(100.0, 0), (10.0, 1), (1.0, 2), (0.1, 3)]
        .into_iter()
        .find(|(least, _)| size >= *least)
        .map_or(4, |(_, decimals)| decimals);
    let text = format!("{number:.decimals$}");
    if !text.contains('.') {
        return with_commas(&text);
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn with_commas(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn ticks(axis: &Axis, expected: &[&str]) {
        assert_eq!(axis.ticks.iter().copied().map(label).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn linear_ticks_are_round_and_reach_over_all() {
        ticks(&Axis::over(&[1.9, 0.3], false), &["0", "0.5", "1", "1.5", "2"]);
        ticks(&Axis::over(&[4_000.0], false), &["0", "1,000", "2,000", "3,000", "4,000"]);
        ticks(&Axis::over(&[-3.0, 12.0], false), &["-5", "0", "5", "10", "15"]);
        ticks(&Axis::over(&[0.0], false), &["0", "0.2", "0.4", "0.6", "0.8", "1"]);
    }

    #[test]
    fn logarithmic_ticks_end_where_numbers_do() {
        ticks(&Axis::over(&[0.3, 19.0], true), &["0.2", "0.5", "1", "2", "5", "10", "20"]);
        ticks(
            &Axis::over(&[100.0, 1e6], true),
            &["100", "1,000", "10,000", "100,000", "1,000,000"],
        );
    }

    #[test]
    fn an_axis_is_logarithmic_when_it_has_to_be() {
        assert!(Axis::fitting(&[1.0, 19.0]).scale == Scale::Linear);
        assert!(Axis::fitting(&[1.0, 21.0]).scale == Scale::Logarithmic);
        assert!(Axis::fitting(&[0.0, 1.0, 21.0]).scale == Scale::Linear);
        assert!(Axis::fitting(&[]).scale == Scale::Linear);
    }

    #[test]
    fn places_go_from_end_to_end() {
        let near = |one: f64, other: f64| assert!((one - other).abs() < 1e-9, "{one} {other}");
        let linear = Axis::over(&[4.0], false);
        near(linear.place(1.0), 0.25);
        near(linear.place(9.0), 1.0);
        let logarithmic = Axis::over(&[1.0, 100.0], true);
        near(logarithmic.place(10.0), 0.5);
        near(logarithmic.place(0.0), 0.0);
    }

    #[test]
    fn labels_are_short() {
        let check = |number, expected: &str| assert_eq!(label(number), expected);
        check(1_234_567.0, "1,234,567");
        check(-1_000.0, "-1,000");
        check(12.0, "12");
        check(0.05, "0.05");
        check(1.5, "1.5");
        check(0.0, "0");
    }
}
