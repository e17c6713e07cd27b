//! One rule.

use std::fmt;

use super::{Draft, Host, Key, Mistake, Place, RuleError, Selector, Subject, grammar};

/// What becomes of an exec that a rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is not wanted.
    Exclude,
    /// It is wanted, and with such rules only what matches one is.
    Only,
}

impl Verdict {
    /// As it stands on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exclude => "exclude",
            Self::Only => "only",
        }
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What becomes of what matches.
    pub verdict: Verdict,
    /// What people call it.
    pub label: Option<Box<str>>,
    /// Why it is there.
    pub comment: Option<Box<str>>,
    /// Where it was written.
    pub place: Option<Place>,
    pub(super) selectors: Box<[Selector]>,
}

impl Rule {
    pub(super) fn new(verdict: Verdict, selectors: Vec<Selector>) -> Self {
        Self { verdict, label: None, comment: None, place: None, selectors: selectors.into() }
    }

    /// The rule that wants what this holds of.
    #[must_use]
    pub fn only(selector: Selector) -> Self {
        Self::new(Verdict::Only, vec![selector])
    }

    /// The same rule, of which this has to hold, too.
    #[must_use]
    pub fn and(mut self, selector: Selector) -> Self {
        let mut selectors = self.selectors.into_vec();
        selectors.push(selector);
        self.selectors = selectors.into();
        self
    }

    /// Reads a rule as it is written on the command line.
    ///
    /// # Errors
    ///
    /// When it could never match, or means nothing; the error says where, and what
    /// to write.
    pub fn parse(verdict: Verdict, text: &str, host: &dyn Host) -> Result<Self, RuleError> {
        let wrong = |at, mistake| RuleError { text: text.to_owned(), at, mistake };
        if text.is_empty() {
            return Err(wrong(0..0, Mistake::Empty));
        }
        let mut draft = Draft::new(host);
        for written in grammar::selectors(text) {
            let added = match written.key {
                Some(name) => {
                    let key = Key::named(name)
                        .map_err(|mistake| wrong(written.key_at.clone(), mistake))?;
                    draft.add(key, &written.value)
                }
                None if written.value.is_empty() => Err(Mistake::NothingHere),
                None => draft.add_short(&written.value),
            };
            added.map_err(|mistake| match mistake {
                Mistake::Twice(_) | Mistake::NoValue(_) => {
                    wrong(written.key_at.start..written.at.end, mistake)
                }
                mistake => wrong(written.at, mistake),
            })?;
        }
        draft.rule(verdict).map_err(|mistake| wrong(0..text.len(), mistake))
    }

    /// What has to hold, all of it; there is at least one.
    #[must_use]
    pub fn selectors(&self) -> &[Selector] {
        &self.selectors
    }

    /// Whether all of it holds.
    #[must_use]
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.selectors.iter().all(|selector| selector.matches(subject))
    }

    /// Parts of a record that deciding needs.
    #[must_use]
    pub fn needs(&self) -> u32 {
        self.selectors.iter().fold(0, |needs, selector| needs | selector.needs())
    }
}

/// The selectors as on the command line; verdict, label and comment are not there.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, selector) in self.selectors.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{selector}")?;
        }
        Ok(())
    }
}
