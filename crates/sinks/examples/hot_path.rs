//! Sends so many events through user space, for a program that counts instructions:
//! `hot_path STEP EVENTS`.

#[path = "../benches/hot_path/way.rs"]
mod way;

use std::{env, process::ExitCode};

use way::{Step, Way};

fn main() -> ExitCode {
    let words: Vec<_> = env::args().skip(1).collect();
    let asked = match words.as_slice() {
        [step, events] => Step::NAMED
            .into_iter()
            .find(|(name, _)| name == step)
            .and_then(|(_, step)| Some((step, events.parse::<u64>().ok()?))),
        _ => None,
    };
    let Some((step, events)) = asked else {
        eprintln!("usage: hot_path decode|filter|json|pretty EVENTS");
        return ExitCode::from(2);
    };
    let mut way = Way::new(step);
    for _ in 0..events {
        way.go();
    }
    assert_eq!(way.events(), events, "every event comes through");
    ExitCode::SUCCESS
}
