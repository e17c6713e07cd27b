//! What the kernel says of a process under /proc.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::Path,
};

use anyhow::{Context as _, Result, bail};

use super::numbers::float;

/// What the BPF programs of a process have used, by program id.
pub(super) type Programs = BTreeMap<u32, ProgramUse>;

/// What one program has used since it was loaded, while the clock was on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ProgramUse {
    pub(super) nanoseconds: f64,
    pub(super) runs: f64,
}

/// The programs that a process holds. Its descriptors know them, with what they
/// used: no search through those of the whole host, and no bpftool.
pub(super) fn programs(pid: u32) -> Result<Programs> {
    let folder = format!("/proc/{pid}/fdinfo");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))?;
    // Descriptors come and go while we look.
    let texts = entries.flatten().filter_map(|entry| fs::read_to_string(entry.path()).ok());
    Ok(texts.filter_map(|text| program_use(&text)).collect())
}

/// Of a descriptor of a program; one of a link has an id, too, but no use.
fn program_use(fdinfo: &str) -> Option<(u32, ProgramUse)> {
    let value = |key| field(fdinfo, key);
    let id = value("prog_id")?.parse().ok()?;
    let nanoseconds = value("run_time_ns")?.parse().ok()?;
    let runs = value("run_cnt")?.parse().ok()?;
    Some((id, ProgramUse { nanoseconds, runs }))
}

/// The first word after `key:`.
fn field<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(name, _)| *name == key)?;
    value.split_whitespace().next()
}

/// CPU time of a process, user and system, in nanoseconds.
///
/// From the scheduler's account: utime and stime have the same sum, but in
/// steps of 10 ms, which is what a reader uses for a whole storm.
pub(super) fn cpu_time(pid: u32) -> Result<f64> {
    let folder = format!("/proc/{pid}/task");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))?;
    let mut sum = 0.0;
    for entry in entries.flatten() {
        let path = entry.path().join("schedstat");
        let text = fs::read_to_string(&path).with_context(|| {
            format!("cannot read {} (a kernel without CONFIG_SCHED_INFO?)", path.display())
        })?;
        sum += text.split(' ').next().unwrap_or_default().parse::<f64>()?;
    }
    Ok(sum)
}

/// CPU time of all children of a process that have ended, with theirs, in milliseconds.
pub(super) fn ended_children_time(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let ticks = children_ticks(&text).with_context(|| format!("{path} reads like none"))?;
    let a_second = u32::try_from(rustix::param::clock_ticks_per_second()).unwrap_or(100);
    Ok(ticks * 1000.0 / f64::from(a_second))
}

/// `cutime` and `cstime`, the 16th and 17th field. The second is a name in
/// parentheses that may itself have spaces and parentheses.
fn children_ticks(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(13);
    let mut next = || fields.next()?.parse::<f64>().ok();
    Some(next()? + next()?)
}

/// Resident memory of a process, now and at most so far, in MB (1024 x 1024).
pub(super) fn memory(pid: u32) -> Result<(f64, f64)> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let value = |key| field(&text, key).and_then(|kilobytes| kilobytes.parse::<f64>().ok());
    match (value("VmRSS"), value("VmHWM")) {
        (Some(now), Some(most)) => Ok((now / 1024.0, most / 1024.0)),
        _ => bail!("{path} says nothing of memory"),
    }
}

/// How often the threads of a process have gone to sleep.
pub(super) fn wake_ups(pid: u32) -> Result<f64> {
    let folder = format!("/proc/{pid}/task");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))?;
    let texts =
        entries.flatten().filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok());
    Ok(texts.filter_map(|text| field(&text, "voluntary_ctxt_switches")?.parse::<f64>().ok()).sum())
}

/// Whether a process sleeps.
pub(super) fn sleeps(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status"))
        .is_ok_and(|text| field(&text, "State") == Some("S"))
}

/// Whether a process has an epoll instance.
pub(super) fn has_event_loop(pid: u32) -> bool {
    descriptors(pid).any(|target| target == Path::new("anon_inode:[eventpoll]"))
}

/// How many descriptors a process has.
pub(super) fn open_files(pid: u32) -> f64 {
    float(descriptors(pid).count())
}

fn descriptors(pid: u32) -> impl Iterator<Item = std::path::PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd"));
    entries.into_iter().flatten().flatten().filter_map(|entry| fs::read_link(entry.path()).ok())
}

/// How many lines a file has for which this holds, and how many in all.
pub(super) fn count_lines(path: &Path, holds: impl Fn(&str) -> bool) -> Result<(f64, f64)> {
    let context = || format!("cannot read {}", path.display());
    // A line at a time: what a long storm leaves is larger than memory.
    let mut text = BufReader::with_capacity(1 << 20, File::open(path).with_context(context)?);
    let (mut with, mut all, mut line) = (0, 0, Vec::new());
    while text.read_until(b'\n', &mut line).with_context(context)? != 0 {
        all += 1;
        with += usize::from(holds(&String::from_utf8_lossy(&line)));
        line.clear();
    }
    Ok((float(with), float(all)))
}

/// Memory of all maps that a process holds, in MB, as the kernel counts it.
pub(super) fn map_memory(pid: u32) -> Result<f64> {
    locked_memory(pid, |text| field(text, "map_type").is_some())
}

/// The same with all programs.
pub(super) fn kernel_memory(pid: u32) -> Result<f64> {
    locked_memory(pid, |text| {
        field(text, "map_type").is_some() || field(text, "prog_type").is_some()
    })
}

/// Of the descriptors for which this holds. An object that two of them lead to counts once.
fn locked_memory(pid: u32, holds: impl Fn(&str) -> bool) -> Result<f64> {
    let folder = format!("/proc/{pid}/fdinfo");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))?;
    let texts = entries.flatten().filter_map(|entry| fs::read_to_string(entry.path()).ok());
    let objects: BTreeMap<_, _> =
        texts.filter(|text| holds(text)).filter_map(|text| locked(&text)).collect();
    Ok(objects.values().sum::<f64>() / (1024.0 * 1024.0))
}

/// Of the descriptor of a map or a program: which one it is, and bytes.
fn locked(fdinfo: &str) -> Option<((bool, u32), f64)> {
    let id = |key| field(fdinfo, key).and_then(|id| id.parse().ok());
    let map = id("map_id").map(|id| (true, id));
    let object = map.or_else(|| id("prog_id").map(|id| (false, id)))?;
    Some((object, field(fdinfo, "memlock")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{ProgramUse, children_ticks, field, locked, program_use};

    #[test]
    fn programs_are_told_from_links() {
        let program = "pos:\t0\nprog_type:\t17\nprog_id:\t7\nrun_time_ns:\t900\nrun_cnt:\t3\n";
        let expected = ProgramUse { nanoseconds: 900.0, runs: 3.0 };
        assert_eq!(program_use(program), Some((7, expected)));
        assert_eq!(program_use("link_id:\t2\nprog_tag:\tff\nprog_id:\t7\n"), None);
        assert_eq!(program_use("owner_prog_type:\t17\n"), None);
    }

    #[test]
    fn memory_is_that_of_maps_and_programs() {
        let map = "map_type:\t27\nmemlock:\t4096\nmap_id:\t7\n";
        assert_eq!(locked(map), Some(((true, 7), 4096.0)));
        let program = "prog_type:\t17\nmemlock:\t8192\nprog_id:\t7\n";
        assert_eq!(locked(program), Some(((false, 7), 8192.0)));
        assert_eq!(locked("link_id:\t2\nprog_id:\t7\n"), None);
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let status = "State:\tS (sleeping)\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(field(status, "VmRSS"), Some("1024"));
        assert_eq!(field(status, "State"), Some("S"));
        assert_eq!(field(status, "RSS"), None);
    }

    #[test]
    fn names_do_not_shift_fields() {
        let stat = "1 (a) b) S 1 1 1 0 -1 0 0 0 0 0 10 20 300 40 20 0 1";
        assert_eq!(children_ticks(stat), Some(340.0));
    }
}
