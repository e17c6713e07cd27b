//! Brings the kernel object to where the sensor embeds it.
//!
//! Which object that is, and why, is decided in `exectrail-object`; this script
//! only speaks cargo's language on its behalf.

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use exectrail_object::{Error, Origin, Request, Tree, provide};

/// The variable through which the sensor learns where the object is.
const OBJECT_FILE: &str = "EXECTRAIL_BPF_OBJECT_FILE";

fn main() -> ExitCode {
    let here = folder("CARGO_MANIFEST_DIR");
    let tree = Tree::at(here.ancestors().nth(2).unwrap_or(&here));
    watch(&tree);
    match embed(tree) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // To standard error, because cargo shows that whole; what goes
            // through its own error directive is one line.
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn embed(tree: Tree) -> Result<(), Error> {
    let scratch = folder("OUT_DIR");
    let destination = scratch.join("embedded.bpf.o");
    let request = Request {
        tree,
        scratch,
        given: env::var_os("EXECTRAIL_BPF_OBJECT")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from),
        documentation: env::var_os("DOCS_RS").is_some(),
    };
    if let Some(path) = &request.given {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    if let Origin::Rebuilt(reason) = provide(&request, &destination)? {
        println!(
            "cargo::warning=built the kernel side here: {reason}; commit it with `make object`"
        );
    }
    println!("cargo::rustc-env={OBJECT_FILE}={}", destination.display());
    Ok(())
}

/// Asks to be run again when anything that could change the choice changes.
fn watch(tree: &Tree) {
    for name in ["EXECTRAIL_BPF_OBJECT", "EXECTRAIL_BPF_RUSTC", "DOCS_RS"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let places = [
        tree.workspace_manifest(),
        tree.border_crate().join("Cargo.toml"),
        tree.border_crate().join("src"),
        tree.kernel_crate().join("Cargo.toml"),
        tree.kernel_crate().join("Cargo.lock"),
        tree.kernel_crate().join("src"),
        tree.prebuilt_object(),
        tree.prebuilt_record(),
    ];
    // A place that is not there would have cargo run the script every time.
    for place in places.iter().filter(|place| place.exists()) {
        println!("cargo::rerun-if-changed={}", place.display());
    }
}

/// A folder that cargo always names to a build script.
fn folder(name: &str) -> PathBuf {
    env::var_os(name).map_or_else(|| Path::new(".").to_owned(), PathBuf::from)
}
