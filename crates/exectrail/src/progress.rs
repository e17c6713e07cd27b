//! A line on stderr that tells how far it is, and rewrites itself.

use std::{
    env,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

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

    /// Leaves the place to others.
    pub(crate) fn clear(&mut self) {
        if self.written.take().is_some() {
            put("\r\x1b[K");
        }
    }
}

/// That nobody can see it ends nothing.
fn put(words: &str) {
    drop(io::stderr().write_all(words.as_bytes()));
}
