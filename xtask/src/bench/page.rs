//! The page for people: one file that needs no other, and no network.

use std::fmt::Write as _;

use super::{
    curves, dots,
    report::{Part, Report},
    svg::escaped,
    sweep::Sweep,
    table::{self, COLUMNS, Table},
};

/// Colours of series that can be told apart by people who see few, on both grounds.
const STYLE: &str = "\
:root { color-scheme: light dark; --ground: #fff; --ink: #1b1f24; --faint: #59636e;
  --line: #d8dee4; --ours: #0b62c4; --foreign: #b35900; --bad: #c1121f; --good: #1a7f37;
  --s0: #0b62c4; --s1: #2a9d8f; --s2: #b35900; --s3: #8e44ad; --s4: #c1121f; --s5: #6b705c;
  --s6: #d6278b; --s7: #111; }
@media (prefers-color-scheme: dark) { :root { --ground: #0f1318; --ink: #e6edf3;
  --faint: #9aa5b1; --line: #2b333d; --ours: #6cb0ff; --foreign: #f0a35e; --bad: #ff7b72;
  --good: #56d364; --s0: #6cb0ff; --s1: #5fd3c4; --s2: #f0a35e; --s3: #cf9bf2; --s4: #ff7b72;
  --s5: #b5bd9f; --s6: #ff8ac4; --s7: #fff; } }
body { background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.2rem; margin: 2.6rem 0 .4rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; margin: .6rem 0; }
td, th { padding: .18rem .7rem .18rem 0; text-align: right; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; white-space: nowrap; }
td:first-child, th:first-child, td.text { text-align: left; }
td.why { text-align: left; white-space: normal; color: var(--bad); }
p.note, nav { color: var(--faint); font-size: .86rem; margin: .2rem 0; }
a { color: var(--ours); } .bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg .tick, svg .axis { fill: var(--faint); }
svg .absent { fill: var(--bad); } svg .grid { stroke: var(--line); }
svg .whisker { stroke-width: 1.5; } svg .box { fill-opacity: .35; }
svg .curve { fill: none; stroke-width: 2; }
svg .ours { fill: var(--ours); stroke: var(--ours); }
svg .foreign { fill: var(--foreign); stroke: var(--foreign); }
";

/// All of it.
pub(super) fn page(report: &Report) -> String {
    let mut page = String::new();
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>exectrail benchmark</title>\n<style>\n{STYLE}{}\
         </style>\n<h1>What tracing costs</h1>\n",
        series_style()
    );
    origin(&mut page, report);
    budgets(&mut page, report);
    contents(&mut page, report);
    for part in &report.parts {
        match part {
            Part::Table(table) => section(&mut page, table),
            Part::Sweep(sweep) => sweep_section(&mut page, sweep),
        }
    }
    page.push_str("</html>\n");
    page
}

fn series_style() -> String {
    (0..super::svg::COLOURS).fold(String::new(), |mut style, colour| {
        let _ = writeln!(
            style,
            "svg .s{colour} {{ stroke: var(--s{colour}); }} \
             svg .dot.s{colour} {{ fill: var(--s{colour}); }}"
        );
        style
    })
}

fn origin(page: &mut String, report: &Report) {
    let _ = write!(page, "<p>{}</p>\n<table>\n", escaped(&report.origin.date));
    let facts = report.origin.facts.iter().map(|(name, what)| (*name, Ok(what)));
    let peers = report.origin.peers.iter().map(|(name, version)| (*name, version.as_ref()));
    for (name, what) in facts.chain(peers) {
        let cell = match what {
            Ok(what) => format!("<td class=\"text\">{}", escaped(what)),
            Err(why) => format!("<td class=\"why\">NOT RUN: {}", escaped(why)),
        };
        let _ = writeln!(page, "<tr><td>{}{cell}", escaped(name));
    }
    page.push_str(
        "</table>\n<p class=\"note\">Whatever is compared is measured in turns, round by \
        round; ratios and differences are taken within a round. Dots are medians, boxes go from \
        quartile to quartile, lines from the least to the most.</p>\n",
    );
}

fn budgets(page: &mut String, report: &Report) {
    page.push_str(
        "<h2>Budgets of the design</h2>\n<div class=\"scroll\"><table>\n<tr><th>what\
        <th>budget<th>measured<th><th>best of the others\n",
    );
    for verdict in &report.verdicts {
        let class = if verdict.met == Some(true) { "good" } else { "bad" };
        let _ = writeln!(
            page,
            "<tr><td>{}<td>{}<td>{}<td class=\"{class}\">{}<td class=\"text\">{}",
            escaped(verdict.what),
            escaped(&verdict.budget),
            escaped(&verdict.measured),
            verdict.word(),
            escaped(&verdict.best_peer)
        );
    }
    page.push_str("</table></div>\n");
}

fn contents(page: &mut String, report: &Report) {
    page.push_str("<nav>");
    let links = report.parts.iter().map(|part| {
        let (key, title) = match part {
            Part::Table(table) => (table.key, &table.title),
            Part::Sweep(sweep) => (sweep.key, &sweep.title),
        };
        format!("<a href=\"#{key}\">{}</a>", escaped(title))
    });
    page.push_str(&links.collect::<Vec<_>>().join(" · "));
    page.push_str("</nav>\n");
}

fn section(page: &mut String, table: &Table) {
    let _ = writeln!(page, "<h2 id=\"{}\">{}</h2>", table.key, escaped(&table.heading()));
    page.push_str(&dots::plot(table).unwrap_or_default());
    page.push_str("<div class=\"scroll\"><table>\n<tr><th>");
    for column in COLUMNS.into_iter().chain([table.ratio, "budget"]) {
        let _ = write!(page, "<th>{column}");
    }
    for row in &table.rows {
        let _ = write!(page, "\n<tr><td>{}", escaped(row.name.trim()));
        match table::cells(row) {
            Some(cells) => {
                for cell in cells.iter().chain([&table::ratio(row)]) {
                    let _ = write!(page, "<td>{cell}");
                }
                let _ = write!(page, "<td>{}", escaped(row.budget));
            }
            None => {
                let _ = write!(page, "<td class=\"why\" colspan=\"7\">{}", escaped(&row.why_not()));
            }
        }
    }
    page.push_str("\n</table></div>\n");
    notes(page, &table.notes);
}

fn sweep_section(page: &mut String, sweep: &Sweep) {
    let _ = writeln!(page, "<h2 id=\"{}\">{}</h2>", sweep.key, escaped(&sweep.title));
    page.push_str(&curves::plot(sweep).unwrap_or_default());
    let (head, lines) = sweep.cells();
    let _ = write!(page, "<div class=\"scroll\"><table>\n<tr><th>{}", escaped(sweep.x));
    for cell in &head {
        let _ = write!(page, "<th>{cell}");
    }
    for (name, cells) in lines {
        let _ = write!(page, "\n<tr><td>{}", escaped(&name));
        match cells {
            Ok(cells) => cells.iter().for_each(|cell| {
                let _ = write!(page, "<td>{cell}");
            }),
            Err(why) => {
                let span = head.len().max(1);
                let _ = write!(page, "<td class=\"why\" colspan=\"{span}\">{}", escaped(&why));
            }
        }
    }
    page.push_str("\n</table></div>\n");
    notes(page, &sweep.notes);
}

fn notes(page: &mut String, notes: &[String]) {
    for note in notes {
        let _ = writeln!(page, "<p class=\"note\">{}</p>", escaped(note));
    }
}
