//! The picture of a state.

mod list;
mod pane;
mod status;
mod styled;

use ratatui_core::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};

use crate::{look::Look, pane::wrapped, prompt::Prompt, state::State};

pub(crate) use list::columns;
pub use styled::COLORS;
pub(crate) use styled::Styled;

/// From so many lines on, what is open leaves room for some of the list.
const SHARED: u16 = 16;

/// Lines for what is wrong with a filter, at most.
const WRONG: usize = 3;

/// Where what stands: for each a first line, and how many it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    titles: (u16, u16),
    list: (u16, u16),
    pane: (u16, u16),
    status: (u16, u16),
    bottom: (u16, u16),
}

impl Layout {
    /// Of this state, on the terminal that there is. What matters least goes first where
    /// there is no room.
    pub(crate) fn of(state: &State) -> Self {
        let (columns, lines) = state.size();
        let asked = state.prompt.as_ref().map_or(1, |prompt| prompt_lines(prompt, columns.into()));
        let bottom = asked.min(lines.saturating_sub(1));
        let status = u16::from(lines - bottom >= 3);
        let rest = lines - bottom - status;
        let is_shared = rest > SHARED;
        let titles = u16::from(rest >= 3 && (state.pane.is_none() || is_shared));
        let body = rest - titles;
        let pane = match &state.pane {
            None => 0,
            Some(_) if is_shared => body - body / 3,
            Some(_) => body,
        };
        let list = body - pane;
        Self {
            titles: (0, titles),
            list: (titles, list),
            pane: (titles + list, pane),
            status: (rest, status),
            bottom: (rest + status, bottom),
        }
    }

    pub(crate) fn list_height(&self) -> usize {
        self.list.1.into()
    }

    /// Without its title.
    pub(crate) fn pane_height(&self) -> usize {
        self.pane.1.saturating_sub(1).into()
    }
}

fn prompt_lines(prompt: &Prompt, width: usize) -> u16 {
    let wrong = prompt
        .wrong
        .as_ref()
        .map_or(0, |wrong| 1 + wrapped(&wrong.words, width.max(1)).len().min(WRONG));
    u16::try_from(1 + wrong).unwrap_or(1)
}

/// Draws what there is to be seen, over all of the picture, which has as many columns and
/// lines as the state was told.
pub fn draw(state: &State, look: &mut Look, picture: &mut Buffer) {
    picture.reset();
    let (columns, lines) = state.size();
    let Rect { width, height, .. } = picture.area;
    if (columns, lines) != (width, height) || width == 0 || height == 0 {
        return;
    }
    let layout = Layout::of(state);
    let mut canvas = Canvas { picture, width, color: look.color };
    list::titles(&mut canvas, look, layout.titles);
    list::lines(&mut canvas, state, look, layout.list);
    if let Some(open) = &state.pane {
        pane::draw(&mut canvas, open, layout.pane);
    }
    status::bar(&mut canvas, state, look, layout.status);
    status::bottom(&mut canvas, state, layout.bottom);
}

/// A picture, line by line. Nothing is put beside it.
struct Canvas<'p> {
    picture: &'p mut Buffer,
    width: u16,
    color: bool,
}

impl Canvas<'_> {
    /// Puts a text, as much of it as has room, and says where it ends.
    fn put(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        if x >= self.width || y >= self.picture.area.height {
            return x;
        }
        let style = self.style(style);
        let room = usize::from(self.width - x);
        self.picture.set_stringn(x, y, text, room, style).0
    }

    /// A style, or what is left of it where there are no colours: marks, without which
    /// nobody would know where they are.
    fn style(&self, style: Style) -> Style {
        if self.color {
            return style;
        }
        let marks = Modifier::REVERSED | Modifier::UNDERLINED;
        Style { fg: None, bg: None, add_modifier: style.add_modifier & marks, ..Style::new() }
    }

    /// The style of a whole line, over what is there.
    fn mark(&mut self, y: u16, style: Style) {
        let style = self.style(style);
        self.picture.set_style(Rect { x: 0, y, width: self.width, height: 1 }, style);
    }
}

const TITLE: Style = Style::new().add_modifier(Modifier::UNDERLINED);
/// A bar of one piece, also where a cell is dim otherwise.
const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED).remove_modifier(Modifier::DIM);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const WARNING: Style = Style::new().fg(Color::Yellow);
const BAD: Style = Style::new().fg(Color::Red);
const GOOD: Style = Style::new().fg(Color::Green);
/// Where something was found: as such also in the line that is chosen, and without colours.
const FOUND: Style =
    Style::new().fg(Color::Black).bg(Color::Yellow).add_modifier(Modifier::UNDERLINED);
