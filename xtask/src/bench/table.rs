//! Numbers, set out.

use super::numbers::Spread;

const NAME_WIDTH: usize = 34;

/// One measured thing.
pub(super) struct Row<'s> {
    pub(super) name: String,
    /// One sample per round.
    pub(super) samples: &'s [f64],
    pub(super) decimals: usize,
    /// Against what the table's heading names.
    pub(super) ratio: Option<f64>,
    /// What the design allows.
    pub(super) budget: &'static str,
}

/// Prints rows below a heading; `ratio` says what the ratios are to.
pub(super) fn print(heading: &str, ratio: &str, rows: &[Row<'_>]) {
    println!("\n{heading}");
    print!("{:NAME_WIDTH$}", "");
    for column in ["median", "min", "lower q.", "upper q.", "max", ratio] {
        print!(" {column:>9}");
    }
    println!("  budget");
    for row in rows {
        println!("{}", line(row));
    }
}

fn line(row: &Row<'_>) -> String {
    let name = format!("  {:1$}", row.name, NAME_WIDTH - 2);
    let Some(spread) = Spread::of(row.samples) else {
        return name + " not measured";
    };
    let values = [spread.median, spread.min, spread.lower, spread.upper, spread.max]
        .map(|value| format!("{value:.0$}", row.decimals));
    let ratio = row.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}x"));
    let columns: Vec<String> =
        values.iter().chain([&ratio]).map(|column| format!("{column:>9}")).collect();
    format!("{name} {}  {}", columns.join(" "), row.budget).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Row, line};

    #[test]
    fn columns_stand_below_each_other() {
        let row =
            |samples, ratio| Row { name: "a".into(), samples, decimals: 1, ratio, budget: "2" };
        assert_eq!(
            line(&row(&[1.0, 2.0, 3.0], Some(0.5))),
            format!(
                "  a{}       2.0       1.0       1.5       2.5       3.0     0.50x  2",
                " ".repeat(31)
            )
        );
        assert!(line(&row(&[1.0], None)).ends_with("       1.0         -  2"));
        assert!(line(&row(&[], None)).ends_with("not measured"));
    }
}
