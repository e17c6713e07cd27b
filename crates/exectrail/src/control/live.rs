//! The rules of a running trace: how they are changed, and what is told of them.

use std::{path::Path, time::Instant};

use exectrail_model::filter::{Host, Place, Rule, Rules, Verdict};
use exectrail_sensor::{RuleMap, RuleMapEntry, Sensor};

use super::{
    connection::Line,
    message::{
        Answer, Ask, Changed, Decided, Dump, DumpedEntry, DumpedMap, Kind, Refusal, Replacement,
        Reply, Request, RuleList, RuleRow, VERSION, Version, Written,
    },
    trial,
};
use crate::{
    args::StreamArgs,
    config::Config,
    exit::{ConfigError, UsageError},
    plan::{self, Scope},
};

/// What rules are made of while the trace runs.
pub(crate) struct Live<'t> {
    args: &'t StreamArgs,
    host: &'t dyn Host,
    /// Settings of the files, as the trace began with them.
    settings: Vec<(&'static str, String)>,
    failed: bool,
    started: Instant,
}

impl<'t> Live<'t> {
    pub(crate) fn new(
        args: &'t StreamArgs,
        config: &Config,
        failed: bool,
        host: &'t dyn Host,
    ) -> Self {
        Self { args, host, settings: config.settings(), failed, started: Instant::now() }
    }

    /// Reads the files again, and puts their rules and those of the flags into force.
    /// What comes back are the settings that are others by now, and that only a new
    /// start can change.
    pub(crate) fn reload(&self, sensor: &mut Sensor) -> anyhow::Result<Vec<&'static str>> {
        let config = Config::read(self.args.trace.collect.config.as_deref(), self.host)?;
        let scope = Scope::Host { follow: &self.args.session.follow };
        let before = Rules::after(sensor.rules());
        let rules = plan::rules(&self.args.trace.wanted, scope, &config, self.host, before)?;
        self.enforce(rules, sensor)?;
        let settings = self.settings.iter().zip(config.settings());
        Ok(settings.filter(|(old, new)| *old != new).map(|((name, _), _)| *name).collect())
    }

    /// Answers a line.
    pub(crate) fn reply(&self, line: Line<'_>, sensor: &mut Sensor) -> Vec<u8> {
        let answer = request(line).and_then(|ask| self.answer(ask, sensor).map_err(refusal));
        let (ok, error) = match answer {
            Ok(answer) => (Some(answer), None),
            Err(refusal) => (None, Some(refusal)),
        };
        let mut reply = serde_json::to_vec(&Reply { v: VERSION, ok, error }).unwrap_or_default();
        reply.push(b'\n');
        reply
    }

    fn answer(&self, ask: Ask, sensor: &mut Sensor) -> anyhow::Result<Answer> {
        Ok(match ask {
            Ask::Rules => Answer::Rules(self.list(sensor)),
            Ask::Add(written) => {
                let mut new = Vec::new();
                for written in &written {
                    new.push(rule_of(written, "filter add", self.host)?);
                }
                let kept: Vec<_> = sensor.rules().iter().cloned().collect();
                Answer::Changed(self.change(kept.into_iter().chain(new), sensor)?)
            }
            Ask::Remove(named) => {
                let gone = named_rules(&named, sensor.rules(), self.host)?;
                let rules = sensor.rules().iter().enumerate();
                let kept = rules.filter(|(number, _)| !gone.contains(number));
                let kept: Vec<_> = kept.map(|(_, rule)| rule.clone()).collect();
                Answer::Changed(self.change(kept, sensor)?)
            }
            Ask::Replace(replacement) => {
                Answer::Changed(self.change(replaced(&replacement, self.host)?, sensor)?)
            }
            Ask::Test(trial) => {
                let in_kernel: Vec<_> =
                    sensor.rule_hits().iter().map(|hits| hits.is_in_kernel).collect();
                Answer::Judged(trial::judge(&trial, sensor.rules(), &in_kernel, self.host)?)
            }
            Ask::Dump => {
                let dump = sensor.rule_maps()?;
                let maps = dump.maps.into_iter().map(dumped).collect();
                Answer::Dump(Dump { active: dump.active, maps })
            }
        })
    }

    fn list(&self, sensor: &Sensor) -> RuleList {
        let rules = sensor.rules().iter().zip(sensor.rule_hits()).enumerate();
        let rows = rules.map(|(number, (rule, hits))| RuleRow {
            hits_kernel: hits.by_kernel,
            hits_here: hits.by_reader,
            ..row(number, rule, hits.is_in_kernel)
        });
        let since_start = self.started.elapsed().as_nanos();
        RuleList {
            since_start_ns: u64::try_from(since_start).unwrap_or(u64::MAX),
            rules: rows.collect(),
        }
    }

    fn change(
        &self,
        wanted: impl IntoIterator<Item = Rule>,
        sensor: &mut Sensor,
    ) -> anyhow::Result<Changed> {
        let mut rules = Rules::after(sensor.rules());
        for rule in wanted {
            rules.push(rule).map_err(|error| UsageError(error.to_string()))?;
        }
        self.enforce(rules, sensor)
    }

    fn enforce(&self, rules: Rules, sensor: &mut Sensor) -> anyhow::Result<Changed> {
        if !self.failed {
            plan::check_that_something_is_wanted(&rules)?;
        }
        let before = sensor.rules().clone();
        sensor.replace_rules(rules)?;
        let rules = sensor.rules();
        let [added, removed] = [(rules, &before), (&before, rules)].map(|(all, others)| {
            let key = |rule: &Rule| (rule.verdict, rule.to_string());
            let others: std::collections::HashSet<_> = others.iter().map(key).collect();
            all.iter().filter(|rule| !others.contains(&key(rule))).count()
        });
        Ok(Changed { added, removed, rules: rules.len() })
    }
}

fn request(line: Line<'_>) -> Result<Ask, Refusal> {
    let wrong = |message: String| Refusal { kind: Kind::Usage, message };
    let Line::Whole(line) = line else {
        return Err(wrong("a request has at most 16 MiB".to_owned()));
    };
    let not_understood =
        |error: serde_json::Error| wrong(format!("the request is not understood: {error}"));
    let Version { v } = serde_json::from_slice(line).map_err(not_understood)?;
    if v != VERSION {
        return Err(wrong(format!(
            "this exectrail speaks version {VERSION} of the control protocol, and not {v}"
        )));
    }
    serde_json::from_slice(line).map(|request: Request| request.ask).map_err(not_understood)
}

fn refusal(error: anyhow::Error) -> Refusal {
    let error = match error.downcast::<UsageError>() {
        Ok(UsageError(message)) => return Refusal { kind: Kind::Usage, message },
        Err(error) => error,
    };
    let is_of_file = error.is::<ConfigError>();
    let kind = if is_of_file { Kind::Configuration } else { Kind::Failed };
    Refusal { kind, message: format!("{error:#}") }
}

/// Reads a rule that came from elsewhere than the start's flags and files.
pub(crate) fn rule_of(
    written: &Written,
    place: &'static str,
    host: &dyn Host,
) -> Result<Rule, UsageError> {
    let verdict = Verdict::from(written.verdict);
    let mut rule = Rule::parse(verdict, &written.rule, host)
        .map_err(|error| UsageError(format!("--{}: {error}", verdict.name())))?;
    rule.place = Some(Place::Flag(place));
    Ok(rule)
}

/// The rules of a replacement.
fn replaced(replacement: &Replacement, host: &dyn Host) -> anyhow::Result<Vec<Rule>> {
    let mut rules = Vec::new();
    if let Some(file) = &replacement.config {
        let config = Config::parse(Path::new(&file.path), &file.text, host)?;
        rules.extend(config.rules().iter().cloned());
    }
    for written in &replacement.rules {
        rules.push(rule_of(written, "filter replace", host)?);
    }
    Ok(rules)
}

/// The rules of these numbers, texts or labels. A rule's text is found in whatever
/// form it is written.
fn named_rules(names: &[String], rules: &Rules, host: &dyn Host) -> Result<Vec<usize>, UsageError> {
    let mut found = Vec::new();
    for name in names {
        let number = name.parse::<usize>().ok().filter(|&number| number > 0);
        let by_number = number.map(|number| number - 1).filter(|&number| number < rules.len());
        let text = Rule::parse(Verdict::Exclude, name, host).ok().map(|rule| rule.to_string());
        let is_meant = |rule: &Rule| {
            let label = rule.label.as_deref();
            label == Some(name) || text.as_ref().is_some_and(|text| *text == rule.to_string())
        };
        let before = found.len();
        match by_number {
            Some(number) => found.push(number),
            None => found.extend(
                rules.iter().enumerate().filter(|(_, rule)| is_meant(rule)).map(|(at, _)| at),
            ),
        }
        if found.len() == before {
            return Err(UsageError(format!(
                "there is no rule `{name}` (of {}): no number, text or label",
                rules.len()
            )));
        }
    }
    Ok(found)
}

/// A rule, for people; its hits are not known here.
pub(super) fn row(number: usize, rule: &Rule, in_kernel: bool) -> RuleRow {
    let decided = match (rule.verdict, in_kernel) {
        (_, false) => Decided::Here,
        (Verdict::Exclude, true) => Decided::Kernel,
        // What it keeps, it may keep too much of.
        (Verdict::Only, true) => Decided::Both,
    };
    RuleRow {
        number: number + 1,
        verdict: rule.verdict.into(),
        rule: rule.to_string(),
        label: rule.label.as_deref().map(str::to_owned),
        comment: rule.comment.as_deref().map(str::to_owned),
        place: rule.place.as_ref().map(ToString::to_string),
        decided,
        hits_kernel: 0,
        hits_here: 0,
    }
}

fn dumped(map: RuleMap) -> DumpedMap {
    let entry = |entry: RuleMapEntry| DumpedEntry {
        text: String::from_utf8_lossy(&entry.text).into_owned(),
        says: entry.says,
        key: hex(&entry.key),
        value: hex(&entry.value),
    };
    DumpedMap { name: map.name.to_owned(), entries: map.entries.into_iter().map(entry).collect() }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use exectrail_model::filter::{Rule, Rules, Verdict};

    use super::{Kind, Line, hex, named_rules, request};

    #[test]
    fn requests_of_no_sense_are_refused() {
        let refused = |line: &str| request(Line::Whole(line.as_bytes())).unwrap_err();
        for (line, words) in [
            ("", "not understood"),
            ("{}", "missing field `v`"),
            (r#"{"v":2,"ask":{"new":1}}"#, "version 1"),
            (r#"{"v":1}"#, "missing field `ask`"),
            (r#"{"v":1,"ask":"nonsense"}"#, "unknown variant"),
            (r#"{"v":1,"ask":"rules","more":1}"#, "unknown field `more`"),
            (r#"{"v":1,"ask":{"add":[{"verdict":"maybe","rule":"x"}]}}"#, "unknown variant"),
        ] {
            let refusal = refused(line);
            assert_eq!(refusal.kind, Kind::Usage);
            assert!(refusal.message.contains(words), "{line}: {}", refusal.message);
        }
        assert!(refused(&"[".repeat(1 << 20)).message.contains("not understood"));
        assert!(request(Line::TooLong).unwrap_err().message.contains("16 MiB"));
        assert!(request(Line::Whole(br#"{"v":1,"ask":"rules"}"#)).is_ok());
    }

    #[test]
    fn rules_are_found_by_number_text_and_label() {
        let mut rules = Rules::default();
        for (verdict, text) in [
            (Verdict::Exclude, "/bin/ls"),
            (Verdict::Only, "name=ls"),
            (Verdict::Exclude, "ls"),
            (Verdict::Only, "ps"),
        ] {
            let mut rule = Rule::parse(verdict, text, &()).unwrap();
            rule.label = (text == "ps").then(|| "the list".into());
            rules.push(rule).unwrap();
        }
        let found = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            named_rules(&names, &rules, &()).map_err(|error| error.0)
        };
        assert_eq!(found(&["1", "path=/bin/ls"]).unwrap(), [0, 0]);
        assert_eq!(found(&["ls"]).unwrap(), [1, 2]);
        assert_eq!(found(&["the list"]).unwrap(), [3]);
        for name in ["0", "5", "/bin", "", "a=b"] {
            assert!(found(&["1", name]).unwrap_err().contains("no rule"), "{name}");
        }
    }

    #[test]
    fn bytes_as_digits() {
        assert_eq!(hex(&[0, 0xaf, 7]), "00af07");
    }
}
