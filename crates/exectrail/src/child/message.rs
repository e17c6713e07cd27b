//! What the held child says, on a pipe: a letter and a number.

use std::{io, time::Duration};

/// One message.
#[derive(Debug)]
pub(super) enum Message {
    /// It has become who it is to be, and waits; so much CPU time did that take.
    Ready { cpu: Duration },
    /// It could not become who it is to be.
    NoIdentity(io::Error),
    /// The command could not be executed.
    NotExecuted(io::Error),
}

impl Message {
    /// A message's size.
    pub(super) const BYTES: u64 = 9;

    pub(super) fn write(&self) -> Vec<u8> {
        let number =
            |error: &io::Error| u64::from(error.raw_os_error().unwrap_or(0).unsigned_abs());
        let (letter, number) = match self {
            Self::Ready { cpu } => (b'r', u64::try_from(cpu.as_nanos()).unwrap_or(u64::MAX)),
            Self::NoIdentity(error) => (b'i', number(error)),
            Self::NotExecuted(error) => (b'x', number(error)),
        };
        [&[letter][..], &number.to_ne_bytes()].concat()
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (letter, number) = bytes.split_first()?;
        let number = u64::from_ne_bytes(number.try_into().ok()?);
        let error = || io::Error::from_raw_os_error(i32::try_from(number).unwrap_or(0));
        Some(match letter {
            b'r' => Self::Ready { cpu: Duration::from_nanos(number) },
            b'i' => Self::NoIdentity(error()),
            b'x' => Self::NotExecuted(error()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard() {
        let cpu = Duration::from_micros(1234);
        let heard = |message: Message| {
            let bytes = message.write();
            assert_eq!(bytes.len() as u64, Message::BYTES);
            Message::read(&bytes).unwrap()
        };
        assert!(
            matches!(heard(Message::Ready { cpu }), Message::Ready { cpu: told } if told == cpu)
        );
        let error = || io::Error::from_raw_os_error(13);
        assert!(matches!(
            heard(Message::NotExecuted(error())),
            Message::NotExecuted(error) if error.raw_os_error() == Some(13)
        ));
        assert!(matches!(heard(Message::NoIdentity(error())), Message::NoIdentity(_)));
        assert!(Message::read(b"").is_none() && Message::read(b"r1").is_none());
    }
}
