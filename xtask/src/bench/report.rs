//! All that was measured: printed as it comes, and written at the end.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{
    budgets::{self, Verdict},
    host::Origin,
    markdown,
    numbers::Spread,
    page,
    sweep::Sweep,
    table::Table,
};

/// What one measurement gave.
pub(super) enum Part {
    Table(Table),
    Sweep(Sweep),
}

impl From<Table> for Part {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

impl From<Sweep> for Part {
    fn from(sweep: Sweep) -> Self {
        Self::Sweep(sweep)
    }
}

/// Everything, in the order in which it was measured.
pub(super) struct Report {
    pub(super) origin: Origin,
    pub(super) parts: Vec<Part>,
    /// What came of the budgets.
    pub(super) verdicts: Vec<Verdict>,
}

impl Report {
    /// Says what the numbers below are of.
    pub(super) fn begin(origin: Origin) -> Self {
        origin.print();
        Self { origin, parts: Vec::new(), verdicts: Vec::new() }
    }

    /// Prints a part, and keeps it.
    pub(super) fn add(&mut self, part: impl Into<Part>) {
        let part = part.into();
        match &part {
            Part::Table(table) => table.print(),
            Part::Sweep(sweep) => sweep.print(),
        }
        self.parts.push(part);
    }

    /// The same of several.
    pub(super) fn add_all(&mut self, parts: impl IntoIterator<Item: Into<Part>>) {
        for part in parts {
            self.add(part);
        }
    }

    /// The table of this key.
    pub(super) fn table(&self, key: &str) -> Option<&Table> {
        self.parts.iter().find_map(|part| match part {
            Part::Table(table) if table.key == key => Some(table),
            _ => None,
        })
    }

    /// Compares with the budgets, says loudly who was not run, and writes the files; the
    /// one that is committed only of a whole run.
    pub(super) fn finish(mut self, root: &Path, is_part: bool) -> Result<()> {
        self.verdicts = budgets::judge(&self);
        budgets::print(&self.verdicts);
        for (name, why) in &self.origin.peers {
            if let Err(why) = why {
                println!("\nNOT RUN: {name}: {why}");
            }
        }
        println!();
        let figures = serde_json::to_string_pretty(&self.json())? + "\n";
        write(root, "target/bench/figures.json", &figures)?;
        write(root, "target/bench/index.html", &page::page(&self))?;
        if !is_part {
            write(root, "docs/benchmarks.md", &markdown::page(&self))?;
        }
        Ok(())
    }

    /// All of it, for programs.
    fn json(&self) -> Value {
        let facts: serde_json::Map<_, _> = self
            .origin
            .facts
            .iter()
            .map(|(name, what)| ((*name).to_owned(), json!(what)))
            .collect();
        let peers = self.origin.peers.iter().map(|(name, version)| match version {
            Ok(version) => json!({"name": name, "version": version}),
            Err(why) => json!({"name": name, "not_run": why}),
        });
        json!({
            "date": self.origin.date,
            "host": facts,
            "peers": peers.collect::<Vec<_>>(),
            "measurements": self.parts.iter().map(part).collect::<Vec<_>>(),
            "budgets": self.verdicts.iter().map(Verdict::json).collect::<Vec<_>>(),
        })
    }
}

fn write(root: &Path, name: &str, text: &str) -> Result<()> {
    let path = root.join(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {name}");
    Ok(())
}

fn part(part: &Part) -> Value {
    match part {
        Part::Table(table) => {
            let rows = table.rows.iter().map(|row| {
                let mut value = numbers(&row.samples);
                value["name"] = json!(row.name.trim());
                value["foreign"] = json!(row.foreign);
                value["ratio"] = json!(row.ratio);
                value["budget"] = json!(row.budget);
                value["not_run"] = json!(row.absent);
                value
            });
            json!({
                "key": table.key, "title": table.title, "unit": table.unit,
                "ratio": table.ratio, "notes": table.notes, "rows": rows.collect::<Vec<_>>(),
            })
        }
        Part::Sweep(sweep) => {
            let series = sweep.series.iter().map(|series| {
                let points = series.points.iter().map(|point| {
                    let mut value = numbers(&point.samples);
                    value["x"] = json!(point.x);
                    value
                });
                json!({
                    "name": series.name, "foreign": series.foreign, "not_run": series.absent,
                    "points": points.collect::<Vec<_>>(),
                })
            });
            json!({
                "key": sweep.key, "title": sweep.title, "x": sweep.x, "y": sweep.y,
                "notes": sweep.notes, "series": series.collect::<Vec<_>>(),
            })
        }
    }
}

/// Samples, and where they lie.
fn numbers(samples: &[f64]) -> Value {
    let spread = Spread::of(samples);
    json!({
        "samples": samples,
        "median": spread.map(|spread| spread.median),
        "min": spread.map(|spread| spread.min),
        "lower_quartile": spread.map(|spread| spread.lower),
        "upper_quartile": spread.map(|spread| spread.upper),
        "max": spread.map(|spread| spread.max),
    })
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn nothing_measured_is_null_and_not_zero() {
        assert!(numbers(&[])["median"].is_null());
        assert_eq!(numbers(&[1.0, 2.0])["median"], 1.5);
        assert_eq!(numbers(&[1.0, 2.0])["samples"], serde_json::json!([1.0, 2.0]));
    }
}
