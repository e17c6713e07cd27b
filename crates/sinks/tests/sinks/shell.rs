//! What is quoted, pasted into a real shell, is what it was.

use std::process::Command;

use exectrail_model::{environment::Environment, event::Program};
use exectrail_sinks::{
    Options,
    quote::{Place, quote},
    select,
};

use crate::{
    events::{all, exec, program, written},
    processes::ALL_VARIABLES,
    random::Random,
};

#[test]
fn bash_gives_back_every_byte() {
    check("bash", &["--norc", "-c"], "C");
    check("bash", &["--norc", "-c"], "C.UTF-8");
    check("bash", &["--norc", "-O", "extglob", "-c"], "C.UTF-8");
}

#[test]
fn zsh_gives_back_every_byte() {
    check("zsh", &["-f", "-c"], "C.UTF-8");
    check(
        "zsh",
        &["-f", "-o", "extendedglob", "-o", "magicequalsubst", "-o", "rcquotes", "-c"],
        "C.UTF-8",
    );
}

fn check(shell: &str, options: &[&str], locale: &str) {
    let mut random = Random::new(7);
    for round in 0..40 {
        let mut strings: Vec<_> = (0..250).map(|_| random.string()).collect();
        let mut quoted = String::new();
        if round % 4 == 0 {
            for string in &mut strings {
                string.push(b'=');
            }
            quoted = environment(&strings);
        } else {
            for string in &strings {
                quote(string, Place::Argument, &mut quoted);
                quoted.push(' ');
            }
        }
        check_harmless(&quoted);
        let script = format!("printf '%s\\0' {quoted}");
        let run = Command::new(shell).args(options).arg(&script).env("LC_ALL", locale).output();
        let Ok(run) = run else {
            eprintln!("skipped: there is no {shell}");
            return;
        };
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let back: Vec<_> = run.stdout.split_inclusive(|&byte| byte == 0).collect();
        assert_eq!(back.len(), strings.len());
        for (back, string) in back.iter().zip(&strings) {
            assert_eq!(back.strip_suffix(b"\0").unwrap(), string);
        }
    }
}

/// Variables as a cell has them.
fn environment(strings: &[Vec<u8>]) -> String {
    let bytes: Vec<u8> = strings.iter().flat_map(|string| [string, &b"\0"[..]].concat()).collect();
    let environment = Some(Environment::new(&bytes, &ALL_VARIABLES));
    let events = [exec(&Program { environment, ..program() }), *all().last().unwrap()];
    let fields = Some(select("env").unwrap());
    let text = written("pretty", &events, |options| Options { fields, header: false, ..options });
    text.strip_suffix('\n').unwrap().to_owned()
}

fn check_harmless(quoted: &str) {
    for c in quoted.chars() {
        let turns = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
        assert!(!c.is_control() && !turns, "{quoted:?}");
    }
}
