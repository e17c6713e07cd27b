//! Bytes for people: as hex and as text, sixteen a line.

use std::fmt;

/// Shows itself as a dump.
pub(crate) struct Dump<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Dump<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.0.chunks(16).enumerate() {
            write!(f, "{:06x} ", index * 16)?;
            for byte in line {
                write!(f, " {byte:02x}")?;
            }
            let gap = 3 * (16 - line.len()) + 2;
            let text: String = line.iter().map(|&byte| printable(byte)).collect();
            writeln!(f, "{:gap$}{text}", "")?;
        }
        Ok(())
    }
}

fn printable(byte: u8) -> char {
    if byte == b' ' || byte.is_ascii_graphic() { char::from(byte) } else { '.' }
}

#[cfg(test)]
mod tests {
    use super::Dump;

    #[test]
    fn hex_and_text_side_by_side() {
        let text = Dump(b"/usr/bin/true\0\x1bx!").to_string();
        assert_eq!(
            text,
            "000000  2f 75 73 72 2f 62 69 6e 2f 74 72 75 65 00 1b 78  /usr/bin/true..x\n\
             000010  21                                               !\n"
        );
    }
}
