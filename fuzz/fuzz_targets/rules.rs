//! Rules as on the command line: each line is one, or an error whose place is in it.
//! Behind a `+` it is an `only` rule.

#![no_main]

use exectrail_fuzz::{
    host::SomeHost,
    rules::{check_rule, check_set},
};
use exectrail_model::filter::{Rule, Rules, Verdict};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut rules = Rules::default();
    for line in text.split('\n') {
        let (verdict, line) = match line.strip_prefix('+') {
            Some(line) => (Verdict::Only, line),
            None => (Verdict::Exclude, line),
        };
        match Rule::parse(verdict, line, &SomeHost) {
            Ok(rule) => {
                check_rule(&rule);
                let known = rules.len();
                match rules.push(rule) {
                    Ok(number) => assert_eq!(number, known),
                    Err(error) => assert!(rules.len() == known && !error.to_string().is_empty()),
                }
            }
            Err(error) => {
                assert!(line.get(error.at.clone()).is_some(), "{:?} of {line:?}", error.at);
                assert!(!error.to_string().is_empty());
            }
        }
    }
    check_set(&rules);
});
