//! Who answers what the stream would like to know about users: a thread that may
//! wait for a directory server, so that the stream need not.

use std::{
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread,
    time::Instant,
};

use exectrail_model::enrich::users::{Users, passwd_users};
use nix::errno::Errno;

use crate::accounts::{self, PASSWD};

/// Questions, and answers, that can be under way at a time.
const UNDER_WAY: usize = 64;

/// How long an answer is good for, in the milliseconds that [`Users`] counts in
/// here: ten minutes.
const LIFETIME: u64 = 10 * 60 * 1000;

/// How many of this host's own users are known from the start. Others are asked for when
/// they come up.
const PASSWD_USERS: usize = 1024;

/// A user's id, and the name if there is one.
type Answer = (u32, Option<String>);

/// The thread's other end.
///
/// A thread has credentials of its own: what is dropped after the start is
/// dropped for the caller alone.
pub(crate) struct Resolver {
    started: Instant,
    /// None if there is no thread, or it has ended.
    lines: Option<Lines>,
}

struct Lines {
    questions: SyncSender<u32>,
    answers: Receiver<Answer>,
}

impl Resolver {
    /// Starts the thread. It ends when the resolver is dropped, and is not
    /// waited for: it may be in the middle of a look-up that takes its time.
    ///
    /// Without a thread there are no names but those that are known already.
    pub(crate) fn start() -> Self {
        let (questions, to_answer) = sync_channel(UNDER_WAY);
        let (answered, answers) = sync_channel(UNDER_WAY);
        let thread = thread::Builder::new().name("users".to_owned());
        let lines =
            match thread.spawn(move || resolve(&to_answer, &answered, accounts::name_of_user)) {
                Ok(_) => Some(Lines { questions, answers }),
                Err(error) => {
                    log::warn!("no thread to look up users: {error}");
                    None
                }
            };
        Self { started: Instant::now(), lines }
    }

    /// Hands over what is asked, and fetches what is answered. Never waits.
    pub(crate) fn exchange(&mut self, users: &mut Users) {
        let elapsed = self.started.elapsed().as_millis();
        users.tick(u64::try_from(elapsed).unwrap_or(u64::MAX));
        let Some(lines) = &self.lines else {
            return;
        };
        for (uid, name) in lines.answers.try_iter() {
            users.answer(uid, name);
        }
        let mut ended = false;
        for uid in users.take_questions() {
            match lines.questions.try_send(uid) {
                Ok(()) => {}
                Err(TrySendError::Full(uid)) => users.withdraw(uid),
                Err(TrySendError::Disconnected(_)) => ended = true,
            }
        }
        if ended {
            log::warn!("the thread that looks up users has ended");
            self.lines = None;
        }
    }
}

/// The users of this host that are known without asking anyone.
pub(crate) fn of_this_host() -> Users {
    let mut users = Users::new(LIFETIME);
    match accounts::read(PASSWD) {
        Ok(text) => learn(&mut users, &text),
        Err(error) => log::info!("{PASSWD}: {error}"),
    }
    users
}

/// The thread: answers until nobody asks, or listens.
fn resolve(
    questions: &Receiver<u32>,
    answers: &SyncSender<Answer>,
    look_up: impl Fn(u32) -> Result<Option<String>, Errno>,
) {
    for uid in questions {
        match look_up(uid) {
            Ok(name) => {
                if answers.send((uid, name)).is_err() {
                    return;
                }
            }
            // Not known is not nobody. It is asked again after a lifetime.
            Err(error) => log::debug!("looking up user {uid}: {error}"),
        }
    }
}

/// Of several names for an id the first is the one, as for getpwuid(3).
fn learn(users: &mut Users, text: &[u8]) {
    for (uid, name) in passwd_users(text).take(PASSWD_USERS) {
        if users.name(uid).is_none() {
            users.answer(uid, Some(name.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    /// Waits for what the thread has to say of a user.
    fn name_of(resolver: &mut Resolver, users: &mut Users, uid: u32) -> Option<String> {
        for _ in 0..500 {
            if let Some(name) = users.get(uid) {
                return Some(name.to_owned());
            }
            resolver.exchange(users);
            thread::sleep(Duration::from_millis(10));
        }
        None
    }

    #[test]
    fn the_system_knows_root() {
        let mut users = Users::new(LIFETIME);
        let mut resolver = Resolver::start();
        assert_eq!(users.get(0), None);
        assert_eq!(name_of(&mut resolver, &mut users, 0).as_deref(), Some("root"));
    }

    #[test]
    fn common_users_are_known_from_the_start() {
        assert_eq!(of_this_host().get(0), Some("root"));
    }

    #[test]
    fn the_first_of_two_names_counts() {
        let mut users = Users::new(LIFETIME);
        learn(&mut users, b"root:x:0:0:::\ntoor:x:0:0:::\n");
        assert_eq!(users.name(0), Some("root"));
    }

    /// More questions than can be under way, to someone who does not answer: the
    /// caller comes back at once, and nothing is asked twice or forgotten.
    #[test]
    fn who_asks_does_not_wait() {
        let (questions, to_answer) = sync_channel(UNDER_WAY);
        let (answered, answers) = sync_channel(UNDER_WAY);
        let lines = Some(Lines { questions, answers });
        let mut resolver = Resolver { started: Instant::now(), lines };
        let mut users = Users::new(LIFETIME);
        for round in 1..3 {
            for uid in 0..100 {
                users.get(uid);
            }
            resolver.exchange(&mut users);
            assert!(to_answer.try_iter().all(|uid| {
                let first = (round - 1) * 64;
                (first..first + 64).contains(&uid) && answered.try_send((uid, None)).is_ok()
            }));
        }
        resolver.exchange(&mut users);
        assert_eq!(users.len(), 100);
        drop(to_answer);
        users.get(1000);
        resolver.exchange(&mut users);
        assert!(resolver.lines.is_none());
    }

    #[test]
    fn a_failure_is_no_answer_and_the_thread_goes_on() {
        let (questions, to_answer) = sync_channel(UNDER_WAY);
        let (answered, answers) = sync_channel(UNDER_WAY);
        let look_up = |uid| match uid {
            1 => Err(Errno::EIO),
            2 => Ok(None),
            _ => Ok(Some(format!("user{uid}"))),
        };
        for uid in 1..4 {
            questions.send(uid).unwrap();
        }
        drop(questions);
        resolve(&to_answer, &answered, look_up);
        drop(answered);
        assert!(answers.iter().eq([(2, None), (3, Some("user3".to_owned()))]));
    }
}
