//! Every line is JSON, and says what the event said.

use std::collections::{HashMap, HashSet};

use exectrail_model::{
    ancestors::Ancestors,
    args::Args,
    environment::Environment,
    event::{Body, Ended, Event, NO_PROCESS, Program, Status},
    fields::FIELDS,
};
use serde_json::Value;

use crate::{
    events::{all, exec, moment, program, written},
    processes::{ALL_VARIABLES, BOOT, ended, row},
    random::Random,
};

fn parsed(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_field_is_a_key_of_its_kinds_and_of_no_other() {
    let events = all();
    let lines = parsed(&written("json", &events, |options| options));
    assert_eq!(lines.len(), events.len());
    for (event, line) in events.iter().zip(&lines) {
        for field in FIELDS {
            let present = line.get(field.name).is_some();
            assert_eq!(present, field.events.contains(event.kind()), "{} {line}", field.name);
        }
    }
}

#[test]
fn every_line_begins_with_what_tells_how_to_read_it() {
    for fields in [None, Some("pid"), Some("event,pid"), Some("args")] {
        let fields = fields.map(|list| exectrail_sinks::select(list).unwrap());
        let text =
            written("json", &all(), |options| exectrail_sinks::Options { fields, ..options });
        for (event, line) in all().iter().zip(text.lines()) {
            let beginning = format!("{{\"v\":1,\"event\":\"{}\"", event.kind().name());
            let rest = line.strip_prefix(&beginning).unwrap();
            assert!(rest.starts_with([',', '}']), "{line}");
            assert_eq!(line.matches("\"event\":").count(), 1);
        }
    }
}

#[test]
fn no_field_is_named_like_the_bytes_of_another() {
    for field in FIELDS {
        assert!(!field.name.ends_with("_raw"), "{}", field.name);
    }
}

#[test]
fn keys_stand_in_the_order_of_the_table_and_bytes_behind_their_string() {
    let text = written("json", &all(), |options| options);
    for line in text.lines() {
        let places = FIELDS.iter().filter_map(|field| line.find(&format!("\"{}\":", field.name)));
        assert!(places.is_sorted(), "{line}");
    }
    assert!(text.contains("\"filename\":\"caf\u{fffd}\",\"filename_raw\":\"Y2Fm6Q==\",\"exe\":"));
}

#[test]
fn random_bytes_come_back() {
    let mut random = Random::new(20_260_823);
    for _ in 0..3000 {
        let strings: Vec<_> = (0..random.below(6)).map(|_| random.string()).collect();
        let joined: Vec<u8> =
            strings.iter().flat_map(|string| [string, &b"\0"[..]].concat()).collect();
        let name = random.string();
        let program =
            Program { args: Some(Args::whole(&joined)), filename: Some(&name), ..program() };
        let text = written("json", &[exec(&program), *all().last().unwrap()], |options| options);
        let line = &parsed(&text)[0];
        check_string(&name, &line["filename"], line.get("filename_raw"));
        check_list(&strings, &line["args"], line.get("args_raw"));
        assert!(!text.trim_end_matches('\n').lines().any(|line| line.contains(char::is_control)));
    }
}

#[test]
fn random_environments_come_back() {
    let mut random = Random::new(20_260_824);
    for _ in 0..3000 {
        let pairs: Vec<_> =
            (0..random.below(6)).map(|index| (variable(&mut random), value(index))).collect();
        let joined: Vec<u8> = pairs
            .iter()
            .flat_map(|(name, value)| [name, &b"="[..], value, b"\0"].concat())
            .collect();
        let environment = Some(Environment::new(&joined, &ALL_VARIABLES));
        let program = Program { environment, ..program() };
        let text = written("json", &[exec(&program), *all().last().unwrap()], |options| options);
        let line = &parsed(&text)[0];
        check_environment(&pairs, &line["env"], line.get("env_raw"));
        assert!(!text.trim_end_matches('\n').lines().any(|line| line.contains(char::is_control)));
    }
}

/// Often one that was there before, or that looks like it.
fn variable(random: &mut Random) -> Vec<u8> {
    const FEW: [&[u8]; 4] = [b"A", b"\xff", b"\xfe", "\u{fffd}".as_bytes()];
    if random.below(2) == 0 {
        return FEW.iter().cycle().nth(random.below(4).try_into().unwrap()).unwrap().to_vec();
    }
    random.string().into_iter().filter(|&byte| byte != b'=').collect()
}

/// Another one each time: a reader of an object with a key twice takes the last.
fn value(index: u64) -> Vec<u8> {
    let odd: &[u8] = if index == 4 { b"\xff" } else { b"=" };
    [index.to_string().as_bytes(), odd].concat()
}

fn check_environment(pairs: &[(Vec<u8>, Vec<u8>)], object: &Value, raw: Option<&Value>) {
    let mut expect = HashMap::new();
    for (name, value) in pairs {
        let lossy = |bytes| String::from_utf8_lossy(bytes).into_owned();
        expect.entry(lossy(name)).or_insert(lossy(value));
    }
    let object = object.as_object().unwrap();
    assert_eq!(object.len(), expect.len());
    for (name, value) in object {
        assert_eq!(value.as_str(), expect.get(name).map(String::as_str), "{name}");
    }
    let names: HashSet<_> = pairs.iter().map(|(name, _)| name).collect();
    let is_text = |bytes: &[u8]| str::from_utf8(bytes).is_ok();
    let text = pairs.iter().all(|(name, value)| is_text(name) && is_text(value));
    assert_eq!(raw.is_none(), text && names.len() == pairs.len());
    let Some(raw) = raw else { return };
    let bytes = |pair: &Value, index: usize| from_base64(pair[index].as_str().unwrap());
    let raw = raw.as_array().unwrap().iter();
    let raw: Vec<_> = raw.map(|pair| (bytes(pair, 0), bytes(pair, 1))).collect();
    assert_eq!(raw, pairs);
}

#[test]
fn a_name_ten_thousand_times_is_one_key_and_soon_written() {
    let joined = b"A=1\0B=2\0".repeat(5000);
    let environment = Some(Environment::new(&joined, &ALL_VARIABLES));
    let program = Program { environment, ..program() };
    let text = written("json", &[exec(&program), *all().last().unwrap()], |options| options);
    let line = &parsed(&text)[0];
    assert!(text.contains("\"env\":{\"A\":\"1\",\"B\":\"2\"},\"env_raw\":[[\"QQ==\",\"MQ==\"],"));
    assert_eq!(line["env_raw"].as_array().unwrap().len(), 10_000);
}

#[test]
fn random_ends_come_back() {
    let mut random = Random::new(20_260_825);
    for _ in 0..1000 {
        let comm = random.string();
        let status = u32::try_from(random.below(0x1_0000)).unwrap();
        let duration = (random.below(2) == 0).then(|| random.below(u64::MAX));
        let end = Ended { comm: &comm, status: Some(Status(status)), duration, ..ended() };
        let event = Event { moment: moment(0), body: Body::Exit(end) };
        let line =
            &parsed(&written("json", &[event, *all().last().unwrap()], |options| options))[0];
        check_string(&comm, &line["comm"], line.get("comm_raw"));
        assert_eq!(line["duration_ns"].as_u64(), duration);
        let signal = u64::from(status & 0x7f);
        assert_eq!(line["signal"].as_u64(), (signal != 0).then_some(signal));
        assert_eq!(line["exit_code"].is_null(), signal != 0);
        assert_eq!(line["process"], "b770a0ed-8463-822c-b5f6-30d9081ddbd9");
    }
}

#[test]
fn ancestors_have_their_bytes_in_their_own_object() {
    let rows = [row(NO_PROCESS, 1, b"a\xff\""), row(NO_PROCESS, 2, b"")].concat();
    for boot in [None, Some(&*BOOT)] {
        let program = Program { ancestors: Some(Ancestors::new(&rows, boot)), ..program() };
        let text = written("json", &[exec(&program), *all().last().unwrap()], |options| options);
        let ancestors = &parsed(&text)[0]["ancestors"];
        check_string(b"a\xff\"", &ancestors[0]["comm"], ancestors[0].get("comm_raw"));
        check_string(b"", &ancestors[1]["comm"], ancestors[1].get("comm_raw"));
        assert_eq!(ancestors[1]["image"], 2);
        assert_eq!(ancestors[1]["process"].is_null(), boot.is_none());
        assert_eq!(ancestors.as_array().unwrap().len(), 2);
    }
}

fn check_string(bytes: &[u8], text: &Value, raw: Option<&Value>) {
    assert_eq!(text.as_str().unwrap(), String::from_utf8_lossy(bytes));
    assert_eq!(raw.is_some(), str::from_utf8(bytes).is_err());
    if let Some(raw) = raw {
        assert_eq!(from_base64(raw.as_str().unwrap()), bytes);
    }
}

fn check_list(strings: &[Vec<u8>], texts: &Value, raws: Option<&Value>) {
    let texts = texts.as_array().unwrap();
    assert_eq!(texts.len(), strings.len());
    for (text, string) in texts.iter().zip(strings) {
        assert_eq!(text.as_str().unwrap(), String::from_utf8_lossy(string));
    }
    assert_eq!(raws.is_some(), strings.iter().any(|string| str::from_utf8(string).is_err()));
    if let Some(raws) = raws {
        let raws = raws.as_array().unwrap().iter();
        let raws: Vec<_> = raws.map(|raw| from_base64(raw.as_str().unwrap())).collect();
        assert_eq!(raws, strings);
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    assert_eq!(text.len() % 4, 0, "{text}");
    let digits = text.trim_end_matches('=').bytes().map(|digit| match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("{text}"),
    });
    let bits: Vec<bool> =
        digits.flat_map(|digit| (0..6).rev().map(move |n| digit >> n & 1 == 1)).collect();
    let byte = |bits: &[bool]| bits.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
    bits.chunks_exact(8).map(byte).collect()
}
