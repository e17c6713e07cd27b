//! Recordings: events in a file that is only ever appended to.
//!
//! A recording is a row of frames, each of which is whole or is not there: it has its own
//! lengths and checksums, and needs none of those before it but the description. So a
//! recording can be read while it is written, up to its last whole frame after its writer
//! was killed, and on behind a damaged place. `docs/recording.md` explains every byte.
//!
//! This crate knows frames, checksums, compression and encoding; it knows no kernel and no
//! terminal, and trusts nothing that it reads.

#![forbid(unsafe_code)]

mod decode;
mod description;
mod encode;
mod frame;
mod items;
mod packer;
mod player;
mod reader;
mod tag;
mod wire;
mod writer;

pub use decode::Decoder;
pub use description::Description;
pub use encode::Encoder;
pub use frame::{FRAME_MAX, VERSION};
pub use items::{Item, Items};
pub use packer::Packer;
pub use player::Player;
pub use reader::{Damage, End, OpenError, Reader, Step};
pub use wire::Malformed;
pub use writer::Writer;

#[cfg(test)]
mod tests;
