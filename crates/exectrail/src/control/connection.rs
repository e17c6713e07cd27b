//! A client of the control socket, whom nothing obliges to behave.

use std::{
    io::{self, ErrorKind, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use super::message::REQUEST_MAX;

/// How long a request may take to come, and a reply to be read.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most that is read at a time: then it is the trace's turn again.
const READ_MAX: u64 = 256 << 10;

/// What is to become of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It waits for its client to say something.
    Read,
    /// It has something to say, or to answer.
    Write,
    /// It is over.
    End,
}

/// A client, and what is on its way between us.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    input: Vec<u8>,
    /// So far there is no end of a line in it.
    searched: usize,
    output: Vec<u8>,
    written: usize,
    /// When it last did what it should.
    since: Instant,
    /// It is over when the output is written.
    is_last: bool,
}

impl Connection {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            input: Vec::new(),
            searched: 0,
            output: Vec::new(),
            written: 0,
            since: Instant::now(),
            is_last: false,
        })
    }

    pub(super) fn is_too_slow(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) > PATIENCE
    }

    /// Reads some, answers one request, and writes some.
    pub(super) fn serve(&mut self, answer: &mut dyn FnMut(Line<'_>) -> Vec<u8>) -> Next {
        if self.output.is_empty() && self.end_of_line().is_none() && self.read().is_err() {
            return Next::End;
        }
        if self.output.is_empty() {
            self.answer(answer);
        }
        if self.write().is_err() {
            return Next::End;
        }
        let has_more = !self.output.is_empty() || self.end_of_line().is_some();
        match (has_more, self.is_last) {
            (true, _) => Next::Write,
            (false, true) => Next::End,
            (false, false) => Next::Read,
        }
    }

    fn read(&mut self) -> io::Result<()> {
        let before = self.input.len();
        match (&self.stream).take(READ_MAX).read_to_end(&mut self.input) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
            // The client has said all that it had to say.
            Ok(_) if (self.input.len() - before) < usize::try_from(READ_MAX).unwrap_or(0) => {
                self.is_last = true;
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    fn answer(&mut self, answer: &mut dyn FnMut(Line<'_>) -> Vec<u8>) {
        if let Some(end) = self.end_of_line() {
            let line = self.input.get(..end).unwrap_or_default();
            self.output = answer(Line::Whole(line));
            self.input.drain(..=end);
            self.searched = 0;
            if self.input.is_empty() {
                // One long request is no reason to keep its memory.
                self.input = Vec::new();
            }
            self.since = Instant::now();
        } else if self.input.len() > REQUEST_MAX {
            self.output = answer(Line::TooLong);
            self.input = Vec::new();
            self.searched = 0;
            self.is_last = true;
        }
    }

    fn end_of_line(&mut self) -> Option<usize> {
        let rest = self.input.get(self.searched..).unwrap_or_default();
        let found = rest.iter().position(|&byte| byte == b'\n').map(|at| self.searched + at);
        self.searched = found.unwrap_or(self.input.len());
        found.filter(|&end| end <= REQUEST_MAX)
    }

    fn write(&mut self) -> io::Result<()> {
        while let Some(rest) = self.output.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.written += written;
                    self.since = Instant::now();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.output = Vec::new();
        self.written = 0;
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// What a client has said.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Line<'l> {
    /// A line, without its end.
    Whole(&'l [u8]),
    /// More than anyone needs to say.
    TooLong,
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        os::unix::net::UnixStream,
    };

    use super::{Connection, Line, Next, REQUEST_MAX};

    fn echo(line: Line<'_>) -> Vec<u8> {
        match line {
            Line::Whole(line) => [line, b"\n"].concat(),
            Line::TooLong => b"too long\n".to_vec(),
        }
    }

    #[test]
    fn lines_are_answered_one_by_one() {
        let (mut client, server) = UnixStream::pair().unwrap();
        let mut connection = Connection::new(server).unwrap();
        assert_eq!(connection.serve(&mut echo), Next::Read);
        client.write_all(b"one\ntw").unwrap();
        assert_eq!(connection.serve(&mut echo), Next::Read);
        client.write_all(b"o\nthree\n").unwrap();
        assert_eq!(connection.serve(&mut echo), Next::Write);
        assert_eq!(connection.serve(&mut echo), Next::Read);
        let mut said = [0; 14];
        client.read_exact(&mut said).unwrap();
        assert_eq!(&said, b"one\ntwo\nthree\n");
        drop(client);
        assert_eq!(connection.serve(&mut echo), Next::End);
    }

    #[test]
    fn what_was_asked_before_the_end_is_answered() {
        let (mut client, server) = UnixStream::pair().unwrap();
        let mut connection = Connection::new(server).unwrap();
        client.write_all(b"one\ntwo").unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(connection.serve(&mut echo), Next::End);
        drop(connection);
        let mut said = String::new();
        client.read_to_string(&mut said).unwrap();
        assert_eq!(said, "one\n");
    }

    #[test]
    fn a_flood_and_a_deaf_client_have_an_end() {
        let (client, server) = UnixStream::pair().unwrap();
        client.set_nonblocking(true).unwrap();
        let mut connection = Connection::new(server).unwrap();
        let flood = vec![b'x'; 1 << 20];
        let mut taken = 0;
        let ended = (0..10_000).find(|_| {
            taken += (&client).write(&flood).unwrap_or(0);
            connection.serve(&mut echo) == Next::End
        });
        assert!(ended.is_some() && taken < REQUEST_MAX + (2 << 20), "{taken}");

        let (mut client, server) = UnixStream::pair().unwrap();
        let mut connection = Connection::new(server).unwrap();
        client.write_all(b"?\n").unwrap();
        let mut long = |_: Line<'_>| vec![b'y'; 8 << 20];
        assert_eq!(connection.serve(&mut long), Next::Write);
        assert_eq!(connection.serve(&mut long), Next::Write);
    }
}
