//! Which number each rule has: the place in the kernel's map of hits.
//!
//! A rule that comes again counts on. When no number is left, those of rules that are
//! gone are given again, since a trace can run for months and its rules change daily.

use std::collections::{HashMap, HashSet};

use exectrail_model::filter::{Rules, Verdict};

use crate::error::SensorError;

/// What makes two rules the same.
type Key = (Verdict, String);

/// The numbers that were given.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    known: HashMap<Key, u32>,
    /// Those of rules that were forgotten.
    free: Vec<u32>,
    /// How many there are in all.
    given: u32,
    /// By number: hits of a rule that had it before. The kernel side alone can write
    /// them, so they stay.
    before: HashMap<u32, u64>,
}

impl Numbers {
    /// Numbers for all rules. Those `in_force` are kept, whoever comes; `hits` tells how
    /// often a number was counted, and none that is not in force is counted any more.
    pub(super) fn give(
        &mut self,
        rules: &Rules,
        (in_force, room): (&[u32], u32),
        hits: impl Fn(u32) -> u64,
    ) -> Result<Vec<u32>, SensorError> {
        let keys: Vec<Key> = rules.iter().map(|rule| (rule.verdict, rule.to_string())).collect();
        let wanted: HashSet<&Key> = keys.iter().collect();
        let new = wanted.iter().filter(|key| !self.known.contains_key(**key)).count();
        if new > self.left(room) {
            let in_force: HashSet<u32> = in_force.iter().copied().collect();
            let Self { known, free, .. } = self;
            known.retain(|key, number| {
                let stays = in_force.contains(number) || wanted.contains(key);
                if !stays {
                    free.push(*number);
                }
                stays
            });
        }
        if new > self.left(room) {
            return Err(SensorError::Unsupported {
                what: format!(
                    "there is room for {room} rules, those that hold until then included, and \
                     {new} new ones are too many"
                ),
                cure: "remove rules first, or start exectrail again with these rules".to_owned(),
            });
        }
        Ok(keys.into_iter().map(|key| self.number(key, &hits)).collect())
    }

    fn left(&self, room: u32) -> usize {
        (room as usize).saturating_sub(self.known.len())
    }

    fn number(&mut self, key: Key, hits: impl Fn(u32) -> u64) -> u32 {
        if let Some(&number) = self.known.get(&key) {
            return number;
        }
        let number = if let Some(number) = self.free.pop() {
            self.before.insert(number, hits(number));
            number
        } else {
            self.given += 1;
            self.given - 1
        };
        self.known.insert(key, number);
        number
    }

    /// How many there are, from zero on.
    pub(super) fn given(&self) -> u32 {
        self.given
    }

    /// Of so many hits of a number, those that are not its present rule's.
    pub(super) fn before(&self, number: u32) -> u64 {
        self.before.get(&number).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use exectrail_model::filter::{Rule, Rules, Verdict};

    use super::Numbers;

    fn rules(names: &[&str]) -> Rules {
        let mut rules = Rules::default();
        for name in names {
            rules.push(Rule::parse(Verdict::Exclude, name, &()).unwrap()).unwrap();
        }
        rules
    }

    #[test]
    fn numbers_last_until_there_are_no_others() {
        let mut numbers = Numbers::default();
        let mut give = |names: &[&str], in_force: &[u32]| {
            numbers.give(&rules(names), (in_force, 4), |number| u64::from(number) + 10)
        };
        assert_eq!(give(&["a", "b", "a"], &[]).unwrap(), [0, 1, 0]);
        assert_eq!(give(&["b", "c"], &[0, 1]).unwrap(), [1, 2]);
        // It comes again, and has not been forgotten.
        assert_eq!(give(&["a"], &[1, 2]).unwrap(), [0]);
        // 1 and 2 are free by now; what holds until then keeps its number.
        let new = give(&["d", "e", "f"], &[0]).unwrap();
        assert!(new.iter().all(|number| (1..4).contains(number)), "{new:?}");
        // What does not fit changes nothing.
        assert!(give(&["g", "h", "i", "j", "k"], &new).is_err());
        assert_eq!(give(&["d", "e", "f"], &new).unwrap(), new);
        assert_eq!(numbers.before(0), 0);
        assert_eq!((numbers.before(1), numbers.before(2), numbers.given()), (11, 12, 4));
    }
}
