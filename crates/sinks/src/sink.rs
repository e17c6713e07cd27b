//! What every sink can do.

use std::{
    io::{self, Write},
    time::Instant,
};

use exectrail_model::{event::Event, report::Report};

use crate::behind::{BUFFER, WriteBehind, lines, write_all};

/// Where events go.
///
/// `begin`, any number of `event`s and `flush`es, `end`.
pub trait Sink: Send {
    /// Writes what stands above the first event, and flushes it: the reader
    /// sees at once that the stream is open.
    ///
    /// # Errors
    ///
    /// When the writer below fails.
    fn begin(&mut self) -> io::Result<()>;

    /// What it needs of a record, as bits of the model's
    /// [`Field::needs`](exectrail_model::fields::Field::needs): the rest need not be
    /// collected.
    fn needs(&self) -> u32;

    /// Writes one event. It may rest in a buffer until [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// When the writer below fails.
    fn event(&mut self, event: &Event<'_>) -> io::Result<()>;

    /// Whether it has a form for reports.
    fn has_reports(&self) -> bool {
        false
    }

    /// Writes what there is to say at the end of a command or of a recording, before the
    /// summary; nothing where there is [no form](Self::has_reports) for it.
    ///
    /// # Errors
    ///
    /// When the writer below fails.
    fn report(&mut self, _report: &Report<'_>) -> io::Result<()> {
        Ok(())
    }

    /// Writes what stands below the last event, and flushes.
    ///
    /// # Errors
    ///
    /// When the writer below fails.
    fn end(&mut self, summary: &Event<'_>) -> io::Result<()>;

    /// Hands on what rests in the buffer.
    ///
    /// # Errors
    ///
    /// When the writer below fails.
    fn flush(&mut self) -> io::Result<()>;

    /// A batch of events has come to its end: called after each, so that a storm costs
    /// few system calls and a quiet host shows each event at once. Where what rests may
    /// rest on for a while, [`due`](Self::due) says for how long.
    ///
    /// # Errors
    ///
    /// When the writer below fails.
    fn batch_ends(&mut self) -> io::Result<()> {
        self.flush()
    }

    /// When [`batch_ends`](Self::batch_ends) is to be called, at the latest, whether or not
    /// there is another event; `None` where nothing waits for it.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// Of the events that were handed over, how many of the last ones are not out: they
    /// rest in the buffer, or the writer below has failed with them.
    fn unwritten(&self) -> usize;
}

/// A writer of whole lines, which knows how many are not out.
///
/// A line that does not fit into the rest of the buffer goes behind a flush and
/// not half before it: who follows the file or the pipe never sees half a line,
/// unless the line alone is larger than the buffer.
pub(crate) struct Lines {
    out: Out,
    buffer: Vec<u8>,
    /// Those that end in the buffer.
    unwritten: usize,
}

enum Out {
    Here(Box<dyn Write + Send>),
    Behind(WriteBehind),
}

impl Lines {
    /// Writes here, or, for a place that can take long, lets a thread write.
    pub(crate) fn new(out: Box<dyn Write + Send>, can_take_long: bool) -> Self {
        let out = if can_take_long { Out::Behind(WriteBehind::new(out)) } else { Out::Here(out) };
        Self { out, buffer: Vec::with_capacity(BUFFER), unwritten: 0 }
    }

    /// Writes `line`, which ends with a newline.
    pub(crate) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let is_full = self.buffer.len() + line.len() > BUFFER;
        let made_room = if is_full { self.hand_on() } else { Ok(()) };
        self.buffer.extend_from_slice(line);
        self.unwritten += 1;
        made_room?;
        if self.buffer.len() > BUFFER {
            self.hand_on()?;
            self.buffer.shrink_to(BUFFER);
        }
        Ok(())
    }

    /// Empties the buffer, and does not wait for a place that can take long.
    pub(crate) fn hand_on(&mut self) -> io::Result<()> {
        match &mut self.out {
            Out::Here(out) => {
                let (written, outcome) = write_all(out, &self.buffer);
                // After a failure, what is left begins in the midst of a line, maybe.
                self.buffer.drain(..written);
                self.unwritten = lines(&self.buffer);
                outcome
            }
            Out::Behind(behind) if self.buffer.is_empty() => behind.check(),
            Out::Behind(behind) => {
                behind.put(&mut self.buffer, self.unwritten)?;
                self.unwritten = 0;
                Ok(())
            }
        }
    }

    /// Waits until all is out.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.hand_on()?;
        match &mut self.out {
            Out::Here(out) => out.flush(),
            Out::Behind(behind) => behind.flush(),
        }
    }

    /// When to ask again whether all is well, at the latest.
    pub(crate) fn due(&self) -> Option<Instant> {
        if let Out::Behind(behind) = &self.out { behind.due() } else { None }
    }

    pub(crate) fn unwritten(&self) -> usize {
        let behind = if let Out::Behind(behind) = &self.out { behind.resting() } else { 0 };
        self.unwritten + behind
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use super::Lines;

    /// Has room for so many bytes.
    #[derive(Clone)]
    struct Disk(Arc<Mutex<Vec<u8>>>, usize);

    impl Disk {
        fn of(room: usize) -> Self {
            Self(Arc::default(), room)
        }

        fn lines(&self) -> usize {
            self.0.lock().unwrap().split(|&byte| byte == b'\n').count() - 1
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().unwrap();
            let taken = bytes.len().min(self.1 - disk.len());
            if taken == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            disk.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn line(length: usize) -> Vec<u8> {
        [vec![b'x'; length - 1], b"\n".to_vec()].concat()
    }

    /// Wherever the disk is full: a line is out, or it is not.
    #[test]
    fn each_line_is_out_or_unwritten() {
        for length in [1, 7, 100, 4096, 70_000] {
            for room in [0, 1, length - 1, length, length + 1, 65_536, 65_537, 200_000, 300_001] {
                let disk = Disk::of(room);
                let mut lines = Lines::new(Box::new(disk.clone()), true);
                let mut handed = 0;
                while handed < 301 && lines.write(&line(length)).is_ok() {
                    handed += 1;
                }
                let handed = handed + usize::from(handed < 301);
                let is_out = lines.flush().is_ok();
                // What is out in part is not out; lines of this disk are.
                assert_eq!(disk.lines() + lines.unwritten(), handed, "{length} {room}");
                assert_eq!(is_out, handed * length <= room, "{length} {room}");
            }
        }
    }

    /// The same where nobody writes behind.
    #[test]
    fn each_line_is_out_or_unwritten_here() {
        for length in [1, 7, 100, 4096, 70_000] {
            for room in [0, 1, length - 1, length, length + 1, 65_536, 65_537, 200_000, 300_001] {
                let disk = Disk::of(room);
                let mut lines = Lines::new(Box::new(disk.clone()), false);
                let mut handed = 0;
                while lines.write(&line(length)).is_ok() {
                    handed += 1;
                    if handed % 997 == 0 {
                        assert_eq!(disk.lines() + lines.unwritten(), handed, "{length} {room}");
                    }
                }
                assert_eq!(disk.lines() + lines.unwritten(), handed + 1, "{length} {room}");
                assert!(lines.flush().is_err());
                assert_eq!(disk.lines() + lines.unwritten(), handed + 1, "{length} {room}");
            }
        }
    }

    #[test]
    fn a_flush_leaves_nothing() {
        for can_take_long in [false, true] {
            let disk = Disk::of(1 << 20);
            let mut lines = Lines::new(Box::new(disk.clone()), can_take_long);
            for length in [10, 60_000, 10_000, 100_000, 10] {
                lines.write(&line(length)).unwrap();
            }
            lines.flush().unwrap();
            assert_eq!((disk.lines(), lines.unwritten()), (5, 0));
        }
    }
}
