//! A rule in the making: selectors are checked one by one, wherever they are
//! written.

use super::{
    ContainerPattern, Id, Key, Mistake, Namespace, NamespaceKind, Outcome, ParentPattern,
    PathPattern, Rule, Selector, Told, Verdict, What, WordPattern, surroundings,
};

/// What the host knows, asked once for each name in a rule.
pub trait Host {
    /// The id of a user.
    fn user(&self, name: &str) -> Option<u32>;
    /// The id of a group.
    fn group(&self, name: &str) -> Option<u32>;
    /// The inode of the first process's namespace.
    fn namespace(&self, kind: NamespaceKind) -> Option<u32>;
}

/// Nobody to ask: users and groups by number, no namespace of the host's.
impl Host for () {
    fn user(&self, _name: &str) -> Option<u32> {
        None
    }

    fn group(&self, _name: &str) -> Option<u32> {
        None
    }

    fn namespace(&self, _kind: NamespaceKind) -> Option<u32> {
        None
    }
}

/// Selectors that will be a rule.
pub struct Draft<'h> {
    host: &'h dyn Host,
    selectors: Vec<Selector>,
}

impl<'h> Draft<'h> {
    /// No selectors yet.
    #[must_use]
    pub fn new(host: &'h dyn Host) -> Self {
        Self { host, selectors: Vec::new() }
    }

    /// Adds the selector `key=value`.
    ///
    /// # Errors
    ///
    /// When it could never match, or means nothing; the error says what to write.
    pub fn add(&mut self, key: Key, value: &str) -> Result<(), Mistake> {
        if value.is_empty() {
            return Err(Mistake::NoValue(key));
        }
        if value.contains('\0') {
            return Err(Mistake::Nul);
        }
        let is_new = key == Key::Arg || self.selectors.iter().all(|given| given.key() != key);
        if !is_new {
            return Err(Mistake::Twice(key));
        }
        self.selectors.push(self.selector(key, value)?);
        Ok(())
    }

    /// Adds a selector without a key: a path or a program name.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn add_short(&mut self, value: &str) -> Result<(), Mistake> {
        self.add(if PathPattern::is_meant(value) { Key::Path } else { Key::Name }, value)
    }

    /// The rule.
    ///
    /// # Errors
    ///
    /// When nothing was added.
    pub fn rule(self, verdict: Verdict) -> Result<Rule, Mistake> {
        if self.selectors.is_empty() {
            return Err(Mistake::Empty);
        }
        Ok(Rule::new(verdict, self.selectors))
    }

    fn selector(&self, key: Key, value: &str) -> Result<Selector, Mistake> {
        Ok(match key {
            Key::Path if value.contains('/') && !PathPattern::is_meant(value) => {
                return Err(Mistake::Relative(value.to_owned()));
            }
            Key::Path if !PathPattern::is_meant(value) => {
                return Err(Mistake::NotAPath(value.to_owned()));
            }
            Key::Path => Selector::Path(PathPattern::parse(value)?),
            Key::Name => Selector::Name(WordPattern::name(value)?),
            Key::Arg => Selector::Arg(WordPattern::word(value)?),
            Key::Id(kind) => Selector::Id(kind, Id::parse(kind, value, self.host)?),
            Key::Parent => Selector::Parent(ParentPattern::parse(value)?),
            Key::Tree => Selector::Told(Told::new(What::tree(value)?)),
            Key::Cgroup => surroundings::cgroup(value)?,
            Key::Container => Selector::Container(ContainerPattern::parse(value)?),
            Key::Namespace(kind) => {
                Selector::Namespace(kind, Namespace::parse(kind, value, self.host)?)
            }
            Key::Result => Selector::Result(Outcome::parse(value)?),
        })
    }
}
