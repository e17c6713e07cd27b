//! The golden files once more, from a recording. The recording is a golden file itself, and
//! an old one: that it can be read is a promise to those who have others.

use std::{env, fs, path::PathBuf};

use exectrail_model::event::{Event, Moment};
use exectrail_recording::{Decoder, Description, Reader, Step, Writer};
use exectrail_sinks::{Options, Sink, select};

use crate::{
    events::{all, put, written_by},
    processes::BOOT,
};

fn golden(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/sinks/golden", file].iter().collect()
}

/// Several frames, since a reader has to go from one to the next.
fn recording() -> Vec<u8> {
    let description = Description {
        made_by: "0.1.0".to_owned(),
        host: "golden".to_owned(),
        boot: Some(*BOOT),
        begun: Moment { ktime: 4_999_000_000_000, wall: 1_787_491_399_000_000_000 },
        failed: true,
        exits: true,
        environment: true,
        ancestors: 8,
        ..Description::default()
    };
    let mut bytes = Vec::new();
    let mut writer = Writer::begin(&mut bytes, &description).unwrap();
    let events = all();
    let (summary, others) = events.split_last().unwrap();
    for some in others.chunks(6) {
        for event in some {
            writer.event(event).unwrap();
        }
        writer.flush().unwrap();
    }
    writer.end(summary).unwrap();
    bytes
}

fn hand_over(bytes: &[u8], sink: &mut dyn Sink) {
    each_of(bytes, |event| put(sink, event));
}

/// Each event of the golden recording.
pub(crate) fn each_recorded(take: impl FnMut(&Event<'_>)) {
    each_of(&fs::read(golden("all.rec")).unwrap(), take);
}

fn each_of(bytes: &[u8], mut take: impl FnMut(&Event<'_>)) {
    let mut reader = Reader::open(bytes).unwrap();
    let mut decoder = Decoder::new(None);
    loop {
        match reader.step().unwrap() {
            Step::Description(description) => decoder = Decoder::new(description.boot),
            Step::Events(items) => {
                for item in items.map(Result::unwrap) {
                    take(&decoder.body(item.bytes, item.moment).unwrap());
                }
            }
            Step::Damage(damage) => panic!("{damage:?}"),
            Step::End(end) => {
                assert!(end.is_whole);
                return;
            }
        }
    }
}

#[test]
fn every_golden_file_comes_out_of_the_golden_recording() {
    let path = golden("all.rec");
    if env::var_os("UPDATE_GOLDEN").is_some() && !path.exists() {
        fs::write(&path, recording()).unwrap();
    }
    let bytes = fs::read(&path).unwrap();
    let fields = |list| Some(select(list).unwrap());
    let plain = |options| options;
    let check = |file: &str, sink: &str, with: &dyn Fn(Options) -> Options| {
        for bytes in [&bytes, &recording()] {
            let text = written_by(sink, with, |sink| hand_over(bytes, sink));
            assert_eq!(text, fs::read_to_string(golden(file)).unwrap(), "{file}");
        }
    };
    check("all.jsonl", "json", &plain);
    check("selected.jsonl", "json", &|options| Options {
        fields: fields("exe,pid,event,error,exit_code"),
        ..options
    });
    check("outcomes.txt", "pretty", &|options| Options { failed: true, exits: true, ..options });
    check("processes.txt", "pretty", &|options| Options {
        fields: fields("process,user,container,signal,core,ancestors,env"),
        ..options
    });
    check("selected.txt", "pretty", &|options| Options {
        fields: fields("error,unreadable,flags,args_truncated,comm,exe,time"),
        ..options
    });
    check("colour.txt", "pretty", &|options| Options { failed: true, color: true, ..options });
    check("narrow.txt", "pretty", &|options| Options {
        failed: true,
        color: true,
        width: Some(Box::new(|| Some(72))),
        ..options
    });
}
