//! `[[exclude]]` and `[[only]]`: the keys are those of rules on the command line,
//! each with a value of its own, and `label` and `comment` for people.
//!
//! The tables are kept as they stand until the whole file is read, with their places,
//! since to check them asks the host.

use std::{fmt, ops::Range, path::Path, sync::Arc};

use exectrail_model::{
    filter::{Draft, Host, Key, Mistake, Place, Rule, Verdict},
    nearest::nearest,
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use toml::Spanned;

use super::lines::Lines;
use crate::exit::ConfigError;

/// Keys that are not selectors.
const LABEL: &str = "label";
const COMMENT: &str = "comment";

/// A table, as it stands.
#[derive(Debug)]
pub(super) struct Table(Vec<(Spanned<String>, Spanned<Value>)>);

/// What a key can have.
#[derive(Debug)]
enum Value {
    /// One; a number is as good as its text.
    One(String),
    /// Several.
    List(Vec<Spanned<Value>>),
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pairs)
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Table;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a rule: [[exclude]] or [[only]], and its keys below")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        // They come in the order of the alphabet.
        pairs.sort_by_key(|(key, _): &(Spanned<String>, _)| key.span().start);
        Ok(Table(pairs))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrList)
    }
}

struct OneOrList;

impl<'de> Visitor<'de> for OneOrList {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, or a list of them")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::One(text.to_owned()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::One(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::One(number.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }
}

/// Something wrong, and where.
type Wrong = (Range<usize>, String);

/// The rules of a file, in the order in which they stand there.
pub(super) fn checked(
    tables: [(Verdict, Vec<Spanned<Table>>); 2],
    (path, text): (&Path, &str),
    host: &dyn Host,
) -> Result<Vec<Rule>, ConfigError> {
    let lines = Lines::of(text);
    let path: Arc<Path> = path.into();
    let mut rules = Vec::new();
    for (verdict, tables) in tables {
        for table in tables {
            let at = table.span();
            let rule = rule(verdict, table, text, host);
            let mut rule =
                rule.map_err(|(span, what)| ConfigError::wrong(&path, &lines.point(&span, &what)))?;
            rule.place =
                Some(Place::File { path: Arc::clone(&path), line: lines.number(at.start) });
            rules.push((at.start, rule));
        }
    }
    rules.sort_by_key(|(start, _)| *start);
    Ok(rules.into_iter().map(|(_, rule)| rule).collect())
}

fn rule(
    verdict: Verdict,
    table: Spanned<Table>,
    text: &str,
    host: &dyn Host,
) -> Result<Rule, Wrong> {
    let at = table.span();
    let mut draft = Draft::new(host);
    let (mut label, mut comment) = (None, None);
    for (key, value) in table.into_inner().0 {
        match key.get_ref().as_str() {
            LABEL => label = Some(one(value)?.into_inner().into()),
            COMMENT => comment = Some(one(value)?.into_inner().into()),
            name => {
                let known = Key::named(name).map_err(|mistake| (key.span(), said(mistake)))?;
                add(&mut draft, (known, key.span()), value, text)?;
            }
        }
    }
    let mut rule = draft.rule(verdict).map_err(|_| {
        (at, "a rule needs a selector: path = \"...\", name = \"...\", or another".to_owned())
    })?;
    (rule.label, rule.comment) = (label, comment);
    Ok(rule)
}

fn add(
    draft: &mut Draft<'_>,
    (key, key_at): (Key, Range<usize>),
    value: Spanned<Value>,
    text: &str,
) -> Result<(), Wrong> {
    let is_list = matches!(value.get_ref(), Value::List(_));
    if is_list && key != Key::Arg {
        return Err((value.span(), format!("`{key}` has one value; for more, write more rules")));
    }
    let at = value.span();
    let values = match value.into_inner() {
        Value::One(value) => vec![Spanned::new(at, value)],
        // No words at all would ask for nothing.
        Value::List(values) if values.is_empty() => {
            return Err((at, said(Mistake::NoValue(key))));
        }
        Value::List(values) => values.into_iter().map(one).collect::<Result<_, _>>()?,
    };
    for value in values {
        draft.add(key, value.get_ref()).map_err(|mistake| match mistake {
            Mistake::Twice(_) => (key_at.clone(), said(mistake)),
            mistake => (inside(&value, text), said(mistake)),
        })?;
    }
    Ok(())
}

/// A value that is no list.
fn one(value: Spanned<Value>) -> Result<Spanned<String>, Wrong> {
    let at = value.span();
    match value.into_inner() {
        Value::One(value) => Ok(Spanned::new(at, value)),
        Value::List(_) => Err((at, "here is one value, and no list".to_owned())),
    }
}

/// Where a value stands, without its quotes.
fn inside(value: &Spanned<String>, text: &str) -> Range<usize> {
    let Range { start, end } = value.span();
    let within = start + 1..end.saturating_sub(1).max(start + 1);
    if !within.is_empty() && text.get(within.clone()) == Some(value.get_ref()) {
        within
    } else {
        start..end
    }
}

/// The mistake; of a key that there is only in files, what was probably meant.
fn said(mut mistake: Mistake) -> String {
    if let Mistake::UnknownKey { key, nearest: meant @ None } = &mut mistake {
        *meant = nearest(key, [LABEL, COMMENT].into_iter());
    }
    mistake.to_string()
}
