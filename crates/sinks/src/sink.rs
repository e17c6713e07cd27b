//! What every sink can do.

use std::io::{self, BufWriter, Write};

use exectrail_model::event::Event;

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

    /// Writes what stands below the last event, and flushes.
    ///
    /// # Errors
    ///
    /// When the writer below fails.
    fn end(&mut self, summary: &Event<'_>) -> io::Result<()>;

    /// Hands on what rests in the buffer. Called after each batch, so that a
    /// storm costs few system calls and a quiet host shows each event at once.
    ///
    /// # Errors
    ///
    /// When the writer below fails.
    fn flush(&mut self) -> io::Result<()>;
}

/// A writer of whole lines.
///
/// A line that does not fit into the rest of the buffer goes behind a flush and
/// not half before it: who follows the file or the pipe never sees half a line,
/// unless the line alone is larger than the buffer.
pub(crate) struct Lines(BufWriter<Box<dyn Write + Send>>);

impl Lines {
    const BUFFER: usize = 64 * 1024;

    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Self(BufWriter::with_capacity(Self::BUFFER, out))
    }

    /// Writes `line`, which ends with a newline.
    pub(crate) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.0.write_all(line)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
