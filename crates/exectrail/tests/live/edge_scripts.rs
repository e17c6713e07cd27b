//! Scripts: what was asked for, what runs, and what became of the arguments.

use std::{fs, os::unix::process::CommandExt, process::Command};

use crate::{
    edge_expect::{Place, file_of, kernel_since, padded, says},
    edge_watch::Watch,
    support::{real_kernel, run, subject, tiny_at},
};
use serde_json::json;

/// A script's interpreter can be a script; five levels are allowed
/// (`exec_binprm`, fs/exec.c). What the caller gave as its name is gone.
#[test]
fn a_script_of_a_script_shows_both_ends_and_the_way() {
    if !real_kernel("a_script_of_a_script_shows_both_ends_and_the_way") {
        return;
    }
    let place = Place::new();
    let tiny = place.tiny("interpreter");
    let mut scripts = vec![tiny.clone()];
    for level in 1..=6 {
        let header = format!("#!{} option {level}\n", scripts[level - 1]);
        scripts.push(place.executable(&format!("level-{level}"), &header));
    }
    let watch = place.watch();
    let good = run(Command::new(&scripts[5]).arg0("as it was called").arg("first"));
    assert!(Command::new(&scripts[6]).arg0("as it was called").arg("first").spawn().is_err());
    let outcome = watch.stop();
    // Each level puts its interpreter and one option in front of its own name.
    let mut args = vec![tiny.clone()];
    for (level, script) in scripts.iter().enumerate().skip(1).take(5) {
        args.extend([format!("option {level}"), script.clone()]);
    }
    args.push("first".to_owned());
    says(
        outcome.only_one_of(good),
        json!({
            "event": "exec",
            "filename": scripts[5],
            "exe": tiny,
            "interpreter": tiny,
            "args": args,
            "args_count": 12,
            "comm": "level-5",
            "flags": ["script"],
            "unreadable": [],
        }),
    );
    says(
        outcome.only_failure(),
        json!({
            "filename": scripts[6],
            "exe": null,
            "args": ["as it was called", "first"],
            "error": "ELOOP",
            "flags": [],
            "unreadable": [],
        }),
    );
}

/// 256 bytes of a script are looked at (`BINPRM_BUF_SIZE`): a longer name of
/// an interpreter is refused, longer options are cut.
#[test]
fn a_long_line_of_a_script_is_refused_or_cut() {
    if !real_kernel("a_long_line_of_a_script_is_refused_or_cut") {
        return;
    }
    let place = Place::new();
    let fits = tiny_at(&padded(&place.path().join("fits"), 253)).to_owned();
    let too_long = tiny_at(&padded(&place.path().join("long"), 254)).to_owned();
    let tiny = place.tiny("interpreter");
    let good = place.executable("good", &format!("#!{fits}\n"));
    let bad = place.executable("bad", &format!("#!{too_long}\n"));
    let option = "o".repeat(400);
    let cut = place.executable("cut", &format!("#!{tiny} {option}\n"));
    let watch = place.watch();
    let good_pid = run(Command::new(&good).arg("first"));
    assert!(Command::new(&bad).arg("first").spawn().is_err());
    let cut_pid = run(Command::new(&cut).arg("first"));
    let outcome = watch.stop();
    says(
        outcome.only_one_of(good_pid),
        json!({
            "filename": good,
            "exe": fits,
            "interpreter": fits,
            "args": [fits, good, "first"],
            "flags": ["script"],
            "unreadable": [],
        }),
    );
    // One byte of the 256 is for the NUL.
    let kept = &option[..255 - "#! ".len() - tiny.len()];
    says(
        outcome.only_one_of(cut_pid),
        json!({
            "filename": cut,
            "exe": tiny,
            "interpreter": tiny,
            "args": [tiny, kept, cut, "first"],
            "flags": ["script"],
            "unreadable": [],
        }),
    );
    says(
        outcome.only_failure(),
        json!({ "filename": bad, "args": [bad, "first"], "error": "ENOEXEC", "flags": [] }),
    );
}

/// Without `#!` the kernel refuses, and the shell reads the file itself:
/// there is no exec of it to be seen.
#[test]
fn a_script_without_an_interpreter_is_a_failure_and_no_exec() {
    if !real_kernel("a_script_without_an_interpreter_is_a_failure_and_no_exec") {
        return;
    }
    let place = Place::new();
    let script = place.executable("script", ": > ran\n");
    let watch = place.watch();
    let shell =
        run(Command::new("sh").args(["-c", "exec ./script first"]).current_dir(place.path()));
    let shell_by_path =
        run(Command::new("sh").args(["-c", r#"exec "$0" first"#, &script]).current_dir("/"));
    let outcome = watch.stop();
    assert!(fs::metadata(place.at("ran")).is_ok(), "the shell has run it");
    // A rule about the directory does not find a relative name of a failure.
    assert_eq!(outcome.of_process(shell).len(), 0);
    says(
        outcome.only_one_of(shell_by_path),
        json!({
            "event": "failed",
            "filename": script,
            "args": [script, "first"],
            "exe": null,
            "error": "ENOEXEC",
            "comm": "sh",
            "flags": [],
            "unreadable": [],
        }),
    );
}

/// An interpreter could not open a script whose descriptor is closed by
/// the exec (`BINPRM_FLAGS_PATH_INACCESSIBLE`, `fs/binfmt_script.c`). The name that
/// was given is an empty one.
#[test]
fn a_script_by_a_descriptor_that_closes_is_a_failure() {
    if !real_kernel("a_script_by_a_descriptor_that_closes_is_a_failure") {
        return;
    }
    let place = Place::new();
    let script = place.executable("script", "#!/bin/sh\n");
    // No rule finds an empty name.
    let watch = Watch::all();
    let (pid, error) = place.subject(&["fexecve", &script, "zeroth", "by descriptor"]);
    assert!(error.contains("No such file"), "{error}");
    let outcome = watch.stop();
    let events = outcome.of_process(pid);
    assert_eq!(events.len(), 2, "the subject's own, and this: {events:#?}");
    says(
        events[1],
        json!({
            "event": "failed",
            "filename": "",
            "args": ["zeroth", "by descriptor"],
            "args_count": 2,
            "error": "ENOENT",
            "flags": [],
            "unreadable": [],
        }),
    );
}

/// A script's interpreter is shown as the script has it, the executable as it is.
#[test]
fn an_interpreter_behind_a_link_is_shown_as_given_and_as_it_is() {
    if !real_kernel("an_interpreter_behind_a_link_is_shown_as_given_and_as_it_is") {
        return;
    }
    let place = Place::new();
    let (tiny, link) = (place.tiny("interpreter"), place.at("link"));
    std::os::unix::fs::symlink(&tiny, &link).unwrap();
    let script = place.executable("script", &format!("#! {link} option\n"));
    let event = place.event_of(|| run(Command::new(&script).arg("first")));
    says(
        &event,
        json!({
            "event": "exec",
            "filename": script,
            "exe": tiny,
            "interpreter": link,
            "args": [link, "option", script, "first"],
            "comm": "script",
            "flags": ["script"],
            "unreadable": [],
        }),
    );
    says(&event, file_of(&tiny));
}

/// What `binfmt_misc` gives to an interpreter is shown like a script. Since 6.7 a
/// user namespace has its own table (21ca59b365c0), so that the host's is left
/// alone.
#[test]
fn a_file_with_a_registered_interpreter_shows_both() {
    if !real_kernel("a_file_with_a_registered_interpreter_shows_both") {
        return;
    }
    let known = fs::read_to_string("/proc/filesystems").unwrap().contains("binfmt_misc");
    if !known || !kernel_since(6, 7) {
        eprintln!("NOT RUN: no binfmt_misc of a user namespace's own");
        return;
    }
    let place = Place::new();
    let tiny = place.tiny("interpreter");
    let file = place.executable("file", "EDGE, of a kind of its own");
    // Documentation/admin-guide/binfmt-misc.rst: P keeps the name that the caller
    // gave the program, F opens the interpreter beforehand, O hands it the file.
    for (flags, args) in [
        ("", json!([tiny, file, "first"])),
        ("P", json!([tiny, file, "as it was called", "first"])),
        ("F", json!([tiny, file, "first"])),
        ("O", json!([tiny, file, "first"])),
    ] {
        let script = format!(
            "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc &&
             echo ':edge:M::EDGE::{tiny}:{flags}' > /proc/sys/fs/binfmt_misc/register &&
             exec {} execveat / {file} 'as it was called' first",
            subject().display()
        );
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
        let event = place.event_of(|| run(&mut command));
        says(
            &event,
            json!({
                "event": "exec",
                "filename": file,
                "exe": tiny,
                "interpreter": tiny,
                "args": args,
                "comm": "file",
                "flags": ["script"],
                "unreadable": [],
            }),
        );
        says(&event, file_of(&tiny));
    }
}
