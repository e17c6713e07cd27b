//! A configuration file: any text is a plan, or an error that names the file.

#![no_main]

use exectrail_fuzz::{
    host::SomeHost,
    rules::{check_rule, check_set},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match exectrail::fuzzing::configured(text, &SomeHost) {
        Ok(plan) => {
            plan.rules.iter().for_each(check_rule);
            check_set(&plan.rules);
        }
        Err(error) => assert!(error.contains("fuzzed.toml") || error.contains("--"), "{error}"),
    }
});
