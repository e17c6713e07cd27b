//! The terminal: entered, drawn on, and given back as it was, however this ends.

use std::{
    env,
    fmt::Write as _,
    fs::File,
    io::{self, IsTerminal as _, Write as _},
    panic,
    sync::{Mutex, MutexGuard, Once, PoisonError},
    thread,
    time::{Duration, Instant},
};

use exectrail_sinks::WriteBehind;
use exectrail_tui::COLORS;
use ratatui_core::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};
use rustix::termios::{OptionalActions, SpecialCodeIndex, Termios, Winsize, tcgetattr, tcsetattr};

use crate::exit::UsageError;

/// To the other screen, without a cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
/// Back, with one.
const LEAVE: &str = "\x1b[0m\x1b[?25h\x1b[?1049l";
const CLEAR: &str = "\x1b[0m\x1b[H\x1b[J";

/// How long a terminal that is stopped may keep us from leaving.
const PATIENCE: Duration = Duration::from_secs(1);

/// While it is ours: the terminal, and the modes that it had before. Here for whoever has to
/// give it back in a hurry.
static BEFORE: Mutex<Option<(File, Termios)>> = Mutex::new(None);
static HOOKED: Once = Once::new();

/// Refuses what is no terminal.
pub(super) fn check() -> Result<(), UsageError> {
    let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
    if io::stdout().is_terminal() && keyboard().is_ok() && !is_dumb {
        return Ok(());
    }
    let what = if is_dumb {
        "TERM says that this terminal cannot draw"
    } else {
        "stdout is no terminal, or there is none to read keys from"
    };
    Err(UsageError(format!(
        "there is nothing to look around on: {what}; for a file, a pipe or a log, use a trace \
         (exectrail) or exectrail replay"
    )))
}

/// Where keys come from: also where something else comes by stdin.
pub(super) fn keyboard() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Ok(stdin.as_fd().try_clone_to_owned()?.into());
    }
    File::options().read(true).write(true).open("/dev/tty")
}

/// Columns and lines, of which a terminal can claim to have 65,535 each: no picture of such a
/// size is kept.
pub(super) fn size() -> (u16, u16) {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let known = |count: u16, otherwise, most| if count > 0 { count.min(most) } else { otherwise };
    let known = |size: Winsize| (known(size.ws_col, 80, 2000), known(size.ws_row, 24, 1000));
    size.map_or((80, 24), known)
}

/// Gives the terminal back, if it was ours. Also for a panic, which ends a release build
/// before anything is dropped.
fn restore() {
    if before().is_some() {
        let mut out = io::stdout();
        drop(out.write_all(LEAVE.as_bytes()).and_then(|()| out.flush()));
        cook();
    }
}

fn before() -> MutexGuard<'static, Option<(File, Termios)>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has keys come as they are pressed, unseen and without a meaning.
fn uncook() -> io::Result<()> {
    let terminal = keyboard()?;
    let modes = tcgetattr(&terminal)?;
    let mut raw = modes.clone();
    raw.make_raw();
    // Keys are waited for otherwise. A read that comes late finds none, and does not wait.
    raw.special_codes[SpecialCodeIndex::VMIN] = 0;
    raw.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(&terminal, OptionalActions::Now, &raw)?;
    before().get_or_insert((terminal, modes));
    Ok(())
}

/// Has them come as they did before.
fn cook() {
    if let Some((terminal, modes)) = before().take() {
        // Of a terminal that is gone, nobody misses them.
        let _ = tcsetattr(terminal, OptionalActions::Now, &modes);
    }
}

/// The terminal, and what it shows.
pub(super) struct Terminal {
    out: Option<WriteBehind>,
    shown: Buffer,
    next: Buffer,
    /// What it shows is not known.
    is_stale: bool,
}

impl Terminal {
    pub(super) fn new() -> Self {
        let (shown, next) = (Buffer::default(), Buffer::default());
        Self { out: None, shown, next, is_stale: true }
    }

    /// Leaves what is on the terminal alone, and makes place.
    pub(super) fn enter(&mut self) -> io::Result<()> {
        HOOKED.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |what| {
                restore();
                before(what);
            }));
        });
        uncook()?;
        self.is_stale = true;
        // Not by the line buffer that Rust puts before it.
        let stdout = stdout()?;
        self.out = Some(WriteBehind::new(Box::new(stdout)));
        self.put(ENTER.to_owned())
    }

    /// Whether it has come behind: what is drawn now would wait.
    pub(super) fn is_busy(&self) -> bool {
        self.out.as_ref().is_some_and(|out| out.resting() > 0)
    }

    /// Whether it can still be written to.
    pub(super) fn check(&self) -> io::Result<()> {
        self.out.as_ref().map_or(Ok(()), WriteBehind::check)
    }

    /// Draws all of it at the next time.
    pub(super) fn forget(&mut self) {
        self.is_stale = true;
    }

    /// Writes this, in one piece.
    pub(super) fn put(&mut self, text: String) -> io::Result<()> {
        let mut bytes = text.into_bytes();
        self.out.as_mut().map_or(Ok(()), |out| out.put(&mut bytes, 1))
    }

    /// Shows what is drawn: as much of it as has changed.
    pub(super) fn show(
        &mut self,
        (columns, lines): (u16, u16),
        draw: impl FnOnce(&mut Buffer),
    ) -> io::Result<()> {
        let area = Rect { x: 0, y: 0, width: columns, height: lines };
        let mut text = String::new();
        if self.is_stale || self.shown.area != area {
            self.shown = Buffer::empty(area);
            self.next = Buffer::empty(area);
            text.push_str(CLEAR);
            self.is_stale = false;
        }
        draw(&mut self.next);
        changes(&self.shown, &self.next, &mut text);
        std::mem::swap(&mut self.shown, &mut self.next);
        if text.is_empty() { Ok(()) } else { self.put(text) }
    }

    /// Gives it back as it was.
    pub(super) fn leave(&mut self) {
        let Some(mut out) = self.out.take() else { return };
        // Whoever panics meanwhile leaves twice, which is nothing.
        let mut bytes = LEAVE.as_bytes().to_vec();
        drop(out.put(&mut bytes, 1));
        let give_up = Instant::now() + PATIENCE;
        while out.check().is_ok() && out.resting() > 0 {
            if Instant::now() >= give_up {
                // A terminal that is stopped would keep its writer, and that us, for ever.
                std::mem::forget(out);
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        cook();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.leave();
    }
}

fn stdout() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// What makes one picture of the other.
fn changes(before: &Buffer, after: &Buffer, text: &mut String) {
    let mut at = None;
    let mut style = Style::reset();
    let mut is_styled = false;
    for (x, y, cell) in before.diff(after) {
        if at != Some((x, y)) {
            // A String takes everything.
            let _ = write!(text, "\x1b[{};{}H", y + 1, x + 1);
        }
        if !is_styled || style != cell.style() {
            style = cell.style();
            is_styled = true;
            put_style(style, text);
        }
        text.push_str(cell.symbol());
        // Behind the last column, and behind what is wider than a cell, it is not sure
        // where the cursor stands.
        let is_plain = cell.symbol().len() == 1 && x + 1 < after.area.width;
        at = is_plain.then_some((x + 1, y));
    }
    if is_styled {
        text.push_str("\x1b[0m");
    }
}

fn put_style(style: Style, text: &mut String) {
    text.push_str("\x1b[0");
    for (modifier, number) in [
        (Modifier::BOLD, 1),
        (Modifier::DIM, 2),
        (Modifier::UNDERLINED, 4),
        (Modifier::REVERSED, 7),
    ] {
        if style.add_modifier.contains(modifier) {
            let _ = write!(text, ";{number}");
        }
    }
    for (color, first) in [(style.fg, 30), (style.bg, 40)] {
        if let Some(number) = color.and_then(number) {
            let _ = write!(text, ";{}", first + number);
        }
    }
    text.push('m');
}

/// Of those that pictures have.
fn number(color: Color) -> Option<u8> {
    COLORS.iter().position(|known| *known == color).and_then(|number| u8::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_are_written() {
        let area = Rect { x: 0, y: 0, width: 10, height: 2 };
        let before = Buffer::empty(area);
        let mut after = before.clone();
        after.set_string(1, 1, "ab", Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        after.set_string(3, 1, "日x", Style::new());
        let mut text = String::new();
        changes(&before, &after, &mut text);
        assert_eq!(text, "\x1b[2;2H\x1b[0;1;31mab\x1b[0m日\x1b[2;6Hx\x1b[0m");
        text.clear();
        changes(&after, &after, &mut text);
        assert_eq!(text, "");
    }
}
