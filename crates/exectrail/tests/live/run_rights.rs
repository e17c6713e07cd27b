//! `exectrail run` by a user, with the rights that its file has.

use rustix::fs::{XattrFlags, setxattr};
use serde_json::{Value, json};

use crate::{
    edge_expect::{NOBODY, Place, kernel_since, nobody, says},
    hostile::EXECTRAIL,
    run::outcome,
    support::{copy, real_kernel},
};

/// Capabilities of a file, permitted and effective: `struct vfs_cap_data`
/// (include/uapi/linux/capability.h), as setcap(8) writes it.
fn set_capabilities(path: &str, capabilities: &[u32]) {
    const REVISION_2: u32 = 0x0200_0000;
    const EFFECTIVE: u32 = 1;
    let half = |from: u32| {
        let numbers = capabilities.iter().filter_map(|number| number.checked_sub(from));
        numbers.filter(|number| *number < 32).fold(0_u32, |bits, number| bits | 1 << number)
    };
    // Of each half, what is permitted, and what is inheritable.
    let words = [REVISION_2 | EFFECTIVE, half(0), 0, half(32), 0];
    let value = words.map(u32::to_le_bytes).concat();
    setxattr(path, "security.capability", &value, XattrFlags::empty()).unwrap();
}

const DAC_OVERRIDE: u32 = 1;
const SYS_ADMIN: u32 = 21;
const PERFMON: u32 = 38;
const BPF: u32 = 39;

#[test]
fn with_capabilities_of_its_file_it_runs_a_users_command() {
    if !real_kernel("with_capabilities_of_its_file_it_runs_a_users_command") {
        return;
    }
    let place = Place::new();
    let binary = place.at("exectrail");
    copy(EXECTRAIL, &binary);
    // From 7.0 on it takes a tracefs, too, which is root's.
    let more: &[u32] = if kernel_since(7, 0) { &[SYS_ADMIN, DAC_OVERRIDE] } else { &[] };
    set_capabilities(&binary, &[&[BPF, PERFMON], more].concat());
    let script = "id -u; grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/$$/status";
    let mut command = nobody(&[&binary, "run", "--json", "--", "/bin/sh", "-c", script]);
    command.env_remove("SUDO_UID").env("XDG_CONFIG_HOME", "/nonexistent").current_dir("/");
    let (output, stderr) = outcome(&mut command);
    assert!(output.status.success(), "{stderr}");

    let told = String::from_utf8(output.stdout).unwrap();
    let [id, sets @ ..] = &told.lines().collect::<Vec<_>>()[..] else { panic!("{told}") };
    assert_eq!((*id, sets.len()), (NOBODY.to_string().as_str(), 4), "{told}");
    assert!(sets.iter().all(|set| set.ends_with("\t0000000000000000")), "{told}");

    let events = stderr.lines().filter(|line| line.starts_with('{'));
    let events: Vec<Value> = events.map(|line| serde_json::from_str(line).unwrap()).collect();
    says(
        &events[0],
        json!({
            "event": "exec",
            "filename": "/bin/sh",
            "args": ["/bin/sh", "-c", script],
            "uid": NOBODY,
            "euid": NOBODY,
        }),
    );
    says(events.last().unwrap(), json!({ "event": "summary", "dropped": 0 }));
    let [.., report, _] = &events[..] else { panic!("{stderr}") };
    // The shell, id and grep.
    says(report, json!({ "event": "report", "exit_code": 0, "execs": 3 }));
}

/// The same without them: it is the file's rights that count, and not the test's.
#[test]
fn without_capabilities_of_its_file_a_user_is_refused() {
    if !real_kernel("without_capabilities_of_its_file_a_user_is_refused") {
        return;
    }
    let place = Place::new();
    let binary = place.at("exectrail");
    copy(EXECTRAIL, &binary);
    for capabilities in [&[][..], &[BPF], &[PERFMON]] {
        set_capabilities(&binary, capabilities);
        let mut command = nobody(&[&binary, "run", "--", "/bin/sh", "-c", "echo begun"]);
        let (output, stderr) = outcome(command.current_dir("/"));
        assert_eq!(output.status.code(), Some(77), "{capabilities:?}: {stderr}");
        assert!(stderr.contains("setcap") && output.stdout.is_empty(), "{stderr}");
    }
}
