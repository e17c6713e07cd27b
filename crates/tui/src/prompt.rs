//! A line in which something is typed.

use crate::{
    filter::Wrong,
    keys::{Along, Erased},
};

/// Bytes that a line has, at most: more is pasted by mistake, and is gone through for each
/// letter.
const LONGEST: usize = 4096;

/// What is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Search,
    Filter,
}

impl Purpose {
    /// What stands before it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Search => "/",
            Self::Filter => "filter: ",
        }
    }
}

/// A line, and the place in it.
#[derive(Clone, Debug)]
pub(crate) struct Prompt {
    pub(crate) purpose: Purpose,
    pub(crate) text: String,
    /// Where the next character goes, bytes.
    pub(crate) at: usize,
    /// What it was before.
    pub(crate) before: String,
    pub(crate) wrong: Option<Wrong>,
}

impl Prompt {
    pub(crate) fn new(purpose: Purpose, text: String) -> Self {
        Self { purpose, at: text.len(), before: text.clone(), text, wrong: None }
    }

    pub(crate) fn types(&mut self, letter: char) {
        if !letter.is_control() && self.text.len() < LONGEST {
            self.text.insert(self.at, letter);
            self.at += letter.len_utf8();
        }
    }

    pub(crate) fn erase(&mut self, what: Erased) {
        let from = match what {
            Erased::Before => self.back(),
            Erased::Under => {
                let on = self.on();
                self.text.replace_range(self.at..on, "");
                return;
            }
            Erased::Word => {
                let head = self.text.get(..self.at).unwrap_or("").trim_end();
                head.rfind(|letter: char| !letter.is_alphanumeric())
                    .map_or(0, |at| if at + 1 == head.len() { at } else { at + 1 })
            }
            Erased::All => 0,
        };
        self.text.replace_range(from..self.at, "");
        self.at = from;
    }

    pub(crate) fn moves(&mut self, along: Along) {
        self.at = match along {
            Along::Back => self.back(),
            Along::On => self.on(),
            Along::Start => 0,
            Along::End => self.text.len(),
        };
    }

    fn back(&self) -> usize {
        let head = self.text.get(..self.at).unwrap_or("");
        head.char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn on(&self) -> usize {
        let tail = self.text.get(self.at..).unwrap_or("");
        self.at + tail.chars().next().map_or(0, char::len_utf8)
    }
}

#[cfg(test)]
mod tests {
    use super::{Along, Erased, Prompt, Purpose};

    #[test]
    fn a_line_is_edited_by_characters() {
        let mut prompt = Prompt::new(Purpose::Filter, "né".to_owned());
        prompt.types('日');
        prompt.types('\u{1b}');
        prompt.moves(Along::Back);
        prompt.moves(Along::Back);
        prompt.types('x');
        assert_eq!(prompt.text, "nxé日");
        prompt.erase(Erased::Under);
        prompt.erase(Erased::Before);
        assert_eq!((prompt.text.as_str(), prompt.at), ("n日", 1));
        prompt.moves(Along::End);
        prompt.moves(Along::On);
        prompt.erase(Erased::All);
        prompt.erase(Erased::Before);
        prompt.erase(Erased::Under);
        assert_eq!((prompt.text.as_str(), prompt.at), ("", 0));
    }

    #[test]
    fn what_is_pasted_has_an_end() {
        let mut prompt = Prompt::new(Purpose::Search, String::new());
        (0..5000).for_each(|_| prompt.types('x'));
        assert_eq!((prompt.text.len(), prompt.at), (4096, 4096));
    }

    #[test]
    fn words_end_at_what_is_no_letter() {
        let mut prompt = Prompt::new(Purpose::Filter, "user=ada,arg=-mé".to_owned());
        for left in ["user=ada,arg=-", "user=ada,arg=", "user=ada,arg", "user=ada,", "user=ada"] {
            prompt.erase(Erased::Word);
            assert_eq!(prompt.text, left);
        }
    }
}
