//! What builds programs for a machine of another kind: the distribution's compiler with
//! the standard library that the distribution has for that kind, and its cross linker.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use super::{
    apt::{self, Apt},
    arch::Arch,
    command::output,
};

/// The distribution's compiler: the one whose standard library has packages for others.
const RUSTC: &str = "/usr/bin/rustc";
/// It links for 64-bit Arm.
const LINKER: &str = "aarch64-linux-gnu-gcc";

/// A compiler that can build for a machine of another kind.
pub(super) struct Cross {
    pub(super) rustc: &'static str,
    pub(super) linker: &'static str,
    /// Has the standard library for those machines, and no other.
    pub(super) sysroot: PathBuf,
}

impl Cross {
    /// Brings what is missing; fails where that cannot be had.
    pub(super) fn to(arch: Arch, cache: &Path) -> Result<Self> {
        find_linker()?;
        let library = standard_library()?;
        let place = cache.join(format!("std-{}", arch.debian()));
        apt::unpacked(&place, &[&library], || Apt::of_this_host(arch, cache))
            .with_context(|| format!("{library} for {}", arch.debian()))?;
        Ok(Self { rustc: RUSTC, linker: LINKER, sysroot: place.join("usr") })
    }
}

/// A compiler can be there without the C library that is linked statically.
fn find_linker() -> Result<()> {
    let told = output(Command::new(LINKER).arg("-print-file-name=libc.a"))?;
    if !Path::new(String::from_utf8(told)?.trim_end()).is_absolute() {
        bail!("{LINKER} has no libc.a: libc6-dev-arm64-cross is missing");
    }
    Ok(())
}

/// The package of the standard library, of the version that the installed compiler has:
/// another one's it does not read.
fn standard_library() -> Result<String> {
    let owner = output(Command::new("dpkg-query").args(["-S", RUSTC]))
        .context("the distribution's Rust, whose standard library is to be had for others")?;
    let owner = String::from_utf8(owner)?;
    let owner = owner.split(':').next().unwrap_or_default();
    let family = owner.strip_prefix("rustc").context("Rust is of a package of its own")?;
    let version = output(Command::new("dpkg-query").args(["-W", "-f", "${Version}", owner]))?;
    Ok(format!("libstd-rust{family}-dev={}", String::from_utf8(version)?))
}
