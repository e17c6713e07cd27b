//! What the help shows as an example is understood by the parser that it is shown by.

use clap::{Command, CommandFactory, Parser};

use super::Cli;

/// The help of each command, and its name.
fn helps(command: &Command, helps: &mut Vec<(String, String)>) {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    helps.push((command.get_name().to_owned(), text));
    for below in command.get_subcommands() {
        self::helps(below, helps);
    }
}

/// The lines below "Examples:".
fn examples(help: &str) -> impl Iterator<Item = &str> {
    let below = help.split_once("Examples:\n").map_or("", |(_, below)| below);
    below.lines().take_while(|line| !line.is_empty())
}

/// What stands in a line from `exectrail` on, as far as it is one command.
fn command(line: &str) -> &str {
    let from = line.find("exectrail ").unwrap_or_else(|| panic!("no command: {line}"));
    let rest = line.get(from..).unwrap();
    let ends = ["  ", " | ", ")", " > "].iter().filter_map(|end| rest.find(end));
    rest.get(..ends.min().unwrap_or(rest.len())).unwrap()
}

/// As a shell has it, of the quotes that examples have.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (number, part) in command.split('\'').enumerate() {
        if number % 2 == 1 {
            words.last_mut().unwrap().push_str(part);
            continue;
        }
        let mut pieces = part.split(' ');
        words.last_mut().unwrap().push_str(pieces.next().unwrap());
        words.extend(pieces.map(str::to_owned));
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn a_line_has_one_command() {
    for (line, expect) in [
        ("  exectrail --json -o x", "exectrail --json -o x"),
        ("  exectrail doctor     why?", "exectrail doctor"),
        ("  exectrail man | man -l -   to read", "exectrail man"),
        ("  source <(exectrail completions bash)  in it", "exectrail completions bash"),
        ("  ssh host cat f | exectrail replay -   there", "exectrail replay -"),
    ] {
        assert_eq!(command(line), expect);
    }
    assert_eq!(words("exectrail --only 'a b*' c"), ["exectrail", "--only", "a b*", "c"]);
}

#[test]
fn every_example_of_the_help_is_understood() {
    let mut all = Vec::new();
    helps(&Cli::command(), &mut all);
    let mut seen = 0;
    for (name, help) in &all {
        for line in examples(help) {
            let words = words(command(line));
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{name}: {line}\n{error}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 25, "{seen} examples");
}
