//! What this host can do, and how to mend what it cannot, before anything is
//! loaded: the kernel's own answers to a load that fails are hard to read.

use std::{fs, io};

use exectrail_model::plan::{HookChoice, Plan};
use rustix::thread::{CapabilitySet, capabilities};

use crate::{error::SensorError, programs::RAW_PREEMPTIBLE};

/// Where the kernel describes its own types.
const BTF: &str = "/sys/kernel/btf/vmlinux";

/// The kernel's version, as far as decisions depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KernelVersion {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

/// The ring buffer and the boot clock's helper came with 5.8.
const FLOOR: KernelVersion = KernelVersion { major: 5, minor: 8 };

impl KernelVersion {
    /// Of a release as `uname -r` prints it.
    fn parse(release: &str) -> Option<Self> {
        let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
        let mut number = || numbers.next()?.parse().ok();
        Some(Self { major: number()?, minor: number()? })
    }
}

/// What the checks have found.
pub(crate) struct Host {
    pub(crate) kernel: KernelVersion,
    /// The kernel's BTF.
    pub(crate) btf: Vec<u8>,
}

/// Checks everything that a load for `plan` needs.
pub(crate) fn check(plan: &Plan) -> Result<Host, SensorError> {
    let kernel = check_version()?;
    check_rights()?;
    check_lockdown()?;
    check_hook(plan.hook, kernel)?;
    Ok(Host { kernel, btf: read_btf()? })
}

fn check_version() -> Result<KernelVersion, SensorError> {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    let kernel = KernelVersion::parse(&release);
    kernel.filter(|&kernel| kernel >= FLOOR).ok_or_else(|| SensorError::Unsupported {
        what: format!("this kernel, {release}, is older than {}.{}", FLOOR.major, FLOOR.minor),
        cure: "exectrail needs the BPF ring buffer of Linux 5.8; use a newer kernel".to_owned(),
    })
}

fn check_rights() -> Result<(), SensorError> {
    let held = capabilities(None)
        .map_err(|error| SensorError::io("reading this process's capabilities", error))?
        .effective;
    if held.contains(CapabilitySet::SYS_ADMIN) {
        return Ok(());
    }
    let needed = [(CapabilitySet::BPF, "CAP_BPF"), (CapabilitySet::PERFMON, "CAP_PERFMON")];
    let lacking: Vec<_> =
        needed.iter().filter(|(set, _)| !held.contains(*set)).map(|(_, name)| *name).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    Err(SensorError::Rights {
        what: format!(
            "tracing needs the capabilities CAP_BPF and CAP_PERFMON; missing: {}",
            lacking.join(", ")
        ),
        cure: "run it as root (sudo exectrail ...), or give the binary the rights:\n  \
               sudo setcap cap_bpf,cap_perfmon=ep PATH/TO/exectrail"
            .to_owned(),
    })
}

/// `lockdown=confidentiality` forbids reading kernel memory (`LOCKDOWN_BPF_READ_KERNEL`,
/// security/lockdown/lockdown.c). Where securityfs is not mounted, the load tells.
fn check_lockdown() -> Result<(), SensorError> {
    match fs::read_to_string("/sys/kernel/security/lockdown") {
        Ok(text) if text.contains("[confidentiality]") => Err(SensorError::Unsupported {
            what: "the kernel is locked down (confidentiality): programs may not read its memory"
                .to_owned(),
            cure: "boot with lockdown=integrity or without lockdown".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn check_hook(choice: HookChoice, kernel: KernelVersion) -> Result<(), SensorError> {
    if choice == HookChoice::Raw && kernel >= RAW_PREEMPTIBLE {
        return Err(SensorError::Unsupported {
            what: "from Linux 7.0 on, raw tracepoints can be preempted and lose execs".to_owned(),
            cure: "leave out --hook, or use --hook classic".to_owned(),
        });
    }
    Ok(())
}

fn read_btf() -> Result<Vec<u8>, SensorError> {
    fs::read(BTF).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SensorError::Unsupported {
            what: format!("the kernel does not describe its types: there is no {BTF}"),
            cure: "use a kernel built with CONFIG_DEBUG_INFO_BTF=y (those of Debian 11, \
                   Ubuntu 20.10, Fedora 31 and later are), and mount sysfs on /sys"
                .to_owned(),
        },
        _ => SensorError::io(format!("reading {BTF}"), error),
    })
}

#[cfg(test)]
mod tests {
    use super::KernelVersion;

    #[test]
    fn releases_as_distributions_write_them() {
        for (release, expect) in [
            ("6.18.44-fc-v669", Some((6, 18))),
            ("5.10.0-32-cloud-amd64", Some((5, 10))),
            ("7.2-rc1", Some((7, 2))),
            ("6.1.0-50-rt-amd64", Some((6, 1))),
            ("weird", None),
        ] {
            let version = KernelVersion::parse(release).map(|kernel| (kernel.major, kernel.minor));
            assert_eq!(version, expect, "{release}");
        }
    }
}
