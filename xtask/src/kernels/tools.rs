//! The distribution's programs that tests run, and what they are linked with: this
//! host's, or, for machines of another kind, from packages.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use super::{
    apt::{self, Apt},
    arch::Arch,
    command::output,
    rows::Kernel,
};

/// Programs that tests run, besides ours.
const TOOLS: &[&str] = &[
    "cat",
    "bash",
    "chmod",
    "chroot",
    "cp",
    "env",
    "false",
    "id",
    "ln",
    "ls",
    "mkdir",
    "mount",
    "mv",
    "nsenter",
    "pivot_root",
    "rm",
    "rmdir",
    "setpriv",
    "setsid",
    "sh",
    "sleep",
    "stat",
    "touch",
    "true",
    "umount",
    "unshare",
];

/// The packages that these are in, and those of the libraries that they need.
const PACKAGES: &[&str] = &[
    "bash",
    "coreutils",
    "dash",
    "mount",
    "util-linux",
    "libacl1",
    "libattr1",
    "libblkid1",
    "libc6",
    "libcap-ng0",
    "libmount1",
    "libpcre2-8-0",
    "libselinux1",
    "libtinfo6",
];

/// Where they are on this host's disk.
pub(super) enum Tools {
    Installed,
    /// Packages of 64-bit Arm, unpacked here.
    Unpacked(PathBuf),
}

impl Tools {
    /// Those for machines with this kernel.
    pub(super) fn of(kernel: &Kernel, cache: &Path) -> Result<Self> {
        let arch = kernel.arch;
        if arch == Arch::X86_64 {
            return Ok(Self::Installed);
        }
        let place = cache.join(format!("tools-{}-{}", kernel.suite, arch.debian()));
        apt::unpacked(&place, PACKAGES, || Apt::of_suite(kernel.suite, arch, cache))?;
        Ok(Self::Unpacked(place))
    }

    /// Links to directories. On a merged file system these are there, and both paths of
    /// a program are good.
    pub(super) fn links(&self) -> Vec<(PathBuf, PathBuf)> {
        let links = ["bin", "sbin", "lib", "lib64"].into_iter();
        let target = |name: &str| match self {
            Self::Installed => fs::read_link(Path::new("/").join(name)).ok(),
            Self::Unpacked(_) => (name != "lib64").then(|| Path::new("usr").join(name)),
        };
        links.filter_map(|name| Some((Path::new("/").join(name), target(name)?))).collect()
    }

    /// All files, by the path that they have in a machine.
    pub(super) fn files(&self) -> Result<BTreeMap<PathBuf, PathBuf>> {
        let mut files = BTreeMap::new();
        for name in TOOLS {
            let (folder, path) = self.find(name).with_context(|| format!("there is no {name}"))?;
            // What is a link to something else here is that file there.
            files.insert(Path::new("/usr").join(folder).join(name), path.canonicalize()?);
            if matches!(self, Self::Installed) {
                files.extend(linked_with(&path)?);
            }
        }
        if let Self::Unpacked(place) = self {
            files.extend(libraries(place)?);
        }
        Ok(files)
    }

    fn find(&self, name: &str) -> Option<(&'static str, PathBuf)> {
        let roots = match self {
            Self::Installed => vec![PathBuf::from("/usr")],
            // Packages of Debian 12 have some of them outside of /usr.
            Self::Unpacked(place) => vec![place.join("usr"), place.clone()],
        };
        let places = ["bin", "sbin"].into_iter().flat_map(|folder| {
            roots.iter().map(move |root| (folder, root.join(folder).join(name)))
        });
        places.into_iter().find(|(_, path)| path.exists())
    }
}

/// The libraries of a program of this host's.
fn linked_with(program: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let needed = output(Command::new("ldd").arg(program)).unwrap_or_default();
    let needed = String::from_utf8_lossy(&needed);
    let paths = needed.split_whitespace().filter(|word| word.starts_with('/'));
    paths.map(|path| Ok((in_real_folder(Path::new(path))?, path.into()))).collect()
}

/// Every library in those packages: no program of this host can tell which are needed.
fn libraries(place: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    const LOADER: &str = "ld-linux-aarch64.so.1";
    let folder = Path::new("/usr/lib/aarch64-linux-gnu");
    let mut files = Vec::new();
    for root in ["usr/lib", "lib"] {
        let Ok(found) = fs::read_dir(place.join(root).join("aarch64-linux-gnu")) else { continue };
        for entry in found {
            let name = entry?.file_name();
            let path = place.join(root).join("aarch64-linux-gnu").join(&name);
            // By the name that programs ask for, `libc.so.6`, and not the longer ones.
            let text = name.to_string_lossy();
            if text.split_once(".so.").is_some_and(|(_, version)| !version.contains('.')) {
                files.push((folder.join(&name), path.clone()));
            }
            // By the one name that the kernel is told to find it by.
            if name == LOADER {
                files.push((Path::new("/usr/lib").join(LOADER), path));
            }
        }
    }
    Ok(files)
}

/// The path of a file with the links of its directory followed: in a machine, what they
/// point to may not be there yet.
pub(super) fn in_real_folder(path: &Path) -> Result<PathBuf> {
    let folder = path.parent().context("a file is in a directory")?.canonicalize()?;
    Ok(folder.join(path.file_name().context("a file has a name")?))
}
