//! Searching in what lines show.

use crate::{
    draw::Styled,
    look::{Look, Seen},
    store::Store,
    view::View,
};

/// What is searched for.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    text: String,
    /// Without a capital letter in it, it finds capitals, too.
    ignores_case: bool,
    /// A search that goes on.
    going: Option<Going>,
}

#[derive(Clone, Copy, Debug)]
struct Going {
    line: usize,
    left: usize,
    is_forward: bool,
}

/// What has come of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It goes on.
    Going,
    /// In this line.
    At(usize),
    /// In none.
    Nowhere,
}

impl Search {
    pub(crate) fn new(text: String) -> Self {
        let ignores_case = !text.chars().any(char::is_uppercase);
        Self { text, ignores_case, going: None }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Begins to search at this line, all of them once.
    pub(crate) fn begin(&mut self, line: usize, lines: usize, is_forward: bool) {
        self.going = Some(Going { line, left: lines, is_forward });
    }

    pub(crate) fn is_going(&self) -> bool {
        self.going.is_some()
    }

    /// Looks at so many lines at most.
    pub(crate) fn go_on(
        &mut self,
        (view, store, look): (&View, &Store, &mut Look),
        most: usize,
    ) -> Found {
        let Some(mut going) = self.going.take() else { return Found::Nowhere };
        for _ in 0..most {
            if going.left == 0 || view.len() == 0 {
                return Found::Nowhere;
            }
            let line = going.line % view.len();
            let number = view.get(line).map_or(0, |entry| entry.number);
            let columns = look.headings.len();
            let is_here = look.at(store, number, |cells, seen: Seen<'_, '_>| {
                let mut cell = String::new();
                (0..columns).any(|column| {
                    cell.clear();
                    cells.write(column, seen, &mut cell);
                    self.places(&Styled::of(&cell).text).next().is_some()
                })
            });
            if is_here == Some(true) {
                return Found::At(line);
            }
            going.left -= 1;
            going.line = if going.is_forward { line + 1 } else { line + view.len() - 1 };
        }
        self.going = Some(going);
        Found::Going
    }

    /// Where it stands in a text: beginnings and ends, bytes.
    pub(crate) fn places<'t>(&'t self, text: &'t str) -> impl Iterator<Item = (usize, usize)> + 't {
        let mut from = 0;
        std::iter::from_fn(move || {
            while let Some(rest) = text.get(from..).filter(|rest| !rest.is_empty()) {
                let at = from;
                from += rest.chars().next().map_or(1, char::len_utf8);
                if let Some(len) = self.begins(rest) {
                    from = at + len.max(1);
                    return Some((at, at + len));
                }
            }
            None
        })
    }

    /// How many bytes of this it is that it begins with, if it does.
    fn begins(&self, text: &str) -> Option<usize> {
        if self.text.is_empty() {
            return None;
        }
        if !self.ignores_case {
            return text.starts_with(&self.text).then_some(self.text.len());
        }
        let mut letters = text.char_indices();
        for wanted in self.text.chars() {
            let (_, letter) = letters.next()?;
            if letter != wanted && !letter.to_lowercase().eq(wanted.to_lowercase()) {
                return None;
            }
        }
        Some(letters.next().map_or(text.len(), |(at, _)| at))
    }
}

#[cfg(test)]
mod tests {
    use super::Search;

    #[test]
    fn places_in_a_text() {
        let places = |search: &str, text: &str| {
            Search::new(search.to_owned()).places(text).collect::<Vec<_>>()
        };
        assert_eq!(places("ab", "abAB xab"), [(0, 2), (2, 4), (6, 8)]);
        assert_eq!(places("Ab", "abAb"), [(2, 4)]);
        assert_eq!(places("é", "aÉé"), [(1, 3), (3, 5)]);
        assert_eq!(places("", "a"), []);
        assert_eq!(places("abc", "ab"), []);
        assert_eq!(places("aa", "aaaa"), [(0, 2), (2, 4)]);
    }
}
