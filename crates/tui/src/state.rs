//! All that is seen, and what changes it: events that come, and keys.

mod asked;
mod opened;
mod seen;
mod typed;

pub use asked::{Account, Effect, Setup};
use exectrail_model::{
    event::{Body, Event, Moment},
    family::Family,
    filter::Host,
};

use crate::{
    cursor::Cursor,
    draw::Layout,
    keys::{self, Key, Message, Motion, Where},
    look::Look,
    pane::{Pane, Subject},
    prompt::{Prompt, Purpose},
    search::Search,
    store::Store,
    view::{View, Wish},
};

/// Events that are looked at between two looks at the keys: some 10 ms.
const AT_ONCE: u64 = 8192;

/// The same, of lines that are searched, of which all cells are made.
const SEARCHED_AT_ONCE: usize = 2048;

/// All that is seen.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct State {
    pub(crate) store: Store,
    pub(crate) view: View,
    pub(crate) cursor: Cursor,
    pub(crate) pane: Option<Pane>,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) search: Option<Search>,
    /// The filter, as it was typed.
    pub(crate) filter: String,
    pub(crate) is_filter_off: bool,
    pub(crate) account: Option<Account>,
    pub(crate) lost: u64,
    /// Events per second.
    pub(crate) rate: u64,
    /// What has been said.
    pub(crate) notice: Option<String>,
    /// That there will be no more events.
    pub(crate) is_over: bool,
    has_exits: bool,
    host: Box<dyn Host + Send>,
    family: Family,
    begun: Option<Moment>,
    last: Moment,
    counted: (u64, u64),
    printed: Vec<String>,
    size: (u16, u16),
    is_changed: bool,
    /// The event whose line is to be chosen once there is one.
    sought: Option<u64>,
}

impl State {
    /// Nothing, yet.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let wish = Wish { tree: setup.tree, ..Wish::default() };
        Self {
            store: Store::new(setup.boot, setup.events, setup.bytes),
            view: View::new(wish),
            cursor: Cursor::new(),
            pane: None,
            prompt: None,
            search: None,
            filter: String::new(),
            is_filter_off: false,
            account: None,
            lost: 0,
            rate: 0,
            notice: None,
            is_over: false,
            has_exits: setup.exits,
            host: setup.host,
            family: Family::of(0),
            begun: None,
            last: Moment::default(),
            counted: (0, 0),
            printed: Vec::new(),
            size: (80, 24),
            is_changed: true,
            sought: None,
        }
    }

    /// Takes an event.
    pub fn push(&mut self, event: &Event<'_>) {
        if let Body::Lost(lost) = &event.body {
            self.lost += lost.count;
        }
        self.begun.get_or_insert(event.moment);
        self.last = event.moment;
        self.family.take(event);
        self.store.push(event);
        self.is_changed = true;
    }

    /// What others have counted, by now.
    pub fn counted(&mut self, account: Account) {
        self.is_changed |= self.account != Some(account);
        self.account = Some(account);
    }

    /// So many milliseconds have gone since the beginning: how fast is it?
    pub fn tick(&mut self, millis: u64) {
        let (before, events) = self.counted;
        let span = millis.saturating_sub(before);
        if span < 1000 {
            return;
        }
        let rate = (self.store.next() - events).saturating_mul(1000) / span;
        self.is_changed |= rate != self.rate;
        self.rate = rate;
        self.counted = (millis, self.store.next());
    }

    /// There will be no more events.
    pub fn ends(&mut self) {
        self.is_over = true;
        self.rate = 0;
        self.is_changed = true;
    }

    /// Whether there will be no more events.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Says something, in the last line.
    pub fn say(&mut self, words: &str) {
        let shown: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.notice = Some(shown);
        self.is_changed = true;
    }

    /// The terminal has so many columns and lines.
    pub fn resized(&mut self, columns: u16, lines: u16) {
        self.is_changed |= self.size != (columns, lines);
        self.size = (columns, lines);
    }

    /// Columns and lines.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// Whether it looks another way than when this was asked last.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }

    /// Whether it looks another way by now.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Commands that are to be printed at the end.
    pub fn take_printed(&mut self) -> Vec<String> {
        std::mem::take(&mut self.printed)
    }

    /// Does some of what there is to do, and says whether there is more.
    pub fn work(&mut self, look: &mut Look) -> bool {
        let chosen = self.chosen();
        let before = self.view.len();
        let gone = self.view.forget(&self.store);
        self.cursor.shift(gone);
        let is_sorted = self.view.wish().order.is_some();
        if !self.view.is_up_to_date(&self.store) || is_sorted {
            self.view.advance(&mut self.store, look, AT_ONCE);
        }
        self.find_again(chosen.filter(|_| is_sorted && self.cursor.at > 0));
        self.is_changed |= gone > 0 || before != self.view.len();
        self.go_on_searching(look);
        self.settle();
        self.lay_out_pane(look);
        let is_searching = self.search.as_ref().is_some_and(Search::is_going);
        is_searching || !self.view.is_up_to_date(&self.store)
    }

    fn settle(&mut self) {
        let height = Layout::of(self).list_height();
        self.cursor.settle(self.view.len(), height);
    }

    /// The number of the event whose line is chosen.
    pub(crate) fn chosen(&self) -> Option<u64> {
        self.view.get(self.cursor.at).map(|entry| entry.number)
    }

    /// A key was pressed.
    pub fn key(&mut self, key: Key, look: &mut Look) -> Option<Effect> {
        let at = match (&self.prompt, &self.pane) {
            (Some(_), _) => Where::Prompt,
            (None, Some(_)) => Where::Pane,
            (None, None) => Where::List,
        };
        let effect = keys::message(at, key).and_then(|message| self.update(message, look));
        // Where it takes no more than that, the next key finds what this one asked for.
        self.work(look);
        self.is_changed = true;
        effect
    }

    /// Does what is asked for.
    pub fn update(&mut self, message: Message, look: &mut Look) -> Option<Effect> {
        self.notice = None;
        match message {
            Message::Quit => return Some(Effect::Quit),
            Message::Suspend => return Some(Effect::Suspend),
            Message::Redraw => return Some(Effect::Redraw),
            Message::Copy => {
                let command = self.command(look)?;
                self.say("copied, if the terminal lets programs do that");
                return Some(Effect::Copy(command));
            }
            Message::Print => {
                if let Some(command) = self.command(look) {
                    self.printed.push(command);
                    let words = format!("printed at the end: {}", self.printed.len());
                    self.say(&words);
                }
            }
            Message::Move(motion) => self.moves(motion),
            Message::Neighbour(motion) => self.open_neighbour(motion),
            Message::Follow if self.cursor.is_following => self.cursor.is_following = false,
            Message::Follow => self.moves(Motion::Last),
            Message::Details => self.open_chosen(),
            Message::Help => self.open(Subject::Help),
            Message::Summary => self.open(Subject::Summary),
            Message::Close => self.close(),
            Message::Tree => self.wish(|wish| {
                wish.tree = !wish.tree;
                wish.order = None;
            }),
            Message::Failed => self.wish(|wish| wish.failed = !wish.failed),
            Message::Ends => {
                if !self.has_exits {
                    self.say("ends of processes were not traced");
                }
                self.wish(|wish| wish.ends = !wish.ends);
            }
            Message::Sort => self.sorts(look),
            Message::Reverse => self.wish(|wish| {
                if let Some(order) = &mut wish.order {
                    order.is_reversed = !order.is_reversed;
                }
            }),
            Message::FilterSwitch => self.switch_filter(),
            Message::Search => self.prompt = Some(Prompt::new(Purpose::Search, String::new())),
            Message::Filter => {
                self.prompt = Some(Prompt::new(Purpose::Filter, self.filter.clone()));
            }
            Message::Next | Message::Previous => self.search_on(message == Message::Next),
            Message::Accept
            | Message::Cancel
            | Message::Type(_)
            | Message::Erase(_)
            | Message::Along(_) => self.typed(message),
        }
        None
    }
}
