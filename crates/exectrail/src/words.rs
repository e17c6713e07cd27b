//! Words to people, on stderr.

use std::{
    collections::VecDeque,
    fmt,
    io::{self, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Lines that wait while the terminal is somebody's picture; none while it is not.
static WAITING: Mutex<Option<VecDeque<String>>> = Mutex::new(None);

/// Of those, so many of the last ones are kept.
pub(crate) const KEPT: usize = 100;

/// Says a line. That nobody can hear it (a full disk, a reader that has gone) ends no
/// trace; `eprintln!` would panic.
pub(crate) fn say(words: fmt::Arguments<'_>) {
    if let Some(waiting) = &mut *waiting() {
        if waiting.len() >= KEPT {
            waiting.pop_front();
        }
        waiting.push_back(words.to_string());
        return;
    }
    // Of a piece, so that others' words stand before it or behind.
    let line = format!("exectrail: {words}\n");
    drop(io::stderr().write_all(line.as_bytes()));
}

/// From now on, lines wait, or they do not any more. Those that have waited come back.
pub(crate) fn hold(is_held: bool) -> Vec<String> {
    let mut waiting = waiting();
    let before = waiting.take();
    *waiting = is_held.then(VecDeque::new);
    before.into_iter().flatten().collect()
}

fn waiting() -> MutexGuard<'static, Option<VecDeque<String>>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}
