//! The names of users, without ever waiting for one.
//!
//! To look a user up can mean to ask a directory server on another continent, so
//! an event that is the first of its user goes out without the name. The
//! question is noted, somebody who may wait takes it ([`Users::take_questions`])
//! and brings the answer ([`Users::answer`]), and the next event has it.
//!
//! The names are this host's. A user of a container has the name, if any, that
//! the host gives to the id.

use std::collections::HashMap;

/// Users in one of the two generations.
const GENERATION: usize = 2048;

/// Questions that are noted at a time. Past them, a user is asked for again
/// when it comes up again.
const QUESTIONS: usize = 256;

/// Longer names are none: `LOGIN_NAME_MAX` of Linux.
const NAME_MAX: usize = 256;

/// Names of users, as far as they are known.
///
/// Whoever has a range of ids to give away can make up users by the thousand, so
/// there is a bound. Users are kept in two generations: when the young one is
/// full it becomes the old one, and of the old those who came up since are young
/// again. The rest are forgotten.
#[derive(Debug)]
pub struct Users {
    young: HashMap<u32, Entry>,
    old: HashMap<u32, Entry>,
    questions: Vec<u32>,
    lifetime: u64,
    now: u64,
}

/// What is known of a user.
#[derive(Debug)]
struct Entry {
    answer: Answer,
    /// When it was last asked for or answered.
    since: u64,
}

#[derive(Debug)]
enum Answer {
    /// There is none yet.
    Awaited,
    /// Nobody has that id.
    Nobody,
    /// The name.
    Name(Box<str>),
}

impl Users {
    /// Answers are asked for anew after `lifetime`, by the clock that
    /// [`tick`](Self::tick) is told.
    #[must_use]
    pub fn new(lifetime: u64) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), questions: Vec::new(), lifetime, now: 0 }
    }

    /// Tells what time it is, in units of the lifetime.
    pub fn tick(&mut self, now: u64) {
        self.now = self.now.max(now);
    }

    /// The name of a user if it is known by now; if not, it is asked for. A name
    /// that is out of date is asked for as well, and stands until the answer is
    /// here.
    pub fn get(&mut self, uid: u32) -> Option<&str> {
        if !self.young.contains_key(&uid) {
            self.rejuvenate(uid);
        }
        self.ask_anew(uid);
        self.name(uid)
    }

    /// The name of a user if it is known by now. Asks nobody, and so borrows
    /// lightly: what [`get`](Self::get) has found can be had for several users
    /// at once.
    #[must_use]
    pub fn name(&self, uid: u32) -> Option<&str> {
        match &self.young.get(&uid).or_else(|| self.old.get(&uid))?.answer {
            Answer::Name(name) => Some(name),
            Answer::Awaited | Answer::Nobody => None,
        }
    }

    /// The users that have been asked for since the last call, each once. A
    /// question that is never answered is asked again after a lifetime.
    pub fn take_questions(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.questions)
    }

    /// Takes a question back, for want of someone to answer it: it will be
    /// asked again as soon as its user comes up again.
    pub fn withdraw(&mut self, uid: u32) {
        for generation in [&mut self.young, &mut self.old] {
            match generation.get_mut(&uid) {
                Some(Entry { answer: Answer::Awaited, .. }) => drop(generation.remove(&uid)),
                // A name that is out of date still is.
                Some(entry) => entry.since = self.now.saturating_sub(self.lifetime),
                None => (),
            }
        }
    }

    /// The answer to a question, or to one that nobody has asked yet: the user's
    /// name, or that there is none.
    pub fn answer(&mut self, uid: u32, name: Option<String>) {
        let name = name.filter(|name| !name.is_empty() && name.len() <= NAME_MAX);
        let answer = name.map_or(Answer::Nobody, |name| Answer::Name(name.into_boxed_str()));
        self.old.remove(&uid);
        self.insert(uid, Entry { answer, since: self.now });
    }

    /// How many users are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.young.is_empty() && self.old.is_empty()
    }

    /// Someone known of old is young again.
    fn rejuvenate(&mut self, uid: u32) {
        if let Some(entry) = self.old.remove(&uid) {
            self.insert(uid, entry);
        }
    }

    /// Notes the question for someone who is not known, or not for sure any more.
    fn ask_anew(&mut self, uid: u32) {
        let known = self.young.get_mut(&uid);
        let expired = |entry: &Entry| self.now - entry.since >= self.lifetime;
        if known.as_deref().is_some_and(|entry| !expired(entry))
            || self.questions.len() >= QUESTIONS
        {
            return;
        }
        self.questions.push(uid);
        match known {
            Some(entry) => entry.since = self.now,
            None => self.insert(uid, Entry { answer: Answer::Awaited, since: self.now }),
        }
    }

    fn insert(&mut self, uid: u32, entry: Entry) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&uid) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(uid, entry);
    }
}

/// The users in a file like `/etc/passwd`, in its order; lines that are no users
/// (comments, NIS's `+` and `-`) are passed over.
pub fn passwd_users(text: &[u8]) -> impl Iterator<Item = (u32, &str)> {
    text.split(|&byte| byte == b'\n').filter_map(|line| {
        let line = std::str::from_utf8(line).ok()?;
        let mut columns = line.split(':');
        let (name, _, uid) = (columns.next()?, columns.next()?, columns.next()?);
        let named = !name.is_empty() && !name.starts_with(['+', '-', '#']);
        // As digits only: Rust's own parser takes a sign.
        let uid = uid.bytes().all(|byte| byte.is_ascii_digit()).then_some(uid)?;
        Some((uid.parse().ok()?, name)).filter(|_| named)
    })
}

#[cfg(test)]
mod tests;
