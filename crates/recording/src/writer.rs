//! Writing: events are gathered, and go out a frame at a time.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use exectrail_model::event::Event;

use crate::{
    Description,
    encode::Encoder,
    frame::{self, Heading, Kind},
};

/// From so many bytes on, a frame is full: twice what the compression looks back.
const FULL: usize = 128 * 1024;

/// How old a frame's first event may become before it goes out.
const AGE: Duration = Duration::from_secs(1);

/// After so many bytes the description is written again, for readers that have lost it.
const DESCRIBE_AGAIN: usize = 1 << 20;

/// Writes a recording. Each frame is handed to the writer below in one piece.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    description: Vec<u8>,
    encoder: Encoder,
    /// The events of the frame that is being filled.
    events: Vec<u8>,
    count: u32,
    /// When the first of them came.
    since: Option<Instant>,
    /// Events in the frames that are out.
    written: u64,
    /// Bytes since the description.
    undescribed: usize,
    frame: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a recording.
    ///
    /// # Errors
    ///
    /// When the writer below fails.
    pub fn begin(out: W, description: &Description) -> io::Result<Self> {
        let mut bytes = Vec::new();
        description.write(&mut bytes);
        let mut writer = Self {
            out,
            description: bytes,
            encoder: Encoder::new(description.boot),
            events: Vec::with_capacity(FULL),
            count: 0,
            since: None,
            written: 0,
            undescribed: 0,
            frame: frame::head().to_vec(),
        };
        writer.put_description();
        writer.out.write_all(&writer.frame)?;
        Ok(writer)
    }

    /// Takes an event. It may rest until the frame is full, or [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// When the writer below fails: the events of the frame are not out.
    pub fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.encoder.event(event, &mut self.events);
        self.count += 1;
        if self.since.is_none() {
            self.since = Some(Instant::now());
        }
        if self.events.len() >= FULL { self.flush() } else { Ok(()) }
    }

    /// The writer below.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// The writer below. What rests here is gone.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// When the events that rest here have rested for long enough.
    pub fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + AGE)
    }

    /// Of the events that were handed over, how many are not out.
    pub fn unwritten(&self) -> usize {
        self.count as usize
    }

    /// Writes the frame, whether or not it is full.
    ///
    /// # Errors
    ///
    /// When the writer below fails.
    pub fn flush(&mut self) -> io::Result<()> {
        self.put_out(Kind::Events)
    }

    /// Writes what rests here, and the account, with which a recording is whole.
    ///
    /// # Errors
    ///
    /// When the writer below fails.
    pub fn end(&mut self, summary: &Event<'_>) -> io::Result<()> {
        self.flush()?;
        self.encoder.event(summary, &mut self.events);
        self.count = 1;
        self.put_out(Kind::Account)?;
        self.out.flush()
    }

    fn put_out(&mut self, kind: Kind) -> io::Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        self.frame.clear();
        if self.undescribed >= DESCRIBE_AGAIN {
            self.put_description();
        }
        let Self { events, frame, written, count, .. } = self;
        put(frame, kind, events, (*written, *count));
        self.out.write_all(frame)?;
        self.undescribed += self.frame.len();
        self.written += u64::from(self.count);
        self.count = 0;
        self.since = None;
        self.events.clear();
        self.events.shrink_to(FULL);
        self.frame.shrink_to(FULL);
        self.encoder.begin_frame();
        Ok(())
    }

    fn put_description(&mut self) {
        put(&mut self.frame, Kind::Description, &self.description, (self.written, 0));
        self.undescribed = 0;
    }
}

/// Appends a frame of these bytes.
fn put(out: &mut Vec<u8>, kind: Kind, bytes: &[u8], (first, count): (u64, u32)) {
    let start = out.len();
    let behind = start + frame::HEADING_LEN;
    out.resize(behind + lz4_flex::block::get_maximum_output_size(bytes.len()), 0);
    let room = out.get_mut(behind..).unwrap_or_default();
    let packed = lz4_flex::block::compress_into(bytes, room).ok();
    let packed = packed.filter(|&packed| packed < bytes.len());
    let stored = packed.unwrap_or(bytes.len());
    out.truncate(behind + packed.unwrap_or(0));
    if packed.is_none() {
        out.extend_from_slice(bytes);
    }
    let heading = Heading {
        kind,
        is_packed: packed.is_some(),
        stored,
        len: bytes.len(),
        first,
        count,
        checksum: crc32fast::hash(out.get(behind..).unwrap_or_default()),
    };
    if let Some(place) = out.get_mut(start..behind) {
        place.copy_from_slice(&heading.bytes());
    }
}
