//! The file system that a machine boots with: our programs, and the few of the
//! distribution's that tests run, under the paths that they have on a host.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use cpio::{NewcBuilder, newc::ModeFileType};

use super::tools::{Tools, in_real_folder};

/// Directories that the machine mounts something on, or that tests expect.
const FOLDERS: &[&str] =
    &["dev", "proc", "sys", "run", "tmp", "root", "etc", "var", "var/tmp", "mnt"];

/// Users that tests look up by name.
const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
    daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
    nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
const GROUP: &str = "root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n";

/// What goes in, by path.
pub(super) struct Initramfs {
    writer: Vec<u8>,
    known: BTreeSet<PathBuf>,
    inode: u32,
}

impl Initramfs {
    /// With the distribution's programs and what they are linked with.
    pub(super) fn with_tools(tools: &Tools) -> Result<Self> {
        let mut all = Self { writer: Vec::new(), known: BTreeSet::new(), inode: 1 };
        for (link, target) in tools.links() {
            all.add_link(&link, &target)?;
        }
        for folder in FOLDERS {
            all.add_folder(&Path::new("/").join(folder))?;
        }
        all.add_bytes(Path::new("/etc/passwd"), PASSWD.as_bytes(), 0o644)?;
        all.add_bytes(Path::new("/etc/group"), GROUP.as_bytes(), 0o644)?;
        for (path, from) in tools.files()? {
            all.add_file_as(&from, &path)?;
        }
        Ok(all)
    }

    /// A file, under the path that it has here.
    pub(super) fn add_file(&mut self, path: &Path) -> Result<()> {
        self.add_file_as(path, &in_real_folder(path)?)
    }

    /// A file under another path.
    pub(super) fn add_file_as(&mut self, from: &Path, path: &Path) -> Result<()> {
        let bytes = fs::read(from).with_context(|| format!("reading {}", from.display()))?;
        let mode = fs::metadata(from)?.permissions().mode();
        self.add_bytes(path, &bytes, mode & 0o777)
    }

    pub(super) fn add_bytes(&mut self, path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
        self.add_parents(path)?;
        self.add(path, ModeFileType::Regular, mode, bytes)
    }

    fn add_link(&mut self, path: &Path, target: &Path) -> Result<()> {
        let target = target.to_str().context("a link's target is text")?;
        self.add(path, ModeFileType::Symlink, 0o777, target.as_bytes())
    }

    fn add_folder(&mut self, path: &Path) -> Result<()> {
        self.add_parents(path)?;
        let mode = if path.ends_with("tmp") { 0o1777 } else { 0o755 };
        self.add(path, ModeFileType::Directory, mode, &[])
    }

    fn add_parents(&mut self, path: &Path) -> Result<()> {
        let parents: Vec<_> = path.ancestors().skip(1).collect();
        for parent in parents.into_iter().rev().filter(|parent| parent.parent().is_some()) {
            self.add(parent, ModeFileType::Directory, 0o755, &[])?;
        }
        Ok(())
    }

    /// Whatever it is, once.
    fn add(&mut self, path: &Path, kind: ModeFileType, mode: u32, bytes: &[u8]) -> Result<()> {
        if !self.known.insert(path.to_owned()) {
            return Ok(());
        }
        let name = path.strip_prefix("/").unwrap_or(path).to_str().context("a path is text")?;
        let length = bytes.len().try_into().context("a file is too large for the image")?;
        self.inode += 1;
        let entry = NewcBuilder::new(name).ino(self.inode).mode(mode).set_mode_file_type(kind);
        let mut file = entry.write(&mut self.writer, length);
        file.write_all(bytes)?;
        file.finish()?;
        Ok(())
    }

    /// The image, as the kernel unpacks it.
    pub(super) fn finish(self) -> Result<Vec<u8>> {
        Ok(cpio::newc::trailer(self.writer)?)
    }
}
