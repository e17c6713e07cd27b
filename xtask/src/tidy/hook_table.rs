//! A hook that no row of the program table names is loaded by no one.

use super::{File, Finding};

const HOOKS: &str = "crates/bpf/src/hooks/";
const TABLE: &str = "crates/sensor/src/programs.rs";

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let table = files.iter().find(|file| file.name == TABLE).map_or("", |file| &file.text);
    files
        .iter()
        .filter_map(|file| Some((file, file.name.strip_prefix(HOOKS)?.strip_suffix(".rs")?)))
        .filter(|(_, hook)| *hook != "mod" && !names(table, hook))
        .map(|(file, hook)| {
            Finding::new(&file.name, format!("no row of {TABLE} says `{hook}`: add one"))
        })
        .collect()
}

/// Whether `word` stands in `text` as a word of its own.
fn names(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn a_hook_needs_a_row_of_its_own() {
        let hooks = ["mod", "exec", "exec_raw"].map(|hook| file(&format!("{HOOKS}{hook}.rs"), ""));
        let with = |table: &str| {
            let mut files = vec![file(TABLE, table)];
            files.extend(hooks.iter().map(|hook| file(&hook.name, "")));
            check(&files).len()
        };
        assert_eq!(with("\"exec\" \"exec_raw\""), 0);
        assert_eq!(with("\"exec_raw\""), 1);
        assert_eq!(with(""), 2);
    }
}
