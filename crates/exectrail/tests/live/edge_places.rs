//! Where it lies: other roots, other mounts, other layers.

use std::{fs, process::Command};

use crate::{
    edge_expect::{NOBODY, Place, file_of, says, says_what_was_told, trace_of},
    support::{real_kernel, run},
};
use serde_json::json;

/// A shell's words that print what `stat` has of a file, as an event has it.
fn stat(path: &str) -> String {
    format!(r#"stat -Lc '{{"exe_dev": %d, "exe_inode": %i}}' {path}"#)
}

/// The same of the mount namespace.
const MOUNTS: &str = r#"stat -Lc '{"mnt_ns": %i}' /proc/self/ns/mnt"#;

/// A chroot is no boundary of the path: it goes up to the root of the mount
/// namespace, so that it means the same to everyone who reads it.
#[test]
fn a_program_in_a_chroot_has_its_path_from_outside() {
    if !real_kernel("a_program_in_a_chroot_has_its_path_from_outside") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("root/inner/target");
    let event = place.event_of(|| {
        run(Command::new("chroot").args([&place.at("root"), "/inner/target", "rooted"]))
    });
    says(
        &event,
        json!({
            "event": "exec",
            "filename": "/inner/target",
            "exe": target,
            "args": ["/inner/target", "rooted"],
            "cwd": place.at("root"),
            "flags": [],
            "unreadable": [],
        }),
    );
    says(&event, file_of(&target));
}

/// A bind mount of a file, and of a directory below a bind mount: the path of the
/// mount, the inode of the file.
#[test]
fn a_program_on_a_bind_mount_has_the_path_of_the_mount() {
    if !real_kernel("a_program_on_a_bind_mount_has_the_path_of_the_mount") {
        return;
    }
    let place = Place::new();
    let real = place.tiny("real/below/target");
    let (_, _) = (place.directory("a"), place.directory("b"));
    fs::write(place.at("file"), "").unwrap();
    for (mounts, filename, exe) in [
        ("mount --bind real/below/target file", "./file", "file"),
        ("mount --bind real a; mount --bind a/below b", "b/target", "b/target"),
    ] {
        let script = format!("{mounts}; {MOUNTS}; exec {filename} mounted");
        let ((pid, told), outcome) = place.during(|| place.apart(&script));
        let event = outcome.only_one_of(pid);
        says(
            event,
            json!({
                "event": "exec",
                "filename": filename,
                "exe": place.at(exe),
                "args": [filename, "mounted"],
                "cwd": place.path(),
                "flags": [],
                "unreadable": [],
            }),
        );
        says(event, file_of(&real));
        says_what_was_told(event, &told);
    }
}

const OVERLAY: &str =
    "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged";

fn overlay(place: &Place) {
    for name in ["lower", "upper", "work", "merged"] {
        place.directory(name);
    }
    place.tiny("lower/below");
    place.tiny("lower/changed");
    place.tiny("upper/above");
}

/// Whichever layer of an overlay it comes from, the path is the merged one. What
/// is not part of the image, or has changed since, is said to be so.
#[test]
fn a_program_on_an_overlay_has_the_merged_path_and_its_layer() {
    if !real_kernel("a_program_on_an_overlay_has_the_merged_path_and_its_layer") {
        return;
    }
    let place = Place::new();
    overlay(&place);
    for (name, flags) in
        [("below", json!([])), ("above", upper_layer()), ("changed", upper_layer())]
    {
        let (merged, path) = (format!("merged/{name}"), place.at(&format!("merged/{name}")));
        let script = format!(
            "{OVERLAY}; touch merged/changed; {}; {MOUNTS}; exec {merged} layered",
            stat(&merged)
        );
        let ((pid, told), outcome) = place.during(|| place.apart(&script));
        let event = outcome.only_one_of(pid);
        says(
            event,
            json!({
                "event": "exec",
                "filename": merged,
                "exe": path,
                "args": [merged, "layered"],
                "comm": name,
                "flags": flags,
                "unreadable": [],
            }),
        );
        says_what_was_told(event, &told);
    }
    assert!(fs::metadata(place.at("upper/changed")).is_ok(), "copied up");
}

/// How a file of the upper layer is marked. Where overlayfs is a module, the kernel's own
/// BTF does not describe its inodes, and nobody can tell.
fn upper_layer() -> serde_json::Value {
    // Only modules have a state.
    let is_module = fs::exists("/sys/module/overlay/initstate").unwrap();
    if is_module { json!([]) } else { json!(["upper_layer"]) }
}

/// What a container does: an overlay becomes the root of a mount namespace, and
/// paths begin there.
#[test]
fn a_program_in_a_container_has_the_path_that_the_container_sees() {
    if !real_kernel("a_program_in_a_container_has_the_path_that_the_container_sees") {
        return;
    }
    let place = Place::new();
    overlay(&place);
    place.directory("lower/old");
    for (layer, flags) in [("lower", json!([])), ("upper", upper_layer())] {
        let target = format!("/inside/{layer}-{}", std::process::id());
        place.tiny(&format!("{layer}{target}"));
        let script = format!(
            "{OVERLAY}; {}; {MOUNTS}; cd merged; pivot_root . old; exec {target} contained",
            stat(&format!("merged{target}"))
        );
        let trace = trace_of(&target);
        let (pid, told) = place.apart(&script);
        let outcome = trace.stop();
        let event = outcome.only_one_of(pid);
        says(
            event,
            json!({
                "event": "exec",
                "filename": target,
                "exe": target,
                "args": [target, "contained"],
                "cwd": "/",
                "flags": flags,
                "unreadable": [],
            }),
        );
        says_what_was_told(event, &told);
        says(outcome.end_of(pid), json!({ "process": event["process"], "exit_code": 0 }));
    }
}

/// A file system in memory, with this option, that has a copy of the target.
fn mounted_with(option: &str) -> String {
    format!("mount -t tmpfs -o {option},mode=755 tmpfs mounted; cp target mounted")
}

#[test]
fn a_mount_that_allows_no_programs_is_a_failure() {
    if !real_kernel("a_mount_that_allows_no_programs_is_a_failure") {
        return;
    }
    let place = Place::new();
    place.tiny("target");
    let path = format!("{}/target", place.directory("mounted"));
    let script = format!("{}; exec {path} refused", mounted_with("noexec"));
    let event = place.event_of(|| place.apart(&script).0);
    says(
        &event,
        json!({
            "event": "failed",
            "ppid": std::process::id(),
            "filename": path,
            "exe": null,
            "args": [path, "refused"],
            "error": "EACCES",
            "errno": 13,
            "comm": "sh",
            "flags": [],
            "unreadable": [],
        }),
    );
}

/// Allowed, but without the rights of the file's owner, whatever its bits say.
#[test]
fn a_mount_that_gives_no_rights_shows_in_the_credentials() {
    if !real_kernel("a_mount_that_gives_no_rights_shows_in_the_credentials") {
        return;
    }
    let place = Place::new();
    place.tiny("target");
    let path = format!("{}/target", place.directory("mounted"));
    let script = format!(
        "{}; chmod 4755 {path}; {}; \
         exec setpriv --reuid=65534 --regid=65534 --clear-groups {path} powerless",
        mounted_with("nosuid"),
        stat(&path)
    );
    let ((pid, told), outcome) = place.during(|| place.apart(&script));
    let event = outcome.only_one_of(pid);
    says(
        event,
        json!({
            "event": "exec",
            "exe": path,
            "args": [path, "powerless"],
            "exe_mode": 0o104_755,
            "exe_uid": 0,
            "uid": NOBODY,
            "euid": NOBODY,
            "suid": NOBODY,
            "fsuid": NOBODY,
            "flags": [],
            "unreadable": [],
        }),
    );
    says_what_was_told(event, &told);
}
