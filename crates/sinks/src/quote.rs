//! Strings of traced processes, quoted for people.
//!
//! Three promises hold for every byte string without a NUL:
//! - what is written does nothing to a terminal: no control characters, nothing
//!   that turns the direction of text, nothing that cannot be seen, no bytes
//!   that are not UTF-8;
//! - pasted into bash or zsh it is one word, and that word is the string;
//! - it is bare where that is safe, so that the usual line has no quotes at all.
//!
//! Escapes are those of bytes (`\xc3`), not of characters (`\u00e9`): the latter
//! mean something else in a locale that is not UTF-8.

use std::ops::RangeInclusive;

/// Where a quoted string will stand if it is pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where a shell expects a command: assignments and its own words count.
    Command,
    /// Behind a command.
    Argument,
}

/// Characters that show nothing, or nothing of their own, although they are no
/// format characters: those of `Default_Ignorable_Code_Point`
/// (DerivedCoreProperties.txt, Unicode 16) that are assigned and not of category
/// Cf, and the empty Braille pattern.
const INVISIBLE: [RangeInclusive<char>; 10] = [
    '\u{034f}'..='\u{034f}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180d}',
    '\u{180f}'..='\u{180f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{e0100}'..='\u{e01ef}',
];

/// Words that bash or zsh take for their own where a command is expected.
const RESERVED: [&str; 21] = [
    "case",
    "coproc",
    "do",
    "done",
    "elif",
    "else",
    "end",
    "esac",
    "fi",
    "for",
    "foreach",
    "function",
    "if",
    "in",
    "nocorrect",
    "repeat",
    "select",
    "then",
    "time",
    "until",
    "while",
];

/// Appends `bytes` to `out`, quoted as far as it takes.
pub fn quote(bytes: &[u8], place: Place, out: &mut String) {
    match str::from_utf8(bytes) {
        Ok(text) if is_bare(text, place) => out.push_str(text),
        Ok(text) if is_printable(text) => single(text, out),
        _ => escaped(bytes, out),
    }
}

/// Of ASCII, what is bare wherever it stands.
const BARE: [bool; 256] = {
    let mut bare = [false; 256];
    let mut byte: u8 = 0;
    while byte < 0x80 {
        bare[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'+' | b',' | b'-' | b'.' | b'/' | b':' | b'@' | b'_');
        byte += 1;
    }
    bare
};

fn is_bare(text: &str, place: Place) -> bool {
    let safe = text.char_indices().all(|(index, c)| match c {
        '\0'..='\x7f' if BARE[c as usize] => true,
        // Names a job where a command is expected.
        '%' => index > 0 || place == Place::Argument,
        // zsh looks up `=ls`; `a=b` in front of a command is an assignment.
        '=' => index > 0 && place == Place::Argument,
        // `~` and `^` are never bare: bash expands `a=~`, and to zsh with
        // extended globs both are operators anywhere in a word.
        _ => !c.is_ascii() && c.is_alphanumeric() && shows(c, index == 0),
    });
    // A lone `-` would also look like a column without a value.
    let own = place == Place::Command && (text == "-" || RESERVED.contains(&text));
    safe && !own && !text.is_empty()
}

fn is_printable(text: &str) -> bool {
    text.char_indices().all(|(index, c)| shows(c, index == 0))
}

/// Whether a character shows as itself. `first`: nothing of the string stands
/// before it, and a mark would join what is not part of it.
fn shows(c: char, first: bool) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    // The standard library escapes the categories Cc, Cf, Cn, Co, Zl, Zp and all
    // of Zs but the plain space; and marks, in front of a string only.
    let by_category = if first {
        c.escape_debug().len() == 1
    } else {
        let mut text = [b'a'; 5];
        let [_, behind @ ..] = &mut text;
        let end = c.encode_utf8(behind).len() + 1;
        let text = text.get(..end).and_then(|text| str::from_utf8(text).ok());
        text.is_some_and(|text| text.escape_debug().count() == 2)
    };
    by_category && !INVISIBLE.iter().any(|range| range.contains(&c))
}

fn single(text: &str, out: &mut String) {
    for (index, part) in text.split('\'').enumerate() {
        if index > 0 {
            out.push_str("\\'");
        }
        // Only the empty string needs quotes around nothing.
        if !part.is_empty() || text.is_empty() {
            out.push('\'');
            out.push_str(part);
            out.push('\'');
        }
    }
}

fn escaped(bytes: &[u8], out: &mut String) {
    out.push_str("$'");
    let mut first = true;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            escaped_char(c, first, out);
            first = false;
        }
        for &byte in chunk.invalid() {
            escaped_byte(byte, out);
            first = false;
        }
    }
    out.push('\'');
}

fn escaped_char(c: char, first: bool, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{1b}' => out.push_str("\\e"),
        '\\' => out.push_str("\\\\"),
        '\'' => out.push_str("\\'"),
        // A shell's history looks for it, and not every shell's knows `$'`.
        '!' => escaped_byte(b'!', out),
        c if shows(c, first) => out.push(c),
        c => {
            for &byte in c.encode_utf8(&mut [0; 4]).as_bytes() {
                escaped_byte(byte, out);
            }
        }
    }
}

fn escaped_byte(byte: u8, out: &mut String) {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    out.push_str("\\x");
    out.push(digit(byte >> 4));
    out.push(digit(byte & 15));
}

#[cfg(test)]
mod tests;
