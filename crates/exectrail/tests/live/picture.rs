//! What a terminal shows, made of what was written to it, where pictures are drawn cell by
//! cell. Of escape sequences only those that pictures take mean something; what could harm a
//! terminal is a finding.

/// Sequences that a picture takes, but for those that place the cursor and choose colours.
const KNOWN: [&str; 6] = ["?1049h", "?1049l", "?25l", "?25h", "J", "K"];

/// A terminal's screen.
pub(crate) struct Picture {
    cells: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// How often the other screen was entered, and left.
    pub(crate) turns: (usize, usize),
    /// Whether the cursor is shown.
    pub(crate) has_cursor: bool,
    /// Whether any colour was asked for.
    pub(crate) has_colors: bool,
    /// What came for the clipboard.
    pub(crate) copied: Vec<String>,
    /// What was written behind the last picture.
    pub(crate) behind: String,
}

impl Picture {
    /// What has become of this text, on a terminal of so many columns and lines.
    pub(crate) fn of(text: &str, columns: usize, lines: usize) -> Self {
        let mut picture = Self {
            cells: vec![vec![' '; columns]; lines],
            row: 0,
            column: 0,
            turns: (0, 0),
            has_cursor: true,
            has_colors: false,
            copied: Vec::new(),
            behind: String::new(),
        };
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            rest = &rest[next.len_utf8()..];
            if next == '\u{1b}' {
                rest = picture.obey(rest);
            } else {
                picture.put(next);
            }
        }
        picture
    }

    fn obey<'t>(&mut self, behind: &'t str) -> &'t str {
        if let Some(copied) = behind.strip_prefix("]52;c;") {
            // What is not whole yet.
            let Some((copied, behind)) = copied.split_once('\u{7}') else { return "" };
            self.copied.push(copied.to_owned());
            return behind;
        }
        let Some(sequence) = behind.strip_prefix('[') else {
            assert!(behind.is_empty(), "{behind:?} is nothing that a picture takes");
            return "";
        };
        let Some(end) = sequence.find(|c: char| c.is_ascii_alphabetic()) else { return "" };
        let (sequence, behind) = sequence.split_at(end + 1);
        match sequence {
            "?1049h" => self.turns.0 += 1,
            "?1049l" => {
                self.turns.1 += 1;
                self.behind.clear();
            }
            "?25l" => self.has_cursor = false,
            "?25h" => self.has_cursor = true,
            "J" => self.cells.iter_mut().for_each(|row| row.fill(' ')),
            style if style.ends_with('m') => {
                let mut numbers = style.trim_end_matches('m').split(';');
                self.has_colors |= numbers.any(|it| it.len() == 2 && it.starts_with(['3', '4']));
            }
            place if place.ends_with('H') => {
                let mut numbers = place.trim_end_matches('H').split(';');
                let mut next = || numbers.next().and_then(|it| it.parse().ok()).unwrap_or(1) - 1;
                (self.row, self.column) = (next(), next());
            }
            other => assert!(KNOWN.contains(&other), "{other:?} is nothing that a picture takes"),
        }
        behind
    }

    fn put(&mut self, next: char) {
        if self.turns.0 == self.turns.1 {
            self.behind.push(next);
            return;
        }
        let is_hostile = next.is_control() || matches!(next, '\u{202a}'..='\u{202e}');
        assert!(!is_hostile, "{next:?} has come to the terminal");
        self.cells[self.row][self.column] = next;
        self.column += 1;
    }

    /// What is to be seen.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = |row: &Vec<char>| row.iter().collect::<String>().trim_end().to_owned();
        self.cells.iter().map(text).collect()
    }

    pub(crate) fn has(&self, words: &str) -> bool {
        self.lines().iter().any(|line| line.contains(words))
    }
}
