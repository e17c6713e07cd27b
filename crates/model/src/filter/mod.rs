//! Which execs are wanted.
//!
//! A rule has a verdict, `exclude` or `only`, and selectors. It matches an exec if
//! all of its selectors do. An exec is wanted if no `exclude` rule matches it and,
//! where there are `only` rules, one of them does. The rules here are the exact
//! meaning and have the last word; what the kernel side is given
//! (`sensor/src/lower.rs`) may keep more, never less.
//!
//! A path selects an exec by either of its two names: the one that was given to
//! exec, or the executable that it resolved to. So `/usr/bin/ls` finds `ls`
//! through any symbolic link, and a script is found by its own path as well as
//! by its interpreter's.
//!
//! What is not known does not match: a selector about a parent that could not be
//! read, an argument that was cut, a part of the record that nobody collected
//! ([`Rules::needs`] says which ones are needed). An `exclude` rule then keeps the
//! exec, and an `only` rule does not show it.

mod draft;
mod grammar;
mod ids;
mod key;
mod mistake;
mod pattern;
mod place;
mod rule;
mod rules;
mod selector;
mod surroundings;
mod told;

pub use draft::{Draft, Host};
pub use ids::{Id, IdKind, Namespace, NamespaceKind};
pub use key::Key;
pub use mistake::{Mistake, RuleError};
pub(crate) use pattern::last_component;
pub use pattern::{Glob, PathPattern, WordPattern};
pub use place::Place;
pub use rule::{Rule, Verdict};
pub use rules::{Decision, Rules, TooManyTold};
pub use selector::{Outcome, Selector, Subject};
pub use surroundings::{CgroupPath, ContainerPattern, ParentPattern};
pub use told::{Told, What};

#[cfg(test)]
mod tests;
