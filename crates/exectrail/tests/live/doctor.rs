//! `exectrail doctor`: what it says is what a trace then does.

use std::{fs, process::Output};

use serde_json::Value;

use crate::{
    edge_expect::{Place, kernel_since},
    hostile::{EXECTRAIL, under},
    hostile_host::no_tracefs,
    support::{copy, exectrail, real_kernel},
};

/// What `doctor --json` says, and its exit code.
struct Report {
    code: i32,
    json: Value,
}

impl Report {
    fn of(output: &Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{stderr}");
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let code = output.status.code().unwrap();
        assert_eq!((&json["v"], &json["exit_code"]), (&1.into(), &code.into()));
        assert_eq!(json["works"], code == 0);
        Self { code, json }
    }

    fn under(conditions: &[&str]) -> Self {
        Self::of(&under(conditions, &[EXECTRAIL, "doctor", "--json"]).output().unwrap())
    }

    /// The check with this name: its verdict, what it says, and its cure.
    #[track_caller]
    fn check(&self, name: &str) -> (&str, &str, &str) {
        let checks = self.json["checks"].as_array().unwrap();
        let found: Vec<_> = checks.iter().filter(|check| check["name"] == name).collect();
        let [check] = found[..] else { panic!("{name}: {:#}", self.json) };
        let text = |key: &str| check[key].as_str().unwrap_or_default();
        (text("verdict"), text("says"), text("cure"))
    }

    #[track_caller]
    fn is(&self, name: &str, verdict: &str, words: &[&str]) {
        let (found, says, cure) = self.check(name);
        assert_eq!(found, verdict, "{name}: {says} {cure}");
        for word in words {
            assert!(says.contains(word) || cure.contains(word), "{name}: {word}? {says} {cure}");
        }
    }
}

/// The programs that a trace loads, the mounts, and the limits: none of them changes.
#[test]
fn root_can_do_everything_and_nothing_is_changed() {
    if !real_kernel("root_can_do_everything_and_nothing_is_changed") {
        return;
    }
    let state = || {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let enabled = "/sys/kernel/tracing/events/syscalls/sys_enter_execve/enable";
        [read("/proc/self/mounts"), read("/proc/self/limits"), read(enabled)]
    };
    let before = state();
    let report = Report::of(&exectrail().args(["doctor", "--json"]).output().unwrap());
    assert_eq!(before, state());
    assert_eq!(report.code, 0, "{:#}", report.json);
    report.is("kernel", "ok", &["Linux "]);
    report.is("capabilities", "ok", &["CAP_BPF"]);
    report.is("pid namespace", "ok", &["host"]);
    report.is("BTF", "ok", &["/sys/kernel/btf/vmlinux"]);
    report.is("tracefs", "ok", &[]);
    report.is("trace", "ok", &[]);
    report.is("trace --failed --exit", "ok", &[]);
    let hook = if kernel_since(7, 0) { "hook exec_classic" } else { "hook exec_raw" };
    report.is(hook, "ok", &["sched_process_exec", "successful execs would not be seen"]);
    report.is("hook exit_exec", "ok", &["syscalls:sys_exit_execveat", "--failed"]);
    for name in ["lockdown", "CPUs", "preemption", "locked memory", "perf_event_paranoid"] {
        report.is(name, "ok", &[]);
    }
    assert!(["ok", "warn"].contains(&report.check("cgroups").0));

    let output = exectrail().arg("doctor").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.lines().any(|line| line.starts_with("ok    kernel ")), "{text}");
    assert!(!text.contains("\nfail"), "{text}");
}

#[test]
fn a_user_is_told_what_is_missing() {
    if !real_kernel("a_user_is_told_what_is_missing") {
        return;
    }
    let place = Place::new();
    let binary = place.at("exectrail");
    copy(EXECTRAIL, &binary);
    let as_user = |more: &[&str], program: &[&str]| {
        let conditions = [&["user=65534"], more].concat();
        under(&conditions, &[&[&*binary], program].concat()).output().unwrap()
    };
    let report = Report::of(&as_user(&["capabilities="], &["doctor", "--json"]));
    assert_eq!(report.code, 77, "{:#}", report.json);
    report.is("kernel", "ok", &[]);
    report.is("capabilities", "fail", &["missing: CAP_BPF, CAP_PERFMON", "sudo", "setcap"]);
    report.is("BTF", "ok", &[]);
    let bad = if kernel_since(7, 0) { "fail" } else { "warn" };
    report.is("tracefs", bad, &["root"]);
    report.is("trace", "fail", &["CAP_BPF"]);
    let hook = if kernel_since(7, 0) { "hook exec_classic" } else { "hook exec_raw" };
    report.is(hook, "fail", &["not attached"]);

    // The cure is told once.
    let text = String::from_utf8(as_user(&["capabilities="], &["doctor"]).stdout).unwrap();
    assert_eq!(text.matches("setcap").count(), 1, "{text}");

    // With what it names, a trace works, and so says the doctor.
    if kernel_since(7, 0) {
        eprintln!("NOT RUN: this kernel's exec hook needs more rights");
        return;
    }
    let report = Report::of(&as_user(&["capabilities=bpf,perfmon"], &["doctor", "--json"]));
    assert_eq!(report.code, 0, "{:#}", report.json);
    report.is("capabilities", "ok", &["are there"]);
    report.is("trace", "ok", &[]);
    // What root mounts is root's, so the cure has to name this group.
    report.is("tracefs", "warn", &["--failed", "gid=65534,mode=750"]);
    report.is("trace --failed --exit", "warn", &["--failed"]);
    report.is("hook exit_exec", "warn", &["not attached"]);
}

/// What a sandbox hides.
#[test]
fn what_a_sandbox_hides_is_named() {
    if !real_kernel("what_a_sandbox_hides_is_named") {
        return;
    }
    let report = Report::under(&["mounts", "cover=/sys"]);
    assert_eq!(report.code, 69, "{:#}", report.json);
    report.is("BTF", "fail", &["/sys/kernel/btf/vmlinux", "mount sysfs on /sys"]);
    report.is("CPUs", "fail", &["mount sysfs on /sys"]);
    report.is("lockdown", "ok", &["not known"]);
    report.is("trace", "fail", &["does not describe its types"]);

    let report = Report::under(&["mounts", "cover=/proc"]);
    for name in ["pid namespace", "cgroups"] {
        report.is(name, "warn", &["not known", "mount proc on /proc"]);
    }

    // Root mounts a tracefs for itself alone; others cannot.
    let report = Report::under(&no_tracefs());
    assert_eq!(report.code, 0, "{:#}", report.json);
    report.is("tracefs", "ok", &[]);
    let report = Report::under(&[&no_tracefs()[..], &["without=sys_admin"]].concat());
    let (code, bad) = if kernel_since(7, 0) { (77, "fail") } else { (0, "warn") };
    assert_eq!(report.code, code, "{:#}", report.json);
    report.is("tracefs", bad, &["mount -t tracefs tracefs /sys/kernel/tracing"]);

    let report = Report::under(&["mounts", "pids"]);
    assert_eq!(report.code, 0, "{:#}", report.json);
    report.is("pid namespace", "warn", &["--pid=host"]);

    let lockdown = "/sys/kernel/security/lockdown";
    if fs::exists("/sys/kernel/security").unwrap() {
        let file = format!("file={lockdown}:none integrity [confidentiality]\n");
        let report = Report::under(&["mounts", "cover=/sys/kernel/security", &file]);
        assert_eq!(report.code, 69, "{:#}", report.json);
        report.is("lockdown", "fail", &["lockdown=integrity"]);
    }
    let report = Report::under(&["no-bpf"]);
    assert_eq!(report.code, 77, "{:#}", report.json);
    report.is("trace", "fail", &["seccomp"]);
}

/// The words of a trace that does not start are the doctor's.
#[test]
fn a_trace_and_the_doctor_say_the_same() {
    if !real_kernel("a_trace_and_the_doctor_say_the_same") {
        return;
    }
    for conditions in [&["mounts", "cover=/sys/kernel/btf"][..], &["users"]] {
        let trace = under(conditions, &[EXECTRAIL, "--duration", "100ms"]).output().unwrap();
        let report = Report::under(conditions);
        assert_eq!(trace.status.code(), Some(report.code), "{conditions:?}");
        let said = String::from_utf8(trace.stderr).unwrap();
        let (_, says, cure) = report.check("trace");
        assert_eq!(said, format!("exectrail: {says}\n  {cure}\n"));
    }
}
