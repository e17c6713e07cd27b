//! What runs in the machine: the first process. It mounts what programs expect, runs
//! what the plan says, and turns the machine off.

use std::{fs, path::Path, process::Command, time::Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::{
    mount::{MountFlags, mount, mount_move},
    process::{WaitOptions, wait},
    system::{RebootCommand, reboot},
};
use serde_json::Value;

/// Where the plan stands in the machine.
pub(super) const PLAN: &str = "/plan.json";
/// Where modules stand, by the order of their names.
pub(super) const MODULES: &str = "/modules";
/// What the last line of a machine's log begins with.
pub(super) const DONE: &str = "guest: done";
/// What a line begins with that has figures of a test.
pub(super) const FIGURES: &str = "figures: ";

/// File systems: kind, where, options. None on `/tmp`: the programs may have been built
/// there.
const MOUNTS: &[(&str, &str, &str)] = &[
    ("proc", "/proc", ""),
    ("sysfs", "/sys", ""),
    ("devtmpfs", "/dev", ""),
    ("tmpfs", "/run", "mode=755"),
    ("devpts", "/dev/pts", ""),
    ("tmpfs", "/dev/shm", "mode=1777"),
    ("tracefs", "/sys/kernel/tracing", ""),
    // Shows the preempt mode, since 5.12.
    ("debugfs", "/sys/kernel/debug", ""),
    ("securityfs", "/sys/kernel/security", ""),
    ("bpf", "/sys/fs/bpf", ""),
    ("tmpfs", "/sys/fs/cgroup", "mode=755"),
    // As systemd does where both versions are in use.
    ("cgroup2", "/sys/fs/cgroup/unified", ""),
    ("cgroup", "/sys/fs/cgroup/pids", "pids"),
    ("cgroup", "/sys/fs/cgroup/memory", "memory"),
];

/// Whether this is the first process of a machine of ours.
pub(crate) fn is_guest() -> bool {
    std::process::id() == 1 && Path::new(PLAN).exists()
}

/// Does all of it. Never returns: there is nothing to return to.
pub(crate) fn run() -> ! {
    let outcome = set_up().and_then(|()| follow_plan());
    match outcome {
        Ok(()) => println!("{DONE}"),
        Err(error) => println!("guest: failed: {error:#}"),
    }
    // What stands in the console's buffer is lost with the power.
    let _ = rustix::termios::tcdrain(std::io::stdout());
    let _ = reboot(RebootCommand::PowerOff);
    loop {
        std::thread::park();
    }
}

/// Moves to a root of its own kind: from the one that the kernel unpacks the image into,
/// no container can pivot away (`pivot_root(2)`, "rootfs").
fn leave_rootfs() -> Result<()> {
    const ROOT: &str = "/new-root";
    let paths = fs::read_dir("/")?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    fs::create_dir(ROOT)?;
    mount("tmpfs", ROOT, "tmpfs", MountFlags::empty(), c"mode=755")?;
    let copied = Command::new("/usr/bin/cp").arg("-a").args(&paths).arg(ROOT).status()?;
    ensure!(copied.success(), "copying the first root: {copied}");
    // Twice is memory that tests may need.
    for path in paths {
        let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
    }
    rustix::process::chdir(ROOT)?;
    mount_move(ROOT, "/")?;
    rustix::process::chroot(".")?;
    Ok(rustix::process::chdir("/")?)
}

fn set_up() -> Result<()> {
    leave_rootfs().context("leaving the first root")?;
    for (kind, place, options) in MOUNTS {
        let _ = fs::create_dir_all(place);
        let data = std::ffi::CString::new(*options)?;
        if let Err(error) = mount(*kind, *place, *kind, MountFlags::empty(), data.as_c_str()) {
            println!("guest: {kind} is not on {place}: {error}");
        }
    }
    // As udev does. TOMOYO, active in older kernels of Debian, looks up `/dev/fd/N` when
    // a program is run by descriptor, and refuses where there is no such name.
    let _ = std::os::unix::fs::symlink("/proc/self/fd", "/dev/fd");
    load_modules()
}

fn load_modules() -> Result<()> {
    let Ok(found) = fs::read_dir(MODULES) else { return Ok(()) };
    let mut paths = found.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let file = fs::File::open(&path)?;
        if let Err(error) = rustix::system::finit_module(&file, c"", 0) {
            println!("guest: {} is not loaded: {error}", path.display());
        }
    }
    Ok(())
}

/// The plan: variables of the environment, and commands.
fn follow_plan() -> Result<()> {
    let plan: Value = serde_json::from_slice(&fs::read(PLAN)?)?;
    let variables = plan["environment"].as_object().context("a plan has an environment")?;
    for command in plan["commands"].as_array().context("a plan has commands")? {
        let mut words = command.as_array().into_iter().flatten().filter_map(Value::as_str);
        let program = words.next().context("a command has a program")?;
        let mut run = Command::new(program);
        run.args(words)
            .env_clear()
            .env("PATH", "/usr/bin:/usr/sbin:/bin:/sbin")
            .current_dir("/tmp");
        run.envs(variables.iter().filter_map(|(name, value)| Some((name, value.as_str()?))));
        let began = Instant::now();
        let child = run.spawn().with_context(|| format!("starting {program}"))?;
        let status = reap_until(child.id())?;
        println!("guest: {command}: {status} after {} s", began.elapsed().as_secs());
    }
    let figures = plan["figures"].as_str().unwrap_or_default();
    for line in fs::read_to_string(figures).unwrap_or_default().lines() {
        println!("{FIGURES}{line}");
    }
    Ok(())
}

/// As the first process, waits for everybody, until this one has ended.
fn reap_until(child: u32) -> Result<String> {
    loop {
        let Some((pid, status)) = wait(WaitOptions::empty())? else { continue };
        if pid.as_raw_nonzero().get().unsigned_abs() == child {
            return Ok(match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => format!("exit {code}"),
                (_, Some(signal)) => format!("signal {signal}"),
                _ => "stopped".to_owned(),
            });
        }
    }
}
