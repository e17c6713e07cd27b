//! States that events and keys have made, and how they look.

mod golden;
mod kept;
mod keys;

use std::{fs, path::PathBuf};

use exectrail_abi::record::Process;
use exectrail_model::{
    args::Args,
    event::{Body, Ended, Event, Failure, Lost, Moment, NO_PROCESS, Parent, Program, Status},
    fields::Field,
};
use exectrail_recording::{Decoder, Reader, Step};
use jiff::tz::{TimeZone, offset};
use ratatui_core::{buffer::Buffer, layout::Rect};

use crate::{Effect, Key, Look, Setup, State, draw};

/// A state, and what it is looked at with.
struct Desk {
    state: State,
    look: Look,
}

impl Desk {
    fn new(columns: u16, lines: u16) -> Self {
        Self::with(columns, lines, 1000, None, true)
    }

    fn with(
        columns: u16,
        lines: u16,
        events: usize,
        fields: Option<&[&'static Field]>,
        color: bool,
    ) -> Self {
        let setup = Setup {
            boot: None,
            events,
            bytes: crate::BYTES_KEPT,
            tree: false,
            exits: true,
            host: Box::new(()),
        };
        let mut state = State::new(setup);
        state.resized(columns, lines);
        Self { state, look: Look::new(None, fields, color, Some(TimeZone::fixed(offset(2)))) }
    }

    fn takes(&mut self, event: &Event<'_>) {
        self.state.push(event);
    }

    /// Does all there is to do.
    fn settle(&mut self) {
        while self.state.work(&mut self.look) {}
    }

    fn key(&mut self, key: Key) -> Option<Effect> {
        self.settle();
        let effect = self.state.key(key, &mut self.look);
        self.settle();
        effect
    }

    fn types(&mut self, text: &str) {
        for letter in text.chars() {
            self.key(Key::Char(letter));
        }
    }

    fn picture(&mut self) -> Buffer {
        self.settle();
        let (width, height) = self.state.size();
        let mut picture = Buffer::empty(Rect { x: 0, y: 0, width, height });
        draw(&self.state, &mut self.look, &mut picture);
        picture
    }

    /// What is seen, without the blanks at the ends of lines.
    fn lines(&mut self) -> Vec<String> {
        let picture = self.picture();
        let lines = picture.content().chunks(picture.area.width.max(1).into());
        lines.map(line_of).collect()
    }

    fn text(&mut self) -> String {
        self.lines().join("\n") + "\n"
    }

    fn has(&mut self, words: &str) -> bool {
        self.lines().iter().any(|line| line.contains(words))
    }
}

/// A character that is wider than a cell is followed by one that shows nothing.
fn line_of(cells: &[ratatui_core::buffer::Cell]) -> String {
    let mut line = String::new();
    let mut covered = 0;
    for cell in cells {
        if covered > 0 {
            covered -= 1;
            continue;
        }
        line.push_str(cell.symbol());
        covered = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
    }
    line.trim_end().to_owned()
}

/// Each event of the golden recording.
fn golden(take: &mut dyn FnMut(&Event<'_>)) {
    let path = [env!("CARGO_MANIFEST_DIR"), "../sinks/tests/sinks/golden/all.rec"];
    let bytes = fs::read(path.iter().collect::<PathBuf>()).unwrap();
    let mut reader = Reader::open(bytes.as_slice()).unwrap();
    let mut decoder = Decoder::new(None);
    loop {
        match reader.step().unwrap() {
            Step::Description(description) => decoder = Decoder::new(description.boot),
            Step::Events(items) => {
                for item in items.map(Result::unwrap) {
                    take(&decoder.body(item.bytes, item.moment).unwrap());
                }
            }
            Step::Damage(damage) => panic!("{damage:?}"),
            Step::End(_) => return,
        }
    }
}

fn process(pid: u32) -> Process {
    Process { pid, ns_pid: pid, start: 1_000_000, ..NO_PROCESS }
}

fn event<'a>(body: &Body<'a>) -> Event<'a> {
    let moment = Moment { ktime: 5_000_000_000, wall: 1_787_491_400_000_000_000 };
    Event { moment, body: *body }
}

fn program(pid: u32, args: &str) -> Program<'_> {
    let parent = Parent { process: process(pid - 1), id: None, image: 0, comm: b"", exe: None };
    Program {
        process: process(pid),
        parent: Some(parent),
        exe: Some(b"/usr/bin/some"),
        args: Some(Args::whole(args.as_bytes())),
        ..Program::UNKNOWN
    }
}

fn exec(pid: u32, args: &str) -> Event<'_> {
    event(&Body::Exec(program(pid, args)))
}

fn failed(pid: u32, args: &str) -> Event<'_> {
    event(&Body::Failed(program(pid, args), Failure { errno: 2 }))
}

fn end(pid: u32, status: u32) -> Event<'static> {
    let (status, duration) = (Some(Status(status)), Some(37_000_000));
    event(&Body::Exit(Ended { process: process(pid), status, duration, ..Ended::UNKNOWN }))
}

fn lost(count: u64) -> Event<'static> {
    event(&Body::Lost(Lost { count, reason: "ring_full", cpu: 1 }))
}
