//! Which lines are seen, and the way to others.

use super::{SEARCHED_AT_ONCE, State};
use crate::{
    cursor::Cursor,
    draw::{self, Layout},
    keys::Motion,
    look::Look,
    search::Found,
    view::{Order, View, Wish},
};

impl State {
    /// Goes to what was chosen before the view was made anew, or before others came in
    /// between.
    pub(super) fn find_again(&mut self, chosen: Option<u64>) {
        let is_there = self.view.is_up_to_date(&self.store);
        let sought = if is_there { self.sought.take() } else { None };
        if let Some(number) = sought.or(chosen).filter(|_| !self.cursor.is_following) {
            self.cursor.goes_to(self.view.line_of(number));
        }
    }

    pub(super) fn go_on_searching(&mut self, look: &mut Look) {
        let Self { search: Some(search), view, store, .. } = self else { return };
        if !search.is_going() {
            return;
        }
        match search.go_on((view, store, look), SEARCHED_AT_ONCE) {
            Found::Going => return,
            Found::At(line) => {
                self.cursor.is_following = false;
                self.cursor.goes_to(line);
                self.notice = None;
            }
            Found::Nowhere => {
                let words = format!("nowhere: {}", search.text());
                self.say(&words);
            }
        }
        self.is_changed = true;
    }

    pub(super) fn moves(&mut self, motion: Motion) {
        self.sought = None;
        let layout = Layout::of(self);
        match &mut self.pane {
            Some(pane) => {
                let mut cursor = Cursor { at: pane.top, top: pane.top, is_following: false };
                let height = layout.pane_height();
                let last = pane.lines.len().saturating_sub(height);
                cursor.moves(motion, last + 1, 1);
                pane.top = match motion {
                    Motion::PageUp => pane.top.saturating_sub(height),
                    Motion::PageDown => (pane.top + height).min(last),
                    _ => cursor.at,
                };
            }
            None => self.cursor.moves(motion, self.view.len(), layout.list_height()),
        }
    }

    /// Sees something else of the same events. What is chosen stays so, if it is there.
    pub(super) fn wish(&mut self, change: impl FnOnce(&mut Wish)) {
        let chosen = self.chosen();
        let mut wish = self.view.wish().clone();
        change(&mut wish);
        let order = wish.order;
        self.view = View::new(wish);
        self.is_changed = true;
        // There are no lines before it has been gone through.
        self.sought = chosen.or(self.sought);
        if order.is_some() {
            // In order, what comes first is what was asked for.
            self.cursor = Cursor { at: 0, top: 0, is_following: false };
            self.sought = None;
        }
    }

    pub(super) fn sorts(&mut self, look: &Look) {
        let mut columns = draw::columns(look, self.size.0).into_iter();
        let next = match self.view.wish().order {
            Some(order) => columns.find(|&column| column > order.column),
            None => columns.next(),
        };
        let order = next.map(|column| Order { column, is_reversed: false });
        self.wish(|wish| {
            wish.order = order;
            // A place below another is none in any other order.
            wish.tree &= order.is_none();
        });
        if order.is_none() {
            self.moves(Motion::Last);
        }
    }

    pub(super) fn search_on(&mut self, is_forward: bool) {
        let lines = self.view.len();
        let at = self.cursor.at;
        let line = if is_forward { at + 1 } else { at + lines.saturating_sub(1) };
        match &mut self.search {
            Some(search) => search.begin(line, lines, is_forward),
            None => self.say("nothing is searched for: / begins"),
        }
    }
}
