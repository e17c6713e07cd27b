//! Rules together.

use exectrail_abi::config::parts;

use super::{
    SomeHost, parse,
    random::{Random, Sample},
};
use crate::{
    event::Program,
    filter::{Decision, Rule, Rules, Subject, TooManyTold, Verdict},
};

fn rules(given: &[(Verdict, &str)]) -> Rules {
    let mut rules = Rules::default();
    for &(verdict, text) in given {
        rules.push(Rule::parse(verdict, text, &SomeHost).unwrap()).unwrap();
    }
    rules
}

#[test]
fn verdicts_together() {
    use Verdict::{Exclude, Only};
    let path = Some(b"/usr/bin/ls".as_slice());
    let ls = Program { filename: path, exe: path, ..Program::UNKNOWN };
    for (given, keep, rule) in [
        (&[][..], true, None),
        (&[(Exclude, "ls")], false, Some(0)),
        (&[(Exclude, "cat")], true, None),
        (&[(Only, "cat")], false, None),
        (&[(Only, "ls"), (Only, "cat")], true, Some(0)),
        (&[(Only, "ls"), (Exclude, "/usr/**")], false, Some(1)),
        // The first one decides, whether it is looked up or not.
        (&[(Only, "cat"), (Only, "/usr/bin/ls"), (Only, "ls")], true, Some(1)),
        (&[(Only, "cat"), (Only, "ls"), (Only, "/usr/bin/ls")], true, Some(1)),
        (&[(Exclude, "/usr/bin/ls"), (Exclude, "/usr/bin/ls")], false, Some(0)),
    ] {
        let decision = rules(given).decide(&Subject::started(&ls));
        assert_eq!(decision, Decision { keep, rule }, "{given:?}");
    }
}

/// One rule after the other, in their order.
fn slowly(rules: &Rules, subject: &Subject<'_>) -> Decision {
    let first = |verdict| {
        let mut all = rules.iter();
        all.position(|rule| rule.verdict == verdict && rule.matches(subject))
    };
    if let Some(rule) = first(Verdict::Exclude) {
        return Decision { keep: false, rule: Some(rule) };
    }
    let wanted = first(Verdict::Only);
    let open = rules.iter().all(|rule| rule.verdict == Verdict::Exclude);
    Decision { keep: open || wanted.is_some(), rule: wanted }
}

#[test]
fn the_fast_way_decides_as_the_slow_one() {
    let mut random = Random(0x5eed);
    let mut seen = [0; 4];
    for case in 0..20_000 {
        let mut rules = Rules::default();
        for _ in 0..random.below(12) {
            let verdict = if random.chance(50) { Verdict::Exclude } else { Verdict::Only };
            let text = random.rule();
            rules.push(Rule::parse(verdict, &text, &SomeHost).unwrap()).unwrap();
        }
        let sample = Sample::new(&mut random);
        let (fast, slow) = sample.with(|subject| (rules.decide(subject), slowly(&rules, subject)));
        assert_eq!(fast, slow, "case {case}: {:?}", rules.iter().collect::<Vec<_>>());
        seen[usize::from(fast.keep) * 2 + usize::from(fast.rule.is_some())] += 1;
    }
    // Each kind of answer has been there often enough to mean something.
    assert!(seen.iter().all(|&times| times > 1000), "{seen:?}");
}

#[test]
fn what_deciding_needs() {
    for (text, needs) in [
        ("/usr/**,ls,arg=x,user=0,result=ok,tree=1", 0),
        ("parent=/usr/bin/make", parts::PARENT_EXE),
        ("parent=make", parts::PARENT | parts::PARENT_EXE),
        ("cgroup=/a", parts::CGROUP),
        ("container=*", parts::CGROUP),
        ("ns=host", parts::PROCESS),
        ("netns=host", parts::NAMESPACES),
        ("ns=host,cgroup=/a", parts::PROCESS | parts::CGROUP),
    ] {
        assert_eq!(rules(&[(Verdict::Only, text)]).needs(), needs, "{text}");
    }
}

#[test]
fn there_are_bits_for_16_questions() {
    let mut rules = Rules::default();
    for pid in 1..=16 {
        rules.push(parse(&format!("tree={pid}")).unwrap()).unwrap();
    }
    // One that was asked before needs none.
    assert_eq!(rules.push(parse("tree=1,ls").unwrap()), Ok(16));
    assert_eq!(rules.push(parse("tree=17").unwrap()), Err(TooManyTold));
    assert_eq!((rules.len(), rules.told().len()), (17, 16));
}
