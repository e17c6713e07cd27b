//! From whom: parents that are not the first, or not what they were.

use std::process::Command;

use crate::{
    edge_expect::{NOBODY, Place, hear, nobody, says},
    support::{Trace, real_kernel, subject},
};
use serde_json::{Value, json};

/// The C library's `posix_spawnp` looks along the PATH in a child that shares its
/// parent's memory.
#[test]
fn a_path_walk_in_shared_memory_shows_each_miss_and_the_hit() {
    if !real_kernel("a_path_walk_in_shared_memory_shows_each_miss_and_the_hit") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("hit/by-name");
    let folders: Vec<_> = (0..8).map(|number| place.at(&format!("miss-{number}"))).collect();
    let path = format!("{}:{}", folders.join(":"), place.at("hit"));
    let mut command = Command::new(subject());
    command.args(["spawn-by-name", "by-name", "walk"]).env("PATH", path);
    let ((parent, child), outcome) = place.during(|| hear(&mut command));
    let events = outcome.of_process(child.parse().unwrap());
    assert_eq!(events.len(), 9, "{events:#?}");
    for (event, folder) in events.iter().zip(&folders) {
        says(
            event,
            json!({
                "event": "failed",
                "ppid": parent,
                "filename": format!("{folder}/by-name"),
                "exe": null,
                "args": ["by-name", "walk"],
                "error": "ENOENT",
                "comm": "subject",
                "parent_comm": "subject",
                "process": events[0]["process"],
                "image": events[0]["image"],
                "flags": [],
                "unreadable": [],
            }),
        );
    }
    says(
        events[8],
        json!({
            "event": "exec",
            "ppid": parent,
            "filename": target,
            "exe": target,
            "args": ["by-name", "walk"],
            "comm": "by-name",
            "parent": events[0]["parent"],
            "parent_comm": "subject",
            "process": events[0]["process"],
            "image": events[0]["image"].as_u64().unwrap() + 1,
            "flags": [],
            "unreadable": [],
        }),
    );
}

/// A tracer is no parent, though `/proc` and `wait` treat it like one.
#[test]
fn a_traced_process_keeps_its_parent() {
    if !real_kernel("a_traced_process_keeps_its_parent") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let ((parent, printed), outcome) =
        place.during(|| place.subject(&["ptraced", &target, "traced"]));
    let (child, tracer) = printed.split_once(' ').unwrap();
    assert_ne!(tracer, parent.to_string());
    let child = child.parse().unwrap();
    says(
        outcome.only_one_of(child),
        json!({
            "event": "exec",
            "tid": child,
            "ppid": parent,
            "exe": target,
            "args": [target, "traced"],
            "comm": "target",
            "parent_comm": "subject",
            "parent_exe": subject(),
            "flags": [],
            "unreadable": [],
        }),
    );
    says(outcome.end_of(child), json!({ "ppid": parent, "exit_code": 0, "signal": null }));
}

/// Who traces could make a program with its owner's rights do anything; so it
/// gets no more rights than the tracer has (`cap_bprm_creds_from_file`,
/// security/commoncap.c).
#[test]
fn a_traced_process_gets_no_rights() {
    if !real_kernel("a_traced_process_gets_no_rights") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    place.set_mode(&target, 0o4755);
    let program = place.program("tracer");
    let mut command = nobody(&[&program, "ptraced", &target, "traced"]);
    let ((_, printed), outcome) = place.during(|| hear(&mut command));
    let (child, _) = printed.split_once(' ').unwrap();
    says(
        outcome.only_one_of(child.parse().unwrap()),
        json!({
            "event": "exec",
            "exe": target,
            "exe_mode": 0o104_755,
            "uid": NOBODY,
            "euid": NOBODY,
            "suid": NOBODY,
            "fsuid": NOBODY,
            "flags": [],
            "unreadable": [],
        }),
    );
}

/// The parent is the one that took the orphan over, with all that is its own.
#[test]
fn an_orphans_parent_is_the_one_that_took_it_over() {
    if !real_kernel("an_orphans_parent_is_the_one_that_took_it_over") {
        return;
    }
    let place = Place::new();
    let (program, target) = (place.program("adopter"), place.tiny("target"));
    let trace = with_ancestors(&place);
    let (adopter, orphan) = hear(Command::new(&program).args(["orphan", &target, "adopted"]));
    let outcome = trace.stop();
    let (adopters, orphan) = (outcome.only_one_of(adopter), orphan.parse().unwrap());
    let event = outcome.only_one_of(orphan);
    says(
        event,
        json!({
            "event": "exec",
            "ppid": adopter,
            "exe": target,
            "args": [target, "adopted"],
            "parent": adopters["process"],
            "parent_image": adopters["image"],
            "parent_comm": "adopter",
            "parent_exe": program,
            "flags": [],
            "unreadable": [],
        }),
    );
    first_ancestor_is_this_test(event, adopters);
    says(
        outcome.end_of(orphan),
        json!({ "ppid": adopter, "process": event["process"], "exit_code": 0 }),
    );
}

/// A parent that has execed since the fork is shown as what it is now; its id is
/// the same, its image is not.
#[test]
fn a_parent_that_has_execed_since_is_shown_as_what_it_is() {
    if !real_kernel("a_parent_that_has_execed_since_is_shown_as_what_it_is") {
        return;
    }
    let place = Place::new();
    let (before, after) = (place.program("before"), place.program("after"));
    let target = place.tiny("target");
    let trace = with_ancestors(&place);
    let (parent, child) =
        hear(Command::new(&before).args(["exec-under-new-parent", &after, &target]));
    let outcome = trace.stop();
    let parents = outcome.of_process(parent);
    assert_eq!(parents.len(), 2, "{parents:#?}");
    let event = outcome.only_one_of(child.parse().unwrap());
    says(
        event,
        json!({
            "event": "exec",
            "ppid": parent,
            "exe": target,
            "args": [target, "child"],
            // It was born to the parent's first image, and counts on from there.
            "image": parents[0]["image"].as_u64().unwrap() + 1,
            "parent": parents[0]["process"],
            "parent_image": parents[1]["image"],
            "parent_comm": "after",
            "parent_exe": after,
            "flags": [],
            "unreadable": [],
        }),
    );
    assert_eq!(parents[0]["process"], parents[1]["process"]);
    first_ancestor_is_this_test(event, parents[1]);
}

fn with_ancestors(place: &Place) -> Trace {
    Trace::start(&["--failed", "--exit", "--ancestors", "8", "--only", &place.below()])
}

/// The grandparent of `event` is the parent of `parents`, the event of its parent:
/// this process.
#[track_caller]
fn first_ancestor_is_this_test(event: &Value, parents: &Value) {
    let ancestors = event["ancestors"].as_array().unwrap();
    says(
        &ancestors[0],
        json!({
            "pid": std::process::id(),
            "process": parents["parent"],
            "image": parents["parent_image"],
            "comm": parents["parent_comm"],
        }),
    );
    // The rest is the same for both, shifted by one generation.
    let shared = parents["ancestors"].as_array().unwrap();
    let both = shared.len().min(ancestors.len() - 1);
    assert_eq!(ancestors[1..=both], shared[..both], "{ancestors:#?}");
}
