//! A file is named for what is in it. A drawer for the rest never stays small.

use super::{File, Finding};

const DRAWERS: [&str; 6] = ["utils", "util", "common", "misc", "helpers", "helper"];

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| {
            let mut parts = file.name.split('/').map(|part| part.trim_end_matches(".rs"));
            parts.any(|part| DRAWERS.contains(&part))
        })
        .map(|file| Finding::new(&file.name, "name it for what is in it"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn files_and_folders_count() {
        let check = |name| check(&[file(name, "")]).len();
        assert_eq!(check("crates/a/src/utils.rs"), 1);
        assert_eq!(check("crates/a/src/common/mod.rs"), 1);
        assert_eq!(check("crates/a/src/commonwealth.rs"), 0);
    }
}
