//! What is kept, and what is forgotten.

use super::{Desk, end, event, exec, lost, program};
use crate::{Key, store::Store};
use exectrail_model::{
    args::Args,
    event::{Body, Program},
};

#[test]
fn the_last_ones_are_kept_and_the_others_counted() {
    let mut desk = Desk::with(80, 10, 3000, None, true);
    let words: Vec<String> = (0..10_000).map(|number| format!("program-{number}\0")).collect();
    for args in &words {
        desk.takes(&exec(10, args));
        if args.ends_with("500\0") {
            desk.settle();
        }
    }
    assert!(desk.has("program-9999") && desk.has("7,000 forgotten"));
    assert!(desk.has("3,000 shown of 10,000 seen"), "{}", desk.text());
    desk.key(Key::Home);
    assert!(desk.has("program-7000"));
    // What is looked at stays, as long as it is kept.
    desk.key(Key::Enter);
    words[..10].iter().for_each(|args| desk.takes(&exec(10, args)));
    assert!(desk.has("program-7000"));
    desk.key(Key::Escape);
    assert!(desk.has("program-7010"));
}

#[test]
fn bytes_have_a_limit_of_their_own() {
    let mut store = Store::new(None, 1_000_000, 1 << 20);
    let long = [vec![b'x'; 50_000], vec![0]].concat();
    for number in 0..1000 {
        let args = Some(Args::whole(&long));
        store.push(&event(&Body::Exec(Program { args, ..program(number + 1, "") })));
        assert!(store.bytes() < 2 << 20);
    }
    assert_eq!(store.next(), 1000);
    assert_eq!(store.next() - store.first(), 20);
    // One that is larger than all that is kept is there, still.
    let huge = vec![b'x'; 3 << 20];
    let args = Some(Args::whole(&huge));
    store.push(&event(&Body::Exec(Program { args, ..program(7, "") })));
    assert_eq!(store.next() - store.first(), 1);
    assert!(store.get(1000).is_some() && store.get(999).is_none() && store.get(1001).is_none());
}

/// An end finds its exec, unless that is forgotten or another one's.
#[test]
fn ends_find_their_execs() {
    let mut store = Store::new(None, 4, 1 << 20);
    store.push(&exec(1, "a\0"));
    store.push(&exec(1, "b\0"));
    store.push(&exec(2, "c\0"));
    store.push(&end(1, 0));
    assert_eq!(store.get(0).unwrap().end, None);
    assert_eq!(store.get(1).unwrap().end, Some(3));
    (0..4).for_each(|count| store.push(&lost(count)));
    store.push(&end(2, 0));
    assert_eq!(store.first(), 5);
    assert!((5..9).all(|number| store.get(number).unwrap().end.is_none()));
    // The same process again is told once.
    store.push(&end(1, 0));
    assert_eq!(store.next(), 10);
}

/// All of the golden recording, through the store and back.
#[test]
fn what_is_kept_is_what_came() {
    let mut desk = Desk::new(100, 30);
    let mut came = Vec::new();
    super::golden(&mut |event| {
        desk.takes(event);
        if event.kind().name() != "summary" {
            came.push(shown(event));
        }
    });
    let Desk { state, look } = &mut desk;
    for (number, expect) in (0..).zip(came) {
        let kept = look.at(&state.store, number, |_, (event, _)| shown(event));
        assert_eq!(kept, Some(expect), "{number}");
    }
}

/// Ids of processes come of the boot, which the decoder here is not told.
fn shown(event: &exectrail_model::event::Event<'_>) -> String {
    let (kind, moment) = (event.kind().name(), event.moment);
    let args = event.program().and_then(|program| program.args);
    format!("{kind} {moment:?} {args:?}")
}
