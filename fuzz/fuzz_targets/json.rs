//! Strings of a traced process: what a JSON line says of them, read back, are the same
//! bytes; what is quoted for a shell is the same word, and harmless.

#![no_main]

use std::{collections::HashMap, sync::LazyLock};

use arbitrary::Arbitrary;
use exectrail_fuzz::{
    outputs,
    shell::{is_harmless, unquoted},
};
use exectrail_model::{
    args::Args,
    environment::{Environment, Wanted},
    event::{Body, Ended, Event, Failure, LastProgram, Moment, Program, Status, Summary},
};
use exectrail_sinks::quote::{Place, quote};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static ALL_VARIABLES: LazyLock<Wanted> = LazyLock::new(|| Wanted::parse("*").expect("a star"));

/// The strings of an event. NULs in them are dropped, as the kernel does.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    wall: i64,
    number: u64,
    status: u16,
    filename: &'a [u8],
    exe: &'a [u8],
    user: &'a str,
    args: Vec<&'a [u8]>,
    variables: Vec<(&'a [u8], &'a [u8])>,
}

fuzz_target!(|input: Input<'_>| {
    let [filename, exe] = [input.filename, input.exe].map(without_nul);
    let args: Vec<_> = input.args.iter().map(|arg| without_nul(arg)).collect();
    for string in args.iter().chain([&filename, &exe]) {
        check_quoted(string);
    }
    let joined = args.iter().flat_map(|arg| [arg, &b"\0"[..]].concat()).collect::<Vec<u8>>();
    let variables = variables(&input.variables);
    let environment: Vec<u8> = variables
        .iter()
        .flat_map(|(name, value)| [name, &b"="[..], value, b"\0"].concat())
        .collect();
    let program = Program {
        filename: Some(&filename),
        exe: Some(&exe),
        user: Some(input.user),
        args: Some(Args::whole(&joined)),
        environment: Some(Environment::new(&environment, &ALL_VARIABLES)),
        latency: Some(input.number),
        image: Some(input.number),
        cgroup_id: input.number,
        ..Program::UNKNOWN
    };
    let moment = Moment { ktime: input.number, wall: input.wall };
    let exec = outputs::show(&Event { moment, body: Body::Exec(program) });
    check_string(&filename, &exec["filename"], exec.get("filename_raw"));
    check_string(&exe, &exec["exe"], exec.get("exe_raw"));
    check_list(&args, &exec["args"], exec.get("args_raw"));
    check_environment(&variables, &exec["env"], exec.get("env_raw"));
    assert_eq!(exec["user"].as_str(), Some(input.user));
    assert_eq!(exec["image"].as_u64(), Some(input.number));

    let last = LastProgram { exe: Some(&exe), args: program.args, scanned: false };
    let status = Some(Status(input.status.into()));
    let ended = Ended { comm: &filename, status, program: Some(last), ..Ended::UNKNOWN };
    let failure = Failure { errno: input.status.into() };
    for body in [Body::Failed(program, failure), Body::Exit(ended)] {
        outputs::show(&Event { moment, body });
    }
    outputs::end(Summary { seen: input.number, ..Summary::default() });
});

fn without_nul(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|&byte| byte != 0).collect()
}

/// A name ends where its first `=` stands, and there is one in every variable.
fn variables(given: &[(&[u8], &[u8])]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let name = |bytes| without_nul(bytes).into_iter().filter(|&byte| byte != b'=').collect();
    given.iter().map(|(bytes, value)| (name(bytes), without_nul(value))).collect()
}

fn check_quoted(string: &[u8]) {
    for place in [Place::Command, Place::Argument] {
        let mut word = String::new();
        quote(string, place, &mut word);
        assert!(is_harmless(&word), "{word:?}");
        assert_eq!(unquoted(&word).as_deref(), Some(string), "{word}");
    }
}

fn check_string(bytes: &[u8], text: &Value, raw: Option<&Value>) {
    assert_eq!(text.as_str().expect("a string"), String::from_utf8_lossy(bytes));
    assert_eq!(raw.is_some(), str::from_utf8(bytes).is_err());
    if let Some(raw) = raw {
        assert_eq!(from_base64(raw), bytes);
    }
}

fn check_list(strings: &[Vec<u8>], texts: &Value, raws: Option<&Value>) {
    let texts = texts.as_array().expect("a list");
    assert_eq!(texts.len(), strings.len());
    for (text, string) in texts.iter().zip(strings) {
        assert_eq!(text.as_str().expect("a string"), String::from_utf8_lossy(string));
    }
    assert_eq!(raws.is_some(), strings.iter().any(|string| str::from_utf8(string).is_err()));
    if let Some(raws) = raws {
        let raws: Vec<_> = raws.as_array().expect("a list").iter().map(from_base64).collect();
        assert_eq!(raws, strings);
    }
}

fn check_environment(pairs: &[(Vec<u8>, Vec<u8>)], object: &Value, raw: Option<&Value>) {
    let lossy = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let mut expected = HashMap::new();
    for (name, value) in pairs {
        expected.entry(lossy(name)).or_insert(lossy(value));
    }
    let object = object.as_object().expect("an object");
    assert_eq!(object.len(), expected.len());
    for (name, value) in object {
        assert_eq!(value.as_str(), expected.get(name).map(String::as_str), "{name}");
    }
    if let Some(raw) = raw {
        let raw = raw.as_array().expect("a list").iter();
        let raw: Vec<_> = raw.map(|pair| (from_base64(&pair[0]), from_base64(&pair[1]))).collect();
        assert_eq!(raw, pairs);
    } else {
        let text = |bytes| str::from_utf8(bytes).is_ok();
        assert!(pairs.iter().all(|(name, value)| text(name) && text(value)));
        assert_eq!(expected.len(), pairs.len());
    }
}

fn from_base64(text: &Value) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = text.as_str().expect("a string");
    assert_eq!(text.len() % 4, 0, "{text}");
    let mut bytes = Vec::new();
    for group in text.as_bytes().chunks(4) {
        let padding = group.iter().rev().take_while(|&&digit| digit == b'=').count();
        let mut bits = 0;
        for digit in &group[..4 - padding] {
            let value = DIGITS.iter().position(|known| known == digit).expect("a digit");
            bits = bits << 6 | u32::try_from(value).expect("below 64");
        }
        bits <<= 6 * padding;
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    bytes
}
