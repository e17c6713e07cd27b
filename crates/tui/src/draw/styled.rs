//! A cell: a text, and the styles of its parts.

use std::ops::Range;

use ratatui_core::style::{Color, Modifier, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A text whose parts have styles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Styled {
    pub(crate) text: String,
    /// Where each begins, bytes, and what it puts over the whole text's.
    parts: Vec<(usize, Style)>,
}

impl Styled {
    /// Of a cell, whose only escape sequences are those of our own colours.
    pub(crate) fn of(cell: &str) -> Self {
        let mut styled = Self::default();
        let mut rest = cell;
        while let Some((text, behind)) = rest.split_once('\u{1b}') {
            styled.text.push_str(text);
            let (sequence, behind) = behind.split_once('m').unwrap_or((behind, ""));
            styled.parts.push((styled.text.len(), style(sequence)));
            rest = behind;
        }
        styled.text.push_str(rest);
        styled
    }

    /// Pieces of a part of the text, each with the style that it has besides the whole
    /// text's.
    pub(crate) fn pieces(&self, part: Range<usize>) -> impl Iterator<Item = (&str, Style)> {
        let ends = self.parts.iter().skip(1).map(|(at, _)| *at).chain([self.text.len()]);
        let styled =
            self.parts.iter().zip(ends).map(|(&(from, style), until)| (from, until, style));
        let first = self.parts.first().map_or(self.text.len(), |(at, _)| *at);
        [(0, first, Style::new())].into_iter().chain(styled).filter_map(
            move |(from, until, style)| {
                let piece = self.text.get(from.max(part.start)..until.min(part.end))?;
                (!piece.is_empty()).then_some((piece, style))
            },
        )
    }

    /// What of the text is put into so many cells, and whether something is missing: `…`
    /// takes one of them then.
    pub(crate) fn fit(&self, width: usize, in_front: bool) -> (Range<usize>, bool) {
        let all = 0..self.text.len();
        if self.text.len() <= width || self.text.width() <= width {
            return (all, false);
        }
        let room = width.saturating_sub(1);
        let mut used = 0;
        let mut fits = |letter: char| {
            used += letter.width().unwrap_or(0);
            used <= room
        };
        if in_front {
            let mut letters = self.text.char_indices().rev().take_while(|(_, c)| fits(*c));
            let from = letters.by_ref().last().map_or(all.end, |(at, _)| at);
            return (from..all.end, true);
        }
        let until = self.text.char_indices().find(|(_, c)| !fits(*c)).map_or(all.end, |(at, _)| at);
        (0..until, true)
    }
}

/// The colours that pictures have, by their numbers in sequences: 30 more in front, 40 behind.
pub const COLORS: [Color; 8] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
];

/// What a sequence asks for, of what our own styles have.
fn style(sequence: &str) -> Style {
    let mut style = Style::new();
    for number in sequence.trim_start_matches('[').split(';') {
        style = match number.parse::<usize>() {
            Ok(1) => style.add_modifier(Modifier::BOLD),
            Ok(2) => style.add_modifier(Modifier::DIM),
            Ok(4) => style.add_modifier(Modifier::UNDERLINED),
            Ok(number @ 30..38) => COLORS.get(number - 30).map_or(style, |&color| style.fg(color)),
            _ => style,
        };
    }
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_their_styles() {
        let styled = Styled::of("ab\u{1b}[33m[…]\u{1b}[0mcd\u{1b}[1m\u{1b}[31mx\u{1b}[0m");
        assert_eq!(styled.text, "ab[…]cdx");
        let pieces: Vec<_> = styled.pieces(1..styled.text.len()).collect();
        let red = Style::new().fg(Color::Red);
        let yellow = Style::new().fg(Color::Yellow);
        assert_eq!(
            pieces,
            [("b", Style::new()), ("[…]", yellow), ("cd", Style::new()), ("x", red)]
        );
    }

    #[test]
    fn what_does_not_fit_is_cut_at_either_end() {
        let cut = |text: &str, width, in_front| {
            let styled = Styled::of(text);
            let (kept, is_cut) = styled.fit(width, in_front);
            (styled.text[kept].to_owned(), is_cut)
        };
        assert_eq!(cut("abc", 3, false), ("abc".to_owned(), false));
        assert_eq!(cut("abcd", 3, false), ("ab".to_owned(), true));
        assert_eq!(cut("abcd", 3, true), ("cd".to_owned(), true));
        assert_eq!(cut("日本語", 5, false), ("日本".to_owned(), true));
        assert_eq!(cut("日本語", 4, true), ("語".to_owned(), true));
        assert_eq!(cut("ab", 1, true), (String::new(), true));
        assert_eq!(cut("ab", 0, false), (String::new(), true));
    }
}
