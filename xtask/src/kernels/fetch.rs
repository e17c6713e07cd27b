//! Brings a distribution's kernel: the image and the modules that tests need.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use super::{apt::Apt, command::output, rows::Kernel};

/// A kernel on this machine's disk.
pub(super) struct Image {
    /// What boots.
    pub(super) vmlinuz: PathBuf,
    /// Modules, unpacked, in the order in which they are to be loaded.
    pub(super) modules: Vec<PathBuf>,
}

/// Modules that edge-case tests need, where the kernel does not have them built in.
const MODULES: &[&str] = &["binfmt_misc", "overlay"];

/// The kernel from the cache, or else from the archive.
pub(super) fn image(kernel: &Kernel, cache: &Path) -> Result<Image> {
    let place = cache.join(kernel.label);
    if let Some(image) = cached(&place) {
        return Ok(image);
    }
    // Anew, in case a fetch was interrupted.
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place)?;
    let apt = Apt::of_suite(kernel.suite, kernel.arch, cache)?;
    let packages = packages(&apt, kernel.meta)?;
    let unpacked = place.join("unpacked");
    for package in &packages {
        apt.unpack(package, &unpacked)?;
    }
    keep(&unpacked, &place)?;
    fs::remove_dir_all(&unpacked)?;
    // Last: only a whole one is found again.
    let version = packages.first().context("a kernel has a package")?;
    fs::write(place.join("package"), version)?;
    cached(&place).context("the kernel's package has no image of a kernel in it")
}

fn cached(place: &Path) -> Option<Image> {
    // Written last.
    fs::metadata(place.join("package")).ok()?;
    let vmlinuz = place.join("vmlinuz");
    let modules = MODULES.iter().map(|name| place.join(format!("{name}.ko")));
    let modules = modules.filter(|path| path.exists()).collect();
    vmlinuz.exists().then_some(Image { vmlinuz, modules })
}

/// Of what was unpacked, keeps the image and the modules.
fn keep(unpacked: &Path, place: &Path) -> Result<()> {
    for path in files_below(unpacked)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        // boot/vmlinuz-VERSION, and usr/lib/modules/VERSION/vmlinuz in newer packages.
        if name == "vmlinuz" || name.starts_with("vmlinuz-") {
            fs::copy(&path, place.join("vmlinuz"))?;
        }
        let Some((module, packing)) = name.split_once(".ko") else { continue };
        if MODULES.contains(&module) {
            let bytes = match packing {
                "" => fs::read(&path)?,
                ".xz" => output(Command::new("xz").arg("-dc").arg(&path))?,
                ".zst" => output(Command::new("zstd").arg("-dc").arg(&path))?,
                other => bail!("{module} is packed as {other}, which is not known here"),
            };
            fs::write(place.join(format!("{module}.ko")), bytes)?;
        }
    }
    Ok(())
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(files_below(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// The packages with the newest build's files, by name and version.
fn packages(apt: &Apt, meta: &str) -> Result<Vec<String>> {
    let image = apt.depends(meta)?;
    let image = image.iter().rfind(|name| name.starts_with("linux-image-"));
    let image = image.with_context(|| format!("{meta} depends on no kernel"))?.clone();
    // In newer releases the image's package is empty, and depends on two others.
    let parts: Vec<String> = apt
        .depends(&image)?
        .into_iter()
        .filter(|name| name.starts_with("linux-binary-") || name.starts_with("linux-modules-"))
        .collect();
    if parts.is_empty() { Ok(vec![image]) } else { Ok(parts) }
}
