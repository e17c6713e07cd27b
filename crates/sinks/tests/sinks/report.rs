//! What there is to say at the end, as programs see it.

use std::{env, fs, path::PathBuf};

use exectrail_model::{
    event::{Event, Status},
    family::Family,
    report::{FAILURES, LISTS, Occasion, PROCESSES, PROGRAMS, REPORT, Report, Whose},
};
use serde_json::Value;

use crate::{
    events::{all, moment, written_by},
    recorded::each_recorded,
};

/// The report of a family, and the account.
fn told(family: &Family, whose: Whose) -> String {
    let is_command = whose == Whose::Command;
    let occasion = Occasion {
        whose,
        now: moment(60_000),
        status: is_command.then_some(Status(0x300)),
        took: 1_234_567_890,
        cpu: Some(98_765_432),
        cpu_before: 1_000_000,
    };
    written_by(
        "json",
        |options| options,
        |sink| {
            assert!(sink.has_reports());
            sink.report(&Report::new(family, occasion)).unwrap();
            sink.end(all().last().unwrap()).unwrap();
        },
    )
}

fn family_of(events: &[Event<'_>]) -> Family {
    let mut family = Family::of(4711);
    for event in events {
        family.take(event);
    }
    family
}

#[test]
fn a_report_is_the_golden_one_from_events_and_from_a_recording() {
    let mut recorded = Family::of(4711);
    each_recorded(|event| recorded.take(event));
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests/sinks/golden/report.jsonl"].iter().collect();
    let both = [Whose::Command, Whose::Host];
    let live = both.map(|whose| told(&family_of(&all()), whose)).concat();
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &live).unwrap();
    }
    assert_eq!(live, fs::read_to_string(&path).unwrap());
    assert_eq!(both.map(|whose| told(&recorded, whose)).concat(), live);
}

#[test]
fn every_key_is_there_in_its_order() {
    let text = told(&family_of(&all()), Whose::Host);
    let [report, summary] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(report.starts_with(r#"{"v":1,"event":"report","time":"#), "{report}");
    assert!(summary.starts_with(r#"{"v":1,"event":"summary","#), "{summary}");
    let report: Value = serde_json::from_str(report).unwrap();
    let keys = |object: &Value| object.as_object().unwrap().len();
    let raw = |object: &Value| {
        object.as_object().unwrap().keys().filter(|key| key.ends_with("_raw")).count()
    };
    assert_eq!(keys(&report), 2 + REPORT.len() + LISTS.len());
    for (list, expect) in
        [("processes", PROCESSES.len()), ("programs", PROGRAMS.len()), ("failures", FAILURES.len())]
    {
        let items = report[list].as_array().unwrap();
        assert!(!items.is_empty(), "{list}");
        for item in items {
            assert_eq!(keys(item) - raw(item), expect, "{item}");
        }
    }
    // Places lead to what they say.
    for list in ["slowest", "bad_ends"] {
        for place in report[list].as_array().unwrap() {
            let place = usize::try_from(place.as_u64().unwrap()).unwrap();
            assert!(report["processes"][place]["pid"].is_u64(), "{list} {place}");
        }
    }
}

/// People have it in words, which are not the sink's.
#[test]
fn a_sink_without_a_form_for_it_writes_nothing() {
    let text = written_by(
        "pretty",
        |options| exectrail_sinks::Options { header: false, ..options },
        |sink| {
            assert!(!sink.has_reports());
            let family = family_of(&all());
            let occasion = Occasion {
                whose: Whose::Host,
                now: moment(1),
                status: None,
                took: 1,
                cpu: None,
                cpu_before: 0,
            };
            sink.report(&Report::new(&family, occasion)).unwrap();
        },
    );
    assert_eq!(text, "");
}
