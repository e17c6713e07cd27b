//! A measurement over a range of something.

use super::{contenders::Contender, numbers::Spread};

const NAME_WIDTH: usize = 30;

/// One or several contenders, each at several places.
pub(super) struct Sweep {
    pub(super) key: &'static str,
    pub(super) title: String,
    /// What it is over, with its unit.
    pub(super) x: &'static str,
    /// What is measured, with its unit.
    pub(super) y: &'static str,
    /// Whether places and numbers span several powers of ten.
    pub(super) log: (bool, bool),
    pub(super) decimals: usize,
    pub(super) series: Vec<Series>,
    pub(super) notes: Vec<String>,
}

/// One contender.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) foreign: bool,
    pub(super) points: Vec<Point>,
    pub(super) absent: Option<String>,
}

/// A name, and the cells behind it or why there are none.
pub(super) type Line = (String, Result<Vec<String>, String>);

/// What was measured at one place.
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) samples: Vec<f64>,
}

impl Series {
    pub(super) fn of(contender: &Contender, points: Vec<Point>) -> Self {
        Self { name: contender.name.to_owned(), foreign: contender.foreign, points, absent: None }
    }

    /// Places and medians.
    pub(super) fn medians(&self) -> Vec<(f64, f64)> {
        let median = |point: &Point| Some((point.x, Spread::of(&point.samples)?.median));
        self.points.iter().filter_map(median).collect()
    }
}

impl Sweep {
    /// Its cells: a head with the places, and a line for each series. A place is that of
    /// the first series that was measured; others can be elsewhere by a little.
    pub(super) fn cells(&self) -> (Vec<String>, Vec<Line>) {
        let longest = self.series.iter().max_by_key(|series| series.points.len());
        let places = longest.map(|series| series.points.as_slice()).unwrap_or_default();
        let head = places.iter().map(|point| format!("{:.0}", point.x)).collect();
        let lines = self.series.iter().map(|series| {
            let cells = match &series.absent {
                Some(why) => Err(why.clone()),
                None => Ok(series
                    .medians()
                    .iter()
                    .map(|(_, median)| format!("{median:.0$}", self.decimals))
                    .collect()),
            };
            (series.name.clone(), cells)
        });
        (head, lines.collect())
    }

    pub(super) fn print(&self) {
        println!("\n{}: {} by {}", self.title, self.y, self.x);
        let (head, lines) = self.cells();
        let set = |cells: &[String]| {
            let cells: Vec<_> = cells.iter().map(|cell| format!(" {cell:>8}")).collect();
            cells.concat()
        };
        println!("{:NAME_WIDTH$}{}", "", set(&head));
        for (name, cells) in lines {
            let cells = cells.map_or_else(|why| format!("  {why}"), |cells| set(&cells));
            println!("  {name:0$}{cells}", NAME_WIDTH - 2);
        }
        for note in &self.notes {
            println!("  {note}");
        }
    }
}

/// What one more of `x` adds to each series from this place on, in words, and why.
pub(super) fn slopes(
    series: &[Series],
    from: f64,
    words: impl Fn(f64) -> String,
    reason: &str,
) -> Vec<String> {
    let measured = series.iter().filter(|series| series.absent.is_none());
    let slopes = measured.filter_map(|series| {
        let points = series.medians();
        let points: Vec<_> = points.into_iter().filter(|point| point.0 >= from).collect();
        Some(format!("{}: {}", series.name, words(slope(&points)?)))
    });
    let slopes: Vec<_> = slopes.collect();
    if slopes.is_empty() {
        slopes
    } else {
        vec![format!("Slopes: {}. {reason}", slopes.join("; "))]
    }
}

/// The slope of the line that comes nearest to points: what one more of `x` adds.
pub(super) fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = super::numbers::float(points.len());
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let square: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let product: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    (square > 0.0).then(|| product / square)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_what_one_more_adds() {
        assert_eq!(slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]), Some(2.0));
        // The middle one is off by as much as both others.
        assert_eq!(slope(&[(0.0, 0.0), (1.0, 3.0), (2.0, 0.0)]), Some(0.0));
        assert_eq!(slope(&[(1.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(slope(&[]), None);
    }

    #[test]
    fn slopes_are_told_with_their_reason_of_those_who_were_measured() {
        let series = |name: &str, absent: Option<&str>| Series {
            name: name.into(),
            foreign: false,
            points: [(0.0, 9.0), (1.0, 1.0), (3.0, 5.0)]
                .map(|(x, y)| Point { x, samples: vec![y] })
                .into(),
            absent: absent.map(str::to_owned),
        };
        let words = |slope| format!("{slope:.1} us");
        let all = [series("a", None), series("b", Some("gone")), series("c", None)];
        let told = slopes(&all, 1.0, words, "It is copied.");
        assert_eq!(told, ["Slopes: a: 2.0 us; c: 2.0 us. It is copied."]);
        assert!(slopes(&all[1..2], 0.0, words, "It is copied.").is_empty());
    }

    #[test]
    fn who_was_not_measured_has_a_line_that_says_why() {
        let series = |name: &str, points, absent| Series {
            name: name.into(),
            foreign: true,
            points,
            absent,
        };
        let point = Point { x: 100.0, samples: vec![1.0, 3.0, 2.0] };
        let sweep = Sweep {
            key: "k",
            title: "t".into(),
            x: "x",
            y: "y",
            log: (false, false),
            decimals: 1,
            series: vec![
                series("b", Vec::new(), Some("gone".into())),
                series("a", vec![point], None),
            ],
            notes: Vec::new(),
        };
        let (head, lines) = sweep.cells();
        assert_eq!(head, ["100"]);
        assert_eq!(lines[0], ("b".into(), Err("gone".into())));
        assert_eq!(lines[1], ("a".into(), Ok(vec!["2.0".into()])));
    }
}
