//! One number for many files, so that "unchanged" can be checked in a blink.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::Source;

/// SHA-256 of some bytes, in hexadecimal.
pub fn of_bytes(bytes: &[u8]) -> String {
    hexadecimal(Sha256::digest(bytes).as_slice())
}

/// SHA-256 over names and contents, in hexadecimal.
///
/// Each part goes in with its length before it: otherwise the end of one file
/// could move to the start of the next and leave the sum as it was.
pub fn of_sources(sources: &[Source]) -> String {
    let mut sum = Sha256::new();
    for source in sources {
        for part in [source.name.as_bytes(), &source.content] {
            sum.update((part.len() as u64).to_le_bytes());
            sum.update(part);
        }
    }
    hexadecimal(sum.finalize().as_slice())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, content: &str) -> Source {
        Source { name: name.to_owned(), content: content.as_bytes().to_vec() }
    }

    #[test]
    fn bytes_have_the_published_sum() {
        // FIPS 180-2, appendix B.1.
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of_bytes(b"abc"), sum);
    }

    #[test]
    fn moving_bytes_between_files_shows() {
        let one = [source("a", "xy"), source("b", "z")];
        let other = [source("a", "x"), source("b", "yz")];
        assert_ne!(of_sources(&one), of_sources(&other));
    }

    #[test]
    fn renaming_a_file_shows() {
        assert_ne!(of_sources(&[source("a", "x")]), of_sources(&[source("b", "x")]));
    }
}
