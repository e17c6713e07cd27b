use std::{fmt::Write as _, path::Path};

use exectrail_model::filter::Rules;

use super::Config;
use crate::host::ThisHost;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(Path::new("c.toml"), text, &ThisHost).map_err(|error| error.to_string())
}

#[test]
fn a_whole_file() {
    let config = parse(
        "failed = true\nbuffer = \"1M\"\nmax-args = 4096\ncolor = \"never\"\n\
         [[exclude]]\npath = \"/usr/bin/ls\"\ncomment = \"noise\"\n\
         [[exclude]]\nname = \"cat\"\n[[only]]\npath = \"/usr/**\"\n",
    )
    .unwrap();
    assert_eq!(config.rules().len(), 3);
    assert_eq!(config.failed, Some(true));
    assert_eq!(config.buffer.unwrap().0.bytes(), 1 << 20);
}

#[test]
fn rules_with_all_their_keys() {
    let config = parse(
        "[[only]]\nlabel = \"builds\"\nparent = \"make\"\nuser = \"root\"\negroup = 0\n\
         arg = [\"-c\", \"a,b\"]\nresult = \"ok\"\n\n\
         [[exclude]]\npath = '/opt/\\*'\ntree = 7\nns = \"host\"\n\
         [[only]]\narg = \"x\"\ncgroup = \"/a\"\ncontainer = \"none\"\n",
    )
    .unwrap();
    let shown: Vec<_> = config
        .rules()
        .iter()
        .map(|rule| format!("{} {} {rule}", rule.place.as_ref().unwrap(), rule.verdict.name()))
        .collect();
    let expect = [
        "c.toml:1 only parent=make,user=root,egroup=0,arg=-c,arg=a\\,b,result=ok",
        "c.toml:9 exclude /opt/\\\\*,tree=7,pidns=host",
        "c.toml:13 only arg=x,cgroup=/a,container=none",
    ];
    assert_eq!(shown, expect);
    assert_eq!(config.rules()[0].label.as_deref(), Some("builds"));
}

#[test]
fn later_files_win_and_rules_add_up() {
    let mut config = parse("failed = true\nformat = \"json\"\n[[only]]\nname = \"a\"").unwrap();
    config.add(parse("failed = false\n[[only]]\nname = \"b\"").unwrap());
    assert_eq!((config.failed, config.format.as_deref()), (Some(false), Some("json")));
    assert_eq!(config.rules().len(), 2);
}

#[test]
fn errors_have_line_caret_and_cure() {
    for (text, line, says) in [
        ("x = 1", "line 1", "unknown field `x`"),
        ("buffer = \"1X\"", "line 1", "is no size"),
        ("max-args = 99999999", "line 1", "out of range"),
        ("failed = maybe", "line 1", "^"),
        ("[[only]]\nuser = true", "line 2", "text, a number, or a list"),
        ("only = \"ls\"", "line 1", "expected"),
        ("only = [\"ls\"]", "line 1", "[[only]]"),
        ("[[only]]\nname = \"a\"\nname = \"b\"", "line 3", "duplicate"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains("c.toml"), "{error}");
        assert!(error.contains(line) && error.contains('^') && error.contains(says), "{error}");
    }
}

#[test]
fn errors_in_rules_point_at_their_place() {
    // text, what the carets stand under, words of the message
    for (text, under, says) in [
        ("\n[[exclude]]\npaht = \"/x\"", "paht", "did you mean `path`?"),
        ("[[exclude]]\nname = \"x\"\nlable = \"x\"", "lable", "did you mean `label`?"),
        ("[[exclude]]\nname = \"x\"\nzzzzzzz = 1", "zzzzzzz", "there are path, name"),
        ("[[exclude]]\npath = \"ls\"", "ls", "its key is `name`"),
        ("[[exclude]]\nname = \"/ls\"", "/ls", "its key is `path`"),
        ("[[exclude]]\npath = \"usr/bin/ls\"", "usr/bin/ls", "begins with `/`"),
        ("[[exclude]]\npath = \"/a//b\"", "/a//b", "write `/a/b`"),
        ("[[exclude]]\npath = \"/\\u0061//b\"", "\"/\\u0061//b\"", "write `/a/b`"),
        ("[[exclude]]\npath = \"\"", "\"\"", "needs a value"),
        ("[[only]]\n", "[[only]]", "a rule needs"),
        ("[[only]]\nlabel = \"x\"", "[[only]]", "a rule needs"),
        ("[[only]]\narg = []", "[]", "needs a value"),
        ("[[only]]\narg = [\"a\", [\"b\"]]", "[\"b\"]", "no list"),
        ("[[only]]\narg = [\"a\", \"[b\"]", "[b", "bad pattern"),
        ("[[only]]\nuser = [\"root\"]", "[\"root\"]", "has one value"),
        ("[[only]]\nlabel = [\"root\"]", "[\"root\"]", "no list"),
        ("[[only]]\nuser = \"nobody-is-called-so\"", "nobody-is-called-so", "no user"),
        ("[[only]]\nuser = -1", "-1", "no user"),
        ("[[only]]\ntree = 0", "0", "no process id"),
        ("[[only]]\nns = \"host\"\npidns = 1", "pidns", "twice"),
    ] {
        let error = parse(text).unwrap_err();
        let line = 1 + text[..text.rfind(under).unwrap()].matches('\n').count();
        let lines: Vec<_> = error.lines().collect();
        assert!(lines[0].starts_with(&format!("c.toml: line {line}, column ")), "{error}");
        let carets = lines[3].split_once("| ").unwrap().1;
        assert_eq!(carets.trim_start().len(), under.len(), "{error}");
        let start = carets.len() - under.len();
        assert_eq!(
            lines[2].split_once("| ").unwrap().1.get(start..start + under.len()),
            Some(under)
        );
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn ten_thousand_rules_are_read_at_once() {
    let mut text = String::new();
    for number in 0..10_000 {
        writeln!(text, "[[exclude]]\npath = \"/opt/p{number}\"").unwrap();
    }
    let mut rules = Rules::default();
    for rule in parse(&text).unwrap().rules() {
        rules.push(rule.clone()).unwrap();
    }
    assert_eq!(rules.get(9_999).unwrap().place.as_ref().unwrap().to_string(), "c.toml:19999");
}
