//! Brings a distribution's kernel: the image and the modules that tests need.
//!
//! apt does the fetching, with lists of its own beside the machine's, so that other
//! suites can be read without a change to the machine. Where the archive is, the
//! machine's own configuration tells.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use super::{
    command::{output, succeed},
    rows::Kernel,
};

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
    let apt = Apt::of_suite(kernel.suite, cache)?;
    let packages = apt.packages(kernel.meta)?;
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

/// apt, told to look at one suite only, with its lists in a folder of ours.
struct Apt {
    folder: PathBuf,
}

impl Apt {
    fn of_suite(suite: &str, cache: &Path) -> Result<Self> {
        let apt = Self { folder: cache.join("apt").join(suite) };
        for folder in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(apt.folder.join(folder))?;
        }
        let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
        let archive = archive()?;
        let source = format!("deb [signed-by={keyring}] {archive} {suite} main\n");
        fs::write(apt.folder.join("sources.list"), source)?;
        fs::write(apt.folder.join("status"), "")?;
        succeed(apt.command("apt-get").args(["update", "-qq"]))
            .with_context(|| format!("reading the package lists of {suite}"))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let at = |name: &str| self.folder.join(name).display().to_string();
        for (setting, value) in [
            ("Dir::Etc::sourcelist", at("sources.list")),
            ("Dir::Etc::sourceparts", "/dev/null".to_owned()),
            ("Dir::State::lists", at("lists")),
            ("Dir::State::status", at("status")),
            ("Dir::Cache", at("cache")),
            // As root, apt would fetch as a user who may not write here.
            ("APT::Sandbox::User", "root".to_owned()),
            ("APT::Architecture", "amd64".to_owned()),
            ("Acquire::Languages", "none".to_owned()),
            ("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", "false".to_owned()),
        ] {
            command.arg("-o").arg(format!("{setting}={value}"));
        }
        command.current_dir(&self.folder);
        command
    }

    /// The packages with the newest build's files, by name and version.
    fn packages(&self, meta: &str) -> Result<Vec<String>> {
        let image = self.depends(meta)?;
        let image = image.iter().rfind(|name| name.starts_with("linux-image-"));
        let image = image.with_context(|| format!("{meta} depends on no kernel"))?.clone();
        // In newer releases the image's package is empty, and depends on two others.
        let parts: Vec<String> = self
            .depends(&image)?
            .into_iter()
            .filter(|name| name.starts_with("linux-binary-") || name.starts_with("linux-modules-"))
            .collect();
        if parts.is_empty() { Ok(vec![image]) } else { Ok(parts) }
    }

    fn depends(&self, package: &str) -> Result<Vec<String>> {
        let said = output(self.command("apt-cache").args(["depends", package]))?;
        let said = String::from_utf8(said)?;
        let names = said.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
        Ok(names.map(str::to_owned).collect())
    }

    fn unpack(&self, package: &str, to: &Path) -> Result<()> {
        succeed(self.command("apt-get").args(["download", "-qq", package]))?;
        let prefix = format!("{package}_");
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with(&prefix) && path.extension() == Some("deb".as_ref()) {
                succeed(Command::new("dpkg-deb").arg("-x").arg(&path).arg(to))?;
                fs::remove_file(&path)?;
                return Ok(());
            }
        }
        bail!("apt fetched no {package}")
    }
}

/// Where this machine gets its Debian packages.
fn archive() -> Result<String> {
    if let Ok(archive) = std::env::var("EXECTRAIL_DEBIAN_ARCHIVE") {
        return Ok(archive);
    }
    let said = output(Command::new("apt-get").args(["indextargets", "--format", "$(SITE)"]))?;
    let said = String::from_utf8(said)?;
    said.lines().find(|site| site.ends_with("/debian")).map(str::to_owned).context(
        "no source of this machine's apt is Debian's archive: name one in \
         EXECTRAIL_DEBIAN_ARCHIVE",
    )
}
