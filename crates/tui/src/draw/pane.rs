//! What is open over the list.

use ratatui_core::style::{Modifier, Style};

use super::{CHOSEN, Canvas, DIM};
use crate::pane::{Pane, Tone};

const HEAD: Style = Style::new().add_modifier(Modifier::BOLD);

pub(super) fn draw(canvas: &mut Canvas<'_>, pane: &Pane, (y, lines): (u16, u16)) {
    if lines == 0 {
        return;
    }
    let height = usize::from(lines - 1);
    let last = (pane.top + height).min(pane.lines.len());
    let more = pane.lines.len() - last;
    let more = if more == 0 { String::new() } else { format!(", {more} more lines below") };
    canvas.put(0, y, &format!(" {}{more} ", pane.title), Style::new());
    canvas.mark(y, CHOSEN);
    for (line, y) in pane.lines.iter().skip(pane.top).zip(y + 1..y + lines) {
        let x = canvas.put(0, y, &line.name, DIM);
        let style = if line.tone == Tone::Title { HEAD } else { Style::new() };
        canvas.put(x, y, &line.text, style);
    }
}
