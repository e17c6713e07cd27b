//! Only the sensor knows Aya, and the kernel side its kernel half.

use super::{File, Finding};

pub(crate) fn check(manifests: &[File]) -> Vec<Finding> {
    manifests
        .iter()
        .filter(|manifest| manifest.name.ends_with("/Cargo.toml"))
        .flat_map(|manifest| dependencies(&manifest.text).map(move |name| (manifest, name)))
        .filter(|(manifest, name)| is_aya(name) && !may_know(&manifest.name, name))
        .map(|(manifest, name)| {
            let what = format!("depends on {name}, which is the sensor's alone to know");
            Finding::new(&manifest.name, what)
        })
        .collect()
}

fn is_aya(name: &str) -> bool {
    name == "aya" || name.starts_with("aya-")
}

fn may_know(manifest: &str, name: &str) -> bool {
    match manifest {
        "crates/sensor/Cargo.toml" => true,
        "crates/bpf/Cargo.toml" => name.starts_with("aya-ebpf"),
        _ => false,
    }
}

/// The names of all dependencies, of whatever kind and in whichever spelling:
/// `name = …`, `name.workspace = …`, or a table `[dependencies.name]`.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut listing = false;
    manifest.lines().map(str::trim).filter_map(move |line| {
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            let (head, name) = table.rsplit_once('.').unwrap_or((table, ""));
            listing = table.ends_with("dependencies");
            return head.ends_with("dependencies").then_some(name);
        }
        if !listing || line.starts_with('#') {
            return None;
        }
        line.split(['=', '.', ' ']).next().filter(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn every_spelling_is_seen() {
        for text in [
            "[dependencies]\naya = \"1\"\n",
            "[dev-dependencies]\naya-obj.workspace = true\n",
            "[dependencies.aya]\nversion = \"1\"\n",
            "[target.'cfg(unix)'.build-dependencies]\naya-build = \"1\"\n",
        ] {
            assert_eq!(check(&[file("crates/model/Cargo.toml", text)]).len(), 1, "{text}");
        }
    }

    #[test]
    fn those_who_may_may() {
        let aya = "[dependencies]\naya = \"1\"\n";
        let ebpf = "[dependencies]\naya-ebpf = \"1\"\n";
        assert_eq!(check(&[file("crates/sensor/Cargo.toml", aya)]), []);
        assert_eq!(check(&[file("crates/bpf/Cargo.toml", ebpf)]), []);
        assert_eq!(check(&[file("crates/bpf/Cargo.toml", aya)]).len(), 1);
    }

    #[test]
    fn others_are_left_alone() {
        let text = "[package]\naya = 1\n[dependencies]\n# aya = \"1\"\nayah = \"1\"\n";
        assert_eq!(check(&[file("crates/model/Cargo.toml", text)]), []);
    }
}
