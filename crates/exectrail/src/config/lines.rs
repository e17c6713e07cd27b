//! Places in a file, for people: line, column, and carets under what is wrong.

use std::{fmt, ops::Range};

/// A text, and where its lines begin.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let after_ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: [0].into_iter().chain(after_ends).collect() }
    }

    /// The number of the line that holds this byte, from 1.
    pub(super) fn number(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start <= at)
    }

    /// What is wrong, and where, in the form of the parser's own errors.
    pub(super) fn point(&self, span: &Range<usize>, what: &impl fmt::Display) -> String {
        let number = self.number(span.start);
        let start = self.starts.get(number - 1).copied().unwrap_or_default();
        let line = self.text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        let end = span.end.clamp(span.start, start + line.len());
        let width = |range| self.text.get(range).map_or(0, |text: &str| text.chars().count());
        let (before, carets) = (width(start..span.start), width(span.start..end).max(1));
        // The gap is as wide as the text above, tabs and all.
        let gap: String =
            line.chars().take(before).map(|c| if c == '\t' { c } else { ' ' }).collect();
        let margin = " ".repeat(number.to_string().len());
        let column = before + 1;
        format!(
            "line {number}, column {column}\n{margin} |\n{number} | {line}\n{margin} | {gap}{}\n{what}",
            "^".repeat(carets)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn places() {
        let lines = Lines::of("a = 1\n\tü = \"x\"\nc");
        for (at, line) in [(0, 1), (5, 1), (6, 2), (16, 3)] {
            assert_eq!(lines.number(at), line, "{at}");
        }
        let pointed = lines.point(&(12..15), &"wrong");
        assert_eq!(pointed, "line 2, column 6\n  |\n2 | \tü = \"x\"\n  | \t    ^^^\nwrong");
        // More than a line is shown by its first.
        assert!(lines.point(&(0..17), &"").contains("\n  | ^^^^^\n"));
        assert!(lines.point(&(16..16), &"").contains("\n  | ^\n"));
    }
}
