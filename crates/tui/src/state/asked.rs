//! What a state is told, and what it asks for.

use exectrail_model::{cpid::BootId, filter::Host};

/// What a state begins with.
pub struct Setup {
    /// The boot of the host that events are of, if it is known.
    pub boot: Option<BootId>,
    /// How many events are kept, at most.
    pub events: usize,
    /// How many bytes they have, at most.
    pub bytes: usize,
    /// Whether programs stand below those that they descend from.
    pub tree: bool,
    /// Whether ends of processes come.
    pub exits: bool,
    /// What names in rules mean.
    pub host: Box<dyn Host + Send>,
}

/// What others have counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Events that the kernel side saw.
    pub seen: u64,
    /// Those that rules have turned away before they came here.
    pub filtered: u64,
}

/// What a key asks of whoever has the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// To end.
    Quit,
    /// To be stopped.
    Suspend,
    /// To draw all of it anew.
    Redraw,
    /// To put this into the clipboard.
    Copy(String),
}
