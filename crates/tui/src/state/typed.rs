//! What is typed: a search, or a filter that holds as soon as it makes sense.

use super::State;
use crate::{
    filter,
    keys::Message,
    prompt::{Prompt, Purpose},
    search::Search,
};

impl State {
    /// Takes what is typed into the line that is open.
    pub(super) fn typed(&mut self, message: Message) {
        let Some(prompt) = &mut self.prompt else { return };
        match message {
            Message::Type(letter) => prompt.types(letter),
            Message::Erase(what) => prompt.erase(what),
            Message::Along(along) => return prompt.moves(along),
            Message::Accept => return self.accept(),
            Message::Cancel => return self.cancel(),
            _ => return,
        }
        if prompt.purpose == Purpose::Filter {
            self.try_filter();
        }
    }

    /// While a filter makes no sense, the one before it holds.
    fn try_filter(&mut self) {
        let Some(prompt) = &mut self.prompt else { return };
        let parsed = filter::parse(&prompt.text, &*self.host);
        prompt.wrong = parsed.err();
        let text = if prompt.wrong.is_none() { prompt.text.trim() } else { &prompt.before };
        if text != self.filter {
            self.filter = text.to_owned();
            self.is_filter_off = false;
            self.apply_filter();
        }
    }

    fn accept(&mut self) {
        let Some(prompt) = self.prompt.take() else { return };
        match prompt {
            // It stays open, with what is wrong.
            Prompt { purpose: Purpose::Filter, wrong: Some(_), .. } => self.prompt = Some(prompt),
            Prompt { purpose: Purpose::Filter, .. } => {}
            Prompt { purpose: Purpose::Search, text, .. } if text.is_empty() => self.search = None,
            Prompt { purpose: Purpose::Search, text, .. } => {
                let mut search = Search::new(text);
                // From what is seen on: from the line that is chosen, it included.
                search.begin(self.cursor.at, self.view.len(), true);
                self.search = Some(search);
            }
        }
    }

    fn cancel(&mut self) {
        let Some(prompt) = self.prompt.take() else { return };
        if prompt.purpose == Purpose::Filter && prompt.before != self.filter {
            self.filter = prompt.before;
            self.apply_filter();
        }
    }

    /// Does without the filter, or with it again.
    pub(super) fn switch_filter(&mut self) {
        if self.filter.is_empty() {
            self.say("there is no filter: f makes one");
            return;
        }
        self.is_filter_off = !self.is_filter_off;
        self.apply_filter();
    }

    fn apply_filter(&mut self) {
        // It made sense before.
        let rules = filter::parse(&self.filter, &*self.host).unwrap_or_default();
        let is_off = self.is_filter_off;
        self.wish(|wish| wish.rules = rules.filter(|_| !is_off));
    }
}
