//! All rules of a trace, and what they say together.

use std::{collections::HashMap, sync::Arc};

use super::{PathPattern, Rule, Selector, Subject, Told, Verdict, What, selector::paths, told};

/// All rules of a trace.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    list: Vec<Rule>,
    exclude: Index,
    only: Index,
    told: Vec<What>,
}

/// What becomes of an exec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is wanted.
    pub keep: bool,
    /// The rule that says so: the first `exclude` rule that matches, else the first
    /// `only` rule that does. None says so if it is wanted for want of rules, or not
    /// wanted because it is none of what is.
    pub rule: Option<usize>,
}

/// More selectors that the kernel side decides than it has room for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there are more than {} different `tree` and `cgroup=CONTROLLER:/path` selectors, those of rules before counted",
    told::SLOTS
)]
pub struct TooManyTold;

impl Rules {
    /// No rules, whose questions to the kernel side will have the same bits as those of
    /// the rules before them: answers to those are still on their way.
    #[must_use]
    pub fn after(before: &Self) -> Self {
        Self { told: before.told.clone(), ..Self::default() }
    }

    /// Adds a rule. Its number, counted from zero, comes back.
    ///
    /// # Errors
    ///
    /// When it asks the kernel side for one thing too many.
    pub fn push(&mut self, mut rule: Rule) -> Result<usize, TooManyTold> {
        let known = self.told.len();
        for selector in &mut rule.selectors {
            let Selector::Told(told) = selector else { continue };
            let numbered = self.number(told);
            if numbered.is_err() {
                // A rule that is not taken leaves nothing behind.
                self.told.truncate(known);
                return Err(TooManyTold);
            }
        }
        let number = self.list.len();
        let index = match rule.verdict {
            Verdict::Exclude => &mut self.exclude,
            Verdict::Only => &mut self.only,
        };
        index.add(number, &rule);
        self.list.push(rule);
        Ok(number)
    }

    /// The same question has the same number in every rule.
    fn number(&mut self, told: &mut Told) -> Result<(), TooManyTold> {
        let known = self.told.iter().position(|what| *what == told.what);
        let slot = known.unwrap_or(self.told.len());
        if slot >= told::SLOTS {
            return Err(TooManyTold);
        }
        if known.is_none() {
            self.told.push(told.what.clone());
        }
        told.slot = u8::try_from(slot).ok();
        Ok(())
    }

    /// Every rule, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.list.iter()
    }

    /// The rule of this number.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&Rule> {
        self.list.get(number)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What the kernel side is asked, each question at the place of its bit.
    #[must_use]
    pub fn told(&self) -> &[What] {
        &self.told
    }

    /// Parts of a record that deciding needs: bits of
    /// [`parts`](exectrail_abi::config::parts).
    #[must_use]
    pub fn needs(&self) -> u32 {
        self.list.iter().fold(0, |needs, rule| needs | rule.needs())
    }

    /// What becomes of `subject`, and by which rule.
    #[must_use]
    pub fn decide(&self, subject: &Subject<'_>) -> Decision {
        let excluded = self.exclude.first(&self.list, subject);
        if excluded.is_some() {
            return Decision { keep: false, rule: excluded };
        }
        let wanted = self.only.first(&self.list, subject);
        Decision { keep: wanted.is_some() || self.only.is_empty(), rule: wanted }
    }

    /// Whether `subject` is wanted.
    #[must_use]
    pub fn keep(&self, subject: &Subject<'_>) -> bool {
        self.decide(subject).keep
    }
}

/// The rules of one verdict. Those that are one exact path and nothing else, which
/// may be thousands, are looked up; the others are gone through.
#[derive(Clone, Debug, Default)]
struct Index {
    paths: HashMap<Arc<[u8]>, usize>,
    others: Vec<usize>,
}

impl Index {
    fn add(&mut self, number: usize, rule: &Rule) {
        match rule.selectors() {
            [Selector::Path(PathPattern::Exact(path))] => {
                // Of two that are the same, the first decides.
                self.paths.entry(Arc::clone(path)).or_insert(number);
            }
            _ => self.others.push(number),
        }
    }

    fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.others.is_empty()
    }

    /// The first rule that matches.
    fn first(&self, rules: &[Rule], subject: &Subject<'_>) -> Option<usize> {
        let by_path = if self.paths.is_empty() {
            None
        } else {
            paths(subject.program).filter_map(|path| self.paths.get(path).copied()).min()
        };
        let before = self.others.iter().copied();
        let mut before = before.take_while(|&number| by_path.is_none_or(|found| number < found));
        let matches = |number: &usize| rules.get(*number).is_some_and(|rule| rule.matches(subject));
        before.find(matches).or(by_path)
    }
}
