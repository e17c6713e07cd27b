//! Answers, for people. What others have written does nothing to a terminal.

use std::{fmt::Write as _, iter};

use exectrail_model::filter::Verdict;
use exectrail_sinks::quote::{Place, quote};

use super::Stat;
use crate::control::message::{Answer, Changed, Decided, Dump, DumpedEntry, Judged, RuleRow};

/// The rules that hold.
pub(super) fn list(answer: &Answer) -> String {
    let Answer::Rules(list) = answer else { return unexpected() };
    if list.rules.is_empty() {
        return "no rules: everything is shown\n".to_owned();
    }
    let rows = list.rules.iter().map(|row| {
        [
            row.number.to_string(),
            verdict(row).to_owned(),
            row.decided.name().to_owned(),
            quoted_or_dash(row.label.as_deref()),
            row.place.as_deref().map_or_else(|| "-".to_owned(), safe),
            quoted(&row.rule),
        ]
    });
    table(["#", "VERDICT", "DECIDED", "LABEL", "WRITTEN", "RULE"], rows)
}

/// How often each has decided.
pub(super) fn stats(stats: &[Stat]) -> String {
    if stats.is_empty() {
        return "no rules: everything is shown\n".to_owned();
    }
    let rows = stats.iter().map(|Stat { row, hits, per_second }| {
        let never = if *hits == 0 { "never matched" } else { "" };
        [
            row.number.to_string(),
            verdict(row).to_owned(),
            hits.to_string(),
            row.hits_kernel.to_string(),
            row.hits_here.to_string(),
            format!("{per_second:.1}"),
            never.to_owned(),
            quoted(&row.rule),
        ]
    });
    table(["#", "VERDICT", "HITS", "KERNEL", "HERE", "PER SECOND", "", "RULE"], rows)
}

/// What has changed.
pub(super) fn changed(answer: &Answer) -> String {
    let Answer::Changed(Changed { added, removed, rules }) = answer else { return unexpected() };
    format!("{added} added, {removed} removed; rules in force: {rules}\n")
}

/// What would become of an exec.
pub(super) fn judged(answer: &Answer) -> String {
    let Answer::Judged(Judged { shown, rule, decided }) = answer else { return unexpected() };
    let becomes = if *shown { "shown" } else { "not shown" };
    let why = match rule {
        Some(row) => {
            format!("rule {}, {} {}{}", row.number, verdict(row), quoted(&row.rule), written(row))
        }
        None if *shown => "no rule matches".to_owned(),
        None => "it is nothing that the `only` rules ask for".to_owned(),
    };
    let place = match decided {
        Some(Decided::Kernel) => "; decided in the kernel",
        Some(Decided::Here) => "; decided by the reader, here",
        Some(Decided::Both) => "; decided in the kernel as far as it can tell, then here",
        None => "",
    };
    format!("{becomes}: {why}{place}\n")
}

fn written(row: &RuleRow) -> String {
    let words: Vec<_> =
        [&row.label, &row.place].into_iter().flatten().map(|text| safe(text)).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

/// The kernel's maps.
pub(super) fn dump(answer: &Answer) -> String {
    let Answer::Dump(Dump { active, maps }) = answer else { return unexpected() };
    let mut text = format!("generation {active} holds\n");
    for map in maps {
        let entries = map.entries.len();
        let plural = if entries == 1 { "entry" } else { "entries" };
        _ = writeln!(text, "\n{}: {entries} {plural}", map.name);
        for entry in &map.entries {
            _ = writeln!(text, "  {}", safe(&entry.text));
            says(entry, *active, &mut text);
            _ = writeln!(text, "    key    {}", hex(&entry.key));
            _ = writeln!(text, "    value  {}", hex(&entry.value));
        }
    }
    text
}

fn says(entry: &DumpedEntry, active: usize, text: &mut String) {
    if let [only] = entry.says.as_slice() {
        _ = writeln!(text, "    {}", safe(only));
        return;
    }
    for (generation, said) in entry.says.iter().enumerate() {
        let holds = if generation == active { "holds" } else { "idle " };
        _ = writeln!(text, "    {generation} {holds}  {}", safe(said));
    }
}

/// Groups of four bytes. Zeroes at the end, which are most of a key, are counted.
fn hex(digits: &str) -> String {
    let bytes = digits.as_bytes().chunks(2);
    let zeroes = bytes.clone().rev().take_while(|byte| byte == b"00").count();
    let zeroes = if zeroes > 4 { zeroes } else { 0 };
    let end = bytes.len() - zeroes;
    let mut text = String::new();
    for (index, byte) in bytes.take(end).enumerate() {
        if index > 0 && index % 4 == 0 {
            text.push(' ');
        }
        text.push_str(&String::from_utf8_lossy(byte));
    }
    if zeroes > 0 {
        _ = write!(text, "{}({zeroes} bytes of zero)", if end > 0 { " " } else { "" });
    }
    text
}

fn verdict(row: &RuleRow) -> &'static str {
    Verdict::from(row.verdict).name()
}

fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    quote(text.as_bytes(), Place::Argument, &mut quoted);
    quoted
}

fn quoted_or_dash(text: Option<&str>) -> String {
    text.map_or_else(|| "-".to_owned(), quoted)
}

/// Words of several lines, without what does something to a terminal.
pub(super) fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        // What stands for itself in quotes, and what a line is made of.
        let is_plain = letter == '\n' || (' '..='~').contains(&letter);
        let mut alone = String::new();
        if !is_plain {
            quote(letter.encode_utf8(&mut [0; 4]).as_bytes(), Place::Argument, &mut alone);
        }
        let shows = is_plain || !alone.starts_with('$');
        safe.push(if shows { letter } else { '?' });
    }
    safe
}

fn unexpected() -> String {
    "the answer is one to another question\n".to_owned()
}

/// Columns as wide as they have to be; the last one is as long as it is.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<_> = iter::once(head.map(str::to_owned)).chain(rows).collect();
    let cell_width = |text: &String| text.chars().count();
    let mut widths = [0; N];
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = cell_width(cell).max(*widest);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            // Not by format: it pads up to 65,535 characters, and panics beyond.
            line.push_str(cell);
            line.extend(iter::repeat_n(' ', width - cell_width(cell) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{hex, safe, table};

    #[test]
    fn digits_in_groups() {
        assert_eq!(hex(""), "");
        assert_eq!(hex("0102030405"), "01020304 05");
        assert_eq!(hex("2f6c0000000000000000"), "2f6c (8 bytes of zero)");
        assert_eq!(hex("000000000000"), "(6 bytes of zero)");
        assert_eq!(hex("0100000000"), "01000000 00");
    }

    #[test]
    fn nothing_reaches_the_terminal() {
        assert_eq!(safe("a\n  ^^ 'b' \u{1b}[2J\u{202e}ü"), "a\n  ^^ 'b' ?[2J?ü");
    }

    #[test]
    fn columns() {
        let rows = [["1", "short"], ["22", "longer"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(["#", "X"], rows.into_iter()), "#   X\n1   short\n22  longer\n");
        // Wider than the standard library pads.
        let long = "a".repeat(70_000);
        let rows = [[long.clone(), "b".to_owned()]];
        assert!(table(["", ""], rows.into_iter()).ends_with(&format!("\n{long}  b\n")));
    }
}
