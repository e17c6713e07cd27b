//! Numbers, set out.

use super::{contenders::Contender, numbers::Spread, turns::Turns};

const NAME_WIDTH: usize = 36;

/// Rows of one measurement.
pub(super) struct Table {
    /// What budgets and readers of JSON know it by.
    pub(super) key: &'static str,
    pub(super) title: String,
    pub(super) unit: &'static str,
    /// What the ratios are to.
    pub(super) ratio: &'static str,
    pub(super) rows: Vec<Row>,
    /// What has to be known to read it.
    pub(super) notes: Vec<String>,
}

/// One measured thing.
pub(super) struct Row {
    pub(super) name: String,
    /// Whether it is someone else's tracer.
    pub(super) foreign: bool,
    /// One sample per round.
    pub(super) samples: Vec<f64>,
    pub(super) decimals: usize,
    /// Against what the table's heading names.
    pub(super) ratio: Option<f64>,
    /// What the design allows.
    pub(super) budget: &'static str,
    /// Why there are no samples.
    pub(super) absent: Option<String>,
}

impl Row {
    pub(super) fn of(contender: &Contender, samples: Vec<f64>, decimals: usize) -> Self {
        Self {
            name: contender.name.to_owned(),
            foreign: contender.foreign,
            samples,
            decimals,
            ratio: None,
            budget: contender.budget,
            absent: None,
        }
    }

    /// What a reader is told where the numbers would be.
    pub(super) fn why_not(&self) -> String {
        self.absent.clone().unwrap_or_else(|| "not measured".to_owned())
    }

    /// A number of it, as it is shown.
    pub(super) fn shown(&self, value: f64) -> String {
        format!("{value:.0$}", self.decimals)
    }
}

/// The rows of turns, each by a number of its samples.
pub(super) fn rows<T>(
    turns: &Turns<'_, T>,
    decimals: usize,
    number: impl Fn(&T) -> f64,
) -> Vec<Row> {
    turns
        .each()
        .map(|(contender, samples)| {
            let absent = turns.why_not(contender);
            let samples = if absent.is_some() { &[] } else { samples };
            let row = Row::of(contender, samples.iter().map(&number).collect(), decimals);
            Row { absent, ..row }
        })
        .collect()
}

/// The columns between name and budget.
pub(super) const COLUMNS: [&str; 5] = ["median", "min", "lower q.", "upper q.", "max"];

/// The numbers in those columns.
pub(super) fn cells(row: &Row) -> Option<[String; 5]> {
    let spread = Spread::of(&row.samples)?;
    Some(
        [spread.median, spread.min, spread.lower, spread.upper, spread.max]
            .map(|value| row.shown(value)),
    )
}

/// The last column.
pub(super) fn ratio(row: &Row) -> String {
    row.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}x"))
}

impl Table {
    /// Its title, with the unit.
    pub(super) fn heading(&self) -> String {
        if self.unit.is_empty() {
            self.title.clone()
        } else {
            format!("{}, {}", self.title, self.unit)
        }
    }

    pub(super) fn print(&self) {
        println!("\n{}", self.heading());
        print!("{:NAME_WIDTH$}", "");
        for column in COLUMNS.into_iter().chain([self.ratio]) {
            print!(" {column:>9}");
        }
        println!("  budget");
        for row in &self.rows {
            println!("{}", line(row));
        }
        for note in &self.notes {
            println!("  {note}");
        }
    }
}

fn line(row: &Row) -> String {
    let name = format!("  {:1$}", row.name, NAME_WIDTH - 2);
    let Some(values) = cells(row) else {
        return format!("{name}  {}", row.why_not());
    };
    let columns: Vec<String> =
        values.iter().chain([&ratio(row)]).map(|column| format!("{column:>9}")).collect();
    format!("{name} {}  {}", columns.join(" "), row.budget).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Row, line};

    #[test]
    fn columns_stand_below_each_other() {
        let row = |samples: &[f64], ratio| Row {
            name: "a".into(),
            foreign: false,
            samples: samples.to_vec(),
            decimals: 1,
            ratio,
            budget: "2",
            absent: None,
        };
        assert_eq!(
            line(&row(&[1.0, 2.0, 3.0], Some(0.5))),
            format!(
                "  a{}       2.0       1.0       1.5       2.5       3.0     0.50x  2",
                " ".repeat(33)
            )
        );
        assert!(line(&row(&[1.0], None)).ends_with("       1.0         -  2"));
        assert!(line(&row(&[], None)).ends_with("not measured"));
        let absent = Row { absent: Some("NOT RUN: no such program".into()), ..row(&[], None) };
        assert!(line(&absent).ends_with("NOT RUN: no such program"));
    }
}
