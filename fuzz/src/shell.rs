//! What a shell makes of quoted words: the few forms that the quoting writes.

/// The bytes of one quoted word; none, if it is no such word or more than one.
pub fn unquoted(word: &str) -> Option<Vec<u8>> {
    if let Some(escaped) = word.strip_prefix("$'") {
        return unescaped(escaped.strip_suffix('\'')?);
    }
    let mut bytes = Vec::new();
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let (part, after) = match first {
            '\'' => rest.get(1..)?.split_once('\'')?,
            '\\' => ("'", rest.strip_prefix("\\'")?),
            c if c.is_whitespace() || "\"$`&|;<>()*?[]{}~#!^".contains(c) => return None,
            _ => rest.split_at(first.len_utf8()),
        };
        bytes.extend_from_slice(part.as_bytes());
        rest = after;
    }
    Some(bytes)
}

/// What stands between `$'` and `'`.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'\'' {
            return None;
        }
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (escape, after) = rest.split_first()?;
        rest = after;
        bytes.push(match escape {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'e' => 0x1b,
            b'\\' | b'\'' => *escape,
            b'x' => {
                let (digits, after) = rest.split_at_checked(2)?;
                rest = after;
                u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?
            }
            _ => return None,
        });
    }
    Some(bytes)
}

/// Whether a terminal shows all of it as it is, and does nothing else.
pub fn is_harmless(text: &str) -> bool {
    let turns = |c| {
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{61c}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
    };
    !text.chars().any(|c| c.is_control() || turns(c))
}
