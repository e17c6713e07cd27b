//! Between the state and the terminal: keys go there, pictures come back.

use std::{
    io::{self, Read as _},
    os::{
        fd::{AsFd as _, BorrowedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use exectrail_model::fields::Field;
use exectrail_sinks::{Sink, base64_text};
use exectrail_tui::{
    BYTES_KEPT, EVENTS_KEPT, Effect, Look, Setup, Shared, State, TerminalSink, draw, lock, shared,
};
use nix::sys::signal::{Signal, raise};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    keyboard::Keyboard,
    terminal::{self, Terminal},
};
use crate::{
    signals::{Requests, resizes},
    words,
};

/// Between two pictures: nobody reads faster.
const FRAME: Duration = Duration::from_millis(66);

/// How often the number of events per second is told anew.
const PACE: Duration = Duration::from_secs(1);

/// What terminals take for the clipboard, about; xterm takes 75,000 bytes of base64.
const COPIED: usize = 50_000;

/// How many events are kept, and how many bytes they may have: for more events, more.
pub(super) fn kept(asked: Option<u64>) -> (usize, usize) {
    let events = asked.and_then(|asked| usize::try_from(asked).ok()).unwrap_or(EVENTS_KEPT);
    (events, BYTES_KEPT.saturating_mul(events.div_ceil(EVENTS_KEPT)))
}

/// Whether somebody has had enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    More,
    End,
}

/// A state, and the terminal that it is seen on.
pub(super) struct Interface {
    pub(super) shared: Shared,
    look: Look,
    terminal: Terminal,
    keyboard: Keyboard,
    resized: UnixStream,
    begun: Instant,
    /// When the last picture was made, and when the pace was told.
    drawn: Instant,
    paced: Instant,
    /// Whether there is something to do besides drawing.
    has_work: bool,
    /// What was said meanwhile, for the end.
    said: Vec<String>,
    is_entered: bool,
}

impl Interface {
    pub(super) fn new(
        setup: Setup,
        fields: Option<&[&'static Field]>,
        color: bool,
    ) -> anyhow::Result<Self> {
        let look = Look::new(setup.boot, fields, color, None);
        let keyboard = terminal::keyboard().context("opening the terminal for keys")?;
        let now = Instant::now();
        Ok(Self {
            shared: shared(State::new(setup)),
            look,
            terminal: Terminal::new(),
            keyboard: Keyboard::new(keyboard),
            resized: resizes().context("preparing for signals")?,
            begun: now,
            drawn: now,
            paced: now,
            has_work: false,
            said: Vec::new(),
            is_entered: false,
        })
    }

    pub(super) fn sink(&self) -> Box<dyn Sink> {
        Box::new(TerminalSink::new(&self.shared))
    }

    /// Takes the terminal, and draws. Whatever is said from now on waits.
    pub(super) fn enter(&mut self) {
        self.said.extend(words::hold(true));
        self.is_entered = true;
        let entered = self.terminal.enter();
        if let Err(error) = entered {
            log::warn!("the terminal cannot be drawn on: {error}");
        }
        self.resize();
        self.draw();
    }

    fn resize(&mut self) {
        let (columns, lines) = terminal::size();
        lock(&self.shared).resized(columns, lines);
    }

    /// What it waits for.
    pub(super) fn watched(&self) -> Vec<BorrowedFd<'_>> {
        if self.is_entered { vec![self.keyboard.as_fd(), self.resized.as_fd()] } else { Vec::new() }
    }

    /// When it wants to draw, or to go on with what it does.
    pub(super) fn due(&self) -> Option<Instant> {
        if !self.is_entered {
            return None;
        }
        let state = lock(&self.shared);
        let frame = if self.has_work {
            Some(Instant::now())
        } else {
            state.is_changed().then(|| self.drawn + FRAME)
        };
        let pace = (!state.is_over()).then(|| self.paced + PACE);
        frame.into_iter().chain(pace).min()
    }

    /// Whether the next turn draws.
    pub(super) fn is_to_draw(&self) -> bool {
        self.is_entered && self.drawn.elapsed() >= FRAME
    }

    /// Does what there is to do; draws, if it is time.
    pub(super) fn turn(&mut self) {
        if !self.is_entered || !self.has_work && !self.is_to_draw() {
            return;
        }
        let mut state = lock(&self.shared);
        if self.paced.elapsed() >= PACE {
            self.paced = Instant::now();
            let millis = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            state.tick(millis);
        }
        self.has_work = state.work(&mut self.look);
        drop(state);
        if self.is_to_draw() {
            self.draw();
        }
    }

    /// Makes a picture, unless the terminal has still to do with the last one.
    fn draw(&mut self) {
        let Self { shared, look, terminal, said, .. } = self;
        let words = words::hold(true);
        let mut state = lock(shared);
        if let Some(last) = words.last() {
            state.say(last);
        }
        said.extend(words);
        said.drain(..said.len().saturating_sub(words::KEPT));
        self.drawn = Instant::now();
        if terminal.is_busy() || !state.is_changed() {
            return;
        }
        state.work(look);
        state.take_changed();
        // That it cannot be written is found when it is attended to.
        drop(terminal.show(state.size(), |picture| draw(&state, look, picture)));
    }

    /// Takes the keys that were pressed, and another size of the terminal.
    pub(super) fn attend(&mut self) -> Asked {
        let mut is_resized = false;
        while self.resized.read(&mut [0; 64]).is_ok_and(|read| read > 0) {
            is_resized = true;
        }
        if is_resized {
            self.resize();
        }
        let Ok(keys) = self.keyboard.pressed() else { return Asked::End };
        if self.terminal.check().is_err() {
            return Asked::End;
        }
        for key in keys {
            let effect = lock(&self.shared).key(key, &mut self.look);
            if self.does(effect) == Asked::End {
                return Asked::End;
            }
        }
        // An answer to a key is not kept waiting, unless they come in a row.
        self.has_work = true;
        Asked::More
    }

    fn does(&mut self, effect: Option<Effect>) -> Asked {
        match effect {
            None => {}
            Some(Effect::Quit) => return Asked::End,
            Some(Effect::Redraw) => self.terminal.forget(),
            Some(Effect::Suspend) => self.suspend(),
            Some(Effect::Copy(command)) if command.len() > COPIED => {
                lock(&self.shared)
                    .say("this is too long for the clipboard; p prints it at the end");
            }
            Some(Effect::Copy(command)) => {
                let sequence = format!("\x1b]52;c;{}\x07", base64_text(command.as_bytes()));
                drop(self.terminal.put(sequence));
            }
        }
        Asked::More
    }

    /// Is stopped, as a shell's other jobs are, until it is to go on.
    fn suspend(&mut self) {
        self.terminal.leave();
        let _ = raise(Signal::SIGTSTP);
        drop(self.terminal.enter());
        self.resize();
    }

    /// Goes on without events until somebody has had enough.
    pub(super) fn linger(&mut self) -> anyhow::Result<()> {
        lock(&self.shared).ends();
        let mut requests = Requests::listen().context("preparing for signals")?;
        while self.wait(&mut requests, None)? == Asked::More {}
        Ok(())
    }

    /// Waits for keys, for signals, and until it is time to draw, or for so long; then does
    /// what there is to do.
    pub(super) fn wait(
        &mut self,
        requests: &mut Requests,
        most: Option<Duration>,
    ) -> anyhow::Result<Asked> {
        let until = self.due().map(|due| due.saturating_duration_since(Instant::now()));
        let patience = [until, most].into_iter().flatten().min();
        let patience = patience.and_then(|patience| Timespec::try_from(patience).ok());
        let mut fds: Vec<_> = [requests.end.as_fd(), requests.reload.as_fd()]
            .into_iter()
            .chain(self.watched())
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        match poll(&mut fds, patience.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(io::Error::from(error)).context("waiting for keys"),
        }
        let is_ready: Vec<_> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let is_ready = |index: usize| is_ready.get(index).copied().unwrap_or(false);
        if is_ready(0) || is_ready(1) && !requests.is_to_reload() {
            return Ok(Asked::End);
        }
        if (is_ready(2) || is_ready(3)) && self.attend() == Asked::End {
            return Ok(Asked::End);
        }
        self.turn();
        Ok(Asked::More)
    }

    /// Gives the terminal back, says what was said meanwhile, and has what is to be printed.
    pub(super) fn leave(mut self) -> Vec<String> {
        self.terminal.leave();
        self.said.extend(words::hold(false));
        for line in &self.said {
            words::say(format_args!("{line}"));
        }
        lock(&self.shared).take_printed()
    }
}
