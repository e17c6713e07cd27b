//! Laying out the sources so that the folder they came from leaves no trace.
//!
//! Cargo hashes the path of a path dependency into its symbol names: relative to
//! the workspace when it lies inside, absolute when it does not. The shared crate
//! lies beside the kernel crate, so a build in place gave other names in another
//! checkout (seen with cargo 1.95 and 1.96: only the `17h…E` of local functions
//! differed). Here the shared crate is put inside, and the names agree.
//!
//! It has a workspace of its own there, because it inherits from one, and because
//! a member of the kernel workspace would add its optional dependencies to the
//! lock file, which `--locked` refuses.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{Error, Source, Tree, sources::INHERITED};

/// The folder of the shared crate's workspace, inside the kernel crate's.
pub(crate) const BORDER: &str = "border";

/// Writes the sources below `folder`, and removes what is no longer one. Files
/// that are as they should be keep their time, so that cargo keeps its work.
pub(crate) fn lay_out(tree: &Tree, sources: &[Source], folder: &Path) -> Result<(), Error> {
    let mut files = vec![(PathBuf::from(BORDER).join("Cargo.toml"), border_manifest(tree)?)];
    for source in sources {
        let content = source.content.clone();
        if source.name == "crates/bpf/Cargo.toml" {
            files.push(("Cargo.toml".into(), kernel_manifest(tree, &content)?));
        } else if let Some(name) = source.name.strip_prefix("crates/bpf/") {
            files.push((name.into(), content));
        } else if let Some(name) = source.name.strip_prefix("crates/abi/") {
            files.push((Path::new(BORDER).join("abi").join(name), content));
        } else {
            debug_assert_eq!(source.name, INHERITED, "a source that is not staged");
        }
    }
    let wanted: BTreeSet<PathBuf> = files.iter().map(|(name, _)| folder.join(name)).collect();
    for part in ["src", BORDER] {
        remove_others(&folder.join(part), &wanted)?;
    }
    files.iter().try_for_each(|(name, content)| write_if_other(&folder.join(name), content))
}

/// The kernel crate's manifest, with the shared crate where it is staged.
fn kernel_manifest(tree: &Tree, manifest: &[u8]) -> Result<Vec<u8>, Error> {
    let text = String::from_utf8_lossy(manifest);
    let swap = |text: &str, from: &str, to: &str| {
        if text.contains(from) {
            return Ok(text.replacen(from, to, 1));
        }
        Err(Error::Manifest {
            path: tree.kernel_crate().join("Cargo.toml"),
            what: format!("has no `{}`, which crates/object/src/stage.rs looks for", from.trim()),
        })
    };
    let text = swap(&text, "path = \"../abi\"", &format!("path = \"{BORDER}/abi\""))?;
    let text =
        swap(&text, "\n[workspace]\n", &format!("\n[workspace]\nexclude = [\"{BORDER}\"]\n"))?;
    Ok(text.into_bytes())
}

/// A workspace with as much of the root manifest as the shared crate inherits.
/// Lints are left empty: they are `make check`'s to enforce, on the real files.
fn border_manifest(tree: &Tree) -> Result<Vec<u8>, Error> {
    let path = tree.workspace_manifest();
    let root = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
    let package: String = root
        .lines()
        .skip_while(|line| line.trim() != "[workspace.package]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .flat_map(|line| [line, "\n"])
        .collect();
    let text = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [\"abi\"]\n\n[workspace.package]\n{package}\n\
         [workspace.lints.rust]\n"
    );
    Ok(text.into_bytes())
}

fn write_if_other(path: &Path, content: &[u8]) -> Result<(), Error> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
    }
    fs::write(path, content).map_err(Error::file("write", path))
}

fn remove_others(folder: &Path, wanted: &BTreeSet<PathBuf>) -> Result<(), Error> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            remove_others(&path, wanted)?;
        } else if !wanted.contains(&path) {
            fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        }
    }
    Ok(())
}
