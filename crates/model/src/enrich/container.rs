//! Which container a cgroup belongs to, told by its path.
//!
//! Every container runtime makes a cgroup for each container, and writes the
//! container's id into its name. How, depends on who manages the cgroups: the
//! runtime itself (`/docker/ID`), or systemd (`docker-ID.scope`).
//!
//! A path is a name and no proof: whoever may make cgroups, and with a systemd of
//! their own that is every user, may give one the name of a container.

use std::fmt;

/// A container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Container<'a> {
    /// What runs it.
    pub runtime: Runtime,
    /// Its id, as the path has it: 64 hexadecimal digits, or a name, which
    /// systemd writes escaped (`my\x2dbox`).
    pub id: &'a [u8],
}

/// What runs a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Runtime {
    /// Docker.
    Docker,
    /// Podman, and others that use libpod.
    Podman,
    /// containerd, on its own or for Kubernetes.
    Containerd,
    /// CRI-O.
    Crio,
    /// Kubernetes, by a runtime that the path does not tell.
    Kubepods,
    /// systemd-nspawn as a service.
    Nspawn,
    /// A machine registered with systemd-machined: mostly systemd-nspawn.
    Machine,
    /// LXC, LXD, Incus, Proxmox.
    Lxc,
    /// Some runtime, by the look of the id.
    Unknown,
}

impl Runtime {
    /// Its name, as people write it on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Containerd => "containerd",
            Self::Crio => "crio",
            Self::Kubepods => "kubepods",
            Self::Nspawn => "nspawn",
            Self::Machine => "machine",
            Self::Lxc => "lxc",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What stands before an id of 64 digits, and a `-` or a `:`. A monitor's name
/// (`libpod-conmon-ID`, `crio-conmon-ID`) begins alike, and is not here.
const PREFIXES: &[(&[u8], Runtime)] = &[
    (b"docker", Runtime::Docker),
    (b"libpod", Runtime::Podman),
    // With `--cgroups=split`, as in a Quadlet unit.
    (b"libpod-payload", Runtime::Podman),
    (b"cri-containerd", Runtime::Containerd),
    (b"nerdctl", Runtime::Containerd),
    (b"crio", Runtime::Crio),
];

/// The container of a cgroup, given its path from the root of the hierarchy; of
/// containers within containers, the innermost.
#[must_use]
pub fn container_of(cgroup_path: &[u8]) -> Option<Container<'_>> {
    if !may_name_one(cgroup_path) {
        return None;
    }
    let mut below = None;
    let mut names =
        cgroup_path.rsplit(|&byte| byte == b'/').filter(|name| !name.is_empty()).peekable();
    while let Some(name) = names.next() {
        let level = Level { above: names.peek().copied().unwrap_or_default(), name, below };
        if let Some(container) = level.container() {
            return Some(container);
        }
        below = Some(name);
    }
    None
}

/// Whether it is worth a closer look: it has room for an id of 64 digits, or a letter of the
/// `x` in `lxc`, the `@` behind `systemd-nspawn`, the `h` in `machine-`. A path shorter than a
/// word gets it anyway.
fn may_name_one(path: &[u8]) -> bool {
    if path.len() >= ID_LEN {
        return true;
    }
    let Some(&last) = path.last_chunk() else { return true };
    // The last word overlaps the one before: what is left would be gone through byte by byte.
    let (words, _) = path.as_chunks();
    words.iter().fold(has_letter(last), |any, word| any | has_letter(*word)) & (EACH << 7) != 0
}

/// One in each byte.
const EACH: u64 = 0x0101_0101_0101_0101;

/// Sets the highest bit of a byte if one of these letters is there, and maybe if not, of bytes
/// that are not ASCII. Eight at a time: of comparisons a compiler makes a branch for each.
#[inline]
fn has_letter(word: [u8; 8]) -> u64 {
    let word = u64::from_ne_bytes(word);
    let is = |letter: u8| (word ^ (EACH * u64::from(letter))).wrapping_sub(EACH);
    is(b'x') | is(b'@') | is(b'h')
}

/// One component of a path, and its neighbours.
struct Level<'a> {
    above: &'a [u8],
    name: &'a [u8],
    below: Option<&'a [u8]>,
}

impl<'a> Level<'a> {
    fn container(&self) -> Option<Container<'a>> {
        self.prefixed().or_else(|| self.bare()).or_else(|| self.machine()).or_else(|| self.lxc())
    }

    /// `docker-ID.scope`, `crio-ID`; and `SLICE:cri-containerd:ID`, where the
    /// kubelet speaks systemd's dialect and containerd takes it for a path.
    fn prefixed(&self) -> Option<Container<'a>> {
        let name = self.name.strip_suffix(b".scope").unwrap_or(self.name);
        let (rest, id) = name.split_at_checked(name.len().checked_sub(ID_LEN)?)?;
        let rest = match rest.split_last() {
            Some((b':', rest)) => rest.rsplit(|&byte| byte == b':').next()?,
            Some((b'-', rest)) => rest,
            _ => return None,
        };
        let (_, runtime) = *PREFIXES.iter().find(|(prefix, _)| *prefix == rest)?;
        is_id(id).then_some(Container { runtime, id })
    }

    /// `ID`, and nothing else. A pod of Podman's is a parent of containers.
    fn bare(&self) -> Option<Container<'a>> {
        if !is_id(self.name) || self.above == b"libpod_parent" {
            return None;
        }
        let runtime = match self.above {
            b"docker" => Runtime::Docker,
            // Namespaces of containerd's, which it takes for the parent.
            b"default" | b"k8s.io" => Runtime::Containerd,
            above if is_pod(above) => Runtime::Kubepods,
            _ => Runtime::Unknown,
        };
        Some(Container { runtime, id: self.name })
    }

    /// `systemd-nspawn@NAME.service`, `machine-NAME.scope`.
    fn machine(&self) -> Option<Container<'a>> {
        if let Some(id) = between(self.name, b"systemd-nspawn@", b".service") {
            // The service has two halves, and one is systemd-nspawn's own.
            let outside = self.below == Some(b"supervisor");
            return (!outside).then_some(Container { runtime: Runtime::Nspawn, id });
        }
        let id = between(self.name, b"machine-", b".scope")?;
        // libvirt registers virtual machines too; within is QEMU, on the host.
        let virtual_machine = id.starts_with(b"qemu\\x2d");
        (!virtual_machine).then_some(Container { runtime: Runtime::Machine, id })
    }

    /// `lxc.payload.NAME`, and the older `lxc.payload/NAME` and `lxc/NAME`; but
    /// not `lxc.monitor.NAME`, which is LXC's own.
    fn lxc(&self) -> Option<Container<'a>> {
        let id = match self.above {
            b"lxc" | b"lxc.payload" => self.name,
            _ => self.name.strip_prefix(b"lxc.payload.")?,
        };
        is_name(id).then_some(Container { runtime: Runtime::Lxc, id })
    }
}

/// Digits of an id.
const ID_LEN: usize = 64;

fn is_id(name: &[u8]) -> bool {
    name.len() == ID_LEN && name.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What a machine can be called; systemd escapes the rest with backslashes.
fn is_name(name: &[u8]) -> bool {
    let may = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:\\".contains(byte);
    !name.is_empty() && name.iter().all(may)
}

fn between<'a>(name: &'a [u8], prefix: &[u8], suffix: &[u8]) -> Option<&'a [u8]> {
    name.strip_prefix(prefix)?.strip_suffix(suffix).filter(|name| is_name(name))
}

/// `podUID` in a hierarchy of the kubelet's own, `kubepods-…-podUID.slice` in
/// systemd's.
fn is_pod(name: &[u8]) -> bool {
    let uid = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    let own = name.strip_prefix(b"pod").is_some_and(|id| !id.is_empty() && id.iter().all(uid));
    own || name.starts_with(b"kubepods")
}

#[cfg(test)]
mod tests;
