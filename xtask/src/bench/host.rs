//! Where the numbers come from: host, peer, and how much was measured.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use super::options::Options;

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

/// Says what the numbers below are of.
pub(super) fn print_header(options: &Options, exectrail: &Path, peer: Option<&Path>) {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    println!("exectrail benchmark, {}", first_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"]));
    println!("kernel    {}", kernel.trim());
    println!("CPUs      {} x {}", cpus(), cpu_model());
    println!("exectrail {} ({})", version(exectrail), exectrail.display());
    match peer {
        Some(path) => println!("peer      {} ({})", version(path), path.display()),
        None => println!("peer      none"),
    }
    println!(
        "rounds    {} for kernel time, {} for storms, {} for other calls, {} for starts; \
         {} execs a storm",
        options.kernel_rounds, options.pairs, options.call_rounds, options.starts, options.execs
    );
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load      {} (runs best on a quiet host)", load.trim());
    if Path::new("/etc/exectrail/config.toml").exists() {
        println!("NOTE: /etc/exectrail/config.toml is in force in all of this");
    }
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

fn first_line(program: impl AsRef<Path>, words: &[&str]) -> String {
    let output = Command::new(program.as_ref()).args(words).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default().lines().next().unwrap_or("of unknown version").to_owned()
}
