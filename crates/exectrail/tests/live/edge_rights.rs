//! Rights that a program's file gives, or that its user has not.

use std::{os::unix::process::CommandExt, process::Command};

use crate::{
    edge_expect::{NOBODY, Place, hear, nobody, says, says_what_was_told},
    support::{real_kernel, run, run_subject},
};
use serde_json::{Value, json};

/// What `event` says of its user's ids, real, effective, saved, and for files.
#[track_caller]
fn has_uids(event: &Value, [real, effective, saved, files]: [u32; 4]) {
    says(event, json!({ "uid": real, "euid": effective, "suid": saved, "fsuid": files }));
}

/// The same of its group.
#[track_caller]
fn has_gids(event: &Value, [real, effective, saved, files]: [u32; 4]) {
    says(event, json!({ "gid": real, "egid": effective, "sgid": saved, "fsgid": files }));
}

/// `CAP_NET_RAW`, bit 13 (include/uapi/linux/capability.h), as a program tells it.
const NET_RAW: &str = r#"{"effective_capabilities":"0000000000002000"}"#;

const ALL_NOBODY: [u32; 4] = [NOBODY; 4];
const RAISED: [u32; 4] = [NOBODY, 0, 0, 0];

/// The new program's credentials, and the old ones where no new privileges are
/// allowed.
#[test]
fn a_program_with_its_owners_rights_shows_whose() {
    if !real_kernel("a_program_with_its_owners_rights_shows_whose") {
        return;
    }
    let place = Place::new();
    let (user, group) = (place.program("user"), place.program("group"));
    place.set_mode(&user, 0o4755);
    place.set_mode(&group, 0o2755);
    for (target, more, uids, gids, flag) in [
        (&user, [].as_slice(), RAISED, ALL_NOBODY, "setid"),
        (&group, &[], ALL_NOBODY, RAISED, "setid"),
        (&user, &["--no-new-privs"], ALL_NOBODY, ALL_NOBODY, "no_new_privs"),
        (&group, &["--no-new-privs"], ALL_NOBODY, ALL_NOBODY, "no_new_privs"),
    ] {
        let mut command = nobody(more);
        command.args([target, "tell", "uid", "euid", "suid", "fsuid", "exe_mode"]);
        let ((pid, told), outcome) = place.during(|| hear(&mut command));
        let event = outcome.only_one_of(pid);
        says(event, json!({ "event": "exec", "exe": target, "flags": [flag], "unreadable": [] }));
        has_uids(event, uids);
        has_gids(event, gids);
        says_what_was_told(event, &told);
        has_uids(outcome.end_of(pid), uids);
    }
}

/// Of a failure they are the caller's.
#[test]
fn a_failure_shows_the_rights_of_its_caller() {
    if !real_kernel("a_failure_shows_the_rights_of_its_caller") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    place.set_mode(&target, 0o4700);
    let mut command = Command::new(&target);
    command.arg("refused").uid(NOBODY).gid(NOBODY);
    let (refused, outcome) = place.during(|| command.spawn());
    assert!(refused.is_err());
    let failed = outcome.only_failure();
    says(
        failed,
        json!({
            "ppid": std::process::id(),
            "filename": target,
            "exe": null,
            "args": [target, "refused"],
            "error": "EACCES",
            "flags": [],
            "unreadable": [],
        }),
    );
    has_uids(failed, ALL_NOBODY);
    has_gids(failed, ALL_NOBODY);
}

/// Capabilities of a file change no id, and so they show in none.
#[test]
fn a_program_with_capabilities_keeps_its_users_ids() {
    if !real_kernel("a_program_with_capabilities_keeps_its_users_ids") {
        return;
    }
    let place = Place::new();
    let target = place.program("target");
    run_subject(&["give-capability", &target]);
    let mut command = nobody(&[&target, "tell", "effective_capabilities"]);
    let ((pid, told), outcome) = place.during(|| hear(&mut command));
    assert_eq!(told, NET_RAW, "it has it");
    let event = outcome.only_one_of(pid);
    says(
        event,
        json!({
            "event": "exec",
            "filename": target,
            "exe": target,
            "args": [target, "tell", "effective_capabilities"],
            "comm": "target",
            "flags": [],
            "unreadable": [],
        }),
    );
    has_uids(event, ALL_NOBODY);
    has_gids(event, ALL_NOBODY);
}

/// A program that cannot do without a capability does not start where nobody may
/// have it (`bprm_caps_from_vfs_caps`, security/commoncap.c).
#[test]
fn a_capability_that_nobody_may_have_is_a_failure() {
    if !real_kernel("a_capability_that_nobody_may_have_is_a_failure") {
        return;
    }
    let place = Place::new();
    let target = place.program("target");
    run_subject(&["give-capability", &target]);
    let mut command = nobody(&["--bounding-set=-net_raw", &target, "exit"]);
    let event = place.event_of(|| run(&mut command));
    says(
        &event,
        json!({
            "event": "failed",
            "ppid": std::process::id(),
            "filename": target,
            "exe": null,
            "args": [target, "exit"],
            "error": "EPERM",
            "errno": 1,
            "comm": "setpriv",
            "flags": [],
            "unreadable": [],
        }),
    );
    has_uids(&event, ALL_NOBODY);
}
