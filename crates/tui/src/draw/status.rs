//! The last lines: how it stands, and what can be done.

use ratatui_core::style::{Modifier, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{BAD, CHOSEN, Canvas, DIM, GOOD, WARNING, WRONG};
use crate::{
    keys::{KEYS, Message, Where},
    look::Look,
    pane::{Subject, wrapped},
    prompt::Prompt,
    state::State,
};

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

/// Letters of a filter.
const FILTER: usize = 24;

/// Between two parts.
const GAP: u16 = 2;

/// How it stands, in numbers. What matters most comes first, since the rest may have no
/// room.
pub(super) fn bar(canvas: &mut Canvas<'_>, state: &State, look: &Look, (y, lines): (u16, u16)) {
    if lines == 0 {
        return;
    }
    let mut x = 0;
    for (words, style) in parts(state, look) {
        let width = u16::try_from(words.width()).unwrap_or(u16::MAX);
        let start = if x == 0 { 0 } else { x + GAP };
        if x > 0 && start.saturating_add(width) > canvas.width {
            canvas.put(x, y, " …", DIM);
            return;
        }
        x = canvas.put(start, y, &words, style);
    }
}

fn parts(state: &State, look: &Look) -> Vec<(String, Style)> {
    let wish = state.view.wish();
    let first = state.store.first();
    let behind = state.view.behind(&state.store);
    let lost = if state.lost > 0 { BAD.patch(BOLD) } else { Style::new() };
    let mut parts = vec![pace(state, look)];
    parts.push((format!("{} lost", grouped(state.lost)), lost));
    let seen = state.account.map_or(state.store.next(), |account| account.seen);
    let shown = grouped(state.view.len() as u64);
    parts.push((format!("{shown} shown of {} seen", grouped(seen)), Style::new()));
    parts.extend(filter(state));
    if first > 0 {
        parts.push((format!("{} forgotten", grouped(first)), WARNING));
    }
    if behind > 8192 {
        parts.push((format!("{} to look at", grouped(behind)), WARNING));
    }
    let filtered = state.account.map_or(0, |account| account.filtered) + state.view.filtered();
    parts.push((format!("{} filtered", grouped(filtered)), Style::new()));
    if !state.is_over {
        parts.push((format!("{}/s", grouped(state.rate)), Style::new()));
    }
    for (is_so, word) in [(wish.tree, "tree"), (wish.failed, "failed only"), (wish.ends, "ends")] {
        if is_so {
            parts.push((word.to_owned(), WARNING));
        }
    }
    parts
}

/// The filter, as much of it as leaves room for numbers.
fn filter(state: &State) -> Option<(String, Style)> {
    let mut filter: String = state.filter.chars().take(FILTER).collect();
    if filter.len() < state.filter.len() {
        filter.push('…');
    }
    match (filter.as_str(), state.is_filter_off) {
        ("", _) => None,
        (filter, true) => Some((format!("(filter {filter} is off)"), DIM)),
        (filter, false) => Some((format!("filter {filter}"), WARNING)),
    }
}

/// Whether it goes on by itself.
fn pace(state: &State, look: &Look) -> (String, Style) {
    if let Some(order) = state.view.wish().order {
        let title = look.headings.get(order.column).map_or("?", |heading| heading.title);
        let reversed = if order.is_reversed { ", reversed" } else { "" };
        return (format!("BY {}{reversed}", title.to_uppercase()), WARNING.patch(BOLD));
    }
    match (state.is_over, state.cursor.is_following) {
        (true, _) => ("ENDED".to_owned(), BOLD),
        (false, true) => ("FOLLOWING".to_owned(), GOOD.patch(BOLD)),
        (false, false) => ("PAUSED".to_owned(), WARNING.patch(BOLD)),
    }
}

/// `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What was said, what is typed, or what can be.
pub(super) fn bottom(canvas: &mut Canvas<'_>, state: &State, (y, lines): (u16, u16)) {
    if lines == 0 {
        return;
    }
    if let Some(prompt) = &state.prompt {
        return self::prompt(canvas, prompt, (y, lines));
    }
    if let Some(notice) = &state.notice {
        canvas.put(0, y, notice, WARNING);
        return;
    }
    hints(canvas, state.pane.as_ref().map(|pane| pane.subject), y);
}

fn hints(canvas: &mut Canvas<'_>, open: Option<Subject>, y: u16) {
    let at = if open.is_some() { Where::Pane } else { Where::List };
    let is_event = matches!(open, None | Some(Subject::Event(_)));
    let is_of_event = |message: Message| {
        matches!(message, Message::Neighbour(_) | Message::Copy | Message::Print)
    };
    // How to get help and how to end has room in any case.
    let rows = KEYS.iter().filter(|row| row.at == at && !row.hint.is_empty());
    let (last, first): (Vec<_>, Vec<_>) = rows
        .filter(|row| is_event || !is_of_event(row.message))
        .partition(|row| ["help", "end", "close"].contains(&row.hint));
    let mut x = 0;
    for row in last.into_iter().chain(first) {
        let Some(key) = row.keys.first() else { continue };
        let (key, hint) = (key.to_string(), format!(" {}", row.hint));
        let width = u16::try_from(key.width() + hint.width()).unwrap_or(u16::MAX);
        if x + width > canvas.width {
            return;
        }
        x = canvas.put(x, y, &key, BOLD);
        x = canvas.put(x, y, &hint, DIM) + GAP;
    }
}

/// What is typed, and below it what is wrong with it.
fn prompt(canvas: &mut Canvas<'_>, prompt: &Prompt, (y, lines): (u16, u16)) {
    let label = prompt.purpose.label();
    let begins = canvas.put(0, y, label, BOLD);
    let room = usize::from(canvas.width.saturating_sub(begins)).saturating_sub(1);
    let from = seen_from(prompt, room);
    let tail = prompt.text.get(from..).unwrap_or("");
    canvas.put(begins, y, tail, Style::new());
    let x = |at: usize| {
        let before = prompt.text.get(from..at.max(from)).unwrap_or("");
        begins.saturating_add(u16::try_from(before.width()).unwrap_or(u16::MAX))
    };
    let under = prompt.text.get(prompt.at..).and_then(|rest| rest.chars().next());
    canvas.put(x(prompt.at), y, under.unwrap_or(' ').encode_utf8(&mut [0; 4]), CHOSEN);
    let Some(wrong) = &prompt.wrong else { return };
    let (first, last) = (x(wrong.from), x(wrong.until));
    let carets = "^".repeat(usize::from(last.saturating_sub(first).max(1)));
    if lines > 1 {
        canvas.put(first, y + 1, &carets, BAD);
    }
    let words = wrapped(&wrong.words, canvas.width.max(1).into());
    for (words, y) in words.into_iter().take(WRONG).zip(y + 2..y + lines) {
        canvas.put(0, y, words, BAD);
    }
}

/// The first byte that is seen, so that the place where letters go is.
fn seen_from(prompt: &Prompt, room: usize) -> usize {
    let before = prompt.text.get(..prompt.at).unwrap_or("");
    let mut left = room;
    let fits = |letter: char| {
        let cells = letter.width().unwrap_or(0);
        let has_room = cells <= left;
        left = left.saturating_sub(cells);
        has_room
    };
    let mut fits = fits;
    before
        .char_indices()
        .rev()
        .take_while(|(_, letter)| fits(*letter))
        .last()
        .map_or(if before.is_empty() { 0 } else { prompt.at }, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn numbers_for_people() {
        for (number, expect) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), expect);
        }
    }
}
