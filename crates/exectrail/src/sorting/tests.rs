use std::{
    cmp::Ordering,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use exectrail_model::{event::Body, fields::FIELDS};
use exectrail_recording::{Decoder, Reader, Step};
use exectrail_sinks::{Options, SinkKind};
use serde_json::Value;

use super::*;
use crate::stream::Stream;

/// A recording of everything that can be odd.
const ALL: &[u8] = include_bytes!("../../../sinks/tests/sinks/golden/all.rec");

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hands over each event of the recording, so many times.
fn play(times: usize, mut take: impl FnMut(&Event<'_>)) {
    for _ in 0..times {
        let mut reader = Reader::open(ALL).unwrap();
        let mut decoder = Decoder::new(boot());
        loop {
            match reader.step().unwrap() {
                Step::Description(_) => {}
                Step::Events(items) => items.map(Result::unwrap).for_each(|item| {
                    take(&decoder.body(item.bytes, item.moment).unwrap());
                }),
                Step::Damage(damage) => panic!("{damage:?}"),
                Step::End(_) => break,
            }
        }
    }
}

fn boot() -> Option<BootId> {
    let mut reader = Reader::open(ALL).unwrap();
    let Step::Description(description) = reader.step().unwrap() else { panic!() };
    description.boot
}

fn order(list: &str) -> Order<Field> {
    Order::parse(list).unwrap()
}

/// What is shown, and how many events were delivered, and turned away.
fn shown(times: usize, count: Option<u64>, sorting: Option<Sorting>) -> (Vec<Value>, u64, u64) {
    let shared = Shared::default();
    let kind = SinkKind::named("json").unwrap();
    let sink = (kind.build)(Options::new(Box::new(shared.clone())));
    let mut stream = Stream::of_recording(sink, count);
    if let Some(sorting) = sorting {
        stream = stream.sorted(sorting);
    }
    play(times, |event| {
        let _ = stream.take(event);
    });
    stream.settle();
    let counts = (stream.progress().0, stream.turned_away());
    stream.end_without_account().unwrap();
    let text = String::from_utf8(shared.0.lock().unwrap().clone()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, counts.0, counts.1)
}

fn sorted(list: &str) -> Vec<Value> {
    shown(1, None, Some(Sorting::recorded(order(list), boot(), None))).0
}

/// As JSON has them; what is no UTF-8 is told by its bytes elsewhere.
fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_u64().cmp(&other.as_u64()),
        (Value::String(one), Value::String(other)) => one.as_bytes().cmp(other.as_bytes()),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Array(one), Value::Array(other)) => {
            let pairs = one.iter().zip(other).map(|(one, other)| compare(one, other));
            let first = pairs.into_iter().find(|order| order.is_ne());
            first.unwrap_or_else(|| one.len().cmp(&other.len()))
        }
        // An argument that could not be read stands as an empty one.
        (Value::Null, Value::String(other)) => b"".as_slice().cmp(other.as_bytes()),
        (Value::String(one), Value::Null) => one.as_bytes().cmp(b""),
        (Value::Object(one), Value::Object(other)) => match (one.get("pid"), other.get("pid")) {
            (Some(one), Some(other)) => compare(one, other),
            _ => one.values().next().is_some().cmp(&other.values().next().is_some()),
        },
        (Value::Null, Value::Null) => Ordering::Equal,
        _ => panic!("{one} {other}"),
    }
}

#[test]
fn every_field_sorts_up_and_down() {
    let (unsorted, ..) = shown(1, None, None);
    assert_eq!(unsorted.len(), 15);
    let text = |events: &[Value]| {
        let mut lines: Vec<_> = events.iter().map(ToString::to_string).collect();
        lines.sort();
        lines
    };
    for Field { name, .. } in FIELDS {
        for (list, is_down) in [((*name).to_owned(), false), (format!("-{name}"), true)] {
            let events = sorted(&list);
            assert_eq!(text(&events), text(&unsorted), "{list}: a permutation");
            for pair in events.windows(2) {
                check(name, is_down, &pair[0], &pair[1]);
            }
        }
    }
}

/// One stands before the other, rightly.
fn check(name: &str, is_down: bool, one: &Value, other: &Value) {
    let known = |event: &Value| event.get(name).filter(|it| !it.is_null()).cloned();
    let order = match (known(one), known(other)) {
        // Of these, other tests know the bytes.
        (Some(_), Some(_))
            if [one, other].iter().any(|it| it.get(format!("{name}_raw")).is_some()) =>
        {
            return;
        }
        (Some(value), Some(behind)) if is_down => compare(&behind, &value),
        (Some(value), Some(behind)) => compare(&value, &behind),
        (value, behind) => behind.is_some().cmp(&value.is_some()),
    };
    assert!(order.is_le(), "{name}, {is_down}: {one} {other}");
    if known(one) == known(other) {
        assert!(one["ktime"].as_u64() <= other["ktime"].as_u64(), "{name}: {one} {other}");
    }
}

#[test]
fn the_second_field_decides_among_equals() {
    let pairs: Vec<_> = sorted("event,-ktime")
        .iter()
        .map(|event| (event["event"].as_str().unwrap().to_owned(), event["ktime"].as_u64()))
        .collect();
    assert!(pairs.windows(2).all(|pair| (&pair[0].0, pair[1].1) <= (&pair[1].0, pair[0].1)));
    let kinds: Vec<_> = sorted("-event").iter().map(|event| event["event"].clone()).collect();
    assert_eq!(kinds.first().unwrap(), "lost");
    assert_eq!(kinds.last().unwrap(), "exec");
}

#[test]
fn bytes_that_are_no_text_have_their_place() {
    let mut paths = Vec::new();
    play(1, |event| {
        paths.extend(event.program().and_then(|program| program.exe.map(<[u8]>::to_vec)));
    });
    paths.sort();
    let mut sorting = Sorting::recorded(order("exe"), boot(), None);
    play(1, |event| sorting.keep(event, u64::from(event.program().is_some())));
    let mut seen = Vec::new();
    sorting.show(|event, _| {
        seen.extend(event.program().and_then(|program| program.exe.map(<[u8]>::to_vec)));
    });
    assert!(seen.iter().any(|path| path.contains(&0xe9)));
    assert_eq!(seen, paths);
}

/// Whatever the number: the first of all, each loss, and the same account.
#[test]
fn with_a_count_the_first_of_the_sorted_are_shown() {
    let times = 700;
    let (all, delivered, _) = shown(times, None, None);
    let is_lost = |event: &&Value| event["event"] == "lost";
    let lost = all.iter().filter(is_lost).count();
    for count in [1, 7, 300, 5000, 1 << 40] {
        for list in ["-pid,args", "exe", "-event"] {
            let whole = Sorting::recorded(order(list), boot(), None);
            let (whole, ..) = shown(times, None, Some(whole));
            let some = Sorting::recorded(order(list), boot(), Some(count));
            let (some, shown, turned_away) = shown(times, Some(count), Some(some));
            let others = |events: &[Value]| {
                let others = events.iter().filter(|event| !is_lost(event)).cloned();
                others.take(usize::try_from(count).unwrap()).collect::<Vec<_>>()
            };
            assert_eq!(others(&some), others(&whole), "{list} {count}");
            assert_eq!(some.iter().filter(is_lost).count(), lost, "{list} {count}");
            assert_eq!(shown + turned_away, delivered, "{list} {count}");
        }
    }
}

#[test]
fn a_live_trace_has_those_that_came_first() {
    let (all, ..) = shown(1, Some(4), None);
    let sorting = Sorting::live(order("-ktime"), boot(), Some(4));
    let (mut some, delivered, turned_away) = shown(1, Some(4), Some(sorting));
    some.reverse();
    assert_eq!(some, all);
    assert!(delivered >= 4 && turned_away > 0);
}

#[test]
fn what_there_is_no_room_for_is_counted() {
    let mut sorting = Sorting { room: 100_000, ..Sorting::recorded(order("pid"), None, None) };
    let mut handed = 0;
    play(100, |event| {
        let stands_for = u64::from(!matches!(event.body, Body::Lost(_) | Body::Summary(_)));
        handed += stands_for;
        sorting.keep(event, stands_for);
    });
    assert!(sorting.is_over() && sorting.over_full().is_some());
    assert!(sorting.bytes <= 100_000 && sorting.bytes > 50_000);
    let mut seen = 0;
    sorting.show(|_, stands_for| seen += stands_for);
    assert!(seen > 0);
    assert_eq!(seen + sorting.unkept() + sorting.turned_away(), handed);

    // Of which few are to be shown, there can be any number.
    let few = Sorting::recorded(order("pid"), None, Some(10));
    let mut few = Sorting { room: 100_000, ..few };
    play(100, |event| few.keep(event, u64::from(event.program().is_some())));
    assert!(few.over_full().is_none());
    assert!(few.bytes <= 100_000);
}
