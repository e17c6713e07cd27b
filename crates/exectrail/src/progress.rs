//! A line on stderr that tells how far it is, and rewrites itself.

use std::{
    env,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// How long it stays as it is, at most, where nothing happens.
const AGAIN: Duration = Duration::from_secs(1);

/// How often, at most: a line that changes faster cannot be read.
const EVERY: Duration = Duration::from_millis(250);

/// The line. Where stderr is no terminal that can rewrite one, there is none.
pub(crate) struct Progress {
    has_terminal: bool,
    /// When the last one was written.
    written: Option<Instant>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self { has_terminal: io::stderr().is_terminal() && !is_dumb, written: None }
    }

    /// Shows these words in the place of the last ones.
    pub(crate) fn show(&mut self, words: impl FnOnce() -> String) {
        if self.has_terminal && self.written.is_none_or(|written| written.elapsed() >= EVERY) {
            self.written = Some(Instant::now());
            put(&format!("\r\x1b[Kexectrail: {}", words()));
        }
    }

    /// When it is to be shown again, at the latest.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.has_terminal.then(|| self.written.map_or_else(Instant::now, |written| written + AGAIN))
    }

    /// Leaves the place to others.
    pub(crate) fn clear(&mut self) {
        if self.written.take().is_some() {
            put("\r\x1b[K");
        }
    }
}

/// How much there is more of something per second.
pub(crate) struct Rate {
    at: Instant,
    total: u64,
}

impl Rate {
    /// From now on, of what begins with nothing.
    pub(crate) fn new() -> Self {
        Self { at: Instant::now(), total: 0 }
    }

    /// Since it was last asked; by now there are `total`.
    pub(crate) fn ask(&mut self, total: u64) -> u64 {
        let millis = u64::try_from(self.at.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let more = total.saturating_sub(self.total);
        *self = Self { at: Instant::now(), total };
        more.saturating_mul(1000) / millis
    }
}

/// That nobody can see it ends nothing.
fn put(words: &str) {
    drop(io::stderr().write_all(words.as_bytes()));
}
