//! What becomes of rules in the kernel's maps.

use exectrail_abi::{
    config::{LONG_PATH, SHORT_PATH},
    rules::{
        ANY_ERRNO, Attribute, COMBINED_MAX, DIRECTORIES_MAX, NumberKey, PREFIX_MAX,
        USES_LONG_PATHS, USES_ONLY, USES_PLAIN_ONLY, USES_PREFIXES, USES_SHORT_PATHS,
    },
};
use exectrail_model::filter::{Rule, Rules, Verdict};

use super::{Lowered, with_those_above};
use crate::cgroups::Hierarchy;

const EXCLUDE: Verdict = Verdict::Exclude;
const ONLY: Verdict = Verdict::Only;

fn lower(given: &[(Verdict, &str)]) -> Lowered {
    let mut rules = Rules::default();
    for &(verdict, text) in given {
        rules.push(Rule::parse(verdict, text, &()).unwrap()).unwrap();
    }
    let numbers: Vec<u32> = (100..).take(rules.len()).collect();
    Lowered::of(&rules, &numbers, &Hierarchy::default())
}

fn has(lowered: &Lowered, uses: u32) -> bool {
    lowered.set.uses & uses != 0
}

#[test]
fn a_plain_rule_has_its_number_under_two_keys() {
    let lowered =
        lower(&[(EXCLUDE, "/usr/bin/ls"), (ONLY, "/usr/bin/ls"), (EXCLUDE, "/usr/bin/ls")]);
    assert_eq!(lowered.paths.len(), 2);
    for key in [&b"/usr/bin/ls"[..], b"ls\0bin\0usr\0"] {
        let entry = lowered.paths[key];
        // The first of two that are the same.
        assert_eq!((entry.rules, entry.exclude, entry.only), (0, 101, 102));
    }
    assert!(has(&lowered, USES_SHORT_PATHS) && has(&lowered, USES_ONLY | USES_PLAIN_ONLY));
    assert_eq!(lowered.in_kernel, [true; 3]);
}

#[test]
fn lengths_choose_the_map() {
    let path = |len: usize| format!("/{}", "a".repeat(len - 1));
    for (len, uses) in [
        (SHORT_PATH, USES_SHORT_PATHS),
        (SHORT_PATH + 1, USES_LONG_PATHS),
        (LONG_PATH, USES_LONG_PATHS),
        (LONG_PATH + 1, 0),
    ] {
        let lowered = lower(&[(EXCLUDE, &path(len))]);
        assert_eq!(lowered.set.uses, uses, "{len}");
    }
}

#[test]
fn a_combined_rule_asks_every_attribute_of_its_own_and_is_free_of_the_others() {
    let lowered =
        lower(&[(EXCLUDE, "user=7,result=failed,/usr/lib/**"), (EXCLUDE, "name=x,user=8")]);
    let number = |attribute: Attribute, number| {
        lowered.numbers.get(&NumberKey { attribute: attribute as u32, number }).copied()
    };
    assert_eq!((number(Attribute::User, 7), number(Attribute::User, 8)), (Some(1), Some(2)));
    assert_eq!(number(Attribute::Result, ANY_ERRNO), Some(1));
    assert_eq!(lowered.prefixes[&b"/usr/lib/"[..]].rules, 1);
    assert_eq!(lowered.names[&b"x"[..]].rules, 2);
    let free = |attribute: Attribute| lowered.set.free[attribute as usize];
    assert_eq!((free(Attribute::User), free(Attribute::Path), free(Attribute::Group)), (0, 2, 3));
    assert_eq!((lowered.set.exclude, lowered.set.only), (3, 0));
    assert_eq!(lowered.set.numbers[..2], [100, 101]);
    assert!(has(&lowered, USES_PREFIXES) && !has(&lowered, USES_ONLY));
}

#[test]
fn an_exclude_rule_is_there_whole_or_not_at_all() {
    for text in ["user=7,arg=x", "/opt/*/x", "container=*,user=7", "name=x*", "parent=/bin/sh"] {
        let lowered = lower(&[(EXCLUDE, text)]);
        assert_eq!((lowered.set.uses, lowered.in_kernel[0]), (0, false), "{text}");
    }
    assert!(lower(&[(EXCLUDE, "parent=sh,user=7")]).in_kernel[0]);
}

#[test]
fn an_only_rule_is_there_without_what_the_kernel_cannot_tell() {
    let lowered = lower(&[(ONLY, "user=7,arg=x"), (ONLY, "/usr/bin/ls")]);
    assert_eq!(lowered.set.only, 1);
    assert!(has(&lowered, USES_ONLY));
    // One of which nothing is there opens the gate for all.
    let lowered = lower(&[(ONLY, "user=7"), (ONLY, "arg=x"), (EXCLUDE, "/x"), (EXCLUDE, "user=8")]);
    assert!(!has(&lowered, USES_ONLY) && lowered.set.only == 0);
    assert_eq!((lowered.set.exclude, lowered.in_kernel), (1, vec![false, false, true, true]));
    // By descriptor, a task is not called what its file is.
    assert!(!has(&lower(&[(ONLY, "name=5")]), USES_ONLY));
    assert!(!has(&lower(&[(ONLY, "parent=sh")]), USES_ONLY));
}

#[test]
fn there_are_bits_for_so_many_combined_rules() {
    let texts: Vec<String> = (0..COMBINED_MAX + 3).map(|user| format!("user={user}")).collect();
    let given: Vec<_> = texts.iter().map(|text| (EXCLUDE, text.as_str())).collect();
    let lowered = lower(&given);
    assert_eq!(lowered.set.exclude, u64::MAX);
    assert_eq!(lowered.in_kernel.iter().filter(|&&here| here).count(), COMBINED_MAX);
}

#[test]
fn a_directory_answers_for_those_above() {
    let lowered = lower(&[
        (EXCLUDE, "/usr/**,user=1"),
        (EXCLUDE, "/usr/lib/**"),
        (ONLY, "/usr/lib/x/**,user=2"),
    ]);
    let answer = |directory: &[u8]| {
        let entry = with_those_above(&lowered.prefixes, directory);
        (entry.rules, entry.exclude, entry.only)
    };
    // The bit of the only rule comes first.
    assert_eq!(answer(b"/usr/"), (0b10, 0, 0));
    assert_eq!(answer(b"/usr/lib/"), (0b10, 102, 0));
    assert_eq!(answer(b"/usr/lib/x/"), (0b11, 102, 0));
    let long = format!("/{}/**", "a".repeat(PREFIX_MAX));
    assert!(!lower(&[(EXCLUDE, &long)]).in_kernel[0]);
    let deep = |depth: usize| format!("{}/**", "/d".repeat(depth));
    assert!(lower(&[(EXCLUDE, &deep(DIRECTORIES_MAX))]).in_kernel[0]);
    assert!(!lower(&[(EXCLUDE, &deep(DIRECTORIES_MAX + 1))]).in_kernel[0]);
}

#[test]
fn directories_and_names_are_plain_rules_too() {
    let texts: Vec<String> = (0..500)
        .flat_map(|number| [format!("/opt/{number}/**"), format!("name=x{number}")])
        .collect();
    let given: Vec<_> = texts.iter().map(|text| (ONLY, text.as_str())).collect();
    let lowered = lower(&given);
    assert!(lowered.in_kernel.iter().all(|&here| here));
    assert_eq!((lowered.prefixes.len(), lowered.names.len(), lowered.set.only), (500, 500, 0));
    assert!(has(&lowered, USES_PLAIN_ONLY) && has(&lowered, Attribute::Name.bit()));
}

#[test]
fn trees_are_asked_for_even_if_the_kernel_does_not_decide() {
    let lowered = lower(&[(EXCLUDE, "tree=5,arg=x")]);
    assert_eq!(lowered.set.uses, Attribute::Told.bit());
    let lowered = lower(&[(EXCLUDE, "tree=5"), (EXCLUDE, "tree=6,user=1")]);
    assert_eq!(lowered.set.told[..2], [1, 2]);
}
