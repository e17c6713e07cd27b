//! What this host can do, and how to mend what it cannot, before anything is
//! loaded: the kernel's own answers to a load that fails are hard to read.

use std::{fs, io, path::Path};

use exectrail_abi::config::{ABSENT, Offsets};
use exectrail_model::plan::{HookChoice, Plan};
use rustix::thread::{CapabilitySet, capabilities};

use crate::{
    btf::{Btf, BtfBytes, BtfError},
    error::SensorError,
    offsets::{self, MissingField},
    programs::RAW_PREEMPTIBLE,
    trust::Cast,
};

/// Where the kernel describes its own types.
pub(crate) const BTF: &str = "/sys/kernel/btf/vmlinux";

/// The kernel's version, as far as decisions depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KernelVersion {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

/// The ring buffer and the boot clock's helper came with 5.8.
const FLOOR: KernelVersion = KernelVersion { major: 5, minor: 8 };

impl KernelVersion {
    /// That of the kernel that runs, if its release can be understood.
    pub(crate) fn running() -> Option<Self> {
        Self::parse(&rustix::system::uname().release().to_string_lossy())
    }

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
    pub(crate) btf: BtfBytes,
}

/// Checks everything that a load for `plan` needs.
pub(crate) fn check(plan: &Plan) -> Result<Host, SensorError> {
    let kernel = check_version()?;
    check_rights()?;
    check_lockdown()?;
    check_hook(plan.hook, kernel)?;
    Ok(Host { kernel, btf: read_btf(plan.btf.as_deref())? })
}

pub(crate) fn check_version() -> Result<KernelVersion, SensorError> {
    KernelVersion::running().filter(|&kernel| kernel >= FLOOR).ok_or_else(|| {
        let uname = rustix::system::uname();
        let release = uname.release().to_string_lossy();
        SensorError::Unsupported {
            what: format!("this kernel, {release}, is older than {}.{}", FLOOR.major, FLOOR.minor),
            cure: "exectrail needs the BPF ring buffer of Linux 5.8; use a newer kernel".to_owned(),
        }
    })
}

pub(crate) fn check_rights() -> Result<(), SensorError> {
    let lacking = lacking(held()?);
    if !lacking.is_empty() {
        return Err(SensorError::Rights {
            what: format!(
                "tracing needs the capabilities CAP_BPF and CAP_PERFMON; missing: {}",
                lacking.join(", ")
            ),
            cure: "run it as root (sudo exectrail ...), or give the binary the rights:\n  \
                   sudo setcap cap_bpf,cap_perfmon=ep PATH/TO/exectrail"
                .to_owned(),
        });
    }
    check_user_namespace(&fs::read_link("/proc/self/ns/user").unwrap_or_default())
}

/// The capabilities that this process has.
pub(crate) fn held() -> Result<CapabilitySet, SensorError> {
    let all = capabilities(None)
        .map_err(|error| SensorError::io("reading this process's capabilities", error))?;
    Ok(all.effective)
}

/// `CAP_SYS_ADMIN` stands for both (include/linux/capability.h, `bpf_capable`).
fn lacking(held: CapabilitySet) -> Vec<&'static str> {
    if held.contains(CapabilitySet::SYS_ADMIN) {
        return Vec::new();
    }
    let needed = [(CapabilitySet::BPF, "CAP_BPF"), (CapabilitySet::PERFMON, "CAP_PERFMON")];
    needed.iter().filter(|(set, _)| !held.contains(*set)).map(|(_, name)| *name).collect()
}

/// The kernel asks for capabilities in its first user namespace (`bpf_capable`), whose
/// number is `PROC_USER_INIT_INO` (include/uapi/linux/nsfs.h). Where `/proc` says
/// nothing of it, the load tells.
fn check_user_namespace(link: &Path) -> Result<(), SensorError> {
    if link.as_os_str().is_empty() || link == Path::new("user:[4026531837]") {
        return Ok(());
    }
    Err(SensorError::Rights {
        what: "this is a user namespace of its own (a rootless container, for example), whose \
               root has no rights over the kernel"
            .to_owned(),
        cure: "run it outside of that namespace, on the host: sudo exectrail ...".to_owned(),
    })
}

/// For rules about trees of processes that a number is made into here: ids are those of the
/// first pid namespace to the kernel side, whose number is `PROC_PID_INIT_INO`
/// (include/uapi/linux/nsfs.h).
///
/// # Errors
///
/// In any other one.
pub fn check_pid_namespace() -> Result<(), SensorError> {
    check_pid_namespace_of(&fs::read_link("/proc/self/ns/pid").unwrap_or_default())
}

fn check_pid_namespace_of(link: &Path) -> Result<(), SensorError> {
    if link.as_os_str().is_empty() || link == Path::new("pid:[4026531836]") {
        return Ok(());
    }
    Err(SensorError::Unsupported {
        what: "this is a pid namespace of its own (a container), where the kernel's process ids \
               are not known, by which `exectrail run` follows its command"
            .to_owned(),
        cure: "run it on the host, or in a container with the host's (docker run --pid=host); \
               or trace without run: exectrail --only pidns=NUMBER"
            .to_owned(),
    })
}

/// Where lockdown says how far it goes.
pub(crate) const LOCKDOWN: &str = "/sys/kernel/security/lockdown";

/// Where securityfs is not mounted, the load tells.
pub(crate) fn check_lockdown() -> Result<(), SensorError> {
    match fs::read_to_string(LOCKDOWN) {
        Ok(text) if forbids_reading(&text) => Err(locked_down()),
        _ => Ok(()),
    }
}

/// Whether lockdown goes so far: the level in force stands in brackets.
/// `confidentiality` forbids reading kernel memory (`LOCKDOWN_BPF_READ_KERNEL`,
/// security/lockdown/lockdown.c), `integrity` forbids nothing that we do.
fn forbids_reading(levels: &str) -> bool {
    levels.split_ascii_whitespace().any(|level| level == "[confidentiality]")
}

/// What there is to say of a kernel that hides its memory.
pub(crate) fn locked_down() -> SensorError {
    SensorError::Unsupported {
        what: "the kernel is locked down (confidentiality): programs may not read its memory"
            .to_owned(),
        cure: format!(
            "boot with lockdown=integrity or without lockdown; {LOCKDOWN} says what is in force"
        ),
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

/// The types that the kernel describes, or those in `file`.
pub(crate) fn read_btf(file: Option<&Path>) -> Result<BtfBytes, SensorError> {
    let path = file.unwrap_or(Path::new(BTF));
    let bytes = if file.is_none() { BtfBytes::of_kernel(path) } else { BtfBytes::of_file(path) };
    bytes.map_err(|error| match (file, error.kind()) {
        (None, io::ErrorKind::NotFound) => SensorError::Unsupported {
            what: format!("the kernel does not describe its types: there is no {BTF}"),
            cure: "mount sysfs on /sys, if it is not; use a kernel built with \
                   CONFIG_DEBUG_INFO_BTF=y (those of Debian 11, Ubuntu 20.10, Fedora 31 and \
                   later are); or name a file with the BTF of just this kernel: --btf FILE"
                .to_owned(),
        },
        _ => SensorError::io(format!("reading {}", path.display()), error),
    })
}

/// What the kernel's types tell.
pub(crate) struct Layout {
    /// Where it has what we read.
    pub(crate) offsets: Offsets,
    /// What it does not have.
    pub(crate) missing: Vec<MissingField>,
    /// How its verifier trusts us less, if it trusts us too much.
    pub(crate) cast: Option<Cast>,
}

/// Reads the kernel's types.
pub(crate) fn layout(plan: &Plan, btf: &[u8]) -> Result<Layout, SensorError> {
    let btf = Btf::parse(btf, &offsets::names()).map_err(|error| not_understood(plan, error))?;
    let (offsets, missing) = offsets::kernel_offsets(&btf);
    if offsets.task_mm == ABSENT || offsets.mm_args == ABSENT {
        return Err(SensorError::Unsupported {
            what: "this kernel's BTF does not tell where a program's arguments are".to_owned(),
            cure: "please report the kernel's version and configuration".to_owned(),
        });
    }
    // Types in a file have no numbers that the kernel knows.
    let cast = if plan.btf.is_none() { Cast::of(&btf) } else { None };
    Ok(Layout { offsets, missing, cast })
}

/// What the kernel has is a matter for its maker; what a file has, for its user.
fn not_understood(plan: &Plan, error: BtfError) -> SensorError {
    match &plan.btf {
        None => SensorError::at("reading the kernel's BTF", error),
        Some(file) => SensorError::Unsupported {
            what: format!("reading {}: {error}", file.display()),
            cure: "it has to be BTF alone, not what contains it: pahole \
                   --btf_encode_detached=FILE vmlinux"
                .to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rustix::thread::CapabilitySet;

    use super::{
        KernelVersion, check_pid_namespace_of, check_user_namespace, forbids_reading, lacking,
        locked_down, read_btf,
    };
    use crate::error::SensorError;

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

    #[test]
    fn only_confidentiality_forbids_to_read() {
        for (levels, forbids) in [
            ("[none] integrity confidentiality\n", false),
            ("none [integrity] confidentiality\n", false),
            ("none integrity [confidentiality]\n", true),
            ("", false),
        ] {
            assert_eq!(forbids_reading(levels), forbids, "{levels}");
        }
        let SensorError::Unsupported { what, cure } = locked_down() else { panic!() };
        assert!(what.contains("locked down (confidentiality)"), "{what}");
        assert!(cure.contains("lockdown=integrity"), "{cure}");
    }

    #[test]
    fn missing_capabilities_are_named() {
        let (bpf, perfmon) = (CapabilitySet::BPF, CapabilitySet::PERFMON);
        assert_eq!(lacking(bpf | perfmon), [""; 0]);
        assert_eq!(lacking(CapabilitySet::SYS_ADMIN), [""; 0]);
        assert_eq!(lacking(bpf), ["CAP_PERFMON"]);
        assert_eq!(lacking(CapabilitySet::SYS_RESOURCE), ["CAP_BPF", "CAP_PERFMON"]);
    }

    #[test]
    fn root_of_another_user_namespace_is_no_root() {
        assert!(check_user_namespace(Path::new("user:[4026531837]")).is_ok());
        assert!(check_user_namespace(Path::new("")).is_ok());
        let error = check_user_namespace(Path::new("user:[4026532201]")).unwrap_err();
        assert!(matches!(error, SensorError::Rights { .. }));
    }

    #[test]
    fn ids_of_another_namespace_are_refused() {
        assert!(check_pid_namespace_of(Path::new("pid:[4026531836]")).is_ok());
        assert!(check_pid_namespace_of(Path::new("")).is_ok());
        let error = check_pid_namespace_of(Path::new("pid:[4026532201]")).unwrap_err();
        assert!(matches!(error, SensorError::Unsupported { .. }));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read_btf(Some(Path::new("/no/such/btf"))).unwrap_err().to_string();
        assert!(error.contains("/no/such/btf"), "{error}");
    }
}
