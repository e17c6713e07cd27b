use super::{Place, quote, shows};

fn quoted(bytes: &[u8], place: Place) -> String {
    let mut out = String::new();
    quote(bytes, place, &mut out);
    out
}

#[test]
fn arguments() {
    for (text, expect) in [
        ("", "''"),
        ("ls", "ls"),
        ("-", "-"),
        ("if", "if"),
        ("--color=auto", "--color=auto"),
        ("/usr/lib/x86_64-linux-gnu/a.so.1", "/usr/lib/x86_64-linux-gnu/a.so.1"),
        ("user@host:a,b+%c", "user@host:a,b+%c"),
        ("%1", "%1"),
        ("naïve", "naïve"),
        ("日本語", "日本語"),
        ("a b", "'a b'"),
        (" ", "' '"),
        ("$HOME", "'$HOME'"),
        ("a*", "'a*'"),
        ("#", "'#'"),
        ("!", "'!'"),
        ("~", "'~'"),
        ("a~", "'a~'"),
        ("a=~/b", "'a=~/b'"),
        ("^a^b", "'^a^b'"),
        ("=ls", "'=ls'"),
        ("{a,b}", "'{a,b}'"),
        ("<?>", "'<?>'"),
        ("[…]", "'[…]'"),
        ("\\", "'\\'"),
        ("🦀", "'🦀'"),
        ("'", "\\'"),
        ("''", "\\'\\'"),
        ("it's", "'it'\\''s'"),
        ("'a b'", "\\''a b'\\'"),
        ("a\nb", "$'a\\nb'"),
        ("\u{1b}[31m", "$'\\e[31m'"),
        ("\r\t\x07\x7f", "$'\\r\\t\\x07\\x7f'"),
        ("\n'\\!", "$'\\n\\'\\\\\\x21'"),
        ("\u{9b}31m", "$'\\xc2\\x9b31m'"),
        ("a\u{202e}cod.exe", "$'a\\xe2\\x80\\xaecod.exe'"),
        ("a\u{a0}b", "$'a\\xc2\\xa0b'"),
        ("a\u{3164}", "$'a\\xe3\\x85\\xa4'"),
        ("e\u{301}", "'e\u{301}'"),
        ("\u{301}e", "$'\\xcc\\x81e'"),
        ("é\n", "$'é\\n'"),
    ] {
        assert_eq!(quoted(text.as_bytes(), Place::Argument), expect);
    }
}

#[test]
fn bytes_that_are_not_utf8() {
    for (bytes, expect) in [
        (&b"\xff"[..], "$'\\xff'"),
        (b"a\xc3b", "$'a\\xc3b'"),
        (b"\xe2\x82", "$'\\xe2\\x82'"),
        (b"\xed\xa0\x80", "$'\\xed\\xa0\\x80'"),
        ("é".as_bytes(), "é"),
        (b"\xc3\xa9\xff", "$'é\\xff'"),
        (b"\0", "$'\\x00'"),
    ] {
        assert_eq!(quoted(bytes, Place::Argument), expect);
    }
}

#[test]
fn where_a_command_is_expected() {
    for (text, expect) in [
        ("/bin/sh", "/bin/sh"),
        ("-bash", "-bash"),
        ("-", "'-'"),
        ("A=b", "'A=b'"),
        ("%1", "'%1'"),
        ("a%", "a%"),
        ("if", "'if'"),
        ("time", "'time'"),
        ("timer", "timer"),
        ("", "''"),
    ] {
        assert_eq!(quoted(text.as_bytes(), Place::Command), expect);
    }
}

/// Category Cf of UnicodeData.txt, Unicode 16.
#[test]
fn format_characters_never_show() {
    for range in [
        0xad..=0xad,
        0x600..=0x605,
        0x61c..=0x61c,
        0x6dd..=0x6dd,
        0x70f..=0x70f,
        0x890..=0x891,
        0x8e2..=0x8e2,
        0x180e..=0x180e,
        0x200b..=0x200f,
        0x202a..=0x202e,
        0x2060..=0x2064,
        0x2066..=0x206f,
        0xfeff..=0xfeff,
        0xfff9..=0xfffb,
        0x110bd..=0x110bd,
        0x110cd..=0x110cd,
        0x13430..=0x1343f,
        0x1bca0..=0x1bca3,
        0x1d173..=0x1d17a,
        0xe0001..=0xe0001,
        0xe0020..=0xe007f,
    ] {
        check_hidden(range);
    }
}

#[test]
fn neither_do_controls_blanks_separators_and_the_unassigned() {
    for range in [
        0..=0x1f,
        0x7f..=0x9f,
        0xa0..=0xa0,
        0x2000..=0x200a,
        0x2028..=0x2029,
        0x2065..=0x2065,
        0x3000..=0x3000,
        0xe000..=0xf8ff,
        0xfff0..=0xfff8,
        0xffff..=0xffff,
        0xe0000..=0xe0fff,
        0xf_0000..=0x10_ffff,
    ] {
        check_hidden(range);
    }
}

fn check_hidden(range: std::ops::RangeInclusive<u32>) {
    for c in range.filter_map(char::from_u32) {
        assert!(!shows(c, true) && !shows(c, false), "U+{:04X}", u32::from(c));
    }
}
