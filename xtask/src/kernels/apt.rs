//! Fetches packages of a distribution without a change to this machine.
//!
//! apt does the fetching, with lists of its own beside the machine's, so that other
//! suites and other architectures can be read. Where the archive is, the machine's own
//! configuration tells.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use super::{
    arch::Arch,
    command::{output, succeed},
};

/// Who signs Debian's lists.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// apt, told to look at some suites only, with its lists in a folder of ours.
pub(super) struct Apt {
    folder: PathBuf,
    arch: Arch,
}

impl Apt {
    /// Looks at one suite of Debian's archive.
    pub(super) fn of_suite(suite: &str, arch: Arch, cache: &Path) -> Result<Self> {
        Self::of_sources(suite, &[(archive()?, suite.to_owned())], arch, cache)
    }

    /// Looks where this machine's apt does: for what has to be of the same version as
    /// what is installed, which may have come with an update.
    pub(super) fn of_this_host(arch: Arch, cache: &Path) -> Result<Self> {
        let said = output(Command::new("apt-get").args([
            "indextargets",
            "--format",
            "$(SITE) $(RELEASE)",
        ]))?;
        let said = String::from_utf8(said)?;
        let debian = |site: &str| site.ends_with("/debian") || site.ends_with("/debian-security");
        let mut sources: Vec<_> = said
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(site, _)| debian(site))
            .map(|(site, suite)| (site.to_owned(), suite.to_owned()))
            .collect();
        sources.sort();
        sources.dedup();
        Self::of_sources("host", &sources, arch, cache)
    }

    fn of_sources(
        name: &str,
        sources: &[(String, String)],
        arch: Arch,
        cache: &Path,
    ) -> Result<Self> {
        let folder = cache.join("apt").join(format!("{name}-{}", arch.debian()));
        let apt = Self { folder, arch };
        for folder in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(apt.folder.join(folder))?;
        }
        let source =
            |(site, suite): &(_, _)| format!("deb [signed-by={KEYRING}] {site} {suite} main\n");
        let list: String = sources.iter().map(source).collect();
        fs::write(apt.folder.join("sources.list"), list)?;
        fs::write(apt.folder.join("status"), "")?;
        succeed(apt.command("apt-get").args(["update", "-qq"]))
            .with_context(|| format!("reading the package lists of {name}"))?;
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
            ("APT::Architecture", self.arch.debian().to_owned()),
            // Else also those that the machine's dpkg knows.
            ("APT::Architectures", self.arch.debian().to_owned()),
            ("Acquire::Languages", "none".to_owned()),
            ("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", "false".to_owned()),
        ] {
            command.arg("-o").arg(format!("{setting}={value}"));
        }
        command.current_dir(&self.folder);
        command
    }

    /// The names of the packages that this one depends on.
    pub(super) fn depends(&self, package: &str) -> Result<Vec<String>> {
        let said = output(self.command("apt-cache").args(["depends", package]))?;
        let said = String::from_utf8(said)?;
        let names = said.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
        Ok(names.map(str::to_owned).collect())
    }

    /// Fetches a package, `NAME` or `NAME=VERSION`, and unpacks it below a folder.
    pub(super) fn unpack(&self, package: &str, to: &Path) -> Result<()> {
        succeed(self.command("apt-get").args(["download", "-qq", package]))?;
        let prefix = format!("{}_", package.split('=').next().unwrap_or(package));
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

/// Packages, unpacked below `place` once: it is found again only when all of them are.
pub(super) fn unpacked(
    place: &Path,
    packages: &[&str],
    apt: impl FnOnce() -> Result<Apt>,
) -> Result<()> {
    let list = packages.join("\n");
    let whole = place.join("packages");
    if fs::read_to_string(&whole).is_ok_and(|found| found == list) {
        return Ok(());
    }
    // Anew, in case a fetch was interrupted.
    let _ = fs::remove_dir_all(place);
    fs::create_dir_all(place)?;
    let apt = apt()?;
    for package in packages {
        apt.unpack(package, place)?;
    }
    fs::write(whole, list)?;
    Ok(())
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
