//! What the design allows, beside what was measured.

use serde_json::{Value, json};

use super::{
    numbers::Spread,
    report::Report,
    table::{Row, Table},
};

/// Which of a row's numbers has to keep within a budget.
#[derive(Clone, Copy)]
enum Judged {
    Median,
    /// For what must never be.
    Most,
    /// For what is to be nothing, and is measured with a spread: a quarter of the rounds
    /// has to show nothing.
    LowerQuarter,
}

/// A budget, and where its number stands.
struct Budget {
    what: &'static str,
    limit: f64,
    aim: Option<f64>,
    table: &'static str,
    row: &'static str,
    judged: Judged,
}

const fn budget(
    what: &'static str,
    limits: (f64, Option<f64>),
    place: (&'static str, &'static str),
    judged: Judged,
) -> Budget {
    Budget { what, limit: limits.0, aim: limits.1, table: place.0, row: place.1, judged }
}

use Judged::{LowerQuarter, Median, Most};

const JSON: &str = "exectrail --json";
const PRETTY: &str = "exectrail (pretty)";

const BUDGETS: &[Budget] = &[
    budget(
        "kernel time per exec, all fields",
        (2.0, Some(1.2)),
        ("kernel-time", "exectrail, all fields"),
        Median,
    ),
    budget(
        "kernel time per exec, as a terminal shows it",
        (2.0, Some(1.2)),
        ("kernel-time", "exectrail, as a terminal shows it"),
        Median,
    ),
    budget(
        "kernel time per excluded exec",
        (0.6, Some(0.3)),
        ("kernel-time", "exectrail --exclude TINY"),
        Median,
    ),
    budget(
        "added to another system call, lower quartile",
        (0.0, None),
        ("other-calls-added", "exectrail"),
        LowerQuarter,
    ),
    budget("slow-down of a storm on all CPUs, JSON", (1.05, None), ("slow-down", JSON), Median),
    budget("slow-down of a storm on all CPUs, pretty", (1.05, None), ("slow-down", PRETTY), Median),
    budget("CPU per event, JSON to a file", (3.0, Some(1.0)), ("cpu-per-event", JSON), Median),
    budget("execs lost in a long storm on all CPUs, JSON", (0.0, None), ("endurance", JSON), Most),
    budget(
        "execs lost in a long storm on all CPUs, pretty",
        (0.0, None),
        ("endurance", PRETTY),
        Most,
    ),
    budget("from start to tracing", (60.0, Some(25.0)), ("start", JSON), Median),
    budget("resident memory", (12.0, None), ("resident", JSON), Median),
    budget("from exec to line on a quiet host, p99", (5.0, None), ("to-line-p99", JSON), Median),
];

/// What came of one.
pub(super) struct Verdict {
    pub(super) what: &'static str,
    /// The limit and the aim.
    pub(super) budget: String,
    pub(super) measured: String,
    /// The best of the others in the same measurement.
    pub(super) best_peer: String,
    /// Nothing where nothing was measured.
    pub(super) met: Option<bool>,
}

impl Verdict {
    /// As people read it.
    pub(super) fn word(&self) -> &'static str {
        match self.met {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "not measured",
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "what": self.what, "budget": self.budget, "measured": self.measured,
            "best_peer": self.best_peer, "met": self.met,
        })
    }
}

/// Looks up every budget's number.
pub(super) fn judge(report: &Report) -> Vec<Verdict> {
    BUDGETS.iter().map(|budget| budget.verdict(report.table(budget.table))).collect()
}

impl Budget {
    fn verdict(&self, table: Option<&Table>) -> Verdict {
        let unit = table.map_or("", |table| table.unit);
        let row = table.and_then(|table| table.rows.iter().find(|row| row.name == self.row));
        let measured = row.and_then(|row| self.number(row));
        let aim = self.aim.map(|aim| format!(", aim {aim}")).unwrap_or_default();
        let shown = |row: &Row, number| format!("{} {unit}", row.shown(number));
        let best = table.and_then(|table| self.best_peer(table));
        Verdict {
            what: self.what,
            budget: format!("{}{aim} {unit}", self.limit),
            measured: row.zip(measured).map_or_else(String::new, |(row, it)| shown(row, it)),
            best_peer: best
                .map(|(row, number)| format!("{} ({})", shown(row, number), row.name))
                .unwrap_or_default(),
            met: measured.map(|measured| measured <= self.limit),
        }
    }

    fn number(&self, row: &Row) -> Option<f64> {
        let spread = Spread::of(&row.samples)?;
        Some(match self.judged {
            Median => spread.median,
            Most => spread.max,
            LowerQuarter => spread.lower,
        })
    }

    fn best_peer<'t>(&self, table: &'t Table) -> Option<(&'t Row, f64)> {
        let peers = table.rows.iter().filter(|row| row.foreign);
        let numbers = peers.filter_map(|row| Some((row, self.number(row)?)));
        numbers.min_by(|one, other| one.1.total_cmp(&other.1))
    }
}

/// All lines.
pub(super) fn print(verdicts: &[Verdict]) {
    println!("\nBudgets of the design");
    println!("{:50} {:>22} {:>12}  {:12}  best of the others", "", "budget", "measured", "");
    for verdict in verdicts {
        println!(
            "  {:48} {:>22} {:>12}  {:12}  {}",
            verdict.what,
            verdict.budget,
            verdict.measured,
            verdict.word(),
            verdict.best_peer
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, foreign: bool, samples: &[f64]) -> Row {
        Row {
            name: name.to_owned(),
            foreign,
            samples: samples.to_vec(),
            decimals: 1,
            ratio: None,
            budget: "",
            absent: None,
        }
    }

    fn table(rows: Vec<Row>) -> Table {
        let (title, notes) = ("t".to_owned(), Vec::new());
        Table { key: "t", title, unit: "us", ratio: "", rows, notes }
    }

    #[test]
    fn a_budget_is_met_missed_or_not_measured() {
        let budget = budget("x", (2.0, Some(1.0)), ("t", "ours"), Median);
        let with = |samples: &[f64]| {
            let rows = vec![row("slow", true, &[9.0]), row("fast", true, &[7.0])];
            let ours = row("ours", false, samples);
            budget.verdict(Some(&table(rows.into_iter().chain([ours]).collect())))
        };
        let met = with(&[1.0, 2.0, 50.0]);
        assert_eq!((met.word(), met.measured.as_str()), ("met", "2.0 us"));
        assert_eq!((met.budget.as_str(), met.best_peer.as_str()), ("2, aim 1 us", "7.0 us (fast)"));
        assert_eq!(with(&[2.1]).word(), "NOT MET");
        assert_eq!(with(&[]).word(), "not measured");
        assert_eq!(budget.verdict(None).word(), "not measured");
    }

    #[test]
    fn one_loss_is_too_many_and_noise_is_none() {
        let rows = || table(vec![row("ours", false, &[0.0, 0.0, 0.0, 1.0])]);
        let most = budget("x", (0.0, None), ("t", "ours"), Most);
        assert_eq!(most.verdict(Some(&rows())).word(), "NOT MET");
        let lower = budget("x", (0.0, None), ("t", "ours"), LowerQuarter);
        assert_eq!(lower.verdict(Some(&rows())).word(), "met");
    }

    #[test]
    fn every_budget_has_a_place_of_its_own() {
        let places: std::collections::BTreeSet<_> =
            BUDGETS.iter().map(|budget| (budget.table, budget.row)).collect();
        assert_eq!(places.len(), BUDGETS.len());
    }
}
