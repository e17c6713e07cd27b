//! Which of the events that are kept are seen, and in which order.
//!
//! A view goes through what is kept bit by bit, so that a new filter over many events keeps
//! nobody waiting: keys are answered and events are taken meanwhile.

use std::{
    cmp::Ordering,
    collections::{HashSet, VecDeque},
    ops::ControlFlow,
};

use exectrail_model::{event::Event, filter::Rules, lineage::Lineage, pipeline::Course};
use exectrail_recording::Decoder;
use exectrail_sinks::SortKey;

use crate::{
    look::{Look, Seen},
    store::{Kind, Store},
};

/// Steps by which a program is moved to the right, at most.
const DEPTH: usize = 24;

/// What is to be seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// What these rules want.
    pub(crate) rules: Option<Rules>,
    /// Below those that they descend from.
    pub(crate) tree: bool,
    /// Only what went wrong.
    pub(crate) failed: bool,
    /// Ends in lines of their own.
    pub(crate) ends: bool,
    /// By a column, the usual way round or the other one.
    pub(crate) order: Option<Order>,
}

/// An order other than that of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) column: usize,
    pub(crate) is_reversed: bool,
}

impl Order {
    /// What is large comes first, and texts in the order of letters; what is not known is
    /// at the end either way.
    fn compare(self, one: &SortKey, other: &SortKey) -> Ordering {
        let usual = match (one, other) {
            (SortKey::Number(one), SortKey::Number(other)) => other.cmp(one),
            (SortKey::Nothing, _) | (_, SortKey::Nothing) => return one.cmp(other),
            _ => one.cmp(other),
        };
        if self.is_reversed { usual.reverse() } else { usual }
    }
}

/// A line.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The event's number.
    pub(crate) number: u64,
    /// How many of those above its process have lines.
    pub(crate) depth: u8,
    key: SortKey,
}

/// The lines that there are.
pub(crate) struct View {
    wish: Wish,
    course: Option<Course<Decoder>>,
    lineage: Lineage,
    entries: VecDeque<Entry>,
    /// The first event that has not been looked at.
    next: u64,
    /// Events that rules have left out.
    filtered: u64,
}

impl View {
    pub(crate) fn new(wish: Wish) -> Self {
        Self {
            course: wish.rules.clone().map(|rules| Course::new(rules, true, None)),
            wish,
            lineage: Lineage::default(),
            entries: VecDeque::new(),
            next: 0,
            filtered: 0,
        }
    }

    pub(crate) fn wish(&self) -> &Wish {
        &self.wish
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, line: usize) -> Option<&Entry> {
        self.entries.get(line)
    }

    /// The line of an event, or the one where it would be.
    pub(crate) fn line_of(&self, number: u64) -> usize {
        if self.wish.order.is_some() {
            return self.entries.iter().position(|entry| entry.number == number).unwrap_or(0);
        }
        self.entries.partition_point(|entry| entry.number < number)
    }

    /// Whether all that is kept has been looked at.
    pub(crate) fn is_up_to_date(&self, store: &Store) -> bool {
        self.next >= store.next()
    }

    /// How many of the events that are kept have not been looked at.
    pub(crate) fn behind(&self, store: &Store) -> u64 {
        store.next() - self.next.max(store.first())
    }

    /// Leaves out what is forgotten, and says how many lines that were.
    pub(crate) fn forget(&mut self, store: &Store) -> usize {
        let before = self.entries.len();
        let first = store.first();
        if self.wish.order.is_some() {
            self.entries.retain(|entry| entry.number >= first);
            return 0;
        }
        while self.entries.front().is_some_and(|entry| entry.number < first) {
            self.entries.pop_front();
        }
        before - self.entries.len()
    }

    /// Looks at more events, at so many at most.
    pub(crate) fn advance(&mut self, store: &mut Store, look: &mut Look, most: u64) {
        self.next = self.next.max(store.first());
        let until = store.next().min(self.next.saturating_add(most));
        let before = self.entries.len();
        while self.next < until {
            let number = self.next;
            self.next += 1;
            if let Some(kept) = store.get(number) {
                self.look_at(store, look, (number, kept.kind));
            }
        }
        let ended = store.take_ended();
        if let Some(order) = self.wish.order {
            let is_changed = self.update(store, look, order, ended);
            if is_changed || self.entries.len() > before {
                // Of those in order, few change their places.
                let entries = self.entries.make_contiguous();
                entries.sort_by(|one, other| order.compare(&one.key, &other.key));
            }
        }
    }

    /// Those whose ends have come tell more.
    fn update(&mut self, store: &Store, look: &mut Look, order: Order, ended: Vec<u64>) -> bool {
        let ended: HashSet<u64> = ended.into_iter().collect();
        if ended.is_empty() {
            return false;
        }
        for entry in self.entries.iter_mut().filter(|entry| ended.contains(&entry.number)) {
            let key =
                look.at(store, entry.number, |cells, seen| cells.sort_key(order.column, seen));
            entry.key = key.unwrap_or(SortKey::Nothing);
        }
        true
    }

    fn look_at(&mut self, store: &Store, look: &mut Look, (number, kind): (u64, Kind)) {
        let is_of_kind = match kind {
            Kind::Exec => !self.wish.failed,
            Kind::Exit { is_bad } => {
                if self.wish.failed {
                    is_bad
                } else {
                    self.wish.ends
                }
            }
            Kind::Failed | Kind::Lost => true,
        };
        let is_looked_at = self.course.is_some() || self.wish.tree || self.wish.order.is_some();
        let mut entry = Entry { number, depth: 0, key: SortKey::Nothing };
        if is_looked_at {
            let order = self.wish.order;
            let Self { course, lineage, wish, filtered, .. } = self;
            let wanted = look.at(store, number, |cells, (event, end): Seen<'_, '_>| {
                // Of ends that are not shown, the rules have to know, too.
                if !wanted(course.as_mut(), event) {
                    *filtered += u64::from(is_of_kind);
                    return false;
                }
                if is_of_kind && wish.tree {
                    let depth = lineage.depth(event).min(DEPTH);
                    entry.depth = u8::try_from(depth).unwrap_or(0);
                }
                if let Some(order) = order.filter(|_| is_of_kind) {
                    entry.key = cells.sort_key(order.column, (event, end));
                }
                true
            });
            if wanted != Some(true) {
                return;
            }
        }
        if is_of_kind {
            self.entries.push_back(entry);
        }
    }

    /// Events that the filter has left out.
    pub(crate) fn filtered(&self) -> u64 {
        self.filtered
    }
}

fn wanted(course: Option<&mut Course<Decoder>>, event: &Event<'_>) -> bool {
    let Some(course) = course else { return true };
    let mut is_wanted = false;
    // Nothing is held back, since nothing is folded.
    let _ = course.event(event, &[], &mut |_| {
        is_wanted = true;
        ControlFlow::Continue(())
    });
    is_wanted
}
