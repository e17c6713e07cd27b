//! The committed kernel object: writing it, and not having to believe it.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use exectrail_object::{Record, Tools, Tree, build, of_bytes, of_sources};

/// Rebuilds the object and writes it, with its record, to where it is committed.
pub(crate) fn update(tree: &Tree) -> Result<()> {
    let tools = Tools::find(tree)?;
    let sources = of_sources(&tree.sources()?);
    let object = rebuild(tree, &tools)?;
    let record = Record { sources, object: of_bytes(&object), versions: tools.versions };

    let path = tree.prebuilt_object();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(&path, &object).with_context(|| format!("cannot write {}", path.display()))?;
    let beside = tree.prebuilt_record();
    fs::write(&beside, record.to_string())
        .with_context(|| format!("cannot write {}", beside.display()))?;
    println!("wrote {} ({} bytes)\n{record}", path.display(), object.len());
    Ok(())
}

/// Compares the committed object with its record, its sources, and a rebuild.
pub(crate) fn check(tree: &Tree) -> Result<()> {
    let record = Record::read(&tree.prebuilt_record())?;
    let path = tree.prebuilt_object();
    let committed = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if of_sources(&tree.sources()?) != record.sources {
        bail!("the kernel sources changed since the object was committed: run `make object`");
    }
    if of_bytes(&committed) != record.object {
        bail!("the committed object is not the one its record speaks of: run `make object`");
    }

    let tools = Tools::find(tree)?;
    let rebuilt = rebuild(tree, &tools)?;
    if tools.versions != record.versions {
        eprintln!(
            "WARNING: THE COMMITTED OBJECT WAS NOT COMPARED. The tools here are not those that \
             made it, so that it was only checked that the sources build.\n\
             recorded:\n{}\nhere:\n{}",
            record.versions, tools.versions
        );
        return Ok(());
    }
    if rebuilt != committed {
        bail!(
            "the same sources and tools gave another object: {} bytes with sha256 {}, committed \
             are {} bytes with {}.\nWhat was rebuilt is {}. Either the recipe (crates/object) \
             changed, then run `make object`; or the committed object was not made by it",
            rebuilt.len(),
            of_bytes(&rebuilt),
            committed.len(),
            record.object,
            scratch(tree).join("exectrail.bpf.o").display()
        );
    }
    println!("the committed object is what its sources give ({})", record.object);
    Ok(())
}

fn rebuild(tree: &Tree, tools: &Tools) -> Result<Vec<u8>> {
    let path = build(tree, tools, &scratch(tree))?;
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn scratch(tree: &Tree) -> PathBuf {
    tree.root().join("target/kernel-object")
}
