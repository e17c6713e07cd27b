//! The sink that is a screen: events go into a state that somebody else looks at.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use exectrail_abi::config::parts;
use exectrail_model::event::Event;
use exectrail_sinks::Sink;

use crate::State;

/// A state that events go into and that is looked at.
pub type Shared = Arc<Mutex<State>>;

/// One that several have.
#[must_use]
pub fn shared(state: State) -> Shared {
    Arc::new(Mutex::new(state))
}

/// The state, for a moment. Whoever panicked with it left it as whole as it was.
pub fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes events. Nothing here waits for a terminal.
pub struct TerminalSink(Shared);

impl TerminalSink {
    /// Into this state.
    #[must_use]
    pub fn new(state: &Shared) -> Self {
        Self(Arc::clone(state))
    }
}

impl Sink for TerminalSink {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// All of it: the details of an event can be asked for later.
    fn needs(&self) -> u32 {
        parts::ALL
    }

    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        lock(&self.0).push(event);
        Ok(())
    }

    fn end(&mut self, _summary: &Event<'_>) -> io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn unwritten(&self) -> usize {
        0
    }
}
