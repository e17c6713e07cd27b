//! `exectrail filter`: the rules of an exectrail that runs.

mod ask;
mod show;

use std::{fs, io::Write as _, path::Path, thread, time::Duration};

use exectrail_model::filter::Rules;
use exectrail_sensor::in_kernel;
use serde::Serialize;

use self::ask::Connection;
use crate::{
    args::{FilterArgs, FilterCommand, RuleArgs, TestArgs},
    config::Config,
    control::{
        message::{
            Answer, Ask, ConfigText, Judged, Replacement, RuleList, RuleRow, Trial, VerdictName,
            Written,
        },
        rule_of,
        trial::judge,
    },
    exit::{ConfigError, UsageError},
    host::ThisHost,
};

/// Between the two looks from which hits per second are worked out.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Asks, or tells, the exectrail that runs.
pub(crate) fn run(args: &FilterArgs) -> anyhow::Result<()> {
    let connect = || Connection::to(&args.which);
    let shown = |answer: &Answer, text: fn(&Answer) -> String| {
        if args.json { json(answer) } else { Ok(text(answer)) }
    };
    let text = match &args.command {
        FilterCommand::List => shown(&connect()?.ask(Ask::Rules)?, show::list)?,
        FilterCommand::Add(rules) => {
            let rules = written(rules);
            if rules.is_empty() {
                return Err(UsageError("say which rules: --exclude, --only".to_owned()).into());
            }
            shown(&connect()?.ask(Ask::Add(rules))?, show::changed)?
        }
        FilterCommand::Remove { rules } => {
            shown(&connect()?.ask(Ask::Remove(rules.clone()))?, show::changed)?
        }
        FilterCommand::Replace { config, rules } => {
            let replacement = replacement(config.as_deref(), rules)?;
            shown(&connect()?.ask(Ask::Replace(replacement))?, show::changed)?
        }
        FilterCommand::Test(test) => {
            let trial = trial(test)?;
            let judged = match own_rules(test)? {
                Some(rules) => Answer::Judged(judged_here(&trial, &rules)?),
                None => connect()?.ask(Ask::Test(Box::new(trial)))?,
            };
            shown(&judged, show::judged)?
        }
        FilterCommand::Stats => {
            let stats = stats(&mut connect()?)?;
            if args.json { json(&stats)? } else { show::stats(&stats) }
        }
        FilterCommand::Dump => shown(&connect()?.ask(Ask::Dump)?, show::dump)?,
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

fn json(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(serde_json::to_string(value)? + "\n")
}

fn written(rules: &RuleArgs) -> Vec<Written> {
    let of = |verdict, texts: &[String]| {
        texts.iter().map(move |rule| Written { verdict, rule: rule.clone() }).collect::<Vec<_>>()
    };
    let mut written = of(VerdictName::Exclude, &rules.exclude);
    written.extend(of(VerdictName::Only, &rules.only));
    written
}

fn replacement(config: Option<&Path>, rules: &RuleArgs) -> anyhow::Result<Replacement> {
    let replacement =
        Replacement { config: config.map(config_text).transpose()?, rules: written(rules) };
    if replacement.config.is_none() && replacement.rules.is_empty() {
        let words = "say which rules are to hold: --config, --exclude, --only";
        return Err(UsageError(words.to_owned()).into());
    }
    Ok(replacement)
}

/// The file as we see it: the other side may not be allowed to, or sees another.
fn config_text(path: &Path) -> anyhow::Result<ConfigText> {
    let text = fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Ok(ConfigText { path: whole.to_string_lossy().into_owned(), text })
}

fn trial(test: &TestArgs) -> Result<Trial, UsageError> {
    let filename = test.command.first().cloned().unwrap_or_default();
    if !filename.contains('/') {
        let words = format!("`{filename}` is a name; write the program's path");
        return Err(UsageError(words));
    }
    let resolved = || Some(fs::canonicalize(&filename).ok()?.to_str()?.to_owned());
    let exe = test.exe.clone().or_else(resolved);
    Ok(Trial { filename, exe, args: test.command.clone(), given: test.given.pairs() })
}

/// The rules that the command line names, if it does.
fn own_rules(test: &TestArgs) -> anyhow::Result<Option<Rules>> {
    if test.config.is_none() && test.rules.exclude.is_empty() && test.rules.only.is_empty() {
        return Ok(None);
    }
    let mut list = Vec::new();
    if let Some(path) = &test.config {
        let file = config_text(path)?;
        list.extend(Config::parse(path, &file.text, &ThisHost)?.rules().iter().cloned());
    }
    for rule in &written(&test.rules) {
        list.push(rule_of(rule, "command line", &ThisHost)?);
    }
    let mut rules = Rules::default();
    for rule in list {
        rules.push(rule).map_err(|error| UsageError(error.to_string()))?;
    }
    Ok(Some(rules))
}

fn judged_here(trial: &Trial, rules: &Rules) -> Result<Judged, UsageError> {
    judge(trial, rules, &in_kernel(rules), &ThisHost)
}

/// A rule's row, and what two looks at it tell.
#[derive(Debug, Serialize)]
struct Stat {
    #[serde(flatten)]
    row: RuleRow,
    hits: u64,
    per_second: f64,
}

/// Two looks: what happened between them, by the other side's clock.
fn stats(connection: &mut Connection) -> anyhow::Result<Vec<Stat>> {
    let before = rules(connection)?;
    thread::sleep(BETWEEN_LOOKS);
    let after = rules(connection)?;
    Ok(stats_of(&before, after))
}

fn rules(connection: &mut Connection) -> anyhow::Result<RuleList> {
    match connection.ask(Ask::Rules)? {
        Answer::Rules(list) => Ok(list),
        other => anyhow::bail!("an answer to another question: {other:?}"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn stats_of(before: &RuleList, after: RuleList) -> Vec<Stat> {
    let seconds = after.since_start_ns.saturating_sub(before.since_start_ns).max(1) as f64 / 1e9;
    let hits = |row: &RuleRow| row.hits_kernel + row.hits_here;
    let stat = |row: RuleRow| {
        // Rules can have been changed meanwhile.
        let old = before.rules.get(row.number - 1).filter(|old| old.rule == row.rule);
        let new = old.map_or(0, |old| hits(&row).saturating_sub(hits(old)));
        Stat { hits: hits(&row), per_second: new as f64 / seconds, row }
    };
    after.rules.into_iter().map(stat).collect()
}
