//! Reading: frame by frame, on behind damaged places, and up to the end that there is now.

use std::io::{self, Read};

use crate::{
    Description, Items,
    frame::{HEAD_LEN, HEADING_LEN, Head, Heading, Kind, MARKER, VERSION},
};

/// Bytes that are read at a time.
const CHUNK: usize = 256 * 1024;

/// Reads a recording, from front to back. What it holds in memory is a frame, at most.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    /// What has been read and not been left behind; the first `start` bytes have.
    buffer: Vec<u8>,
    start: usize,
    /// Where in the file the next byte is.
    offset: u64,
    /// Events in the frames so far, those that were damaged included.
    events: u64,
    description: Option<Description>,
    is_whole: bool,
    /// A damaged place that has no end yet.
    damaged: Option<Damaged>,
    head_is_damaged: bool,
    room: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Damaged {
    offset: u64,
    is_zero: bool,
}

/// Why something is not read as a recording.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is something else.
    #[error("this is no recording of exectrail")]
    Foreign,
    /// It is one that is written in another way.
    #[error(
        "this recording has version {0} of the format, and this exectrail knows version \
         {VERSION}: replay it with the exectrail that made it, or a newer one"
    )]
    Version(u16),
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What comes next in a recording.
#[derive(Debug)]
pub enum Step<'r> {
    /// What it is of. It comes first, and then now and again.
    Description(&'r Description),
    /// Events; or the account alone, which is the last of them.
    Events(Items<'r>),
    /// Something that cannot be read.
    Damage(Damage),
    /// There is no more, now: while it is written, there may be later.
    End(End),
}

/// A part of a recording that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where it begins in the file, bytes.
    pub offset: u64,
    /// How long it is, bytes.
    pub bytes: u64,
    /// Events in it; `None` where nothing behind it tells.
    pub events: Option<u64>,
}

/// How a recording ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Whether the account is there: it was ended, not cut.
    pub is_whole: bool,
    /// Bytes behind the last whole frame.
    pub rest: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the head. Of a recording that was cut within it, all that follows is its end.
    ///
    /// # Errors
    ///
    /// When it is no recording of this version, or cannot be read.
    pub fn open(input: R) -> Result<Self, OpenError> {
        let mut reader = Self {
            input,
            buffer: Vec::new(),
            start: 0,
            offset: 0,
            events: 0,
            description: None,
            is_whole: false,
            damaged: None,
            head_is_damaged: false,
            room: Vec::new(),
        };
        reader.fill(HEAD_LEN)?;
        match Head::of(reader.rest().get(..HEAD_LEN).unwrap_or(reader.rest())) {
            Head::Known => {}
            Head::Other(version) => return Err(OpenError::Version(version)),
            Head::Foreign => return Err(OpenError::Foreign),
            Head::Damaged => reader.head_is_damaged = true,
        }
        Ok(reader)
    }

    /// What comes next. After an end it can be asked again, for what was written since.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn step(&mut self) -> io::Result<Step<'_>> {
        if self.offset == 0 {
            if !self.fill(HEAD_LEN)? {
                return Ok(self.end());
            }
            self.leave_behind(HEAD_LEN);
            if self.head_is_damaged {
                let (offset, bytes) = (0, HEAD_LEN as u64);
                return Ok(Step::Damage(Damage { offset, bytes, events: Some(0) }));
            }
        }
        let Some(heading) = self.heading()? else { return Ok(self.end()) };
        if let Some(damaged) = self.damaged.take() {
            return Ok(Step::Damage(self.damage(damaged, Some(heading.first))));
        }
        if !self.fill(HEADING_LEN + heading.stored)? {
            return Ok(self.end());
        }
        if heading.first > self.events {
            // Whole frames are missing, without a trace of them.
            let damaged = Damaged { offset: self.offset, is_zero: false };
            return Ok(Step::Damage(self.damage(damaged, Some(heading.first))));
        }
        Ok(self.frame(heading))
    }

    /// The next heading, which stands at the front then. What is before it, is damaged.
    fn heading(&mut self) -> io::Result<Option<Heading>> {
        loop {
            if !self.fill(HEADING_LEN)? {
                return Ok(None);
            }
            if let Some(heading) = Heading::read(self.rest()) {
                return Ok(Some(heading));
            }
            let damaged = Damaged { offset: self.offset, is_zero: true };
            let mut damaged = self.damaged.unwrap_or(damaged);
            // Its first byte is not that of a heading, or the others are not.
            let rest = self.rest().get(1..).unwrap_or_default();
            let next = 1 + rest.iter().position(|&byte| byte == MARKER[0]).unwrap_or(rest.len());
            damaged.is_zero &= self.rest().iter().take(next).all(|&byte| byte == 0);
            self.damaged = Some(damaged);
            self.leave_behind(next);
        }
    }

    /// Takes the frame that stands at the front, all of it.
    fn frame(&mut self, heading: Heading) -> Step<'_> {
        let Heading { kind, first, count, .. } = heading;
        let len = HEADING_LEN + heading.stored;
        let (offset, start) = (self.offset, self.start);
        self.leave_behind(len);
        self.events = first.saturating_add(count.into());
        let damage = |events| {
            let events = Some(u64::from(events));
            Step::Damage(Damage { offset, bytes: len as u64, events })
        };
        let stored = self.buffer.get(start + HEADING_LEN..start + len).unwrap_or_default();
        let Some(bytes) = heading.unpack(stored, &mut self.room) else {
            return damage(count);
        };
        match kind {
            Kind::Description => match Description::read(bytes) {
                Ok(description) => Step::Description(self.description.insert(description)),
                Err(_) => damage(0),
            },
            // Without a description nobody knows of which boot they are.
            Kind::Events | Kind::Account if self.description.is_none() => damage(count),
            Kind::Events | Kind::Account => {
                self.is_whole = kind == Kind::Account;
                Step::Events(Items::new(bytes, count))
            }
        }
    }

    fn damage(&mut self, damaged: Damaged, first: Option<u64>) -> Damage {
        let events = first.map(|first| first.saturating_sub(self.events));
        self.events = first.unwrap_or(self.events).max(self.events);
        Damage { offset: damaged.offset, bytes: self.offset - damaged.offset, events }
    }

    /// The end that there is now.
    fn end(&mut self) -> Step<'static> {
        let rest = self.rest().len() as u64;
        let is_whole = self.is_whole;
        match self.damaged {
            // A host that lost its power leaves zeros where a file had grown.
            Some(damaged) if damaged.is_zero && self.rest().iter().all(|&byte| byte == 0) => {
                Step::End(End { is_whole, rest: self.offset - damaged.offset + rest })
            }
            Some(damaged) => {
                self.damaged = None;
                self.leave_behind(self.buffer.len() - self.start);
                Step::Damage(self.damage(damaged, None))
            }
            None => Step::End(End { is_whole, rest }),
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn leave_behind(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Reads until so many bytes are there, and says whether they are.
    fn fill(&mut self, bytes: usize) -> io::Result<bool> {
        if self.rest().len() >= bytes {
            return Ok(true);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.shrink_to(bytes.max(CHUNK));
        while self.buffer.len() < bytes {
            let before = self.buffer.len();
            // Bit by bit: a frame that claims to be long is not paid for before it is there.
            self.buffer.resize(before + CHUNK, 0);
            let read = self.input.read(self.buffer.get_mut(before..).unwrap_or_default());
            self.buffer.truncate(before + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Ok(false),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(true)
    }
}
