//! Which execs are wanted.
//!
//! A rule has a verdict, `exclude` or `only`, and a selector. An exec is wanted
//! if no `exclude` rule matches it and, where there are `only` rules, one of
//! them does. The rules here are the exact meaning and have the last word; what
//! the kernel side is given (`sensor/src/lower.rs`) may keep more, never less.
//!
//! A path selects an exec by either of its two names: the one that was given to
//! exec, or the executable that it resolved to. So `/usr/bin/ls` finds `ls`
//! through any symbolic link, and a script is found by its own path as well as
//! by its interpreter's.

mod selector;

pub use selector::{Selector, SelectorError};

use crate::event::Program;

/// What becomes of an exec that a rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is not wanted.
    Exclude,
    /// It is wanted, and with such rules only what matches one is.
    Only,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What becomes of what matches.
    pub verdict: Verdict,
    /// What matches.
    pub selector: Selector,
}

/// All rules of a trace.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

impl Rules {
    /// Adds a rule.
    pub fn push(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Every rule, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Whether there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether `program` is wanted.
    #[must_use]
    pub fn keep(&self, program: &Program<'_>) -> bool {
        let mut wanted = None;
        for rule in &self.rules {
            match rule.verdict {
                Verdict::Exclude if rule.selector.matches(program) => return false,
                Verdict::Only if wanted != Some(true) => {
                    wanted = Some(rule.selector.matches(program));
                }
                _ => {}
            }
        }
        wanted.unwrap_or(true)
    }
}

#[cfg(test)]
mod tests;
