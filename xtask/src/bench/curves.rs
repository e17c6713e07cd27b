//! The plot of a sweep: a curve for each series, through its medians.

use super::{
    axis::{Axis, label},
    numbers::Spread,
    svg::{Anchor, COLOURS, Drawing},
    sweep::{Series, Sweep},
};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 640.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 330.0;
/// A line of the legend.
const LINE: f64 = 22.0;

/// Nothing where nothing was measured.
pub(super) fn plot(sweep: &Sweep) -> Option<String> {
    let points = || sweep.series.iter().flat_map(Series::medians);
    let (xs, ys): (Vec<f64>, Vec<f64>) = points().unzip();
    if xs.is_empty() {
        return None;
    }
    let plane = Plane { x: Axis::over(&xs, sweep.log.0), y: Axis::over(&ys, sweep.log.1) };
    let mut drawing = Drawing::new(WIDTH, HEIGHT);
    plane.ticks(&mut drawing);
    let middle = f64::midpoint(LEFT, RIGHT);
    drawing.words("axis", (middle, HEIGHT - 8.0), Anchor::Middle, sweep.x);
    drawing.words("axis", (LEFT - 56.0, TOP - 14.0), Anchor::Start, sweep.y);
    let mut y = TOP + 8.0;
    for (index, series) in sweep.series.iter().enumerate() {
        let colour = format!("s{}", index % COLOURS);
        let is_there = plane.curve(&mut drawing, series, &colour);
        if is_there {
            drawing.line(&format!("curve {colour}"), (RIGHT + 20.0, y), (RIGHT + 40.0, y));
        }
        let name = if is_there { series.name.clone() } else { format!("{}: not run", series.name) };
        let class = if is_there { "legend" } else { "absent" };
        drawing.words(class, (RIGHT + 46.0, y + 4.0), Anchor::Start, &name);
        y += LINE;
    }
    Some(drawing.finish(&sweep.title))
}

struct Plane {
    x: Axis,
    y: Axis,
}

impl Plane {
    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (LEFT + (RIGHT - LEFT) * self.x.place(x), BOTTOM - (BOTTOM - TOP) * self.y.place(y))
    }

    fn ticks(&self, drawing: &mut Drawing) {
        for tick in &self.x.ticks {
            let x = LEFT + (RIGHT - LEFT) * self.x.place(*tick);
            drawing.line("grid", (x, TOP), (x, BOTTOM));
            drawing.words("tick", (x, BOTTOM + 18.0), Anchor::Middle, &label(*tick));
        }
        for tick in &self.y.ticks {
            let y = BOTTOM - (BOTTOM - TOP) * self.y.place(*tick);
            drawing.line("grid", (LEFT, y), (RIGHT, y));
            drawing.words("tick", (LEFT - 8.0, y + 4.0), Anchor::End, &label(*tick));
        }
    }

    /// Whether there was one to draw.
    fn curve(&self, drawing: &mut Drawing, series: &Series, colour: &str) -> bool {
        let medians = series.medians();
        if medians.is_empty() || series.absent.is_some() {
            return false;
        }
        let places: Vec<_> = medians.iter().map(|place| self.at(*place)).collect();
        drawing.path(&format!("curve {colour}"), &places);
        for point in &series.points {
            let Some(spread) = Spread::of(&point.samples) else { continue };
            let (low, high) = (self.at((point.x, spread.min)), self.at((point.x, spread.max)));
            drawing.line(&format!("whisker {colour}"), low, high);
            let what = format!("{}: {} at {}", series.name, label(spread.median), label(point.x));
            drawing.dot(&format!("dot {colour}"), self.at((point.x, spread.median)), &what);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::sweep::Point;

    #[test]
    fn a_series_without_points_is_in_the_legend_alone() {
        let series = |name: &str, places: &[f64], absent: Option<&str>| Series {
            name: name.to_owned(),
            foreign: false,
            points: places.iter().map(|&x| Point { x, samples: vec![x, x + 1.0] }).collect(),
            absent: absent.map(str::to_owned),
        };
        let sweep = |series| Sweep {
            key: "k",
            title: "t".to_owned(),
            x: "x",
            y: "y",
            log: (false, false),
            decimals: 1,
            series,
            notes: Vec::new(),
        };
        let both = vec![series("a", &[1.0, 2.0], None), series("b", &[], Some("gone"))];
        let svg = plot(&sweep(both)).unwrap();
        assert_eq!(svg.matches("<polyline").count(), 1);
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains(">b: not run<"));
        assert!(plot(&sweep(vec![series("b", &[], None)])).is_none());
    }
}
