//! Process trees that were there before the trace.
//!
//! Births are followed by then, so what is born to a process that is known already is
//! known, too; what was born before is found in `/proc`, generation by generation,
//! until a look finds nobody new.

use std::{collections::HashMap, fs};

use crate::{error::SensorError, object::Object, proc_stat::ProcStat};

/// Looks at all processes at most so often: with each look, those of another depth are
/// known.
const LOOKS: usize = 1000;

/// Enters the processes of these trees: each root by its id, with its bit.
///
/// # Errors
///
/// When a root is not there, or the map has no room.
pub(crate) fn plant(object: &mut Object, trees: &[(u32, u64)]) -> Result<(), SensorError> {
    let mut known: HashMap<u32, u64> = HashMap::new();
    for &(pid, bit) in trees {
        check_that_it_runs(pid)?;
        *known.entry(pid).or_default() |= bit;
    }
    for (&pid, &bits) in &known {
        object.put_in_tree(pid, bits)?;
    }
    for _ in 0..LOOKS {
        let mut is_new = false;
        for (pid, parent) in parents() {
            let inherited = known.get(&parent).copied().unwrap_or(0);
            let own = known.get(&pid).copied().unwrap_or(0);
            if inherited & !own != 0 {
                known.insert(pid, own | inherited);
                object.put_in_tree(pid, own | inherited)?;
                is_new = true;
            }
        }
        if !is_new {
            break;
        }
    }
    Ok(())
}

/// A thread that does not lead its process has a directory, too, but no children.
fn check_that_it_runs(pid: u32) -> Result<(), SensorError> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let process: Option<u32> =
        status.lines().find_map(|line| line.strip_prefix("Tgid:")?.trim().parse().ok());
    let (what, cure) = match process {
        Some(process) if process == pid => return Ok(()),
        Some(process) => {
            (format!("{pid} is a thread of process {process}"), format!("name {process}"))
        }
        None => (format!("there is no process {pid}"), "name a process that runs".to_owned()),
    };
    Err(SensorError::Rule { what: format!("tree={pid}: {what}"), cure })
}

/// Every process, and the one that it was born to or that took it over.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let parent = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        Some((pid, ProcStat::read(&entry.path())?.parent))
    };
    entries.filter_map(|entry| parent(entry.ok()?)).collect()
}
