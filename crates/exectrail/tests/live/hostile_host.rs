//! Hosts that hide what we need: no BTF, no tracefs, lockdown, a seccomp profile.

use std::{fs, path::Path};

use crate::{
    edge_expect::{Place, kernel_since},
    hostile::{refuses, works},
    support::real_kernel,
};

/// Where the kernel describes its types, and the directory that has it.
const BTF: &str = "/sys/kernel/btf/vmlinux";
const NO_BTF: [&str; 2] = ["mounts", "cover=/sys/kernel/btf"];

#[test]
fn without_btf_it_says_what_to_use_and_takes_a_file() {
    if !real_kernel("without_btf_it_says_what_to_use_and_takes_a_file") {
        return;
    }
    refuses(&NO_BTF, &[], 69, &[BTF, "CONFIG_DEBUG_INFO_BTF", "mount sysfs", "--btf FILE"]);
    let place = Place::new();
    let file = place.at("vmlinux.btf");
    fs::copy(BTF, &file).unwrap();
    works(&NO_BTF, &["--btf", &file]);

    refuses(&NO_BTF, &["--btf", &place.at("none")], 1, &[&place.at("none"), "No such file"]);
    let program = place.tiny("vmlinux");
    refuses(&NO_BTF, &["--btf", &program], 69, &[&program, "not BTF", "pahole"]);
    // Whole it is of use, and in part it is not.
    let whole = fs::read(BTF).unwrap();
    let part = place.executable("part", "");
    fs::write(&part, &whole[..whole.len() / 2]).unwrap();
    refuses(&NO_BTF, &["--btf", &part], 69, &[&part, "cut short"]);
}

#[test]
fn without_sysfs_it_says_that_it_has_to_be_mounted() {
    if !real_kernel("without_sysfs_it_says_that_it_has_to_be_mounted") {
        return;
    }
    let place = Place::new();
    let file = place.at("vmlinux.btf");
    fs::copy(BTF, &file).unwrap();
    let conditions = ["mounts", "cover=/sys"];
    refuses(&conditions, &[], 69, &["mount sysfs on /sys"]);
    refuses(&conditions, &["--btf", &file], 69, &["how many CPUs", "mount sysfs on /sys"]);
}

/// Wherever a tracefs is, nothing is there.
pub(crate) fn no_tracefs() -> Vec<&'static str> {
    let places = [
        ("/sys/kernel/tracing", "cover=/sys/kernel/tracing"),
        ("/sys/kernel/debug", "cover=/sys/kernel/debug"),
    ];
    let there = places.into_iter().filter(|(place, _)| Path::new(place).exists());
    std::iter::once("mounts").chain(there.map(|(_, cover)| cover)).collect()
}

/// Root mounts one for itself, which nobody sees.
#[test]
fn a_tracefs_that_is_not_mounted_is_none_of_roots_problems() {
    if !real_kernel("a_tracefs_that_is_not_mounted_is_none_of_roots_problems") {
        return;
    }
    for args in [[].as_slice(), &["--failed"], &["--hook", "classic"], &["--failed", "--exit"]] {
        works(&no_tracefs(), args);
    }
}

/// Raw tracepoints need none. What needs it says so, and what to do.
#[test]
fn without_tracefs_what_needs_it_says_so() {
    if !real_kernel("without_tracefs_what_needs_it_says_so") {
        return;
    }
    let conditions = [&no_tracefs()[..], &["without=sys_admin"]].concat();
    let mount = "mount -t tracefs tracefs /sys/kernel/tracing";
    if kernel_since(7, 0) {
        // Raw ones would lose execs there.
        refuses(&conditions, &[], 77, &["this kernel's exec hook needs tracefs", mount]);
        return;
    }
    works(&conditions, &[]);
    works(&conditions, &["--exit", "--hook", "raw"]);
    for args in [&["--failed"][..], &["--failed", "--exit", "--hook", "raw"]] {
        let words = ["--failed needs tracefs", mount, "leave out --failed"];
        refuses(&conditions, args, 77, &words);
    }
    let words = ["--hook classic needs tracefs", mount, "leave out --hook"];
    refuses(&conditions, &["--hook", "classic"], 77, &words);
}

const LOCKDOWN: &str = "/sys/kernel/security/lockdown";
const LOCKED_DOWN: [&str; 2] = ["locked down (confidentiality)", "lockdown=integrity"];

/// The level that is in force, made up.
#[test]
fn lockdown_is_named_where_it_forbids_to_read() {
    if !real_kernel("lockdown_is_named_where_it_forbids_to_read") {
        return;
    }
    let with = |levels: &str, then: &dyn Fn(&[&str])| {
        let file = format!("file={LOCKDOWN}:{levels}");
        then(&["mounts", "cover=/sys/kernel/security", &file]);
    };
    if real_level().as_deref() != Some("confidentiality") {
        let works = |conditions: &[&str]| drop(works(conditions, &[]));
        with("[none] integrity confidentiality", &works);
        with("none [integrity] confidentiality", &works);
    }
    with("none integrity [confidentiality]", &|conditions| {
        refuses(conditions, &[], 69, &LOCKED_DOWN);
    });
}

/// The one that is: a kernel that was started with `lockdown=` has it.
#[test]
fn lockdown_is_as_the_kernel_says() {
    if !real_kernel("lockdown_is_as_the_kernel_says") {
        return;
    }
    match real_level().as_deref() {
        None => eprintln!("NOT RUN: this kernel has no lockdown, or securityfs is not mounted"),
        Some("confidentiality") => {
            refuses(&[], &[], 69, &LOCKED_DOWN);
            refuses(&[], &["--failed", "--exit"], 69, &LOCKED_DOWN);
            // The load tells what nothing else does.
            let hidden = ["mounts", "cover=/sys/kernel/security"];
            refuses(&hidden, &[], 69, &LOCKED_DOWN);
        }
        Some(level) => {
            eprintln!("lockdown is {level} here");
            works(&[], &[]);
            works(&[], &["--failed", "--exit"]);
        }
    }
}

/// The level in brackets.
fn real_level() -> Option<String> {
    let levels = fs::read_to_string(LOCKDOWN).ok()?;
    let (_, rest) = levels.split_once('[')?;
    rest.split_once(']').map(|(level, _)| level.to_owned())
}

/// As the profiles of container engines do it.
#[test]
fn a_seccomp_profile_without_bpf_is_named() {
    if !real_kernel("a_seccomp_profile_without_bpf_is_named") {
        return;
    }
    refuses(&["no-bpf"], &[], 77, &["Operation not permitted", "seccomp"]);
}
