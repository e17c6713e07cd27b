//! What is opened over the list: lines of text that can be scrolled.

use unicode_width::UnicodeWidthChar;

use crate::keys::{KEYS, Where};

/// What is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// An event, by its number.
    Event(u64),
    /// What became of the processes.
    Summary,
    /// The keys.
    Help,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Title,
}

/// A line: a name, and what there is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

/// It, laid out for a width.
#[derive(Clone, Debug)]
pub(crate) struct Pane {
    pub(crate) subject: Subject,
    pub(crate) title: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) top: usize,
    /// Whether the newest event was followed, and is again when this is closed.
    pub(crate) resumes: bool,
    /// What it was made for: a width, and the end of the process if that was known.
    pub(crate) made_for: (usize, Option<u64>),
}

/// Collects lines, none wider than this.
pub(crate) struct Lines {
    width: usize,
    lines: Vec<Line>,
}

impl Lines {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, lines: Vec::new() }
    }

    pub(crate) fn title(&mut self, title: &str) {
        if !self.lines.is_empty() {
            self.plain("");
        }
        self.lines.push(Line { name: String::new(), text: title.to_owned(), tone: Tone::Title });
    }

    /// A text without a name, which may have a form of its own.
    pub(crate) fn plain(&mut self, text: &str) {
        self.named("", 0, text);
    }

    /// A text beside its name, on as many lines as it takes.
    pub(crate) fn named(&mut self, name: &str, indent: usize, text: &str) {
        // In a narrow place the name has a line of its own.
        let indent = indent.min(self.width / 2);
        let room = self.width.saturating_sub(indent).max(1);
        let is_long = name.chars().count() + 1 > indent && !name.is_empty();
        if is_long {
            self.lines.push(Line { name: name.to_owned(), text: String::new(), tone: Tone::Plain });
        }
        for (index, piece) in wrapped(text, room).into_iter().enumerate() {
            let shown = if index == 0 && !is_long { name } else { "" };
            let name = format!("{shown:indent$}");
            self.lines.push(Line { name, text: piece.to_owned(), tone: Tone::Plain });
        }
    }

    pub(crate) fn into_lines(self) -> Vec<Line> {
        self.lines
    }
}

/// Pieces of a text, none wider than this: between words where that costs little.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut from, mut used, mut blank) = (0, 0, None);
    for (at, letter) in text.char_indices() {
        let cells = letter.width().unwrap_or(0);
        if used + cells > width && at > from {
            let end = blank.filter(|&(_, used)| used > width / 2).map_or(at, |(end, _)| end);
            pieces.push(text.get(from..end).unwrap_or(""));
            from = end;
            used =
                text.get(from..at).unwrap_or("").chars().filter_map(UnicodeWidthChar::width).sum();
            blank = None;
        }
        used += cells;
        if letter == ' ' {
            blank = Some((at + 1, used));
        }
    }
    pieces.push(text.get(from..).unwrap_or(""));
    pieces
}

/// The keys, from their table.
pub(crate) fn help(width: usize) -> Vec<Line> {
    let mut lines = Lines::new(width);
    for at in Where::ALL {
        lines.title(at.name());
        for row in KEYS.iter().filter(|row| row.at == at) {
            let keys: Vec<_> = row.keys.iter().map(ToString::to_string).collect();
            lines.named(&keys.join(", "), 18, row.doc);
        }
    }
    lines.into_lines()
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn nothing_is_wider_and_nothing_is_lost() {
        for text in [
            "",
            "abc",
            "one two three",
            "日本語日本語",
            "e\u{301}e\u{301} x",
            "averyveryverylongword a",
        ] {
            for width in 1..20 {
                let pieces = wrapped(text, width);
                assert_eq!(pieces.concat(), text);
                let fits = |piece: &&str| unicode_width::UnicodeWidthStr::width(*piece) <= width;
                assert!(width == 1 || pieces.iter().all(fits));
            }
        }
        assert_eq!(wrapped("one two three", 8), ["one two ", "three"]);
    }
}
