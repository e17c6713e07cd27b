//! Where it lies: other roots, other mounts, other layers.

use std::{fs, process::Command};

use crate::{
    edge_expect::{Place, says},
    support::{Trace, real_kernel, run},
};
use serde_json::json;

/// Runs a shell in a mount namespace of its own.
fn run_apart(place: &Place, script: &str) -> u32 {
    let script = format!("set -e; cd {}; {script}", place.path().display());
    run(Command::new("unshare").args(["--mount", "sh", "-c", &script]))
}

/// E10. A chroot is no boundary of the path: it goes up to the root of the mount
/// namespace, so that it means the same to everyone who reads it.
#[test]
fn a_program_in_a_chroot_has_its_path_from_outside() {
    if !real_kernel("a_program_in_a_chroot_has_its_path_from_outside") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("root/inner/target");
    let trace = place.trace();
    let pid = run(Command::new("chroot").args([&place.at("root"), "/inner/target", "rooted"]));
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "exec",
            "filename": "/inner/target",
            "exe": target,
            "args": ["/inner/target", "rooted"],
        }),
    );
}

/// E10. A bind mount of a file, and of a directory below a bind mount.
#[test]
fn a_program_on_a_bind_mount_has_the_path_of_the_mount() {
    if !real_kernel("a_program_on_a_bind_mount_has_the_path_of_the_mount") {
        return;
    }
    let place = Place::new();
    place.tiny("real/below/target");
    fs::create_dir_all(place.at("a")).unwrap();
    fs::create_dir_all(place.at("b")).unwrap();
    fs::write(place.at("file"), "").unwrap();
    let trace = place.trace();
    let of_file = run_apart(&place, "mount --bind real/below/target file; exec ./file mounted");
    let of_directories =
        run_apart(&place, "mount --bind real a; mount --bind a/below b; exec b/target mounted");
    let outcome = trace.stop();
    for (pid, filename, exe) in
        [(of_file, "./file", "file"), (of_directories, "b/target", "b/target")]
    {
        says(
            outcome.only_one_of(pid),
            json!({
                "event": "exec",
                "filename": filename,
                "exe": place.at(exe),
                "args": [filename, "mounted"],
                "unreadable": [],
            }),
        );
    }
}

const OVERLAY: &str =
    "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged";

fn overlay(place: &Place) {
    for name in ["lower", "upper", "work", "merged"] {
        fs::create_dir_all(place.at(name)).unwrap();
    }
    place.tiny("lower/below");
    place.tiny("lower/changed");
    place.tiny("upper/above");
}

/// E10. Whichever layer of an overlay it comes from, the path is the merged one.
#[test]
fn a_program_on_an_overlay_has_the_merged_path() {
    if !real_kernel("a_program_on_an_overlay_has_the_merged_path") {
        return;
    }
    let place = Place::new();
    overlay(&place);
    let trace = place.trace();
    let runs: Vec<_> = ["below", "above", "changed"]
        .into_iter()
        .map(|name| {
            let script = format!("{OVERLAY}; touch merged/changed; exec merged/{name} layered");
            (name, run_apart(&place, &script))
        })
        .collect();
    let outcome = trace.stop();
    for (name, pid) in runs {
        says(
            outcome.only_one_of(pid),
            json!({
                "event": "exec",
                "filename": format!("merged/{name}"),
                "exe": place.at(&format!("merged/{name}")),
                "args": [format!("merged/{name}"), "layered"],
            }),
        );
    }
    assert!(fs::metadata(place.at("upper/changed")).is_ok(), "copied up");
}

/// E10. What a container does: an overlay becomes the root of a mount namespace,
/// and paths begin there.
#[test]
fn a_program_in_a_container_has_the_path_that_the_container_sees() {
    if !real_kernel("a_program_in_a_container_has_the_path_that_the_container_sees") {
        return;
    }
    let place = Place::new();
    overlay(&place);
    let name = format!("contained-{}", std::process::id());
    let target = format!("/inside/{name}");
    place.tiny(&format!("lower{target}"));
    fs::create_dir(place.at("lower/old")).unwrap();
    let trace = Trace::start(&["--failed", "--only", &target]);
    let script = format!("{OVERLAY}; cd merged; pivot_root . old; exec {target} contained");
    let pid = run_apart(&place, &script);
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "exec",
            "filename": target,
            "exe": target,
            "args": [target, "contained"],
        }),
    );
}

/// P10.
#[test]
fn a_mount_that_allows_no_programs_is_a_failure() {
    if !real_kernel("a_mount_that_allows_no_programs_is_a_failure") {
        return;
    }
    let place = Place::new();
    place.tiny("target");
    fs::create_dir(place.at("mounted")).unwrap();
    let trace = place.trace();
    let path = place.at("mounted/target");
    let pid = run_apart(
        &place,
        &format!("mount -t tmpfs -o noexec tmpfs mounted; cp target mounted; exec {path} refused"),
    );
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({
            "event": "failed",
            "filename": path,
            "args": [path, "refused"],
            "error": "EACCES",
            "errno": 13,
            "comm": "sh",
            "flags": [],
            "unreadable": [],
        }),
    );
}

/// P10. Allowed, but without the rights of the file's owner.
#[test]
fn a_mount_that_gives_no_rights_shows_in_the_credentials() {
    if !real_kernel("a_mount_that_gives_no_rights_shows_in_the_credentials") {
        return;
    }
    let place = Place::new();
    place.tiny("target");
    fs::create_dir(place.at("mounted")).unwrap();
    let trace = place.trace();
    let path = place.at("mounted/target");
    let pid = run_apart(
        &place,
        &format!(
            "mount -t tmpfs -o nosuid tmpfs mounted; cp target mounted; chmod 4755 {path}; \
             chmod 755 mounted; \
             exec setpriv --reuid=65534 --regid=65534 --clear-groups {path} powerless"
        ),
    );
    let outcome = trace.stop();
    says(
        outcome.only_one_of(pid),
        json!({ "event": "exec", "exe": path, "uid": 65534, "euid": 65534, "suid": 65534 }),
    );
}
