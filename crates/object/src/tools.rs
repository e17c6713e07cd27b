//! Finding a compiler, a linker and a strip that can make a BPF object.
//!
//! Two kinds of compiler will do. Some distributions ship `core` for
//! `bpfel-unknown-none` ready-made, and then nothing unstable is needed but one
//! feature gate. Everywhere else rustup's nightly with `rust-src` builds `core`
//! on the way.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, TARGET, Tree, run::output_of};

/// Where a compiler takes `core` from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Core {
    /// It came with the compiler.
    Readymade,
    /// It is built from `rust-src`.
    FromSource,
}

impl fmt::Display for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Readymade => "ready-made",
            Self::FromSource => "from source",
        })
    }
}

/// A compiler that can make BPF objects.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// The program.
    pub rustc: PathBuf,
    /// The folder it calls home.
    pub sysroot: PathBuf,
    /// Where it takes `core` from.
    pub core: Core,
}

/// What it takes to make the object.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The cargo that drives the build.
    pub cargo: PathBuf,
    /// The compiler.
    pub compiler: Compiler,
    /// bpf-linker.
    pub linker: PathBuf,
    /// llvm-strip.
    pub strip: PathBuf,
    /// What these call themselves.
    pub versions: Versions,
}

/// The versions of the tools that decide on the bytes of the object.
///
/// Cargo is not among them: 1.95 and 1.96 gave the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// `rustc -vV`: release, host and LLVM, all of which reach symbol names.
    pub rustc: String,
    /// Where `core` came from: the same compiler gives other bytes with the other.
    pub core: String,
    /// `bpf-linker --version`.
    pub bpf_linker: String,
    /// `llvm-strip --version`.
    pub llvm_strip: String,
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "rustc = \"{}\"", self.rustc)?;
        writeln!(f, "core = \"{}\"", self.core)?;
        writeln!(f, "bpf-linker = \"{}\"", self.bpf_linker)?;
        write!(f, "llvm-strip = \"{}\"", self.llvm_strip)
    }
}

impl Tools {
    /// Finds all tools, or says of each missing one how to get it.
    ///
    /// # Errors
    ///
    /// [`Error::MissingTools`], with a line for each.
    pub fn find(tree: &Tree) -> Result<Self, Error> {
        let mut missing = Vec::new();
        let mut note = |lack: String| missing.push(lack);
        let compiler = Compiler::find().map_err(&mut note).ok();
        let linker = find_linker(tree).map_err(&mut note).ok();
        let strip = find_strip().map_err(&mut note).ok();
        let (Some(compiler), Some(linker), Some(strip)) = (compiler, linker, strip) else {
            return Err(Error::MissingTools { missing });
        };
        let versions = Versions {
            rustc: rustc_version(&compiler.rustc)?,
            core: compiler.core.to_string(),
            bpf_linker: last_word(
                &output_of(Command::new(&linker).arg("--version"))?,
                "bpf-linker",
            ),
            llvm_strip: last_word(&output_of(Command::new(&strip).arg("--version"))?, "version"),
        };
        Ok(Self { cargo: cargo_for(&compiler), compiler, linker, strip, versions })
    }
}

impl Compiler {
    /// The first that works: the one the environment names, one on the path with
    /// a ready-made `core`, rustup's nightly, any other with `rust-src`.
    fn find() -> Result<Self, String> {
        if let Some(named) = env::var_os("EXECTRAIL_BPF_RUSTC").filter(|name| !name.is_empty()) {
            let named = PathBuf::from(named);
            return Self::at(&named).ok_or_else(|| {
                format!(
                    "- EXECTRAIL_BPF_RUSTC names {}, which is no compiler with a `core` for {TARGET} \
                     or with rust-src: name another, or unset the variable",
                    named.display()
                )
            });
        }
        let mut seen: Vec<Self> =
            on_path("rustc").iter().filter_map(|rustc| Self::at(rustc)).collect();
        if let Some(ready) = seen.iter().position(|compiler| compiler.core == Core::Readymade) {
            return Ok(seen.swap_remove(ready));
        }
        nightly().or_else(|| seen.into_iter().next()).ok_or_else(|| {
            format!(
                "- no rustc with a `core` for {TARGET}, and no rustup nightly with rust-src: \
                 install the packages rustc-web and libstd-rust-web-dev-bpf (Debian), or run \
                 `rustup toolchain install nightly --component rust-src`"
            )
        })
    }

    /// What can be made of the compiler at `rustc`; `None` when nothing can.
    fn at(rustc: &Path) -> Option<Self> {
        let told = output_of(Command::new(rustc).args(["--print", "sysroot"])).ok()?;
        let sysroot = PathBuf::from(told.trim());
        let libraries = sysroot.join("lib/rustlib");
        let core = if libraries.join(TARGET).join("lib").is_dir() {
            Core::Readymade
        } else if libraries.join("src/rust/library/core").is_dir() {
            Core::FromSource
        } else {
            return None;
        };
        // Past rustup's proxy: it would ask again which tool chain is meant, and
        // the answer may differ in the folder where the build runs.
        let direct = sysroot.join("bin/rustc");
        let rustc = if direct.is_file() { direct } else { rustc.to_owned() };
        Some(Self { rustc, sysroot, core })
    }

    /// A program that came with this compiler: `cargo`, `cargo-clippy`, …
    pub fn companion(&self, name: &str) -> Option<PathBuf> {
        let path = self.rustc.parent()?.join(name);
        path.is_file().then_some(path)
    }
}

fn nightly() -> Option<Compiler> {
    let asked = ["run", "nightly", "rustc", "--print", "sysroot"];
    let sysroot = output_of(Command::new("rustup").args(asked)).ok()?;
    Compiler::at(&Path::new(sysroot.trim()).join("bin/rustc"))
}

/// The cargo of this compiler, else the one that runs us, else any.
fn cargo_for(compiler: &Compiler) -> PathBuf {
    compiler
        .companion("cargo")
        .or_else(|| env::var_os("CARGO").map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("cargo"))
}

fn find_linker(tree: &Tree) -> Result<PathBuf, String> {
    let own = tree.own_programs();
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home =
        cargo_home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let installed = cargo_home.map(|home| home.join("bin"));
    on_path("bpf-linker")
        .into_iter()
        .chain([Some(own), installed].into_iter().flatten().map(|folder| folder.join("bpf-linker")))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            "- no bpf-linker on PATH, in .tools/bin or in cargo's bin folder: it is installed by \
             `cargo install bpf-linker`, on an LLVM no older than the compiler's"
                .to_owned()
        })
}

/// The newest numbered one: a plain `llvm-strip` may be older than the linker.
fn find_strip() -> Result<PathBuf, String> {
    let numbers = || (14..=40).rev();
    numbers()
        .flat_map(|number| on_path(&format!("llvm-strip-{number}")))
        .chain(numbers().map(|number| format!("/usr/lib/llvm-{number}/bin/llvm-strip").into()))
        .chain(on_path("llvm-strip"))
        .find(|path| path.is_file())
        .ok_or_else(|| "- no llvm-strip: install the package llvm of your distribution".to_owned())
}

/// Every file of this name in the folders of `PATH`, in order. `/usr/bin` is
/// looked at in any case: the path of a rustup user may have lost it.
fn on_path(name: &str) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = env::split_paths(&path)
        .chain([PathBuf::from("/usr/bin")])
        .map(|folder| folder.join(name))
        .filter(|path| path.is_file())
        .collect();
    found.dedup();
    found
}

fn rustc_version(rustc: &Path) -> Result<String, Error> {
    let told = output_of(Command::new(rustc).arg("-vV"))?;
    let line =
        |key: &str| told.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("unknown");
    Ok(format!("{}, host {}, LLVM {}", line("rustc "), line("host: "), line("LLVM version: ")))
}

/// The word after `before` in what a program said of its version.
fn last_word(told: &str, before: &str) -> String {
    let mut words = told.split_whitespace().skip_while(|word| *word != before).skip(1);
    words.next().unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::last_word;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        let check = |told, before, expected: &str| assert_eq!(last_word(told, before), expected);
        check("bpf-linker 0.13.0\n", "bpf-linker", "0.13.0");
        check(
            "llvm-strip, compatible with GNU strip\nDebian LLVM version 22.1.8\n",
            "version",
            "22.1.8",
        );
        check("", "version", "unknown");
    }
}
