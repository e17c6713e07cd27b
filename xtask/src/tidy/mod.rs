//! The house rules that no compiler knows. Each has its own file, and says of
//! what it finds where it is and what to do.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

mod aya_border;
mod file_length;
mod file_names;
mod hook_table;
mod unsafe_rooms;

/// One thing that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, from the top of the checkout.
    place: String,
    /// What is wrong, and what to do.
    what: String,
    /// Whether this is only a hint.
    hint: bool,
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into(), hint: false }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = if self.hint { "hint" } else { "error" };
        write!(f, "{weight}: {}: {}", self.place, self.what)
    }
}

/// A file of the tree.
#[derive(Debug)]
pub(crate) struct File {
    /// Its path from the top of the checkout, with `/` between the parts.
    name: String,
    /// What it says.
    text: String,
}

/// Applies every rule to the tree, and fails when one is broken.
pub(crate) fn run(root: &Path) -> Result<()> {
    let rust = read_all(root, "rs")?;
    let manifests = read_all(root, "toml")?;
    let findings: Vec<Finding> = [
        file_length::check(&rust),
        file_names::check(&rust),
        unsafe_rooms::check(&rust),
        aya_border::check(&manifests),
        hook_table::check(&rust),
    ]
    .into_iter()
    .flatten()
    .collect();
    for finding in &findings {
        eprintln!("{finding}");
    }
    match findings.iter().filter(|finding| !finding.hint).count() {
        0 => {
            println!("{} files keep the house rules", rust.len() + manifests.len());
            Ok(())
        }
        broken => bail!("{broken} places break the house rules"),
    }
}

/// Every file with this extension in `crates`, `fuzz` and `xtask`, sorted by name.
fn read_all(root: &Path, extension: &str) -> Result<Vec<File>> {
    let mut paths = Vec::new();
    for part in ["crates", "fuzz", "xtask"] {
        collect(&root.join(part), extension, &mut paths)?;
    }
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
            Ok(File { name, text })
        })
        .collect()
}

fn collect(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.is_dir() {
            // What cargo made in a crate's own folder is not ours.
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, extension, found)?;
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
fn file(name: &str, text: &str) -> File {
    File { name: name.to_owned(), text: text.to_owned() }
}
