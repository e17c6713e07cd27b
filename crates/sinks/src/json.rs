//! JSON's own words, from bytes.
//!
//! No serialiser in between: most strings here are paths that need no escape at
//! all, and those that are not UTF-8 need one that no serialiser has.

use crate::{clock::Clock, decimal, line::Line};

/// Bytes at which copying stops for a closer look: what JSON forbids in a
/// string, DEL, and the first byte of the C1 controls, which a terminal may obey
/// as it does the C0 ones.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = true;
        byte += 1;
    }
    special[b'"' as usize] = true;
    special[b'\\' as usize] = true;
    special[0x7f] = true;
    special[C1_LEAD as usize] = true;
    special
};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Both digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [HEX[byte >> 4], HEX[byte & 15]];
        byte += 1;
    }
    pairs
};

/// U+0080 to U+009F are this byte and the same number as their code.
const C1_LEAD: u8 = 0xc2;

/// RFC 3339, UTC, always to the nanosecond: text then sorts as time does.
pub(crate) fn time(wall: i64, clock: &mut Clock, line: &mut Line) {
    let Some(reading) = clock.read(wall) else {
        return line.extend(b"null");
    };
    let mut text = *b"\"YYYY-mm-ddTHH:MM:SS.nnnnnnnnnZ\"";
    text[1..20].copy_from_slice(reading.stamp);
    text[21..30].copy_from_slice(&decimal::nine(reading.nanos));
    line.put(&text, text.len());
}

/// Writes `bytes` as a JSON string. Whether it says them wholly: if they are not
/// UTF-8, U+FFFD stands for what is not.
pub(crate) fn string(bytes: &[u8], out: &mut Line) -> bool {
    out.put_quoted(bytes) || with_escapes(bytes, out)
}

#[cold]
fn with_escapes(bytes: &[u8], out: &mut Line) -> bool {
    out.push(b'"');
    let text = str::from_utf8(bytes);
    match text {
        Ok(text) => escaped(text, out),
        Err(_) => {
            for chunk in bytes.utf8_chunks() {
                escaped(chunk.valid(), out);
                if !chunk.invalid().is_empty() {
                    out.extend("\u{fffd}".as_bytes());
                }
            }
        }
    }
    out.push(b'"');
    text.is_ok()
}

fn escaped(text: &str, out: &mut Line) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| SPECIAL[usize::from(byte)]) {
        let (plain, special) = rest.split_at(at);
        out.extend(plain);
        rest = escape_first(special, out);
    }
    out.extend(rest);
}

/// Writes what `text` begins with, and returns what is left of it.
fn escape_first<'a>(text: &'a [u8], out: &mut Line) -> &'a [u8] {
    let (short, rest) = match text {
        [b'"', rest @ ..] => (b'"', rest),
        [b'\\', rest @ ..] => (b'\\', rest),
        [b'\n', rest @ ..] => (b'n', rest),
        [b'\r', rest @ ..] => (b'r', rest),
        [b'\t', rest @ ..] => (b't', rest),
        [0x08, rest @ ..] => (b'b', rest),
        [0x0c, rest @ ..] => (b'f', rest),
        [C1_LEAD, code @ 0x80..=0x9f, rest @ ..] | [code @ (..0x20 | 0x7f), rest @ ..] => {
            out.put(b"\\u00", 4);
            hex(*code, out);
            return rest;
        }
        [other, rest @ ..] => {
            out.push(*other);
            return rest;
        }
        [] => return text,
    };
    out.put(&[b'\\', short], 2);
    rest
}

fn hex(byte: u8, out: &mut Line) {
    out.put(&PAIRS[usize::from(byte)], 2);
}

/// Writes a UUID as a JSON string. Put together first and copied once: there are two in
/// every event, and a growing line would be asked for room at each digit.
pub(crate) fn uuid(bytes: &[u8; 16], out: &mut Line) {
    /// Where the digits of each byte stand.
    const PLACES: [usize; 16] = [1, 3, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 29, 31, 33, 35];
    let mut text = *b"\"........-....-....-....-............\"";
    for (place, &byte) in PLACES.into_iter().zip(bytes) {
        text[place..place + 2].copy_from_slice(&PAIRS[usize::from(byte)]);
    }
    out.put(&text, text.len());
}

/// `bytes` in base64, without quotes.
#[must_use]
pub fn base64_text(bytes: &[u8]) -> String {
    let mut quoted = Line::default();
    base64(bytes, &mut quoted);
    let digits = quoted.as_bytes().get(1..quoted.len() - 1).unwrap_or_default();
    String::from_utf8_lossy(digits).into_owned()
}

/// Writes `bytes` in quotes and in base64: RFC 4648, section 4, padded.
pub(crate) fn base64(bytes: &[u8], out: &mut Line) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out.push(b'"');
    for group in bytes.chunks(3) {
        let byte = |index: usize| usize::from(group.get(index).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digit = |index: usize| DIGITS[bits >> (18 - 6 * index) & 63];
        let mut digits = [digit(0), digit(1), digit(2), digit(3)];
        for padding in digits.iter_mut().skip(group.len() + 1) {
            *padding = b'=';
        }
        out.put(&digits, 4);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::{base64, string, uuid};
    use crate::line::Line;

    fn written(write: impl FnOnce(&mut Line)) -> String {
        let mut out = Line::default();
        write(&mut out);
        String::from_utf8(out.into_bytes()).unwrap()
    }

    #[test]
    fn strings() {
        for (bytes, whole, expect) in [
            (&b""[..], true, r#""""#),
            (b"/usr/bin/true", true, r#""/usr/bin/true""#),
            (b"a\"b\\c/", true, r#""a\"b\\c/""#),
            (b"\n\r\t\x08\x0c", true, r#""\n\r\t\b\f""#),
            (b"\x00\x01\x1b\x1f\x7f", true, r#""\u0000\u0001\u001b\u001f\u007f""#),
            ("é ¢ \u{80}\u{9b}\u{a0}".as_bytes(), true, "\"é ¢ \\u0080\\u009b\u{a0}\""),
            ("日本 🦀".as_bytes(), true, r#""日本 🦀""#),
            (b"a\xff\"b\xe2\x82", false, "\"a\u{fffd}\\\"b\u{fffd}\""),
            (b"\xc2", false, "\"\u{fffd}\""),
        ] {
            let mut told = None;
            assert_eq!(written(|out| told = Some(string(bytes, out))), expect);
            assert_eq!(told, Some(whole), "{expect}");
        }
    }

    #[test]
    fn uuids() {
        let bytes = 0x0123_4567_89ab_8def_8123_4567_890a_bcde_u128.to_be_bytes();
        assert_eq!(written(|out| uuid(&bytes, out)), r#""01234567-89ab-8def-8123-4567890abcde""#);
    }

    /// The vectors of RFC 4648, section 10, and the two last digits.
    #[test]
    fn base64_digits_and_padding() {
        for (bytes, expect) in [
            (&b""[..], r#""""#),
            (b"f", r#""Zg==""#),
            (b"fo", r#""Zm8=""#),
            (b"foo", r#""Zm9v""#),
            (b"foob", r#""Zm9vYg==""#),
            (b"fooba", r#""Zm9vYmE=""#),
            (b"foobar", r#""Zm9vYmFy""#),
            (b"\xff\xef\xbe", r#""/+++""#),
        ] {
            assert_eq!(written(|out| base64(bytes, out)), expect);
        }
    }
}
