//! How the kernel side becomes the object that is embedded in the sensor.
//!
//! The problem: a BPF object needs a compiler with a `core` for
//! `bpfel-unknown-none` and a linker built on a matching LLVM. Few machines have
//! either, and no one should need them to build a tracer whose kernel side they
//! did not touch. So the object is committed, together with a [`Record`] of the
//! sources and tools it came from, and three things follow:
//!
//! - an untouched tree embeds the committed object: stable Rust is all it takes;
//! - a tree whose kernel sources differ from the record is never embedded with a
//!   stale object: it is rebuilt, or the build fails and says what is missing;
//! - anyone with the recorded tools gets the same bytes, so the committed object
//!   can be checked instead of believed.
//!
//! The build script of the sensor and `xtask object` share this crate, so that
//! there is one recipe and one idea of "unchanged".

mod digest;
mod error;
mod provide;
mod recipe;
mod record;
mod run;
mod sources;
mod stage;
mod tools;
mod tree;

pub use digest::{of_bytes, of_sources};
pub use error::Error;
pub use provide::{Origin, Request, provide};
pub use recipe::{TARGET, build, compiler_environment};
pub use record::Record;
pub use sources::Source;
pub use tools::{Compiler, Core, Tools, Versions};
pub use tree::Tree;
