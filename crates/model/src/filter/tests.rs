use exectrail_abi::fault::Fault;

use super::{Rule, Rules, Selector, SelectorError, Verdict};
use crate::event::{Faults, Program};

fn program<'a>(filename: &'a [u8], exe: &'a [u8]) -> Program<'a> {
    Program { filename: Some(filename), exe: Some(exe), ..Program::UNKNOWN }
}

fn check(rule: &str, filename: &str, exe: &str, expect: bool) {
    let selector = Selector::parse(rule).unwrap();
    let found = selector.matches(&program(filename.as_bytes(), exe.as_bytes()));
    assert_eq!(found, expect, "{rule} with {filename}, {exe}");
}

#[test]
fn what_selectors_match() {
    // rule, name given to exec, executable, expected
    for (rule, filename, exe, expect) in [
        ("/usr/bin/ls", "/usr/bin/ls", "/usr/bin/ls", true),
        ("/usr/bin/ls", "ls", "/usr/bin/ls", true),
        ("/bin/ls", "/bin/ls", "/usr/bin/ls", true),
        ("/usr/bin/ls", "/usr/bin/lsof", "/usr/bin/lsof", false),
        ("/usr/bin/ls", "/usr/bin", "/usr/bin", false),
        ("/opt/x.sh", "/opt/x.sh", "/usr/bin/dash", true),
        ("/usr/lib/**", "x", "/usr/lib/git/git-x", true),
        ("/usr/lib/**", "x", "/usr/lib", false),
        ("/usr/lib/**", "x", "/usr/lib64/x", false),
        ("/**", "x", "/anything", true),
        ("/opt/*/bin", "x", "/opt/a/bin", true),
        ("/opt/*/bin", "x", "/opt/a/b/bin", false),
        ("/opt/**/bin", "x", "/opt/a/b/bin", true),
        ("/opt/{a,b}/x", "x", "/opt/b/x", true),
        ("ls", "./ls", "/tmp/other", true),
        ("ls", "x", "/usr/bin/ls", true),
        ("ls", "x", "/usr/bin/lsof", false),
        ("python3*", "x", "/usr/bin/python3.11", true),
        ("python3*", "x", "/usr/python3/x", false),
    ] {
        check(rule, filename, exe, expect);
    }
}

#[test]
fn bytes_that_are_no_utf8_do_not_match_by_chance() {
    let selector = Selector::parse("/tmp/\u{fffd}").unwrap();
    assert!(!selector.matches(&program(b"/tmp/\xff", b"/tmp/\xff")));
    let selector = Selector::parse("/tmp/*").unwrap();
    assert!(selector.matches(&program(b"/tmp/\xff", b"/tmp/\xff")));
}

#[test]
fn an_unknown_or_cut_path_matches_nothing() {
    let selector = Selector::parse("/**").unwrap();
    let unknown = Program { filename: None, exe: None, ..program(b"", b"") };
    assert!(!selector.matches(&unknown));
    let faults = Faults(Fault::ExeCut.bit());
    let cut = Program { filename: None, faults, ..program(b"", b"/end/of/path") };
    assert!(!selector.matches(&cut));
}

#[test]
fn verdicts_together() {
    let rules = |given: &[(Verdict, &str)]| {
        let mut rules = Rules::default();
        for &(verdict, text) in given {
            rules.push(Rule { verdict, selector: Selector::parse(text).unwrap() });
        }
        rules
    };
    let ls = program(b"/usr/bin/ls", b"/usr/bin/ls");
    assert!(rules(&[]).keep(&ls));
    assert!(!rules(&[(Verdict::Exclude, "ls")]).keep(&ls));
    assert!(rules(&[(Verdict::Exclude, "cat")]).keep(&ls));
    assert!(!rules(&[(Verdict::Only, "cat")]).keep(&ls));
    assert!(rules(&[(Verdict::Only, "ls"), (Verdict::Only, "cat")]).keep(&ls));
    assert!(!rules(&[(Verdict::Only, "ls"), (Verdict::Exclude, "/usr/**")]).keep(&ls));
}

#[test]
fn errors_say_what_to_write_instead() {
    let error = |text: &str| Selector::parse(text).unwrap_err();
    assert_eq!(error(""), SelectorError::Empty);
    assert_eq!(error("a\0"), SelectorError::Nul);
    assert!(matches!(error("./ls"), SelectorError::Relative(_)));
    assert!(matches!(error("bin/ls"), SelectorError::Relative(_)));
    assert!(matches!(error("uid=0"), SelectorError::Reserved(_)));
    assert!(matches!(error("/opt/[a"), SelectorError::Pattern { .. }));
    for (given, instead) in [
        ("/usr//bin/ls", "/usr/bin/ls"),
        ("/usr/bin/", "/usr/bin"),
        ("/usr/./lib/../bin/**", "/usr/bin/**"),
    ] {
        let expect =
            SelectorError::NotNormal { given: given.to_owned(), instead: instead.to_owned() };
        assert_eq!(error(given), expect);
    }
}
