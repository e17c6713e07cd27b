//! Environment variables, as far as they were asked for.

/// The part of an environment that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Environment<'a> {
    /// All variables, each ended by a NUL.
    bytes: &'a [u8],
    wanted: &'a Wanted,
}

/// Names of variables: whole ones, and beginnings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    names: Vec<Vec<u8>>,
    beginnings: Vec<Vec<u8>>,
}

/// A list of names that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no variable; write NAME, or PREFIX_* for all that begin so")]
pub struct WantedError(String);

impl Wanted {
    /// Reads `NAME,PREFIX_*`.
    ///
    /// # Errors
    ///
    /// When a part of it is no name.
    pub fn parse(list: &str) -> Result<Self, WantedError> {
        let mut wanted = Self::default();
        for item in list.split(',') {
            let (name, beginning) = match item.strip_suffix('*') {
                Some(name) => (name, true),
                None => (item, false),
            };
            let empty = name.is_empty() && !beginning;
            if empty || name.contains(['=', '*', '\0']) {
                return Err(WantedError(item.to_owned()));
            }
            let list = if beginning { &mut wanted.beginnings } else { &mut wanted.names };
            list.push(name.as_bytes().to_vec());
        }
        Ok(wanted)
    }

    /// Whether nothing is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.beginnings.is_empty()
    }

    fn has(&self, name: &[u8]) -> bool {
        self.names.iter().any(|wanted| wanted == name)
            || self.beginnings.iter().any(|beginning| name.starts_with(beginning))
    }
}

impl<'a> Environment<'a> {
    /// Of all variables those that are wanted.
    #[must_use]
    pub fn new(bytes: &'a [u8], wanted: &'a Wanted) -> Self {
        Self { bytes, wanted }
    }

    /// Names and values. A variable without `=` has an empty value; one that is
    /// there twice is told twice, as a program may take either.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let wanted = self.wanted;
        let variables = self.bytes.split(|&byte| byte == 0).filter(|bytes| !bytes.is_empty());
        variables.map(split).filter(|(name, _)| wanted.has(name))
    }
}

fn split(variable: &[u8]) -> (&[u8], &[u8]) {
    match variable.iter().position(|&byte| byte == b'=') {
        Some(at) => (&variable[..at], &variable[at + 1..]),
        None => (variable, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::{Environment, Wanted};

    #[test]
    fn names_and_beginnings() {
        let wanted = Wanted::parse("PATH,LC_*").unwrap();
        let bytes = b"PATH=/bin\0PATHX=1\0LC_ALL=C\0LC_=\0odd\0EMPTY=\0";
        let found: Vec<_> = Environment::new(bytes, &wanted).iter().collect();
        let expect: [(&[u8], &[u8]); 3] = [(b"PATH", b"/bin"), (b"LC_ALL", b"C"), (b"LC_", b"")];
        assert_eq!(found, expect);
        let all = Wanted::parse("*").unwrap();
        assert_eq!(Environment::new(bytes, &all).iter().count(), 6);
    }

    #[test]
    fn lists_that_are_none() {
        for list in ["", "A,,B", "A=1", "A*B", "**"] {
            assert!(Wanted::parse(list).is_err(), "{list}");
        }
    }
}
