//! The tables of fields, of columns, of reports and of keys, for readers and for programs:
//! `docs/fields.md`, `docs/schema.json`, `docs/report.md`, `docs/top.md`,
//! `docs/top-schema.json` and `docs/tui.md`.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

mod object;
mod report;
mod report_schema;
mod schema;
mod table;
mod top;
mod top_schema;
mod tui;

/// What is written, and where, from the top of the checkout.
fn pages() -> Result<[(&'static str, String); 6]> {
    let schema = schema::page()?;
    Ok([
        ("docs/fields.md", table::page()),
        ("docs/schema.json", schema),
        ("docs/report.md", report::page()),
        ("docs/top.md", top::page()),
        ("docs/top-schema.json", top_schema::page()?),
        ("docs/tui.md", tui::page()),
    ])
}

/// Writes the files.
pub(crate) fn write(root: &Path) -> Result<()> {
    for (name, text) in pages()? {
        let path = root.join(name);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)
                .with_context(|| format!("cannot create {}", directory.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {name}");
    }
    Ok(())
}

/// Fails when a file is not what would be written.
pub(crate) fn check(root: &Path) -> Result<()> {
    let pages = pages()?;
    let is_stale = |(name, text): &&(&str, String)| {
        fs::read_to_string(root.join(name)).ok().as_ref() != Some(text)
    };
    let stale: Vec<&str> = pages.iter().filter(is_stale).map(|(name, _)| *name).collect();
    if !stale.is_empty() {
        bail!(
            "a table of fields, columns, reports or keys has changed, and not yet {}: run `make docs`",
            stale.join(", ")
        );
    }
    println!("{} files say what the tables of fields, columns, reports and keys say", pages.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_fresh_until_it_changes() {
        let root = tempfile::tempdir().unwrap();
        let error = |root: &Path| check(root).unwrap_err().to_string();
        assert!(error(root.path()).contains("docs/fields.md, docs/schema.json"));
        write(root.path()).unwrap();
        check(root.path()).unwrap();
        fs::write(root.path().join("docs/schema.json"), "{}").unwrap();
        let error = error(root.path());
        assert!(error.contains("docs/schema.json") && error.contains("make docs"), "{error}");
        assert!(!error.contains("docs/fields.md"), "{error}");
    }
}
