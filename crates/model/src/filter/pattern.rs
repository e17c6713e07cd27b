//! Texts, paths and words that a selector looks for.

use std::{borrow::Cow, sync::Arc};

use exectrail_abi::record::PATH_MAX;
use globset::GlobBuilder;
use regex_automata::{meta::Regex, util::syntax};

use super::{Mistake, grammar::deepest_braces};

/// Most bytes of a component of a path (`NAME_MAX`, include/uapi/linux/limits.h).
const NAME_MAX: usize = 255;

/// Most braces within braces. What reads them calls itself for each, on a stack that
/// ends, and nobody writes more than a few.
const BRACES_MAX: u32 = 32;

/// Most bytes of a pattern in the form in which it is looked for, and of what is
/// remembered while that is done: globset's own limits.
const COMPILED_MAX: usize = 10 << 20;

/// A pattern: `*` for any number of characters, `?` for one, `[a-z]` for one of
/// these, `{a,b}` for either; a backslash takes the meaning from what follows it.
#[derive(Clone, Debug)]
pub struct Glob {
    text: Box<str>,
    regex: Regex,
}

impl Glob {
    /// A pattern for paths: `*` and `?` stay within one component, `**` does not.
    fn of_path(text: &str) -> Result<Self, Mistake> {
        Self::build(text, true)
    }

    /// A pattern for words, in which a slash is a character like any other.
    fn of_word(text: &str) -> Result<Self, Mistake> {
        Self::build(text, false)
    }

    fn build(text: &str, separate: bool) -> Result<Self, Mistake> {
        let wrong = |why| Mistake::Pattern { pattern: text.to_owned(), why };
        if deepest_braces(text) > BRACES_MAX {
            return Err(wrong(format!("more than {BRACES_MAX} braces within braces")));
        }
        let mut builder = GlobBuilder::new(text);
        builder.literal_separator(separate).backslash_escape(true);
        let glob = builder.build().map_err(|error| wrong(error.kind().to_string()))?;
        let regex = compiled(glob.regex()).map_err(wrong)?;
        Ok(Self { text: text.into(), regex })
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it matches all of `bytes`.
    #[must_use]
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.regex.is_match(bytes)
    }
}

/// As globset's `compile_matcher` does it, which panics where this says why not.
fn compiled(regex: &str) -> Result<Regex, String> {
    let config = Regex::config()
        .utf8_empty(false)
        .nfa_size_limit(Some(COMPILED_MAX))
        .hybrid_cache_capacity(COMPILED_MAX);
    let syntax = syntax::Config::new().utf8(false).dot_matches_new_line(true);
    let built = Regex::builder().configure(config).syntax(syntax).build(regex);
    built.map_err(|error| match error.size_limit() {
        Some(_) => "it is too long".to_owned(),
        None => error.to_string(),
    })
}

/// The same text is the same pattern.
impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Glob {}

/// Which paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPattern {
    /// One path: `/usr/bin/ls`.
    Exact(Arc<[u8]>),
    /// Everything below a directory: `/usr/lib/**`. Kept with its last slash.
    Below(Box<[u8]>),
    /// Wherever it is: `**/bin/ls`. Kept without the first slash; what stands
    /// before it is a slash or nothing.
    Ending(Box<[u8]>),
    /// A pattern for the whole path: `/opt/*/bin/*.sh`, `**/*.sh`.
    Glob(Box<Glob>),
}

impl PathPattern {
    /// Whether `text` is written as a path, and not as a name.
    pub(super) fn is_meant(text: &str) -> bool {
        text.starts_with('/') || text.starts_with("**/")
    }

    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        if text.len() >= PATH_MAX {
            return Err(Mistake::TooLong { most: PATH_MAX - 1 });
        }
        if text == "/**" || text == "/" {
            // The root holds every path, and is no program itself.
            return Ok(Self::Below(b"/".as_slice().into()));
        }
        let (anywhere, rest) = match text.strip_prefix("**/") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let literal = rest.strip_suffix("/**").unwrap_or(rest);
        // Of a pattern with braces or classes, nobody knows what would be normal.
        if !literal.contains(['[', '{', '\\']) || !is_pattern(literal) {
            check_normal(text)?;
        }
        let below = literal.len() < rest.len();
        if is_pattern(literal) || (anywhere && below) {
            return Glob::of_path(text).map(Box::new).map(Self::Glob);
        }
        Ok(match (anywhere, below) {
            (true, _) => Self::Ending(literal.as_bytes().into()),
            (false, true) => Self::Below([literal.as_bytes(), b"/"].concat().into()),
            (false, false) => Self::Exact(literal.as_bytes().into()),
        })
    }

    /// Whether `path` is one of these.
    #[must_use]
    pub fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => path == &**exact,
            Self::Below(directory) => path.starts_with(directory) && path.len() > directory.len(),
            Self::Ending(end) => match path.strip_suffix(&**end) {
                Some(before) => before.last().is_none_or(|&byte| byte == b'/'),
                None => false,
            },
            Self::Glob(glob) => glob.is_match(path),
        }
    }

    /// As it is written.
    pub(super) fn written(&self) -> Cow<'_, str> {
        let text = |bytes| String::from_utf8_lossy(bytes);
        match self {
            Self::Exact(path) => text(path),
            Self::Below(directory) => format!("{}**", text(directory)).into(),
            Self::Ending(end) => format!("**/{}", text(end)).into(),
            Self::Glob(glob) => glob.text().into(),
        }
    }
}

/// Which words: names of programs, arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordPattern {
    /// This one.
    Exact(Box<[u8]>),
    /// Those that match.
    Glob(Box<Glob>),
}

impl WordPattern {
    /// The name of a program.
    pub(super) fn name(text: &str) -> Result<Self, Mistake> {
        if text.starts_with('/') {
            return Err(Mistake::NotAName(text.to_owned()));
        }
        if text.contains('/') {
            return Err(Mistake::Relative(text.to_owned()));
        }
        if !is_pattern(text) && text.len() > NAME_MAX {
            return Err(Mistake::TooLong { most: NAME_MAX });
        }
        Self::word(text)
    }

    /// Any word.
    pub(super) fn word(text: &str) -> Result<Self, Mistake> {
        if is_pattern(text) {
            return Glob::of_word(text).map(Box::new).map(Self::Glob);
        }
        Ok(Self::Exact(text.as_bytes().into()))
    }

    /// Whether `word` is one of these.
    #[must_use]
    pub fn matches(&self, word: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => word == &**exact,
            Self::Glob(glob) => glob.is_match(word),
        }
    }

    /// As it is written.
    pub(super) fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Exact(word) => String::from_utf8_lossy(word),
            Self::Glob(glob) => glob.text().into(),
        }
    }
}

/// The last component of a path; of a path that ends with a slash there is none.
pub(crate) fn last_component(path: &[u8]) -> Option<&[u8]> {
    path.rsplit(|&byte| byte == b'/').next().filter(|name| !name.is_empty())
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// Refuses what never matches.
pub(super) fn check_normal(text: &str) -> Result<(), Mistake> {
    let mut names = Vec::new();
    for name in text.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    let root = if text.starts_with('/') { "/" } else { "" };
    let normal = format!("{root}{}", names.join("/"));
    if normal == text {
        return Ok(());
    }
    let instead = if normal == "/" { "/**".to_owned() } else { normal };
    Err(Mistake::NotNormal { given: text.to_owned(), instead })
}
