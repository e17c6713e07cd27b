//! A filter that is typed: rules in the language of `--only` and `--exclude`.

use exectrail_model::filter::{Host, Rule, RuleError, Rules, Selector, Verdict};

/// What stands between two rules.
const BETWEEN: &str = " ; ";

/// Why what was typed is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Where in the text, bytes.
    pub(crate) from: usize,
    pub(crate) until: usize,
    pub(crate) words: String,
}

/// The rules that a text has; none of an empty one.
pub(crate) fn parse(text: &str, host: &dyn Host) -> Result<Option<Rules>, Wrong> {
    let mut rules = Rules::default();
    let mut from = 0;
    for part in text.split(BETWEEN) {
        let rule = part.trim();
        let at = from + part.len() - part.trim_start().len();
        from += part.len() + BETWEEN.len();
        if rule.is_empty() {
            continue;
        }
        let (verdict, written) = match rule.strip_prefix('!') {
            Some(excluded) => (Verdict::Exclude, excluded.trim_start()),
            None => (Verdict::Only, rule),
        };
        let at = at + rule.len() - written.len();
        let rule = Rule::parse(verdict, written, host).map_err(|error| wrong(at, &error))?;
        let whole = |words: String| Wrong { from: at, until: at + written.len(), words };
        if let Some(asked) = rule.selectors().iter().find(|one| matches!(one, Selector::Told(_))) {
            return Err(whole(format!(
                "`{asked}` asks for what the running kernel alone can answer; start with that rule"
            )));
        }
        rules.push(rule).map_err(|error| whole(error.to_string()))?;
    }
    Ok((!rules.is_empty()).then_some(rules))
}

fn wrong(at: usize, error: &RuleError) -> Wrong {
    let words = error.mistake.to_string();
    Wrong { from: at + error.at.start, until: at + error.at.end, words }
}

#[cfg(test)]
mod tests {
    use exectrail_model::filter::Rules;

    use super::{Wrong, parse};

    fn rules(text: &str) -> Vec<String> {
        let rules = parse(text, &()).unwrap();
        let rules = rules.iter().flat_map(Rules::iter);
        rules.map(|rule| format!("{} {rule}", rule.verdict.name())).collect()
    }

    fn mistake(text: &str) -> (String, String) {
        let Wrong { from, until, words } = parse(text, &()).unwrap_err();
        (text[from..until].to_owned(), words)
    }

    #[test]
    fn it_is_the_language_of_the_rules() {
        assert_eq!(rules("  "), [""; 0]);
        assert_eq!(rules("ls"), ["only ls"]);
        assert_eq!(rules("! /usr/lib/**"), ["exclude /usr/lib/**"]);
        assert_eq!(rules("!ls ;  user=0,arg=a;b"), ["exclude ls", "only user=0,arg=a;b"]);
    }

    #[test]
    fn a_mistake_has_its_place() {
        let (place, words) = mistake("ls ; !usr=0");
        assert_eq!(place, "usr");
        assert!(words.contains("did you mean `user`?"), "{words}");
        assert_eq!(mistake("ls,").0, "");
        assert_eq!(mistake("!user=nobody-at-all").0, "nobody-at-all");
        let (place, words) = mistake("!tree=1");
        assert_eq!(place, "tree=1");
        assert!(words.contains("running kernel"), "{words}");
        assert_eq!(mistake("!").0, "");
    }
}
