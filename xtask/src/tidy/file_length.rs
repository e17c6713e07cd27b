//! A file is read in one sitting: 300 lines are a lot, 500 are too many.

use super::{File, Finding};

const LONG: usize = 300;
const TOO_LONG: usize = 500;

/// Files that are one table: it is looked up, not read, and to split it would be to
/// have two.
const TABLES: [&str; 1] = ["crates/model/src/fields.rs"];

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let read = |file: &&File| file.name.contains("/src/") && !TABLES.contains(&&*file.name);
    files.iter().filter(read).filter_map(judge).collect()
}

fn judge(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    let what = format!("{lines} lines; split it by what its parts are about");
    (lines > LONG).then(|| Finding { hint: lines <= TOO_LONG, ..Finding::new(&file.name, what) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn long_is_a_hint_and_too_long_an_error() {
        let of = |lines| check(&[file("crates/a/src/b.rs", &"\n".repeat(lines))]);
        assert_eq!(of(300), []);
        assert!(of(301)[0].hint);
        assert!(of(500)[0].hint);
        assert!(!of(501)[0].hint);
        assert_eq!(check(&[file(TABLES[0], &"\n".repeat(900))]), []);
    }
}
