//! What a signal to us means while a command runs: to be passed on, or to be the end.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

/// Two that ask for the end within this time are meant for us, too.
const TWICE: Duration = Duration::from_secs(2);

/// Within this time they are one: timeout(1) sends its signal to its child and to the
/// group that this is in.
const ONE: Duration = Duration::from_millis(50);

/// So much later, if the command still runs, it is said what is waited for.
const SILENT: Duration = Duration::from_secs(1);

/// What is to become of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the command's.
    Pass,
    /// It has been the command's already.
    Same,
    /// Whoever sends it has waited long enough.
    Enough,
}

/// When the end was asked for.
#[derive(Debug, Default)]
pub(super) struct Patience {
    last: Option<(Instant, Signal)>,
    has_said: bool,
}

impl Patience {
    /// Judges a signal that comes now.
    pub(super) fn judge(&mut self, signal: Signal, now: Instant) -> Verdict {
        if !asks_for_the_end(signal) {
            return Verdict::Pass;
        }
        let since = self.last.map(|(last, _)| now.saturating_duration_since(last));
        if since.is_some_and(|since| since < ONE) {
            return Verdict::Same;
        }
        self.last = Some((now, signal));
        if since.is_some_and(|since| since <= TWICE) { Verdict::Enough } else { Verdict::Pass }
    }

    /// When there will be something to say.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let (last, _) = self.last.filter(|_| !self.has_said)?;
        last.checked_add(SILENT)
    }

    /// The signal after which the command still runs, when that is to be said: once.
    pub(super) fn is_to_say(&mut self, now: Instant) -> Option<Signal> {
        self.deadline().filter(|&deadline| now >= deadline)?;
        self.has_said = true;
        self.last.map(|(_, signal)| signal)
    }
}

fn asks_for_the_end(signal: Signal) -> bool {
    matches!(signal, Signal::SIGHUP | Signal::SIGINT | Signal::SIGQUIT | Signal::SIGTERM)
}

#[cfg(test)]
mod tests {
    use super::{
        Verdict::{Enough, Pass, Same},
        *,
    };

    #[test]
    fn twice_in_a_short_time_is_enough() {
        let start = Instant::now();
        let judged = |times: &[(u64, Signal)]| {
            let mut patience = Patience::default();
            let judge = |&(millis, signal): &(u64, Signal)| {
                patience.judge(signal, start + Duration::from_millis(millis))
            };
            times.iter().map(judge).collect::<Vec<_>>()
        };
        let (int, term) = (Signal::SIGINT, Signal::SIGTERM);
        assert_eq!(judged(&[(0, int), (300, int)]), [Pass, Enough]);
        assert_eq!(judged(&[(0, int), (300, term)]), [Pass, Enough]);
        assert_eq!(judged(&[(0, term), (1, term), (5, term)]), [Pass, Same, Same]);
        // Who talks to an interpreter interrupts now and then.
        assert_eq!(judged(&[(0, int), (3000, int), (6000, int)]), [Pass, Pass, Pass]);
        assert_eq!(judged(&[(0, Signal::SIGUSR1), (100, Signal::SIGUSR1)]), [Pass, Pass]);
    }

    #[test]
    fn what_is_waited_for_is_said_once() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut patience = Patience::default();
        assert_eq!(patience.deadline(), None);
        patience.judge(Signal::SIGINT, start);
        assert_eq!(patience.is_to_say(at(500)), None);
        assert_eq!(patience.is_to_say(at(1000)), Some(Signal::SIGINT));
        assert_eq!(patience.is_to_say(at(1500)), None);
        patience.judge(Signal::SIGINT, at(9000));
        assert_eq!(patience.deadline(), None);
    }
}
