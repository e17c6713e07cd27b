//! The commands in the documents: where they stand, and what is shown below them.
//!
//! A fenced block of `sh` is commands, one a line, each maybe with a remark behind it. One
//! of `console` is a session: what follows `$ ` was typed, the rest is what came of it.

use std::{fs, path::PathBuf};

/// The top of the sources.
pub(crate) fn root() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../.."].iter().collect()
}

/// A command, as it stands there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Without prompt and remark.
    pub(crate) line: String,
    /// What is shown of what it says; nothing where only commands are.
    pub(crate) output: Vec<String>,
    /// Whether it is typed by somebody whose rights are seen: with sudo, or without.
    pub(crate) is_session: bool,
}

/// A fenced block: its language, and its lines.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) lines: Vec<String>,
}

/// Every block of a document.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => {
                open = Some(Block { language: language.to_owned(), lines: Vec::new() });
            }
            (None, Some(block)) => block.lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block has no end");
    blocks
}

/// Every command in the documents, in their order, by document.
pub(crate) fn commands() -> Vec<(PathBuf, Vec<Shown>)> {
    let pages = fs::read_dir(root().join("docs")).unwrap();
    let mut pages: Vec<_> = pages
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages.insert(0, root().join("README.md"));
    let of = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let shown = blocks(&text).iter().flat_map(|block| shown(&path, block)).collect();
        (path, shown)
    };
    pages.into_iter().map(of).collect()
}

fn shown(path: &std::path::Path, block: &Block) -> Vec<Shown> {
    match block.language.as_str() {
        "sh" => block
            .lines
            .iter()
            .filter(|line| !line.is_empty())
            .map(|line| Shown { line: without_remark(line), output: Vec::new(), is_session: false })
            .collect(),
        "console" => session(&block.lines),
        "toml" | "json" => Vec::new(),
        other => panic!(
            "{}: a block is `sh`, `console`, `toml` or `json`, not `{other}`: {:?}",
            path.display(),
            block.lines.first()
        ),
    }
}

fn session(lines: &[String]) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    for line in lines {
        if let Some(line) = line.strip_prefix("$ ") {
            let line = line.to_owned();
            all.push(Shown { line, output: Vec::new(), is_session: true });
        } else {
            let last = all.last_mut().unwrap_or_else(|| panic!("no command above: {line}"));
            last.output.push(line.clone());
        }
    }
    all
}

/// A remark has two blanks before it: one alone may be part of a word.
fn without_remark(line: &str) -> String {
    line.split_once("  #").map_or(line, |(command, _)| command).trim_end().to_owned()
}

#[test]
fn commands_are_found_with_what_they_say() {
    let text = "a\n```sh\nexectrail x     # why\n\nmake run\n```\n```toml\nx = 1\n```\n\
        ```console\n$ sudo exectrail\nhead\n...\n$ exectrail fields\n```\n";
    let all: Vec<_> = blocks(text).iter().flat_map(|block| shown("x".as_ref(), block)).collect();
    let expect = |line: &str, output: &[&str], is_session| Shown {
        line: line.to_owned(),
        output: output.iter().map(|&line| line.to_owned()).collect(),
        is_session,
    };
    let expect = [
        expect("exectrail x", &[], false),
        expect("make run", &[], false),
        expect("sudo exectrail", &["head", "..."], true),
        expect("exectrail fields", &[], true),
    ];
    assert_eq!(all, expect);
}
