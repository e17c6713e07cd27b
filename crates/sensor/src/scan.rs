//! Processes that are older than the trace, from `/proc`.
//!
//! Done when all is attached: what execs meanwhile is told by its record, which
//! counts more. A process is known again by its id and the tick of its start. What
//! stands in `/proc` a process can have changed, so its events say where it comes from.

use std::{fs, io, os::unix::ffi::OsStringExt, path::Path};

use exectrail_model::lifetimes::Found;

use crate::proc_stat::ProcStat;

/// The initial pid namespace (`PROC_PID_INIT_INO`, `include/uapi/linux/nsfs.h`).
const INITIAL_PID_NS: &str = "pid:[4026531836]";

/// Every process there is, one at a time: what they have for arguments can be megabytes
/// each. None, if `/proc` is that of another pid namespace than the kernel side's ids
/// are of.
pub(crate) fn processes() -> impl Iterator<Item = Found> {
    let directory = directory()
        .inspect_err(|why| log::warn!("processes from before the trace are not known: {why}"));
    let entries = directory.into_iter().flatten();
    entries.filter_map(|entry| found(&entry.ok()?.path()))
}

fn directory() -> Result<fs::ReadDir, String> {
    match fs::read_link("/proc/self/ns/pid") {
        Ok(link) if link == Path::new(INITIAL_PID_NS) => {}
        Ok(_) => return Err("this is a pid namespace of its own".to_owned()),
        Err(error) => return Err(format!("/proc/self: {error}")),
    }
    fs::read_dir("/proc").map_err(|error| format!("/proc: {error}"))
}

/// What is in the directory of a process; nothing, if it is gone meanwhile.
fn found(directory: &Path) -> Option<Found> {
    let pid = directory.file_name()?.to_str()?.parse().ok()?;
    let ProcStat { comm, start_ticks, .. } = ProcStat::read(directory)?;
    let exe = fs::read_link(directory.join("exe")).map(|path| path.into_os_string().into_vec());
    let args = fs::read(directory.join("cmdline")).unwrap_or_default();
    // One that was another process at the first look than at the last is none.
    let again = ProcStat::read(directory)?.start_ticks;
    (again == start_ticks).then_some(Found { pid, start_ticks, exe: known(exe), args, comm })
}

/// Kernel threads have no executable, and some processes' may not be looked at.
fn known(exe: io::Result<Vec<u8>>) -> Option<Vec<u8>> {
    exe.ok().map(|mut path| {
        if let Some(name) = path.strip_suffix(b" (deleted)") {
            path.truncate(name.len());
        }
        path
    })
}

#[cfg(test)]
mod tests {
    use super::processes;

    #[test]
    fn this_process_is_found() {
        let this = processes().find(|found| found.pid == std::process::id()).unwrap();
        let exe = std::env::current_exe().unwrap();
        assert_eq!(this.exe.as_deref(), Some(exe.as_os_str().as_encoded_bytes()));
        assert!(this.args.starts_with(std::env::args().next().unwrap().as_bytes()));
        assert!(this.start_ticks > 0);
    }
}
