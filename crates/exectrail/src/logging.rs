//! Words to people who debug: on stderr, from `warn` on, or from the level in
//! `RUST_LOG`. Levels by module are not known; nobody has missed them yet.

use std::env;

use log::{LevelFilter, Log, Metadata, Record};

use crate::words::say;

struct Stderr;

impl Log for Stderr {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // Aya and its parts tell at `debug` more than anyone wants to read.
        if record.target().starts_with("exectrail") || record.level() <= log::Level::Warn {
            say(format_args!("{}: {}", record.level().as_str().to_lowercase(), record.args()));
        }
    }

    fn flush(&self) {}
}

/// Starts logging.
pub(crate) fn start() {
    let level = env::var("RUST_LOG").ok().and_then(|text| text.parse().ok());
    if log::set_logger(&Stderr).is_ok() {
        log::set_max_level(level.unwrap_or(LevelFilter::Warn));
    }
}
