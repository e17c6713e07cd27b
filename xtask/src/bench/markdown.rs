//! The page that is committed: `docs/benchmarks.md`.

use std::fmt::Write as _;

use super::{
    report::{Part, Report},
    sweep::Sweep,
    table::{self, COLUMNS, Table},
};

const HEAD: &str = "\
# Benchmarks

Written by `make bench`, which measures everything on this page in one run on one machine.
Whatever is compared is measured in turns, round by round; ratios and differences are taken
within a round. `target/bench/index.html` has the same with plots, and
`target/bench/figures.json` every sample. Numbers of another machine, or of another day, do not
compare with these: run it on yours.
";

/// All of it.
pub(super) fn page(report: &Report) -> String {
    let mut page = HEAD.to_owned();
    let _ = writeln!(page, "\n| | |\n|---|---|\n| date | {} |", report.origin.date);
    for (name, what) in &report.origin.facts {
        let _ = writeln!(page, "| {name} | {} |", cell(what));
    }
    for (name, version) in &report.origin.peers {
        let what = version.clone().unwrap_or_else(|why| format!("**not run**: {why}"));
        let _ = writeln!(page, "| {} | {} |", cell(name), cell(&what));
    }
    budgets(&mut page, report);
    for part in &report.parts {
        match part {
            Part::Table(table) => section(&mut page, table),
            Part::Sweep(sweep) => sweep_section(&mut page, sweep),
        }
    }
    page
}

fn budgets(page: &mut String, report: &Report) {
    page.push_str("\n## Budgets of the design\n\n");
    page.push_str("| what | budget | measured | | best of the others |\n|---|--:|--:|---|---|\n");
    for verdict in &report.verdicts {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            verdict.what,
            verdict.budget,
            verdict.measured,
            verdict.word(),
            cell(&verdict.best_peer)
        );
    }
}

fn section(page: &mut String, table: &Table) {
    let _ = writeln!(page, "\n## {}\n", table.heading());
    let columns = COLUMNS.join(" | ");
    let _ = writeln!(page, "| | {columns} | {} | budget |", table.ratio);
    page.push_str("|---|--:|--:|--:|--:|--:|--:|--:|\n");
    for row in &table.rows {
        let name = cell(row.name.trim());
        let _ = match table::cells(row) {
            Some(cells) => {
                let (cells, ratio) = (cells.join(" | "), table::ratio(row));
                writeln!(page, "| {name} | {cells} | {ratio} | {} |", row.budget)
            }
            None => writeln!(page, "| {name} | {} | | | | | | |", cell(&row.why_not())),
        };
    }
    notes(page, &table.notes);
}

fn sweep_section(page: &mut String, sweep: &Sweep) {
    let _ = writeln!(page, "\n## {}\n\n{}, by {}.\n", sweep.title, sweep.y, sweep.x);
    let (head, lines) = sweep.cells();
    let _ = writeln!(page, "| | {} |", head.join(" | "));
    let _ = writeln!(page, "|---|{}", "--:|".repeat(head.len().max(1)));
    for (name, cells) in lines {
        let cells = cells.map_or_else(|why| cell(&why), |cells| cells.join(" | "));
        let _ = writeln!(page, "| {} | {cells} |", cell(&name));
    }
    notes(page, &sweep.notes);
}

fn notes(page: &mut String, notes: &[String]) {
    for note in notes {
        let _ = writeln!(page, "\n{}", cell(note));
    }
}

/// Text as it is, whatever a table makes of it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "\\<").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::{cell, section};
    use crate::bench::table::{Row, Table};

    #[test]
    fn every_row_has_as_many_cells_as_the_head() {
        let row = |samples: &[f64], absent: Option<&str>| Row {
            name: "a|b".to_owned(),
            foreign: true,
            samples: samples.to_vec(),
            decimals: 1,
            ratio: Some(2.0),
            budget: "3",
            absent: absent.map(str::to_owned),
        };
        let rows = vec![row(&[1.0], None), row(&[], Some("NOT RUN: no | such"))];
        let (title, notes) = ("t".to_owned(), Vec::new());
        let table = Table { key: "t", title, unit: "us", ratio: "to peer", rows, notes };
        let mut page = String::new();
        section(&mut page, &table);
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        assert!(
            page.lines().filter(|line| line.starts_with('|')).all(|line| bars(line) == 9),
            "{page}"
        );
        assert!(page.contains("NOT RUN: no \\| such"));
        assert_eq!(cell("a\n<b>"), "a \\<b>");
    }
}
