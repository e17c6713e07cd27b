//! The table of keys: what each means, where, in words. What the keys do and what the help
//! and `docs/tui.md` say of them is this one table.

mod table;

use std::fmt;

pub use table::KEYS;

/// A key, as terminals tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Char(char),
    /// A letter together with Ctrl.
    Ctrl(char),
    /// Enter.
    Enter,
    /// Escape.
    Escape,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// The arrow.
    Up,
    /// The arrow.
    Down,
    /// The arrow.
    Left,
    /// The arrow.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Char(' ') => "Space",
            Self::Char(letter) => return write!(f, "{letter}"),
            Self::Ctrl(letter) => return write!(f, "Ctrl-{}", letter.to_ascii_uppercase()),
            Self::Enter => "Enter",
            Self::Escape => "Esc",
            Self::Backspace => "Backspace",
            Self::Delete => "Delete",
            Self::Up => "Up",
            Self::Down => "Down",
            Self::Left => "Left",
            Self::Right => "Right",
            Self::Home => "Home",
            Self::End => "End",
            Self::PageUp => "PgUp",
            Self::PageDown => "PgDn",
        };
        f.write_str(name)
    }
}

/// Where a key is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// In the list of events.
    List,
    /// In a pane: details, summary, help.
    Pane,
    /// In the line where something is typed.
    Prompt,
}

impl Where {
    /// Each of them, in the order in which they are told.
    pub const ALL: [Self; 3] = [Self::List, Self::Pane, Self::Prompt];

    /// In a few words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "In the list",
            Self::Pane => "In details, summary and help",
            Self::Prompt => "While a filter or a search is typed",
        }
    }
}

/// A way to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// A line.
    Up,
    /// A line.
    Down,
    /// A page.
    PageUp,
    /// A page.
    PageDown,
    /// To the first line.
    First,
    /// To the last line.
    Last,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// To move.
    Move(Motion),
    /// To follow the newest event, or not.
    Follow,
    /// To see all of an event.
    Details,
    /// To see the event before, or behind.
    Neighbour(Motion),
    /// To leave what is open.
    Close,
    /// To see what the keys mean.
    Help,
    /// To see what became of the processes.
    Summary,
    /// To type what is searched for.
    Search,
    /// To go to where it is found next.
    Next,
    /// To go to where it was found before.
    Previous,
    /// To type a filter.
    Filter,
    /// To do without the filter, or with it again.
    FilterSwitch,
    /// To see who descends from whom, or not.
    Tree,
    /// To see what went wrong and nothing else, or all.
    Failed,
    /// To see ends in lines of their own, or not.
    Ends,
    /// To sort by the next column.
    Sort,
    /// To sort the other way round.
    Reverse,
    /// To copy the command.
    Copy,
    /// To have the command printed at the end.
    Print,
    /// To be stopped, as by a shell.
    Suspend,
    /// To draw everything anew.
    Redraw,
    /// To end.
    Quit,
    /// That what was typed is meant.
    Accept,
    /// That it is not.
    Cancel,
    /// To have this character.
    Type(char),
    /// To be rid of a character, a word, or all before the cursor.
    Erase(Erased),
    /// To move in what is typed.
    Along(Along),
}

/// What is erased of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erased {
    /// The character before the cursor.
    Before,
    /// The one under it.
    Under,
    /// The word before it.
    Word,
    /// All before it.
    All,
}

/// Where to go in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// A character back.
    Back,
    /// A character on.
    On,
    /// To its beginning.
    Start,
    /// To its end.
    End,
}

/// A row: keys, where they are that, and what they mean.
#[derive(Debug)]
pub struct Binding {
    /// Any of them.
    pub keys: &'static [Key],
    /// Where.
    pub at: Where,
    /// What they ask for.
    pub message: Message,
    /// That, for people.
    pub doc: &'static str,
    /// The same in a word, for the last line of the screen; nothing for what can be looked
    /// up.
    pub hint: &'static str,
}

/// What this key asks for there; nothing, if it has no meaning.
#[must_use]
pub(crate) fn message(at: Where, key: Key) -> Option<Message> {
    let meant = KEYS.iter().find(|row| row.at == at && row.keys.contains(&key));
    match (meant, at, key) {
        (Some(row), ..) => Some(row.message),
        (None, Where::Prompt, Key::Char(letter)) => Some(Message::Type(letter)),
        (None, ..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_means_one_thing_in_a_place() {
        for at in Where::ALL {
            let keys: Vec<_> =
                KEYS.iter().filter(|row| row.at == at).flat_map(|row| row.keys).collect();
            for (index, key) in keys.iter().enumerate() {
                assert!(!keys[..index].contains(key), "{key} twice: {}", at.name());
            }
            // Whatever is open, it can be ended.
            assert_eq!(message(at, Key::Ctrl('c')), Some(Message::Quit));
        }
    }

    #[test]
    fn every_row_has_words() {
        for row in KEYS {
            assert!(!row.doc.is_empty() && !row.doc.ends_with('.'), "{:?}", row.message);
        }
    }

    #[test]
    fn what_is_typed_is_typed_in_a_prompt_alone() {
        assert_eq!(message(Where::Prompt, Key::Char('q')), Some(Message::Type('q')));
        assert_eq!(message(Where::List, Key::Char('q')), Some(Message::Quit));
        assert_eq!(message(Where::Pane, Key::Char('q')), Some(Message::Close));
        assert_eq!(message(Where::List, Key::Char('ä')), None);
    }
}
