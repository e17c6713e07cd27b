//! Measuring in turns.

use std::io::{self, IsTerminal as _};

use anyhow::Result;

use super::{Bench, contenders::Contender, interrupt::Interrupt, numbers};

/// What came of rounds in which each contender had its turn.
pub(super) struct Turns<'c, T> {
    contenders: &'c [Contender],
    /// By contender, and in each by round.
    samples: Vec<Vec<T>>,
    /// Who gave up on the way, and why.
    failures: Vec<Option<String>>,
}

impl Bench {
    /// Measures each contender once a round. The one who begins changes from
    /// round to round, so that none always runs in the wake of the same other.
    /// Someone else's tracer that fails has no further turn; ours ends it all.
    pub(super) fn in_turns<'c, T>(
        &self,
        what: &str,
        rounds: usize,
        contenders: &'c [Contender],
        measure: impl FnMut(&Contender) -> Result<T>,
    ) -> Result<Turns<'c, T>> {
        let mut turns = Turns::of(contenders);
        let watched = io::stderr().is_terminal();
        let tell = |round| {
            if watched {
                eprint!("\r{what}: round {} of {rounds}   ", round + 1);
            }
        };
        turns.take(&self.interrupt, rounds, tell, measure)?;
        if watched {
            eprintln!();
        }
        Ok(turns)
    }
}

impl<'c, T> Turns<'c, T> {
    fn of(contenders: &'c [Contender]) -> Self {
        let (samples, failures) = contenders.iter().map(|_| (Vec::new(), None)).unzip();
        Self { contenders, samples, failures }
    }

    fn take(
        &mut self,
        interrupt: &Interrupt,
        rounds: usize,
        tell: impl Fn(usize),
        mut measure: impl FnMut(&Contender) -> Result<T>,
    ) -> Result<()> {
        for round in 0..rounds {
            tell(round);
            for turn in 0..self.contenders.len() {
                let index = (round + turn) % self.contenders.len();
                let contender = &self.contenders[index];
                interrupt.check()?;
                let is_done = round >= contender.rounds;
                if is_done || contender.absent.is_some() || self.failures[index].is_some() {
                    continue;
                }
                match measure(contender) {
                    Ok(sample) => self.samples[index].push(sample),
                    Err(error) if contender.foreign => {
                        // One reaches the tracer, too.
                        interrupt.check()?;
                        self.failures[index] =
                            Some(format!("FAILED in round {}: {error:#}", round + 1));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Contenders with their samples.
    pub(super) fn each(&self) -> impl Iterator<Item = (&'c Contender, &[T])> {
        self.contenders.iter().zip(self.samples.iter().map(Vec::as_slice))
    }

    /// Why this one has no samples, or too few to show.
    pub(super) fn why_not(&self, contender: &Contender) -> Option<String> {
        let index = self.contenders.iter().position(|other| std::ptr::eq(other, contender))?;
        let absent = || contender.absent.as_ref().map(|why| format!("NOT RUN: {why}"));
        self.failures[index].clone().or_else(absent)
    }

    /// The median of the ratios, within rounds, to the first contender for which this holds.
    pub(super) fn ratios_to(
        &self,
        holds: impl Fn(&Contender) -> bool,
        number: impl Fn(&T) -> f64,
    ) -> Vec<Option<f64>> {
        let numbers = |samples: &[T]| samples.iter().map(&number).collect::<Vec<_>>();
        let base = self.each().find(|(contender, _)| holds(contender));
        let base = base.map(|(_, samples)| numbers(samples));
        self.each()
            .map(|(_, samples)| numbers::median_ratio(&numbers(samples), base.as_ref()?))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use anyhow::{bail, ensure};

    use super::*;

    fn contender(name: &'static str, foreign: bool, rounds: usize) -> Contender {
        let (variant, is_peer, budget, absent) = (None, foreign, "", None);
        Contender { name, variant, is_peer, foreign, rounds, budget, absent }
    }

    #[test]
    fn another_begins_each_round_and_some_are_done_early() {
        let all = [contender("a", false, 9), contender("b", true, 2), contender("c", false, 9)];
        let order = RefCell::new(String::new());
        let mut turns = Turns::of(&all);
        let measure = |contender: &Contender| {
            order.borrow_mut().push_str(contender.name);
            Ok(())
        };
        turns.take(&Interrupt::default(), 3, |_| order.borrow_mut().push(' '), measure).unwrap();
        assert_eq!(order.into_inner(), " abc bca ca");
    }

    #[test]
    fn who_fails_is_out_and_our_own_failure_is_the_end() {
        let absent = Contender { absent: Some("gone".into()), ..contender("c", true, 9) };
        let all = [contender("a", false, 9), contender("b", true, 9), absent];
        let mut turns = Turns::of(&all);
        let mut calls = 0;
        let measure = |contender: &Contender| {
            calls += 1;
            ensure!(!contender.foreign, "no more");
            Ok(2.0)
        };
        turns.take(&Interrupt::default(), 3, |_| (), measure).unwrap();
        assert_eq!(calls, 4);
        assert_eq!(turns.why_not(&all[1]).unwrap(), "FAILED in round 1: no more");
        assert_eq!(turns.why_not(&all[2]).unwrap(), "NOT RUN: gone");
        assert_eq!(turns.why_not(&all[0]), None);
        let ratios = turns.ratios_to(|contender| contender.name == "a", |sample| *sample);
        assert_eq!(ratios, [Some(1.0), None, None]);

        let mut turns: Turns<'_, f64> = Turns::of(&all);
        assert!(turns.take(&Interrupt::default(), 1, |_| (), |_| bail!("ours")).is_err());
    }
}
