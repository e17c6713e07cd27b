//! Rules in one line, there and back.

use super::{SomeHost, parse, random::Random};
use crate::filter::{Key, Rule, Verdict};

#[test]
fn short_and_long_forms_are_the_same() {
    for (given, shown) in [
        ("path=/usr/bin/ls", "/usr/bin/ls"),
        ("name=ls", "ls"),
        ("name=a=b", "name=a=b"),
        ("/", "/**"),
        ("ns=host", "pidns=host"),
        ("/opt/{a,b}/x", "/opt/{a\\,b}/x"),
        ("user=root,/usr/lib/**,arg=--version", "user=root,/usr/lib/**,arg=--version"),
        ("result=2", "result=ENOENT"),
        ("result=4000", "result=4000"),
        ("/a\\b", "/a\\\\b"),
        ("user=007", "user=7"),
        ("cgroup=name=systemd:/a\\,b", "cgroup=name=systemd:/a\\,b"),
    ] {
        let rule = parse(given).unwrap();
        assert_eq!(rule.to_string(), shown);
        assert_eq!(parse(shown).unwrap(), rule);
    }
}

#[test]
fn what_is_shown_reads_as_the_same_rule() {
    let mut random = Random(0x5eed);
    for _ in 0..20_000 {
        let text = random.rule();
        let rule = Rule::parse(Verdict::Only, &text, &SomeHost)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let shown = rule.to_string();
        let again = Rule::parse(Verdict::Only, &shown, &SomeHost);
        assert_eq!(again.as_ref(), Ok(&rule), "{text} is shown as {shown}");
    }
}

/// Whatever is written, it is a rule that is shown as what it is, or an error whose
/// place is within the text.
#[test]
fn any_text_is_a_rule_or_an_error() {
    const PIECES: [&str; 24] = [
        "/", "a", "*", "**", "[", "]", "{", "}", ",", "\\", "=", "name", "arg", "cgroup", "user",
        ".", "..", "!", "-", "ü", "root", "0", ":", " ",
    ];
    let mut random = Random(0xface);
    let mut rules = 0;
    for _ in 0..50_000 {
        let text: String = (0..random.below(9)).map(|_| random.one(&PIECES)).collect();
        match parse(&text) {
            Ok(rule) => {
                let shown = rule.to_string();
                assert_eq!(parse(&shown).as_ref(), Ok(&rule), "{text:?} is shown as {shown:?}");
                rules += 1;
            }
            Err(error) => assert!(text.get(error.at.clone()).is_some(), "{text:?}: {error}"),
        }
    }
    assert!(rules > 5_000, "{rules}");
}

#[test]
fn keys_have_their_names() {
    for name in Key::names().filter(|&name| name != "ns") {
        assert_eq!(Key::named(name).unwrap().name(), name);
    }
    assert_eq!(Key::named("ns"), Key::named("pidns"));
}
