//! What a terminal shows, made of what was written to it: only of what a table that is
//! drawn anew may write. Anything else is a finding.

use crate::terminal::LINES;

/// Rows of characters, as many as the terminal has lines.
type Cells = Vec<Vec<char>>;

/// A terminal's screens, and what it was told of colours.
pub(crate) struct Screen {
    columns: usize,
    main: Cells,
    /// What is behind the table while that is drawn.
    other: Option<Cells>,
    row: usize,
    column: usize,
    /// Whether the cursor is shown.
    pub(crate) has_cursor: bool,
    /// How often the other screen was drawn from its top.
    pub(crate) drawings: usize,
    /// How often it was entered, and left.
    pub(crate) turns: (usize, usize),
    /// Colours and the like that were asked for.
    pub(crate) styles: Vec<String>,
}

impl Screen {
    /// What has become of this text, which was written to a terminal of so many columns.
    pub(crate) fn of(text: &str, columns: usize) -> Self {
        let blank = vec![vec![' '; columns]; usize::from(LINES)];
        let mut screen = Self {
            columns,
            main: blank,
            other: None,
            row: 0,
            column: 0,
            has_cursor: true,
            drawings: 0,
            turns: (0, 0),
            styles: Vec::new(),
        };
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            rest = screen.take(next, &rest[next.len_utf8()..]);
        }
        screen
    }

    fn take<'t>(&mut self, next: char, behind: &'t str) -> &'t str {
        match next {
            '\u{1b}' => {
                let sequence = behind.strip_prefix('[').expect("a control sequence");
                let end = sequence.find(|c: char| c.is_ascii_alphabetic()).expect("its end");
                let (sequence, behind) = sequence.split_at(end + 1);
                self.obey(sequence);
                return behind;
            }
            '\r' => self.column = 0,
            '\n' => self.next_line(),
            next => self.put(next),
        }
        behind
    }

    fn obey(&mut self, sequence: &str) {
        match sequence {
            "?1049h" => {
                let blank = vec![vec![' '; self.columns]; self.main.len()];
                assert!(self.other.is_none(), "it is entered twice");
                self.other = Some(std::mem::replace(&mut self.main, blank));
                self.turns.0 += 1;
            }
            "?1049l" => {
                self.main = self.other.take().expect("it was not entered");
                // The cursor is where it was before; on a line of its own, as far as it matters.
                self.row =
                    self.main.iter().rposition(|row| !text(row).is_empty()).map_or(0, |at| at + 1);
                self.column = 0;
                self.turns.1 += 1;
            }
            "?25l" => self.has_cursor = false,
            "?25h" => self.has_cursor = true,
            "H" => {
                assert!(self.other.is_some(), "what was there before is drawn over");
                (self.row, self.column) = (0, 0);
                self.drawings += 1;
            }
            // Behind the last column, the cursor stands on it still (xterm).
            "K" => self.main[self.row][self.column.min(self.columns - 1)..].fill(' '),
            "J" => {
                self.main[self.row][self.column.min(self.columns - 1)..].fill(' ');
                for row in self.main.iter_mut().skip(self.row + 1) {
                    row.fill(' ');
                }
            }
            style if style.ends_with('m') => self.styles.push(style.to_owned()),
            other => panic!("{other:?} is nothing that a table takes"),
        }
    }

    fn put(&mut self, next: char) {
        let is_hostile = next.is_control() || matches!(next, '\u{202a}'..='\u{202e}');
        assert!(!is_hostile, "{next:?} has come to the terminal");
        if self.column >= self.columns {
            assert!(self.other.is_none(), "a line is too long: {}", self.lines().join("\n"));
            self.next_line();
            self.column = 0;
        }
        self.main[self.row][self.column] = next;
        self.column += 1;
    }

    /// The whole screen moves up at its end, but never under a table.
    fn next_line(&mut self) {
        if self.row + 1 < self.main.len() {
            self.row += 1;
            return;
        }
        assert!(self.other.is_none(), "the table has too many lines");
        self.main.remove(0);
        self.main.push(vec![' '; self.columns]);
    }

    /// What is to be seen.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.main.iter().map(|row| text(row)).collect()
    }
}

fn text(row: &[char]) -> String {
    row.iter().collect::<String>().trim_end().to_owned()
}
