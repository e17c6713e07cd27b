//! Words to people, on stderr.

use std::{
    fmt,
    io::{self, Write},
};

/// Says a line. That nobody can hear it (a full disk, a reader that has gone) ends no
/// trace; `eprintln!` would panic.
pub(crate) fn say(words: fmt::Arguments<'_>) {
    // Of a piece, so that others' words stand before it or behind.
    let line = format!("exectrail: {words}\n");
    drop(io::stderr().write_all(line.as_bytes()));
}
