//! What a program finds in its own arguments. They can be anything, so it is an
//! environment variable that asks for this.

use std::{
    env,
    io::{self, Write},
    os::unix::ffi::OsStrExt,
};

/// Prints every argument with its length, four bytes in the byte order of this
/// machine, before it.
pub(crate) fn echo() {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for arg in env::args_os() {
        let length = u32::try_from(arg.len()).expect("a short argument");
        out.write_all(&length.to_ne_bytes()).expect("writing");
        out.write_all(arg.as_bytes()).expect("writing");
    }
    out.flush().expect("writing");
}
