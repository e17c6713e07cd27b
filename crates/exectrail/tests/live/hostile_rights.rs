//! Rights that are missing, given in part, or worth nothing where they are given.

use std::fs;

use crate::{
    edge_expect::{Place, kernel_since},
    hostile::{
        EXECTRAIL, Ended, end_of, exectrail_under, machine_of_its_own, refuses, under, works,
    },
    support::real_kernel,
};

const NOBODY: &str = "user=65534";
const BOTH: &str = "capabilities=bpf,perfmon";

/// Checks that the binary can be reached by those who are not root.
fn is_open_to_all() -> bool {
    let found = end_of(&mut under(&[NOBODY], &[EXECTRAIL, "--version"])).code == Some(0);
    assert!(found || std::env::var_os("CI").is_none(), "{EXECTRAIL} is closed to other users");
    if !found {
        eprintln!("NOT RUN: {EXECTRAIL} is closed to other users");
    }
    found
}

#[test]
fn each_missing_capability_is_named() {
    if !real_kernel("each_missing_capability_is_named") || !is_open_to_all() {
        return;
    }
    for (held, missing) in [
        ("capabilities=", "missing: CAP_BPF, CAP_PERFMON"),
        ("capabilities=bpf", "missing: CAP_PERFMON"),
        ("capabilities=perfmon,dac_override", "missing: CAP_BPF"),
    ] {
        for user in [NOBODY, "user=0"] {
            refuses(&[user, held], &[], 77, &[missing, "sudo", "setcap cap_bpf,cap_perfmon"]);
        }
    }
}

const SYSCTL: &str = "/proc/sys/kernel/unprivileged_bpf_disabled";

/// It forbids bpf(2) to those without rights, of whom we ask them anyway, and, before
/// 5.19, to a trace that has given all rights up.
#[test]
fn unprivileged_bpf_disabled_changes_nothing() {
    if !real_kernel("unprivileged_bpf_disabled_changes_nothing") || !is_open_to_all() {
        return;
    }
    let Ok(found) = fs::read_to_string(SYSCTL) else {
        eprintln!("NOT RUN: this kernel has no kernel.unprivileged_bpf_disabled");
        return;
    };
    // From 7.0 on it takes a tracefs, too.
    let more = "capabilities=bpf,perfmon,sys_admin,dac_override";
    let enough = if kernel_since(7, 0) { more } else { BOTH };
    let as_it_is = |value: &str| {
        refuses(&[NOBODY, "capabilities="], &[], 77, &["CAP_BPF, CAP_PERFMON"]);
        // The account is read when all rights are gone, and has to be closed.
        works(&[NOBODY, enough], &[]);
        works(&[], &["--exit"]);
        eprintln!("kernel.unprivileged_bpf_disabled = {value}: done");
    };
    as_it_is(found.trim());
    if !machine_of_its_own("unprivileged_bpf_disabled_changes_nothing, other values") {
        return;
    }
    // What is 1 stays so until the next boot (Documentation/admin-guide/sysctl/kernel.rst).
    for value in ["0", "2"].into_iter().filter(|_| found.trim() != "1") {
        fs::write(SYSCTL, value).unwrap();
        as_it_is(value);
    }
    if found.trim() != "1" {
        fs::write(SYSCTL, found.trim()).unwrap();
    }
}

/// From 5.11 on maps are no locked memory; before, the limit is raised by whoever may.
#[test]
fn without_cap_sys_resource_it_works_or_names_the_limit() {
    if !real_kernel("without_cap_sys_resource_it_works_or_names_the_limit") {
        return;
    }
    let small = ["locked=65536", "without=sys_resource"];
    if kernel_since(5, 11) {
        works(&small, &[]);
        works(&["locked=0", "without=sys_resource"], &["--failed", "--exit"]);
        return;
    }
    let words = ["65536 bytes", "CAP_SYS_RESOURCE", "ulimit -l unlimited", "LimitMEMLOCK"];
    refuses(&small, &[], 77, &words);
    works(&["locked=65536"], &[]);
    works(&["locked=unlimited", "without=sys_resource"], &["--failed", "--exit"]);
}

/// Mounts, processes and network of its own, nothing to write to, two capabilities.
fn container(user: &'static str) -> [&'static str; 7] {
    ["mounts", "network", "pids", "read-only=/sys", "read-only=/proc", user, BOTH]
}

#[test]
fn a_container_with_two_capabilities_traces_the_host() {
    if !real_kernel("a_container_with_two_capabilities_traces_the_host") || !is_open_to_all() {
        return;
    }
    for user in ["user=0", NOBODY] {
        if kernel_since(7, 0) {
            from_7_0_on_it_names_what_is_missing(user);
            continue;
        }
        works(&container(user), &[]);
        let said = works(&container(user), &["--exit"]);
        assert!(said.contains("not known: this is a pid namespace of its own"), "{said}");
        // Without a tracefs, or where classic tracepoints ask for more than CAP_PERFMON.
        let Ended { code, said } = end_of(&mut exectrail_under(&container(user), &["--failed"]));
        let why = ["needs tracefs", "kernel.perf_event_paranoid is "];
        let is_named = why.iter().any(|why| said.contains(why));
        // Root has a tracefs, where one is mounted.
        let is_enough = user == "user=0" && code == Some(0);
        let is_refused = code == Some(77) && is_named && said.contains("leave out --failed");
        assert!(is_refused || is_enough, "{user}: {code:?}: {said}");
    }
}

/// Classic tracepoints need a tracefs that can be read, and on some distributions' kernels
/// (`kernel.perf_event_paranoid` above 2) more than `CAP_PERFMON`.
fn from_7_0_on_it_names_what_is_missing(user: &'static str) {
    let Ended { code, said } = end_of(&mut exectrail_under(&container(user), &[]));
    let names = |words: &str| code == Some(77) && said.contains(words);
    let tracefs = names("this kernel's exec hook needs tracefs");
    let paranoia = names("kernel.perf_event_paranoid is ");
    // Root has a tracefs, where one is mounted.
    let is_enough = user == "user=0" && code == Some(0);
    assert!(tracefs || paranoia || is_enough, "{user}: {code:?}: {said}");
    eprintln!("{user}: {said}");
}

/// Its root has every capability there, and none that counts.
#[test]
fn the_root_of_a_user_namespace_is_told_where_to_go() {
    if !real_kernel("the_root_of_a_user_namespace_is_told_where_to_go") {
        return;
    }
    if !std::path::Path::new("/proc/self/ns/user").exists() {
        eprintln!("NOT RUN: this kernel has no user namespaces");
        return;
    }
    refuses(&["users"], &[], 77, &["user namespace", "on the host"]);
    // Where nothing tells of the namespace, the kernel's refusal does.
    let blind = ["users", "mounts", "cover=/proc"];
    refuses(&blind, &[], 77, &["Operation not permitted", "container"]);
}

/// A file that nobody else may read can be the place, so it is not asked for first.
#[test]
fn a_place_that_is_closed_is_named() {
    if !real_kernel("a_place_that_is_closed_is_named") || !is_open_to_all() {
        return;
    }
    let place = Place::new();
    let file = place.at("out.jsonl");
    let words = [file.as_str(), "Permission denied"];
    refuses(&[NOBODY, BOTH], &["-o", &file], 1, &words);
}
