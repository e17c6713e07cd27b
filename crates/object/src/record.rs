//! What the committed object was made from, as a small file beside it.

use std::{fmt, fs, path::Path};

use crate::{Error, Versions};

/// What the committed object was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The sum over its sources, see [`crate::of_sources`].
    pub sources: String,
    /// The SHA-256 of the object.
    pub object: String,
    /// The tools that made it.
    pub versions: Versions,
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or does not have each key once.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(Error::file("read", path))?;
        Self::parse(&text).map_err(|(line, what)| Error::Record { path: path.into(), line, what })
    }

    /// Reads a record that may not be there.
    ///
    /// # Errors
    ///
    /// As [`Record::read`], but a missing file is `None`.
    pub fn read_if_any(path: &Path) -> Result<Option<Self>, Error> {
        if path.exists() { Self::read(path).map(Some) } else { Ok(None) }
    }

    /// `key = "value"` lines and comments: a corner of TOML, so that other tools
    /// can read the file, and this crate needs no parser that builds for longer
    /// than the object takes to copy.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut pairs = Vec::new();
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let pair = line.split_once('=').and_then(|(key, value)| {
                Some((key.trim(), value.trim().strip_prefix('"')?.strip_suffix('"')?))
            });
            let Some(pair) = pair else {
                return Err((number, "expected `key = \"value\"`".to_owned()));
            };
            pairs.push(pair);
        }
        let take = |key: &str| {
            let mut values = pairs.iter().filter(|pair| pair.0 == key);
            match (values.next(), values.next()) {
                (Some((_, value)), None) => Ok((*value).to_owned()),
                (None, _) => Err((0, format!("the key `{key}` is missing"))),
                (Some(_), Some(_)) => Err((0, format!("the key `{key}` is there twice"))),
            }
        };
        Ok(Self {
            sources: take("sources")?,
            object: take("object")?,
            versions: Versions {
                rustc: take("rustc")?,
                core: take("core")?,
                bpf_linker: take("bpf-linker")?,
                llvm_strip: take("llvm-strip")?,
            },
        })
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# What exectrail.bpf.o was made from. Written by `make object`, checked by")?;
        writeln!(
            f,
            "# `make check`; the build embeds the object while `sources` matches the tree."
        )?;
        writeln!(f, "sources = \"{}\"", self.sources)?;
        writeln!(f, "object = \"{}\"", self.object)?;
        writeln!(f, "{}", self.versions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            sources: "aa".to_owned(),
            object: "bb".to_owned(),
            versions: Versions {
                rustc: "1.96.0 (x), host y".to_owned(),
                core: "ready-made".to_owned(),
                bpf_linker: "0.13.0".to_owned(),
                llvm_strip: "22.1.8".to_owned(),
            },
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Record::parse(&record().to_string()), Ok(record()));
    }

    #[test]
    fn trouble_is_named() {
        let text = record().to_string();
        let check = |text: &str, line, what: &str| {
            assert_eq!(Record::parse(text), Err((line, what.to_owned())));
        };
        check(&text.replace("object", "subject"), 0, "the key `object` is missing");
        check(&format!("{text}object = \"c\"\n"), 0, "the key `object` is there twice");
        check(&format!("{text}<<<<<<< ours\n"), 9, "expected `key = \"value\"`");
    }
}
