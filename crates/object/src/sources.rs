//! The files that make the object, and nothing else.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Error, Tree};

/// One file that the object depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path from the top of the checkout, with `/` between the parts.
    pub name: String,
    /// What it says.
    pub content: Vec<u8>,
}

/// The name under which the inherited part of the root manifest is listed.
pub(crate) const INHERITED: &str = "Cargo.toml [workspace.package]";

impl Tree {
    /// Every file that the object depends on, sorted by name.
    ///
    /// Of the root manifest only `[workspace.package]` counts, because the shared
    /// crate inherits from it, and of that not `version`: a release number would
    /// ask for a rebuild of an object that does not change with it. (Where the
    /// shared crate inherits the number, `crates/bpf/Cargo.lock` shows it.)
    ///
    /// # Errors
    ///
    /// When a file that must be there cannot be read.
    pub fn sources(&self) -> Result<Vec<Source>, Error> {
        let mut paths = vec![
            self.kernel_crate().join("Cargo.toml"),
            self.kernel_crate().join("Cargo.lock"),
            self.border_crate().join("Cargo.toml"),
        ];
        rust_files(&self.kernel_crate().join("src"), &mut paths)?;
        rust_files(&self.border_crate().join("src"), &mut paths)?;
        let mut sources = paths
            .iter()
            .map(|path| {
                let content = fs::read(path).map_err(Error::file("read", path))?;
                Ok(Source { name: self.name_of(path), content })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let manifest = self.workspace_manifest();
        let text = fs::read_to_string(&manifest).map_err(Error::file("read", &manifest))?;
        sources.push(Source { name: INHERITED.to_owned(), content: inherited(&text).into_bytes() });
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(sources)
    }

    fn name_of(&self, path: &Path) -> String {
        path.strip_prefix(self.root()).unwrap_or(path).to_string_lossy().into_owned()
    }
}

/// Adds every `.rs` file under `folder`. Other files (an editor's, say) do not
/// reach the build either: what is not a source is not staged.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .map_err(Error::file("read", folder))?;
    for path in entries.into_iter().map(|entry| entry.path()) {
        if path.is_dir() {
            rust_files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// The lines of `[workspace.package]` without comments, blank lines and `version`.
fn inherited(manifest: &str) -> String {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[workspace.package]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| {
            let key = line.split('=').next().unwrap_or_default().trim();
            !key.is_empty() && !key.starts_with('#') && key != "version"
        })
        .flat_map(|line| [line, "\n"])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_inherited_counts() {
        let manifest = "[workspace]\nmembers = []\n\n[workspace.package]\nversion = \"1\"\n\
                        # why\nedition = \"2024\"\n\n[workspace.lints]\nx = 1\n";
        assert_eq!(inherited(manifest), "edition = \"2024\"\n");
    }
}
