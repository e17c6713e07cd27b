//! A terminal that is drawn anew. Three sequences that every terminal has are all that
//! takes (ECMA-48; the other screen is xterm's, and those without it ignore it).

use std::io::{self, Write};

use rustix::{
    process::getpgrp,
    termios::{
        LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr,
    },
};

/// To the other screen, without a cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
/// Back, with one.
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_REST: &str = "\x1b[J";

/// The terminal that stdout is.
#[derive(Debug)]
pub(super) struct Screen {
    is_entered: bool,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { is_entered: false }
    }

    /// Leaves what is on the terminal alone, and makes place.
    pub(super) fn enter(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.is_entered = true;
        write!(out, "{ENTER}{HOME}{CLEAR_REST}")?;
        out.flush()
    }

    /// Puts back what was there.
    pub(super) fn leave(&mut self, out: &mut impl Write) -> io::Result<()> {
        if std::mem::take(&mut self.is_entered) {
            write!(out, "{LEAVE}")?;
            out.flush()?;
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // After an error, too, the terminal is as it was.
        let _ = self.leave(&mut io::stdout());
    }
}

/// Columns and lines of the terminal, as far as it knows them.
pub(super) fn size() -> (Option<usize>, Option<usize>) {
    let size = tcgetwinsize(io::stdout()).ok();
    let known = |count: u16| Some(usize::from(count)).filter(|&count| count > 0);
    (size.and_then(|size| known(size.ws_col)), size.and_then(|size| known(size.ws_row)))
}

/// What draws lines from the top on, for one write, so that nothing flickers. Each place
/// is cleared before it is written to: behind a line that is as long as the terminal is
/// wide, the cursor stands on its last character still, which would go (xterm).
/// The last line has no end, which would move all lines up on a full screen.
pub(super) fn drawn(lines: &str) -> String {
    let mut text = String::from(HOME);
    let lines = lines.strip_suffix('\n').unwrap_or(lines);
    let mut left = lines.split('\n').peekable();
    while let Some(line) = left.next() {
        let is_last = left.peek().is_none();
        text.push_str(if is_last { CLEAR_REST } else { CLEAR_LINE });
        text.push_str(line);
        if !is_last {
            text.push_str("\r\n");
        }
    }
    text
}

/// Keys of the terminal that stdin is, each as it is pressed. Dropped, it is as it was.
#[derive(Debug)]
pub(super) struct Keys {
    before: Termios,
}

impl Keys {
    /// None where stdin is no terminal, or is another job's.
    pub(super) fn listen() -> Option<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin).ok()?;
        if tcgetpgrp(&stdin).ok()? != getpgrp() {
            return None;
        }
        let mut now = before.clone();
        now.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Now, &now).ok()?;
        Some(Self { before })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::drawn;

    #[test]
    fn every_line_is_cleared_and_the_last_one_does_not_end() {
        assert_eq!(drawn("a\nb\n"), "\x1b[H\x1b[Ka\r\n\x1b[Jb");
        assert_eq!(drawn("a\n"), "\x1b[H\x1b[Ja");
        assert_eq!(drawn(""), "\x1b[H\x1b[J");
    }
}
