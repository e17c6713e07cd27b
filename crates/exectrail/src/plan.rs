//! From flags and files to a checked plan: after this nobody asks them again.

use exectrail_abi::{config::parts, record::ARGS_MAX};
use exectrail_model::{
    filter::{Rule, Rules, Selector, Verdict},
    plan::{BufferSize, Plan},
};

use crate::{args::TraceArgs, config::Config};

/// What the sensor is asked for.
pub(crate) fn plan(args: &TraceArgs, config: &Config) -> Plan {
    let args_max = args.max_args.or(config.max_args.map(|max| max.0)).unwrap_or(ARGS_MAX);
    let buffer = args.buffer.or(config.buffer.map(|buffer| buffer.0));
    Plan {
        rules: rules(args, config),
        failed: args.failed || config.failed.unwrap_or(false),
        fold: !args.no_fold && config.fold.unwrap_or(true),
        exits: args.exit || config.exit.unwrap_or(false),
        environment: args
            .env
            .clone()
            .or_else(|| config.env.as_ref().map(|env| env.0.clone()))
            .unwrap_or_default(),
        ancestors: args.ancestors.or(config.ancestors.map(|ancestors| ancestors.0)).unwrap_or(0),
        parts: parts::ALL,
        args_max,
        buffer: buffer.unwrap_or_else(|| BufferSize::for_args(args_max)),
        hook: args.hook.unwrap_or_default(),
    }
}

/// Leaves out the parts of a record that no output shows. Ends are brought
/// together with their execs by the process's start.
pub(crate) fn collect_what_is_shown(plan: &mut Plan, shown: u32) {
    let ends = if plan.exits { parts::PROCESS } else { 0 };
    plan.parts = shown | ends;
}

fn rules(args: &TraceArgs, config: &Config) -> Rules {
    let given =
        |verdict: Verdict| move |selector: &Selector| Rule { verdict, selector: selector.clone() };
    let exclude = args.exclude.iter().map(given(Verdict::Exclude));
    let only = args.only.iter().map(given(Verdict::Only));
    let mut rules = Rules::default();
    for rule in config.rules().chain(exclude).chain(only) {
        rules.push(rule);
    }
    rules
}
