//! Every sink at once, and what holds of every line that any of them writes.

use std::{
    cell::RefCell,
    io::{self, Write},
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use exectrail_model::{
    event::{Body, Event, Moment, Summary},
    fields::FIELDS,
};
use exectrail_sinks::{Options, SINKS, Sink, SinkKind, Width, summary_words};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::shell::is_harmless;

/// Bytes that can be taken away while a sink writes.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> String {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8(mem::take(&mut bytes)).expect("a sink wrote what is no UTF-8")
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Output {
    name: &'static str,
    terminal: bool,
    written: Written,
    sink: Box<dyn Sink>,
}

thread_local! {
    /// Each sink, plain with all fields and as a terminal would have it. To make them
    /// costs more than to use them, so they are kept from one input to the next.
    static OUTPUTS: RefCell<Vec<Output>> = RefCell::new(
        SINKS
            .iter()
            .flat_map(|kind| [(kind, false), (kind, true)])
            // To JSON it is all one where it goes.
            .filter(|(kind, terminal)| kind.name != "json" || !terminal)
            .map(|(kind, terminal)| Output::new(kind, terminal))
            .collect(),
    );
}

impl Output {
    fn new(kind: &'static SinkKind, terminal: bool) -> Self {
        let written = Written::default();
        let mut sink = (kind.build)(Options {
            fields: (!terminal).then(|| FIELDS.iter().collect()),
            color: terminal,
            failed: true,
            exits: true,
            width: terminal.then(|| -> Width { Box::new(|| Some(100)) }),
            time_zone: Some(TimeZone::UTC),
            ..Options::new(Box::new(written.clone()))
        });
        sink.begin().expect("memory takes everything");
        written.take();
        Self { name: kind.name, terminal, written, sink }
    }

    /// The lines that have come since the last time.
    fn lines(&mut self) -> String {
        self.sink.flush().expect("memory takes everything");
        self.written.take()
    }

    /// The object that has been written, if this writes all of it as one.
    fn check(&mut self) -> Option<Value> {
        let text = self.lines();
        let Some(line) = text.strip_suffix('\n') else {
            assert!(text.is_empty(), "{}: no whole line: {text:?}", self.name);
            return None;
        };
        if self.name != "json" {
            let line = if self.terminal { without_colors(line) } else { line.to_owned() };
            assert!(is_harmless(&line), "{}: {line:?}", self.name);
            return None;
        }
        assert!(!line.contains(char::is_control), "a control character: {line:?}");
        let object: Value = serde_json::from_str(line).expect("a line is JSON");
        assert!(object.is_object());
        Some(object)
    }
}

/// Shows an event everywhere. What comes back is the object of the JSON line.
pub fn show(event: &Event<'_>) -> Value {
    OUTPUTS.with_borrow_mut(|outputs| {
        let mut object = Value::Null;
        for output in outputs {
            output.sink.event(event).expect("memory takes everything");
            object = output.check().unwrap_or(object);
        }
        object
    })
}

/// Ends everywhere, with this account.
pub fn end(summary: Summary) {
    show(&Event { moment: Moment::default(), body: Body::Summary(summary) });
    assert!(is_harmless(&summary_words(&summary)));
}

/// Without the sequences that choose colours; whoever brings others is found out.
fn without_colors(line: &str) -> String {
    let mut parts = line.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';');
        match end.map(|end| part.split_at(end)) {
            Some((_, after)) if after.starts_with('m') => plain.push_str(&after[1..]),
            _ => plain.push('\x1b'),
        }
    }
    plain
}
