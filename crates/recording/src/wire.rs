//! Numbers and strings of bytes, and the tags before them.
//!
//! A number is written seven bits a byte, the lowest first; a set eighth bit says that
//! more follow (LEB128). A string has its length before it. A field is its tag, twice its
//! number, and a number; or its tag, twice its number and one, and a string.

/// What was read makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what the frame holds makes no sense at its byte {0} from the end")]
pub struct Malformed(pub usize);

/// Appends a number.
pub(crate) fn number(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// Appends a number that can be negative: the sign is the lowest bit, so that small ones
/// of both signs are short.
pub(crate) fn signed(value: i64, out: &mut Vec<u8>) {
    number((value << 1 ^ value >> 63).cast_unsigned(), out);
}

/// Appends a string.
pub(crate) fn string(bytes: &[u8], out: &mut Vec<u8>) {
    number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Appends a field that is a number.
pub(crate) fn number_field(tag: u64, value: u64, out: &mut Vec<u8>) {
    number(tag << 1, out);
    number(value, out);
}

/// Appends a field that is a string.
pub(crate) fn string_field(tag: u64, bytes: &[u8], out: &mut Vec<u8>) {
    number(tag << 1 | 1, out);
    string(bytes, out);
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content<'a> {
    Number(u64),
    String(&'a [u8]),
}

impl<'a> Content<'a> {
    pub(crate) fn number(self) -> Result<u64, Malformed> {
        if let Self::Number(number) = self { Ok(number) } else { Err(Malformed(0)) }
    }

    /// A number of at most 32 bits.
    pub(crate) fn short(self) -> Result<u32, Malformed> {
        narrow(self.number()?)
    }

    pub(crate) fn string(self) -> Result<&'a [u8], Malformed> {
        if let Self::String(bytes) = self { Ok(bytes) } else { Err(Malformed(0)) }
    }
}

pub(crate) fn narrow<T: TryFrom<u64>>(number: u64) -> Result<T, Malformed> {
    T::try_from(number).map_err(|_| Malformed(0))
}

/// Bytes that are read from front to back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn malformed(&self) -> Malformed {
        Malformed(self.0.len())
    }

    pub(crate) fn number(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(self.malformed())?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            // Of the tenth byte, one bit has room.
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.malformed())
    }

    /// A number of at most as many bits as are asked for.
    pub(crate) fn narrow<T: TryFrom<u64>>(&mut self) -> Result<T, Malformed> {
        narrow(self.number()?)
    }

    pub(crate) fn signed(&mut self) -> Result<i64, Malformed> {
        let value = self.number()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    pub(crate) fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.narrow()?;
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(self.malformed())?;
        self.0 = rest;
        Ok(bytes)
    }

    /// The next field: its number, and what it holds.
    pub(crate) fn field(&mut self) -> Result<(u64, Content<'a>), Malformed> {
        let tag = self.number()?;
        let content = match tag & 1 {
            0 => Content::Number(self.number()?),
            _ => Content::String(self.string()?),
        };
        Ok((tag >> 1, content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        let numbers = (0..64).flat_map(|bits| [1 << bits, (1 << bits) - 1, u64::MAX >> bits]);
        for value in numbers {
            let mut out = Vec::new();
            number(value, &mut out);
            signed(value.cast_signed(), &mut out);
            let mut bytes = Bytes(&out);
            assert_eq!(bytes.number(), Ok(value));
            assert_eq!(bytes.signed(), Ok(value.cast_signed()));
            assert!(bytes.is_empty());
        }
    }

    #[test]
    fn what_is_too_long_or_too_short_is_none() {
        assert!(Bytes(&[0xff; 9]).number().is_err());
        assert!(Bytes(&[0xff; 11]).number().is_err());
        assert!(
            Bytes(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2]).number().is_err()
        );
        assert!(Bytes(&[5, 1, 2]).string().is_err());
        assert!(Bytes(&[0x80, 0x80, 4]).narrow::<u16>().is_err());
    }
}
