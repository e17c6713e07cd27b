//! From flags and files to a checked plan: after this nobody asks them again.

use std::fmt;

use exectrail_abi::{
    config::parts,
    record::{ANCESTORS_MAX, ARGS_MAX},
};
use exectrail_model::{
    environment::Wanted,
    filter::{
        Draft, Host, IdKind, Key, Mistake, Outcome, Place, Rule, RuleError, Rules, Selector,
        Verdict,
    },
    plan::{BufferSize, Plan},
    tally::Counting,
};
use exectrail_sensor::decided_in_kernel;

use crate::{
    args::{TraceArgs, WantedArgs},
    config::Config,
    exit::{ConfigError, UsageError},
};

/// Whose execs are of interest, before any rule.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope<'a> {
    /// Those of all processes, or, if there are any, of these and their descendants
    /// besides what other rules want.
    Host {
        /// As `--follow` has them.
        follow: &'a [String],
    },
    /// Those of this process and its descendants, whatever other rules want.
    Tree(u32),
}

/// What the sensor is asked for. Names in rules are this `host`'s.
pub(crate) fn plan(
    args: &TraceArgs,
    scope: Scope<'_>,
    config: &Config,
    host: &dyn Host,
) -> anyhow::Result<Plan> {
    let collect = &args.collect;
    let args_max = collect.max_args.or(config.max_args.map(|max| max.0)).unwrap_or(ARGS_MAX);
    let buffer = collect.buffer.or(config.buffer.map(|buffer| buffer.0));
    let rules = rules(&args.wanted, scope, config, host, Rules::default())?;
    let failed = collect.failed || config.failed.unwrap_or(false);
    if !failed {
        check_that_something_is_wanted(&rules)?;
    }
    Ok(Plan {
        // Those of a tree cannot be changed: what is outside of it is nobody's wish.
        live: matches!(scope, Scope::Host { .. }),
        rules,
        failed,
        fold: !args.form.no_fold && config.fold.unwrap_or(true),
        exits: collect.exit || config.exit.unwrap_or(false),
        environment: collect
            .env
            .clone()
            .or_else(|| config.env.as_ref().map(|env| env.0.clone()))
            .unwrap_or_default(),
        ancestors: collect
            .ancestors
            .or(config.ancestors.map(|ancestors| ancestors.0))
            // Without them, what a shell's copy of itself starts would have no place in a tree.
            .unwrap_or(if args.form.tree { all_ancestors() } else { 0 }),
        parts: parts::ALL,
        args_max,
        buffer: buffer.unwrap_or_else(|| BufferSize::for_args(args_max)),
        hook: collect.kernel.hook.unwrap_or_default(),
        direct_loads: !collect.kernel.no_direct_loads,
        counting: None,
        btf: collect.kernel.btf.clone(),
    })
}

/// As many ancestors as a record can tell.
pub(crate) fn all_ancestors() -> u32 {
    u32::try_from(ANCESTORS_MAX).unwrap_or(0)
}

/// Leaves out the parts of a record that no output shows and no rule looks at. Ends
/// are brought together with their execs by the process's start.
pub(crate) fn collect_what_is_shown(plan: &mut Plan, shown: u32) {
    let ends = if plan.exits { parts::PROCESS } else { 0 };
    plan.parts = shown | ends | plan.rules.needs();
}

/// All rules, those of the files first, in a set that has none yet.
pub(crate) fn rules(
    args: &WantedArgs,
    scope: Scope<'_>,
    config: &Config,
    host: &dyn Host,
    mut rules: Rules,
) -> anyhow::Result<Rules> {
    let mut written = config.rules().to_vec();
    written.extend(rules_of_flags(args, scope, host)?);
    if let Scope::Tree(root) = scope {
        written = within(root, written);
    }
    for rule in written {
        let place = rule.place.clone();
        rules.push(rule).map_err(|error| wrong(place.as_ref(), &error))?;
    }
    Ok(rules)
}

/// The rules of the command line.
pub(crate) fn rules_of_flags(
    args: &WantedArgs,
    scope: Scope<'_>,
    host: &dyn Host,
) -> anyhow::Result<Vec<Rule>> {
    let mut rules = Vec::new();
    let mut take = |flag, rule: Result<Rule, RuleError>| -> anyhow::Result<()> {
        let place = Some(Place::Flag(flag));
        let mut rule = rule.map_err(|error| wrong(place.as_ref(), &error))?;
        rule.place = place;
        rules.push(rule);
        Ok(())
    };
    for text in &args.exclude {
        take("--exclude", Rule::parse(Verdict::Exclude, text, host))?;
    }
    for text in &args.only {
        take("--only", Rule::parse(Verdict::Only, text, host))?;
    }
    for name in &args.user {
        take("--user", keyed(Key::Id(IdKind::User), name, host))?;
    }
    if let Scope::Host { follow } = scope {
        for pid in follow {
            take("--follow", keyed(Key::Tree, pid, host))?;
        }
    }
    for path in &args.cgroup {
        take("--cgroup", keyed(Key::Cgroup, path, host))?;
    }
    Ok(rules)
}

/// The same rules for one tree alone. What is left out needs no tree; what is wanted is
/// wanted there only.
fn within(root: u32, rules: Vec<Rule>) -> Vec<Rule> {
    let mut rules: Vec<_> = rules
        .into_iter()
        .map(|rule| match rule.verdict {
            Verdict::Exclude => rule,
            Verdict::Only => rule.and(Selector::tree(root)),
        })
        .collect();
    if !rules.iter().any(|rule| rule.verdict == Verdict::Only) {
        rules.push(Rule::only(Selector::tree(root)));
    }
    rules
}

/// The rule that a flag of one selector stands for. In its value a comma is a comma.
fn keyed(key: Key, value: &str, host: &dyn Host) -> Result<Rule, RuleError> {
    let mut draft = Draft::new(host);
    let rule = draft.add(key, value).and_then(|()| draft.rule(Verdict::Only));
    rule.map_err(|mistake: Mistake| RuleError {
        text: value.to_owned(),
        at: 0..value.len(),
        mistake,
    })
}

/// Refuses rules that nothing can ever satisfy while failed execs are not traced.
pub(crate) fn check_that_something_is_wanted(rules: &Rules) -> anyhow::Result<()> {
    let is_failure = |selector: &Selector| {
        matches!(selector, Selector::Result(Outcome::Failed | Outcome::Errno(_)))
    };
    let mut only = rules.iter().filter(|rule| rule.verdict == Verdict::Only).peekable();
    let Some(first) = only.peek().copied() else { return Ok(()) };
    if only.all(|rule| rule.selectors().iter().any(is_failure)) {
        let what = format!("`{first}` is about failed execs, which are not traced; add --failed");
        return Err(wrong(first.place.as_ref(), &what));
    }
    Ok(())
}

/// Makes it one of those whose execs are counted in the kernel. What is told of each exec
/// is collected no more.
pub(crate) fn count(plan: &mut Plan, counting: Counting) -> anyhow::Result<()> {
    for (rule, is_decided) in plan.rules.iter().zip(decided_in_kernel(&plan.rules)) {
        if !is_decided {
            let what = format!(
                "`{rule}` cannot be decided in the kernel, where `top` counts: leave it out, or \
                 use a trace, which looks at each exec"
            );
            return Err(wrong(rule.place.as_ref(), &what));
        }
    }
    plan.counting = Some(counting);
    plan.live = false;
    plan.exits = false;
    plan.environment = Wanted::default();
    plan.ancestors = 0;
    plan.args_max = ARGS_MAX;
    plan.parts = plan.rules.needs();
    // No record goes through it.
    plan.buffer = BufferSize::at_least(BufferSize::MIN).unwrap_or_default();
    Ok(())
}

/// The same mistake is one of usage on the command line, and one of configuration
/// in a file.
fn wrong(place: Option<&Place>, error: &dyn fmt::Display) -> anyhow::Error {
    match place {
        Some(Place::File { path, line }) => {
            ConfigError::wrong(path, &format!("line {line}: {error}")).into()
        }
        Some(Place::Flag(flag)) => UsageError(format!("{flag}: {error}")).into(),
        None => UsageError(error.to_string()).into(),
    }
}

#[cfg(test)]
mod tests {
    use exectrail_abi::config::parts;

    use super::{Scope, collect_what_is_shown, plan};
    use crate::{
        args::{TraceArgs, WantedArgs},
        config::Config,
        host::ThisHost,
    };

    const NO_TREE: Scope<'_> = Scope::Host { follow: &[] };

    fn args(wanted: WantedArgs) -> TraceArgs {
        TraceArgs { wanted, ..TraceArgs::default() }
    }

    fn texts(given: &[&str]) -> Vec<String> {
        given.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn flags_of_one_selector_are_only_rules() {
        let args = args(WantedArgs {
            exclude: texts(&["/usr/bin/ls,user=root"]),
            user: texts(&["root"]),
            cgroup: texts(&["/a,b"]),
            ..WantedArgs::default()
        });
        let follow = texts(&["7"]);
        let plan = plan(&args, Scope::Host { follow: &follow }, &Config::default(), &ThisHost);
        let plan = plan.unwrap();
        let shown: Vec<_> = plan
            .rules
            .iter()
            .map(|rule| format!("{} {} {rule}", rule.place.as_ref().unwrap(), rule.verdict.name()))
            .collect();
        let expect = [
            "--exclude exclude /usr/bin/ls,user=root",
            "--user only user=root",
            "--follow only tree=7",
            "--cgroup only cgroup=/a\\,b",
        ];
        assert_eq!(shown, expect);
    }

    #[test]
    fn a_tree_is_what_every_wish_is_for() {
        let rules = |exclude: &[&str], only: &[&str]| {
            let args = args(WantedArgs {
                exclude: texts(exclude),
                only: texts(only),
                ..WantedArgs::default()
            });
            let plan = plan(&args, Scope::Tree(7), &Config::default(), &ThisHost).unwrap();
            let shown = plan.rules.iter().map(|rule| format!("{} {rule}", rule.verdict.name()));
            shown.collect::<Vec<_>>()
        };
        assert_eq!(rules(&[], &[]), ["only tree=7"]);
        assert_eq!(rules(&["ls"], &[]), ["exclude ls", "only tree=7"]);
        assert_eq!(rules(&["ls"], &["a", "b"]), ["exclude ls", "only a,tree=7", "only b,tree=7"]);
    }

    #[test]
    fn what_rules_look_at_is_collected() {
        let args = args(WantedArgs { cgroup: texts(&["/a"]), ..WantedArgs::default() });
        let mut plan = plan(&args, NO_TREE, &Config::default(), &ThisHost).unwrap();
        collect_what_is_shown(&mut plan, parts::TTY);
        assert_eq!(plan.parts, parts::TTY | parts::CGROUP);
    }

    #[test]
    fn only_failures_need_failed() {
        let plan = |only: &[&str], failed| {
            let mut args = args(WantedArgs { only: texts(only), ..WantedArgs::default() });
            args.collect.failed = failed;
            plan(&args, NO_TREE, &Config::default(), &ThisHost).map_err(|error| error.to_string())
        };
        let error = plan(&["result=ENOENT", "ls,result=failed"], false).unwrap_err();
        assert!(error.contains("--only: `result=ENOENT`") && error.contains("--failed"), "{error}");
        assert!(plan(&["result=ENOENT"], true).is_ok());
        assert!(plan(&["result=ENOENT", "ls"], false).is_ok());
        assert!(plan(&["result=ok"], false).is_ok());
        assert!(plan(&[], false).is_ok());
    }
}
