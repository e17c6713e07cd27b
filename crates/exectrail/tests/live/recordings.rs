//! What is replayed is what was live, byte for byte.

use std::{
    collections::HashMap,
    fs,
    io::{self, Write},
    ops::ControlFlow,
    process::{Command, Output},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use exectrail_abi::record::Process;
use exectrail_model::{
    environment::Wanted,
    event::{Body, Event, Moment, Summary},
    family::Family,
    filter::{Rule, Rules, Subject, Verdict},
    plan::Plan,
    report::{Occasion, Report, Whose},
};
use exectrail_recording::{Description, Writer};
use exectrail_sensor::{Sensor, this_boot};
use exectrail_sinks::{Options, Sink, SinkKind, report_words, select};
use serde_json::Value;

use crate::{
    edge_expect::Place,
    rules_author::Names,
    support::{Trace, copy, exectrail, real_kernel, run, subject},
};

/// Bytes that can still be read when a sink has taken the writer.
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

/// A live output, and the words that make a replay the same.
struct Live {
    sink: Box<dyn Sink>,
    written: Shared,
    words: Vec<String>,
    rules: Rules,
    /// Whether the last program of a process was wanted.
    wanted: HashMap<Process, bool>,
    shown: u64,
}

impl Live {
    fn new(words: &[&str], exclude: Option<&str>) -> Self {
        let has = |word: &str| words.contains(&word);
        let written = Shared::default();
        let fields = words.iter().position(|&word| word == "--fields").map(|at| words[at + 1]);
        let kind = SinkKind::named(if has("--json") { "json" } else { "pretty" }).unwrap();
        let sink = (kind.build)(Options {
            fields: fields.map(|list| select(list).unwrap()),
            color: has("always"),
            failed: true,
            exits: true,
            ..Options::new(Box::new(written.clone()))
        });
        let mut rules = Rules::default();
        let mut words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
        if let Some(exclude) = exclude {
            rules.push(Rule::parse(Verdict::Exclude, exclude, &Names).unwrap()).unwrap();
            words.extend(["--exclude".to_owned(), exclude.to_owned()]);
        }
        Self { sink, written, words, rules, wanted: HashMap::new(), shown: 0 }
    }

    fn wants(&mut self, event: &Event<'_>) -> bool {
        let judged = Subject::of(event).map(|subject| self.rules.keep(&subject));
        match &event.body {
            Body::Exec(program) => {
                self.wanted.insert(program.process, judged.unwrap());
                judged.unwrap()
            }
            Body::Exit(ended) => self.wanted.get(&ended.process).copied().unwrap_or(false),
            _ => judged.unwrap_or(true),
        }
    }

    fn take(&mut self, event: &Event<'_>) {
        if self.wants(event) {
            self.shown += u64::from(!matches!(event.body, Body::Lost(_)));
            self.sink.event(event).unwrap();
        }
    }
}

/// Traces what happens below a place while `act` runs, for all of these at once.
fn trace(place: &Place, act: impl FnOnce(), take: &mut dyn FnMut(&Event<'_>)) {
    let mut rules = Rules::default();
    rules.push(Rule::parse(Verdict::Only, &place.below(), &Names).unwrap()).unwrap();
    let plan = Plan {
        rules,
        failed: true,
        fold: false,
        exits: true,
        environment: Wanted::parse("PATH,LC_*").unwrap(),
        ancestors: 4,
        ..Plan::default()
    };
    let mut sensor = Sensor::start(&plan).unwrap();
    let mut take = |event: &Event<'_>| {
        take(event);
        ControlFlow::Continue(())
    };
    act();
    sensor.wait(&[], Some(Instant::now() + Duration::from_millis(300))).unwrap();
    sensor.read(&mut take);
    let account = sensor.stop(&mut take);
    assert_eq!(account.dropped(), 0);
}

/// Everything that can be odd about execs, from programs of this place.
fn all_kinds(place: &Place) {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let tiny = place.tiny("tiny");
    let script = place.executable("a script", &format!("#!{tiny} -x\n"));
    let shell = place.executable("shell", "#!/bin/sh\nkill -9 $$\n");
    run(Command::new(&tiny).args(["plain", "", "two words", "it's", "\u{202e}\u{1b}[2J\n"]));
    run(Command::new(&tiny).arg(OsStr::from_bytes(b"caf\xe9")).env("LC_ODD", "\u{1b}x"));
    run(Command::new(&tiny).arg("x".repeat(100_000)).env_clear());
    run(Command::new(&script).current_dir(place.path()));
    run(&mut Command::new(&shell));
    let empty = place.directory("empty");
    let path = format!("{empty}:{}", place.path().display());
    run(Command::new("env").args(["-i", &format!("PATH={path}"), "tiny", "walked"]));
    assert!(Command::new(place.at("missing")).spawn().is_err());
}

fn replay(file: &str, words: &[String]) -> Output {
    exectrail().arg("replay").args(words).arg(file).output().unwrap()
}

/// Every form, and rules.
fn every_output(tiny: &str) -> [Live; 8] {
    let fields = "time,user,process,container,cwd,env,ancestors,exit_code,args";
    [
        Live::new(&["--json"], None),
        Live::new(&["--format", "pretty"], None),
        Live::new(&["--color", "always"], None),
        Live::new(&["--fields", fields], None),
        Live::new(&["--json", "--fields", fields], None),
        Live::new(&["--json"], Some(tiny)),
        Live::new(&[], Some("result=ENOENT")),
        Live::new(&["--json"], Some("**/tiny,arg=plain,user=0")),
    ]
}

/// The live output ends with so many events seen, and its replay is the same.
fn check(mut live: Live, file: &str, moment: Moment, count: u64) {
    let (delivered, filtered) = (live.shown, count - live.shown);
    let summary = Summary { seen: count, delivered, filtered, ..Summary::default() };
    live.sink.end(&Event { moment, body: Body::Summary(summary) }).unwrap();
    live.words.push("--no-fold".to_owned());
    let output = replay(file, &live.words);
    assert!(output.status.success(), "{:?}: {output:?}", live.words);
    let written = live.written.0.lock().unwrap();
    assert!(
        output.stdout == *written,
        "{:?}\n{}\n{}",
        live.words,
        String::from_utf8_lossy(&written),
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(live.rules.is_empty() || (1..count).contains(&live.shown), "{:?}", live.words);
}

/// One trace, into a recording and into all of the outputs.
#[test]
fn a_replay_is_the_live_output_byte_for_byte() {
    if !real_kernel("a_replay_is_the_live_output_byte_for_byte") {
        return;
    }
    let place = Place::new();
    let file = place.at("test.rec");
    let mut lives = every_output(&place.at("tiny"));
    let begun = Sensor::now();
    let boot = this_boot();
    let description =
        Description { boot, begun, failed: true, exits: true, ..Description::default() };
    let mut writer = Writer::begin(fs::File::create(&file).unwrap(), &description).unwrap();
    let mut family = Family::of(0);
    for live in &mut lives {
        live.sink.begin().unwrap();
    }
    let mut count = 0;
    trace(&place, || all_kinds(&place), &mut |event| {
        writer.event(event).unwrap();
        family.take(event);
        for live in &mut lives {
            live.take(event);
        }
        count += u64::from(!matches!(event.body, Body::Lost(_)));
    });
    assert!(count > 12, "{count}");
    let moment = Sensor::now();
    let account = Summary { seen: count, delivered: count, ..Summary::default() };
    writer.end(&Event { moment, body: Body::Summary(account) }).unwrap();

    for live in lives {
        check(live, &file, moment, count);
    }
    let used = family.members().iter().filter_map(|member| member.end?.cpu).sum();
    let occasion = Occasion {
        whose: Whose::Host,
        now: moment,
        status: None,
        took: moment.ktime - begun.ktime,
        cpu: Some(used),
        cpu_before: 0,
    };
    let words = report_words(&Report::new(&family, occasion), None);
    let output = replay(&file, &["--summary-only".to_owned(), "--no-fold".to_owned()]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), words);
    assert!(words.contains("SIGKILL") && words.contains("failures"), "{words}");
}

/// What two traces, each with programs of its own in the kernel, cannot have alike.
const OF_EACH: [&str; 6] =
    ["time", "ktime", "latency_ns", "duration_ns", "cpu_user_ns", "cpu_system_ns"];

fn comparable(mut events: Vec<Value>) -> Vec<Value> {
    events.retain(|event| !event["pid"].is_null());
    for event in &mut events {
        for name in OF_EACH {
            event.as_object_mut().unwrap().remove(name);
        }
    }
    events.sort_by_key(|event| event["pid"].as_u64());
    events
}

/// Users, folding and ends are those of a real trace beside it.
#[test]
fn a_recording_beside_a_trace_has_the_same_events() {
    if !real_kernel("a_recording_beside_a_trace_has_the_same_events") {
        return;
    }
    let place = Place::new();
    let file = place.at("test.rec");
    let below = place.below();
    let what = ["-x", "--exit", "--env", "PATH,LC_*", "--ancestors", "4", "--only", &below];
    let recorder = Trace::start_command(exectrail().args(["record", "-o", &file]).args(what));
    for (fold, more) in [(true, &[][..]), (false, &["--no-fold"][..])] {
        let beside = Trace::start(&[&what[..], more].concat());
        all_kinds(&place);
        let live = comparable(beside.stop().events);
        // On the disk within a second.
        let give_up = Instant::now() + Duration::from_secs(60);
        let words: Vec<_> = ["--json"].iter().chain(more).map(|&word| word.to_owned()).collect();
        loop {
            let output = replay(&file, &words);
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            let replayed = String::from_utf8(output.stdout).unwrap();
            let replayed = replayed.lines().map(|line| serde_json::from_str(line).unwrap());
            let mut replayed = comparable(replayed.collect());
            replayed.retain(|event| live.iter().any(|other| other["pid"] == event["pid"]));
            if replayed.len() >= live.len() {
                assert_eq!(replayed, live);
                let folded = live.iter().any(|event| event["folded"].as_u64() > Some(0));
                assert_eq!(folded, fold);
                break;
            }
            assert!(Instant::now() < give_up, "{replayed:#?}\n{live:#?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    let outcome = recorder.stop();
    assert!(outcome.status.success() && outcome.stderr.contains("recorded"), "{}", outcome.stderr);
    let output = replay(&file, &[]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stderr.contains("cut") && stderr.contains("events shown"), "{stderr}");
}

#[test]
fn what_a_recording_cannot_answer_is_refused() {
    if !real_kernel("what_a_recording_cannot_answer_is_refused") {
        return;
    }
    let place = Place::new();
    let file = place.at("test.rec");
    let mut command = exectrail();
    command.args(["record", "--only", &place.below(), "-o", &file]);
    assert!(Trace::start_command(&mut command).stop().status.success());
    let refused = |args: &[&str], code: i32, words: &[&str]| {
        let output = exectrail().args(args).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        for words in words {
            assert!(stderr.contains(words), "{args:?} does not say {words}: {stderr}");
        }
    };
    refused(&["replay", "--follow", "1", &file], 2, &["tree=1", "running kernel"]);
    refused(&["replay", "--only", "tree=1", &file], 2, &["record it with that rule"]);
    refused(&["replay", "--only", "result=failed", &file], 2, &["--failed"]);
    refused(&["replay", "--summary", &file], 2, &["--exit"]);
    refused(&["replay", "--json", "--summary", &file], 2, &["--exit"]);
    refused(&["replay", "--only", "./x", &file], 2, &["absolute path"]);
    refused(&["replay", subject().to_str().unwrap()], 1, &["no recording"]);
    refused(&["replay", &place.at("none")], 1, &["cannot read"]);
    refused(&["replay", "-o", &file, &file], 2, &["itself"]);
    refused(&["record", "-o", &file], 1, &["--force"]);
    refused(&["record"], 2, &["--output"]);
    let whole = fs::read(&file).unwrap();
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&file).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    // One that cannot start leaves nothing, and takes nothing.
    refused(&["record", "--only", "tree=4000000", "-o", &place.at("new.rec")], 2, &["4000000"]);
    assert!(!fs::exists(place.at("new.rec")).unwrap());
    refused(&["record", "--only", "tree=4000000", "--force", "-o", &file], 2, &["4000000"]);
    assert_eq!(fs::read(&file).unwrap(), whole);
}

/// No rights, no kernel: nobody may replay it who cannot trace.
#[test]
fn whoever_can_read_a_recording_can_replay_it() {
    use std::os::unix::process::CommandExt;
    if !real_kernel("whoever_can_read_a_recording_can_replay_it") {
        return;
    }
    let place = Place::new();
    let (file, tiny) = (place.at("test.rec"), place.tiny("tiny"));
    let mut command = exectrail();
    command.args(["record", "--only", &place.below(), "-o", &file]);
    let recorder = Trace::start_command(&mut command);
    run(Command::new(&tiny).arg("replay-marker"));
    assert!(recorder.stop().status.success());
    let binary = place.at("exectrail");
    copy(crate::hostile::EXECTRAIL, &binary);
    let mut command = Command::new(binary);
    command.args(["replay", "-"]).stdin(fs::File::open(&file).unwrap());
    let output = command.uid(65534).gid(65534).current_dir("/").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("replay-marker"));
}
