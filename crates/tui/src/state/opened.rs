//! What is opened over the list.

use exectrail_model::report::{Occasion, Report, Whose};
use exectrail_sinks::{command_line, report_words};

use super::State;
use crate::{
    detail,
    draw::Layout,
    keys::Motion,
    look::{Look, Seen},
    pane::{self, Line, Lines, Pane, Subject},
};

impl State {
    pub(super) fn open_chosen(&mut self) {
        if let Some(number) = self.chosen() {
            self.open(Subject::Event(number));
            self.cursor.is_following = false;
        }
    }

    /// Details of the event before, or behind, where there are details.
    pub(super) fn open_neighbour(&mut self, motion: Motion) {
        if matches!(self.pane, Some(Pane { subject: Subject::Event(_), .. })) {
            let height = Layout::of(self).list_height();
            self.cursor.moves(motion, self.view.len(), height);
            self.open_chosen();
        }
    }

    pub(super) fn open(&mut self, subject: Subject) {
        let (title, lines) = (String::new(), Vec::new());
        let resumes = self.cursor.is_following;
        self.pane = Some(Pane { subject, title, lines, top: 0, resumes, made_for: (0, None) });
    }

    pub(super) fn close(&mut self) {
        match self.pane.take() {
            Some(pane) => self.cursor.is_following |= pane.resumes,
            None => self.search = None,
        }
    }

    /// The command of the event that is chosen.
    pub(super) fn command(&mut self, look: &mut Look) -> Option<String> {
        let chosen = match &self.pane {
            Some(Pane { subject: Subject::Event(number), .. }) => Some(*number),
            Some(_) => None,
            None => self.chosen(),
        };
        let command = chosen.and_then(|number| {
            look.at(&self.store, number, |_, (event, _): Seen<'_, '_>| command_line(event))
        });
        if let Some(Some(command)) = command {
            return Some(command);
        }
        self.say("there is no command here");
        None
    }

    /// Makes the lines of what is open, if it was made for something else.
    pub(super) fn lay_out_pane(&mut self, look: &mut Look) {
        let width = usize::from(self.size.0);
        let Some(mut pane) = self.pane.take() else { return };
        let end = match pane.subject {
            Subject::Event(number) => self.store.get(number).and_then(|kept| kept.end),
            Subject::Summary | Subject::Help => None,
        };
        if pane.made_for != (width, end) {
            pane.made_for = (width, end);
            (pane.title, pane.lines) = match pane.subject {
                Subject::Help => ("keys".to_owned(), pane::help(width)),
                Subject::Summary => ("summary so far".to_owned(), self.summary(width)),
                Subject::Event(number) => detail::lines(&self.store, look, number, width)
                    .unwrap_or_else(|| ("event".to_owned(), forgotten(width))),
            };
            self.is_changed = true;
        }
        self.pane = Some(pane);
        let height = Layout::of(self).pane_height();
        if let Some(pane) = &mut self.pane {
            pane.top = pane.top.min(pane.lines.len().saturating_sub(height));
        }
    }

    pub(super) fn summary(&self, width: usize) -> Vec<Line> {
        let mut lines = Lines::new(width);
        if !self.has_exits {
            lines.plain("ends of processes were not traced: all of them still seem to run");
        }
        let used = self.family.members().iter().filter_map(|member| member.end?.cpu);
        let begun = self.begun.unwrap_or(self.last);
        let occasion = Occasion {
            whose: Whose::Host,
            now: self.last,
            status: None,
            took: self.last.ktime.saturating_sub(begun.ktime),
            cpu: Some(used.fold(0, u64::saturating_add)),
            cpu_before: 0,
        };
        let report = Report::new(&self.family, occasion);
        let words = report_words(&report, Some(width));
        words.lines().for_each(|line| lines.plain(line));
        lines.into_lines()
    }
}

fn forgotten(width: usize) -> Vec<Line> {
    let mut lines = Lines::new(width);
    lines.plain("this event is not kept any more");
    lines.into_lines()
}
