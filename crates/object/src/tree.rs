//! Where things are in a checkout.

use std::path::{Path, PathBuf};

/// A checkout, asked for the places that make or keep the kernel object.
#[derive(Debug, Clone)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The checkout whose top folder is `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The top folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The crate that is the kernel side.
    pub fn kernel_crate(&self) -> PathBuf {
        self.root.join("crates/bpf")
    }

    /// The crate both sides share.
    pub fn border_crate(&self) -> PathBuf {
        self.root.join("crates/abi")
    }

    /// The manifest whose `[workspace.package]` the shared crate inherits from.
    pub fn workspace_manifest(&self) -> PathBuf {
        self.root.join("Cargo.toml")
    }

    /// The committed object.
    pub fn prebuilt_object(&self) -> PathBuf {
        self.kernel_crate().join("prebuilt/exectrail.bpf.o")
    }

    /// What the committed object was made from.
    pub fn prebuilt_record(&self) -> PathBuf {
        self.kernel_crate().join("prebuilt/record.toml")
    }

    /// Where `make setup-kernel` puts programs that it has to build itself.
    pub fn own_programs(&self) -> PathBuf {
        self.root.join(".tools/bin")
    }

    /// Whether there is anything to rebuild from: a packaged crate has none.
    pub fn has_kernel_sources(&self) -> bool {
        self.kernel_crate().join("src").is_dir()
    }
}
