//! Which line is chosen, and which are to be seen.

use crate::keys::Motion;

/// A place in a list that grows at its end and loses its beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    /// The line that is chosen.
    pub(crate) at: usize,
    /// The first one that is seen.
    pub(crate) top: usize,
    /// Whether the last line is chosen, whichever it is.
    pub(crate) is_following: bool,
}

impl Cursor {
    pub(crate) fn new() -> Self {
        Self { at: 0, top: 0, is_following: true }
    }

    /// Moves. Only at the end it follows.
    pub(crate) fn moves(&mut self, motion: Motion, lines: usize, height: usize) {
        let page = height.max(1);
        self.is_following = false;
        self.at = match motion {
            Motion::Up => self.at.saturating_sub(1),
            Motion::Down => self.at + 1,
            Motion::PageUp => {
                self.top = self.top.saturating_sub(page);
                self.at.saturating_sub(page)
            }
            Motion::PageDown => {
                self.top += page;
                self.at + page
            }
            Motion::First => 0,
            Motion::Last => {
                self.is_following = true;
                lines
            }
        };
        self.settle(lines, height);
    }

    /// So many lines in front are gone.
    pub(crate) fn shift(&mut self, gone: usize) {
        self.at = self.at.saturating_sub(gone);
        self.top = self.top.saturating_sub(gone);
    }

    /// Goes to a line, and keeps its height on the screen if it was seen.
    pub(crate) fn goes_to(&mut self, at: usize) {
        let above = self.at.saturating_sub(self.top);
        self.at = at;
        self.top = at.saturating_sub(above);
    }

    /// There are so many lines now, of which so many are seen.
    pub(crate) fn settle(&mut self, lines: usize, height: usize) {
        let last = lines.saturating_sub(1);
        self.at = if self.is_following { last } else { self.at.min(last) };
        let lowest = lines.saturating_sub(height.max(1));
        let from = (self.at + 1).saturating_sub(height.max(1));
        self.top =
            if self.is_following { lowest } else { self.top.clamp(from, self.at).min(lowest) };
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Motion};

    #[test]
    fn it_follows_until_it_is_moved_and_again_from_the_end_on() {
        let mut cursor = Cursor::new();
        cursor.settle(100, 10);
        assert_eq!((cursor.at, cursor.top), (99, 90));
        cursor.moves(Motion::Up, 100, 10);
        cursor.settle(200, 10);
        assert_eq!((cursor.at, cursor.top, cursor.is_following), (98, 90, false));
        cursor.moves(Motion::PageUp, 200, 10);
        assert_eq!((cursor.at, cursor.top), (88, 80));
        // What is chosen stays chosen while lines in front go.
        cursor.shift(50);
        cursor.settle(150, 10);
        assert_eq!((cursor.at, cursor.top), (38, 30));
        cursor.moves(Motion::Last, 150, 10);
        cursor.settle(160, 10);
        assert_eq!((cursor.at, cursor.top, cursor.is_following), (159, 150, true));
    }

    #[test]
    fn it_is_in_the_list_whatever_happens() {
        for lines in 0..5 {
            for height in 0..5 {
                let mut cursor = Cursor::new();
                for motion in [
                    Motion::Down,
                    Motion::PageDown,
                    Motion::Up,
                    Motion::Last,
                    Motion::PageUp,
                    Motion::First,
                ] {
                    cursor.moves(motion, lines, height);
                    assert!(cursor.at < lines.max(1) && cursor.top <= cursor.at);
                    assert!(height == 0 || cursor.at < cursor.top + height);
                }
            }
        }
    }
}
