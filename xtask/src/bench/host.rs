//! Where the numbers come from: host, peer, and how much was measured.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use super::{options::Options, peers::Peers};

/// How many CPUs there are to run on.
pub(super) fn cpus() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// A program on PATH, or where a distribution puts one that is root's.
pub(super) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/share/bcc/libbpf-tools"].map(PathBuf::from);
    env::split_paths(&path).chain(usual).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// What numbers are of.
pub(super) struct Origin {
    /// When they were begun.
    pub(super) date: String,
    /// Names of things, and what they are.
    pub(super) facts: Vec<(&'static str, String)>,
    /// Other tracers, with their version, or why there is none.
    pub(super) peers: Vec<(&'static str, Result<String, String>)>,
}

impl Origin {
    /// Looks around.
    pub(super) fn of(options: &Options, exectrail: &Path, peers: &Peers) -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let owned = |text: &str| text.to_owned();
        let mut facts = vec![
            ("kernel", read("/proc/sys/kernel/osrelease")),
            ("CPUs", format!("{} x {}", cpus(), cpu_model())),
            ("machine", machine()),
            ("memory", memory(&read("/proc/meminfo"))),
            ("distribution", distribution(&read("/etc/os-release"))),
            ("exectrail", version(exectrail)),
            (
                "rounds",
                format!(
                    "{} for kernel time, {} for storms, {} for other calls, {} for starts; \
                     {} execs a storm",
                    options.kernel_rounds,
                    options.pairs,
                    options.call_rounds,
                    options.starts,
                    options.execs
                ),
            ),
            (
                "load",
                format!("{} at the beginning (runs best on a quiet host)", read("/proc/loadavg")),
            ),
        ];
        if Path::new("/etc/exectrail/config.toml").exists() {
            facts
                .push(("NOTE", "/etc/exectrail/config.toml is in force in all of this".to_owned()));
        }
        Self {
            date: first_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            facts,
            peers: peers
                .named()
                .map(|(name, peer)| (name, peer.map(owned).map_err(owned)))
                .collect(),
        }
    }

    pub(super) fn print(&self) {
        println!("exectrail benchmark, {}", self.date);
        self.facts.iter().for_each(|(name, what)| println!("{name:<13} {what}"));
        for (name, version) in &self.peers {
            match version {
                Ok(version) => println!("{:<13} {name} ({version})", "peer"),
                Err(why) => println!("{:<13} {name}: NOT RUN: {why}", "peer"),
            }
        }
    }
}

/// Whether it is one, as far as the kernel was told.
fn machine() -> String {
    let flags = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let is_guest = flags.split_whitespace().any(|flag| flag == "hypervisor");
    if is_guest { "virtual".to_owned() } else { "not virtual, as far as its CPUs tell".to_owned() }
}

fn memory(meminfo: &str) -> String {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.map_or_else(String::new, |kilobytes| format!("{:.1} GB", kilobytes / 1_048_576.0))
}

fn distribution(os_release: &str) -> String {
    let name = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or_default().trim_matches('"').to_owned()
}

fn cpu_model() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    // Not every architecture names its model.
    let model = text.lines().filter_map(|line| line.split_once(':'));
    let mut model = model.filter(|(key, _)| key.trim() == "model name");
    model.next().map_or_else(|| env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

fn version(program: &Path) -> String {
    first_line(program, &["--version"])
}

pub(super) fn first_line(program: impl AsRef<Path>, words: &[&str]) -> String {
    let output = Command::new(program.as_ref()).args(words).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default().lines().next().unwrap_or("of unknown version").to_owned()
}

#[cfg(test)]
mod tests {
    use super::{distribution, memory};

    #[test]
    fn files_are_read_for_what_they_say() {
        assert_eq!(memory("MemTotal:       25165824 kB\nMemFree: 1 kB"), "24.0 GB");
        assert_eq!(memory(""), "");
        assert_eq!(distribution("NAME=\"x\"\nPRETTY_NAME=\"A B 12\"\n"), "A B 12");
    }
}
