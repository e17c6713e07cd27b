//! The plot of a table: a line for each row, with its median, quartiles and extremes. No
//! bars: their length says nothing on a logarithmic axis.

use super::{
    axis::{Axis, label},
    numbers::Spread,
    svg::{Anchor, Drawing},
    table::{Row, Table},
};

const WIDTH: f64 = 860.0;
/// Where the plot begins, behind the names, and ends, before the numbers.
const LEFT: f64 = 270.0;
const RIGHT: f64 = 790.0;
const TOP: f64 = 10.0;
const LINE: f64 = 24.0;

/// Nothing where nothing was measured.
pub(super) fn plot(table: &Table) -> Option<String> {
    let spreads: Vec<(&Row, Option<Spread>)> =
        table.rows.iter().map(|row| (row, Spread::of(&row.samples))).collect();
    let numbers: Vec<f64> = spreads
        .iter()
        .filter_map(|(_, spread)| *spread)
        .flat_map(|spread| [spread.min, spread.max])
        .collect();
    if numbers.is_empty() {
        return None;
    }
    let axis = Axis::fitting(&numbers);
    let bottom = TOP + LINE * super::numbers::float(spreads.len());
    let mut drawing = Drawing::new(WIDTH, bottom + 44.0);
    ticks(&mut drawing, &axis, bottom);
    drawing.words("axis", (f64::midpoint(LEFT, RIGHT), bottom + 38.0), Anchor::Middle, table.unit);
    let mut y = TOP + LINE / 2.0;
    for (row, spread) in spreads {
        drawing.words("label", (LEFT - 12.0, y + 4.0), Anchor::End, row.name.trim());
        match spread {
            Some(spread) => line(&mut drawing, &axis, y, row, spread),
            None => drawing.words("absent", (LEFT + 6.0, y + 4.0), Anchor::Start, "not run"),
        }
        y += LINE;
    }
    Some(drawing.finish(&table.heading()))
}

fn at(axis: &Axis, number: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * axis.place(number)
}

fn ticks(drawing: &mut Drawing, axis: &Axis, bottom: f64) {
    for tick in &axis.ticks {
        let x = at(axis, *tick);
        drawing.line("grid", (x, TOP), (x, bottom));
        drawing.words("tick", (x, bottom + 18.0), Anchor::Middle, &label(*tick));
    }
}

fn line(drawing: &mut Drawing, axis: &Axis, y: f64, row: &Row, spread: Spread) {
    let side = if row.foreign { "foreign" } else { "ours" };
    let x = |number| at(axis, number);
    drawing.line(&format!("whisker {side}"), (x(spread.min), y), (x(spread.max), y));
    let width = (x(spread.upper) - x(spread.lower)).max(1.0);
    drawing.rectangle(&format!("box {side}"), (x(spread.lower), y - 5.0), (width, 10.0));
    let what = format!("{}: {}", row.name.trim(), row.shown(spread.median));
    drawing.dot(&format!("dot {side}"), (x(spread.median), y), &what);
    let value = row.shown(spread.median);
    drawing.words("value", (RIGHT + 12.0, y + 4.0), Anchor::Start, &value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(samples: &[&[f64]]) -> Table {
        let rows = samples.iter().zip(["a", "b", "c"]).map(|(samples, name)| Row {
            name: name.to_owned(),
            foreign: name == "b",
            samples: samples.to_vec(),
            decimals: 1,
            ratio: None,
            budget: "",
            absent: None,
        });
        let (title, rows, notes) = ("t".to_owned(), rows.collect(), Vec::new());
        Table { key: "t", title, unit: "us", ratio: "", rows, notes }
    }

    #[test]
    fn every_row_has_a_line_even_without_numbers() {
        let svg = plot(&table(&[&[1.0, 2.0, 3.0], &[4.0], &[]])).unwrap();
        assert_eq!(svg.matches("<circle").count(), 2);
        assert_eq!(svg.matches("class=\"label\"").count(), 3);
        assert_eq!(svg.matches(">not run<").count(), 1);
        assert!(svg.contains("dot foreign"));
        assert!(plot(&table(&[&[], &[]])).is_none());
    }
}
