//! Widths of lines with colours in them.

use std::iter;

use unicode_width::UnicodeWidthChar;

/// How many cells of a terminal `line` takes.
pub(crate) fn cells(line: &str) -> usize {
    // Most are ASCII, of which each character takes one.
    if line.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return line.len();
    }
    pieces(line).map(|(_, cells)| cells).sum()
}

/// What to keep of `line` so that one more cell makes `width`; `None` if it
/// fits as it is.
pub(crate) fn cut(line: &str, width: usize) -> Option<&str> {
    // Nothing takes more cells than it has bytes.
    if line.len() <= width {
        return None;
    }
    let mut used = 0;
    let mut keep = 0;
    for (end, cells) in pieces(line) {
        used += cells;
        if used > width {
            return line.get(..keep);
        }
        if used < width {
            keep = end;
        }
    }
    None
}

/// The same of its end, for paths, which differ there.
pub(crate) fn cut_front(line: &str, width: usize) -> Option<&str> {
    let mut left = cells(line);
    if left <= width {
        return None;
    }
    let mut start = 0;
    for (end, cells) in pieces(line) {
        // What combines with a character that is gone goes with it.
        if left < width && cells > 0 {
            break;
        }
        left -= cells;
        start = end;
    }
    line.get(start..)
}

/// Characters and escape sequences: where each ends, and its cells. The only
/// escape sequences here are those of our colours, which end with an `m`:
/// nothing quoted has an escape character in it.
fn pieces(line: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut rest = line.chars();
    iter::from_fn(move || {
        let c = rest.next()?;
        let cells = match c {
            ' '..='~' => 1,
            '\u{1b}' => {
                rest.find(|&c| c == 'm');
                0
            }
            c => c.width().unwrap_or(0),
        };
        Some((line.len() - rest.as_str().len(), cells))
    })
}

#[cfg(test)]
mod tests {
    use super::{cells, cut, cut_front};

    #[test]
    fn cells_are_what_a_terminal_takes() {
        for (line, expect) in
            [("", 0), ("abc", 3), ("日本", 4), ("e\u{301}", 1), ("\u{1b}[1;31mab\u{1b}[0m", 2)]
        {
            assert_eq!(cells(line), expect, "{line:?}");
        }
    }

    #[test]
    fn cuts() {
        for (line, width, expect) in [
            ("abc", 3, None),
            ("abcd", 3, Some("ab")),
            ("", 0, None),
            ("a", 0, Some("")),
            ("ab", 1, Some("")),
            ("日本語", 6, None),
            ("日本語", 5, Some("日本")),
            ("日本語", 4, Some("日")),
            ("ae\u{301}bc", 3, Some("ae\u{301}")),
            ("\u{1b}[31mabc\u{1b}[0m", 3, None),
            ("\u{1b}[31mabcd\u{1b}[0m", 3, Some("\u{1b}[31mab")),
            ("ab\u{1b}[31mcd\u{1b}[0m", 3, Some("ab\u{1b}[31m")),
        ] {
            assert_eq!(cut(line, width), expect, "{line:?} {width}");
        }
    }
    #[test]
    fn cuts_in_front() {
        for (line, width, expect) in [
            ("abc", 3, None),
            ("abcd", 3, Some("cd")),
            ("a", 0, Some("")),
            ("ab", 1, Some("")),
            ("日本語", 5, Some("本語")),
            ("日本語", 4, Some("語")),
            ("xe\u{301}bc", 3, Some("bc")),
            ("xyde\u{301}b", 3, Some("e\u{301}b")),
        ] {
            assert_eq!(cut_front(line, width), expect, "{line:?} {width}");
        }
    }
}
