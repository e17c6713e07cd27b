//! Tracefs: the format files and ids of classic tracepoints.
//!
//! Where nobody has mounted it (containers, small images), a mount of our own
//! serves as well: a detached one, which is in no mount table, needs no
//! directory and is gone with its file descriptor (`fsmount`, Linux 5.2).

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    os::fd::OwnedFd,
};

use rustix::{
    fs::{Mode, OFlags, openat},
    io::Errno,
    mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen},
    process::{getegid, geteuid},
};

use crate::{error::SensorError, preflight::locked_down};

/// The places where it is usually mounted (Documentation/trace/ftrace.rst).
const PLACES: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/// What needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Failed execs: only classic tracepoints tell of them.
    Failed,
    /// A classic tracepoint for what raw ones tell as well, on this kernel.
    Choice,
    /// The same where raw ones would lose execs.
    Kernel,
}

impl Need {
    /// What to do without it.
    fn or_else(self) -> &'static str {
        match self {
            Self::Failed => "; or leave out --failed",
            Self::Choice => "; or leave out --hook",
            Self::Kernel => "",
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failed => "--failed",
            Self::Choice => "--hook classic",
            Self::Kernel => "this kernel's exec hook",
        })
    }
}

/// A tracefs, wherever it is mounted.
pub(crate) struct Tracefs {
    root: OwnedFd,
}

impl Tracefs {
    /// Finds or mounts it. The error says what needs it, and what to do without.
    pub(crate) fn open(for_what: Need) -> Result<Self, SensorError> {
        for place in PLACES {
            if let Ok(root) = rustix::fs::open(place, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
                && openat(&root, "events", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).is_ok()
            {
                return Ok(Self { root });
            }
        }
        let root = mount_detached().map_err(|error| match error {
            Errno::NODEV => SensorError::Unsupported {
                what: format!("{for_what} needs tracefs, and this kernel has none"),
                cure: format!(
                    "use a kernel built with CONFIG_FTRACE_SYSCALLS=y{}",
                    for_what.or_else()
                ),
            },
            Errno::MFILE | Errno::NFILE | Errno::NOMEM => {
                SensorError::io(format!("{for_what} needs tracefs: opening it"), error)
            }
            error => SensorError::Rights {
                what: format!(
                    "{for_what} needs tracefs, which is not mounted or not readable, and cannot \
                     be mounted here: {error}"
                ),
                cure: format!("{}{}", cure_of_no_tracefs(), for_what.or_else()),
            },
        })?;
        Ok(Self { root })
    }

    /// The format file of a tracepoint.
    pub(crate) fn format(&self, category: &str, name: &str) -> Result<String, SensorError> {
        let path = format!("events/{category}/{name}/format");
        self.read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => SensorError::Unsupported {
                what: format!("this kernel has no tracepoint {category}:{name}"),
                cure: "use a kernel built with CONFIG_FTRACE_SYSCALLS=y".to_owned(),
            },
            // To read a format is refused by what its permissions say, or by lockdown
            // (`tracing_check_open_get_tr`, kernel/trace/trace.c), in other words.
            io::ErrorKind::PermissionDenied if is(&error, Errno::PERM) => locked_down(),
            io::ErrorKind::PermissionDenied => SensorError::Rights {
                what: format!("tracefs is not readable: {path}"),
                cure: "run it as root, or add CAP_DAC_READ_SEARCH: tracefs is for root only by default"
                    .to_owned(),
            },
            _ => SensorError::io(format!("reading {path} in tracefs"), error),
        })
    }

    fn read(&self, path: &str) -> io::Result<String> {
        let file = openat(&self.root, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut text = String::new();
        File::from(file).read_to_string(&mut text)?;
        Ok(text)
    }
}

/// By default it is for root alone, so that to mount it is no cure for others.
fn cure_of_no_tracefs() -> String {
    let place = PLACES[0];
    if geteuid().is_root() {
        return format!("run it as root, or once: sudo mount -t tracefs tracefs {place}");
    }
    let options = format!("gid={},mode=750", getegid());
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mut mounts = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let once = if mounts.any(|mounted| mounted == place) {
        format!("sudo mount -o remount,{options} {place}")
    } else {
        format!("sudo mount -t tracefs -o {options} tracefs {place}")
    };
    format!("run it as root, or once, to let your group read it: {once}")
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

fn mount_detached() -> rustix::io::Result<OwnedFd> {
    let context = fsopen("tracefs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
}

#[cfg(test)]
mod tests {
    use super::{Need, Tracefs};

    /// On the real kernel, mounted or not, and without touching the mounts.
    #[test]
    fn a_tracefs_is_found_and_mounts_stay() {
        let before = std::fs::read_to_string("/proc/self/mounts").unwrap();
        if !rustix::process::geteuid().is_root() {
            assert!(std::env::var_os("CI").is_none(), "needs root");
            eprintln!("NOT RUN: a tracefs needs root");
            return;
        }
        let tracefs = Tracefs::open(Need::Kernel).unwrap();
        let format = tracefs.format("sched", "sched_process_exec").unwrap();
        assert!(format.contains("old_pid"));
        assert!(tracefs.format("sched", "no_such_thing").is_err());
        assert_eq!(before, std::fs::read_to_string("/proc/self/mounts").unwrap());
    }
}
