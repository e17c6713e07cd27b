//! Every line is JSON, and says what the event said.

use exectrail_model::{args::Args, event::Program, fields::FIELDS};
use serde_json::Value;

use crate::{
    events::{all, exec, program, written},
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
            let beginning = format!("{{\"v\":1,\"event\":\"{}\",", event.kind().name());
            assert!(line.starts_with(&beginning), "{line}");
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
        let text = written("json", &[exec(program), *all().last().unwrap()], |options| options);
        let line = &parsed(&text)[0];
        check_string(&name, &line["filename"], line.get("filename_raw"));
        check_list(&strings, &line["args"], line.get("args_raw"));
        assert!(!text.trim_end_matches('\n').lines().any(|line| line.contains(char::is_control)));
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
