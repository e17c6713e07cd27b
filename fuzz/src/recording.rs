//! Recordings, as they are written and as nobody ever would.

use std::ops::ControlFlow;

use exectrail_model::{event::Event, filter::Rules};
use exectrail_recording::{Decoder, Description, Player, Reader, Step, Writer};
use serde_json::Value;

use crate::outputs;

/// What has been read.
#[derive(Default)]
struct Read {
    /// Each event, as JSON has it, without what the player makes of them.
    events: Vec<Value>,
    /// The same events, written once more.
    again: Option<Writer<Vec<u8>>>,
    description: Option<Description>,
}

/// Whatever the bytes are: every step gets on, what is damaged lies one behind the other
/// within the file, and what is read is the same when it is written and read again.
pub fn check(bytes: &[u8]) {
    let read = read(bytes, true);
    let Some(mut writer) = read.again else { return };
    if writer.flush().is_ok() {
        let again = self::read(&writer.into_inner(), false);
        assert_eq!(read.events, again.events, "written and read again");
    }
}

fn read(bytes: &[u8], is_first: bool) -> Read {
    let mut read = Read::default();
    let Ok(mut reader) = Reader::open(bytes) else { return read };
    let mut player: Option<Player> = None;
    let mut behind = 0;
    // Each step but the last takes at least a byte, or tells that something is missing
    // before one that does.
    for _ in 0..=2 * bytes.len() + 2 {
        match reader.step().expect("memory can be read") {
            Step::Description(description) => {
                read.begin(description);
                player.get_or_insert_with(|| Player::new(description, Rules::default(), true));
            }
            Step::Events(items) => {
                read.take(items.clone());
                let player = player.as_mut().expect("a description comes first");
                if is_first {
                    let _ = player.play(items, &mut |event| {
                        outputs::show(event);
                        ControlFlow::Continue(())
                    });
                }
            }
            Step::Damage(damage) => {
                assert!(is_first, "{damage:?} in what has just been written");
                assert!(damage.offset >= behind, "{damage:?} lies before {behind}");
                behind = damage.offset + damage.bytes;
                assert!(behind <= bytes.len() as u64, "{damage:?} of {}", bytes.len());
            }
            Step::End(end) => {
                assert!(behind + end.rest <= bytes.len() as u64, "{end:?} of {}", bytes.len());
                if let Some(player) = &mut player {
                    player.finish(&mut |event| {
                        outputs::show(event);
                        ControlFlow::Continue(())
                    });
                }
                return read;
            }
        }
    }
    panic!("it does not come to an end");
}

impl Read {
    /// The first description is that of the copy, too.
    fn begin(&mut self, description: &Description) {
        if self.description.is_none() {
            self.description = Some(description.clone());
            self.again = Writer::begin(Vec::new(), description).ok();
        }
    }

    fn take(&mut self, items: exectrail_recording::Items<'_>) {
        let boot = self.description.as_ref().and_then(|description| description.boot);
        let mut decoder = Decoder::new(boot);
        for item in items.map_while(Result::ok) {
            if let Ok(event) = decoder.body(item.bytes, item.moment) {
                self.put(&event);
            }
        }
    }

    fn put(&mut self, event: &Event<'_>) {
        self.events.push(outputs::show(event));
        if let Some(writer) = &mut self.again {
            writer.event(event).expect("memory takes everything");
        }
    }
}
