//! The control socket: what a running exectrail can be asked and told.
//!
//! A stream socket in a directory that only its owner may enter, `PID.sock`
//! ([`place`]). Requests and replies are JSON, one object a line, and every request
//! gets one reply, in order:
//!
//! ```text
//! {"v":1,"ask":"rules"}
//! {"v":1,"ask":"dump"}
//! {"v":1,"ask":{"add":[{"verdict":"exclude","rule":"/usr/bin/sleep"}]}}
//! {"v":1,"ask":{"remove":["3","/usr/bin/sleep","builds"]}}
//! {"v":1,"ask":{"replace":{"rules":[...],"config":{"path":"f.toml","text":"..."}}}}
//! {"v":1,"ask":{"test":{"filename":"/bin/ls","args":["ls"],"given":[["user","root"]]}}}
//!
//! {"v":1,"ok":{"rules":{...}}}    or "changed", "judged", "dump": see `message`
//! {"v":1,"error":{"kind":"usage","message":"..."}}
//! ```
//!
//! `v` is the version: what is added to a reply does not change it, anything else does,
//! and a request of another version is refused by name. What changes rules does so as
//! a whole or not at all.
//!
//! It is served between records, by the one thread that there is, so nothing here ever
//! waits: a client that is slow, silent, or sends too much is left behind.

mod connection;
mod live;
pub(crate) mod message;
pub(crate) mod place;
mod server;
pub(crate) mod trial;

pub(crate) use live::{Live, rule_of};
pub(crate) use server::Server;
