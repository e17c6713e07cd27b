//! Which file it is: by links, by a loader, and by the kernel itself.

use std::{fs, os::unix::fs::symlink, process::Command};

use crate::{
    edge_expect::{Place, file_of, says},
    support::{copy, real_kernel, run, subject},
};
use serde_json::json;

#[test]
fn a_relative_name_through_links_is_shown_as_given_and_as_it_is() {
    if !real_kernel("a_relative_name_through_links_is_shown_as_given_and_as_it_is") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("real/target");
    fs::create_dir(place.at("here")).unwrap();
    symlink("../real", place.at("here/link-to-directory")).unwrap();
    symlink("link-to-directory/target", place.at("here/link")).unwrap();
    for name in
        ["./link", "../here/.//link-to-directory/../real/target", "link-to-directory/target"]
    {
        let event = place
            .event_of(|| run(Command::new(name).current_dir(place.at("here")).arg("relative")));
        says(
            &event,
            json!({
                "event": "exec",
                "filename": name,
                "exe": target,
                "args": [name, "relative"],
                "cwd": place.at("here"),
                // The name of the link, since it is the name that was given.
                "comm": name.rsplit('/').next(),
                "flags": [],
                "unreadable": [],
            }),
        );
        says(&event, file_of(&target));
    }
}

/// The file that the kernel runs is the loader; the program is an argument.
#[test]
fn a_loader_that_is_run_directly_is_shown_with_its_program() {
    if !real_kernel("a_loader_that_is_run_directly_is_shown_with_its_program") {
        return;
    }
    let loaders = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];
    let Some(loader) = loaders.iter().find(|path| fs::metadata(path).is_ok()) else {
        eprintln!("NOT RUN: no dynamic loader is where it is looked for");
        return;
    };
    let place = Place::new();
    let own = place.at("loader");
    copy(loader, &own);
    // Of a program that needs no loader, one execs it instead.
    let program = place.at("program");
    copy("/usr/bin/true", &program);
    let event = place.event_of(|| run(Command::new(&own).args([&program, "exit", "loaded"])));
    says(
        &event,
        json!({
            "event": "exec",
            "filename": own,
            "exe": own,
            "args": [own, program, "exit", "loaded"],
            "comm": "loader",
            "interpreter": null,
            "flags": [],
            "unreadable": [],
        }),
    );
    says(&event, file_of(&own));
}

/// The kernel starts a program by itself: no system call, and a kernel
/// thread for a parent (kernel/umh.c). The one way to have it do so that needs
/// no module is the handler of core dumps.
#[test]
fn a_program_that_the_kernel_starts_is_shown() {
    if !real_kernel("a_program_that_the_kernel_starts_is_shown") {
        return;
    }
    let place = Place::new();
    let handler = place.tiny("handler");
    // The kernel looks from the first mount namespace, which a test in a container
    // is not in; through this link it finds ours from there.
    let given = format!("/proc/{}/root{handler}", std::process::id());
    let watch = place.watch();
    let crashed = {
        let _handler = CorePattern::set(&format!("|{given} core-marker %P"));
        run_crash(&place).to_string()
    };
    let outcome = watch.stop();
    let of_ours = |event: &&&serde_json::Value| event["args"][2] == crashed;
    let found = outcome.marked("core-marker");
    let event = found.iter().find(of_ours).expect("the handler's exec");
    says(
        event,
        json!({
            "event": "exec",
            "filename": given,
            "exe": handler,
            "args": [given, "core-marker", crashed],
            "comm": "handler",
            "uid": 0,
            "euid": 0,
            // Nobody waits for its end (`call_usermodehelper_exec_work`).
            "parent_comm": "kthreadd",
            "parent_exe": null,
            "latency_ns": null,
            "flags": ["kernel_helper"],
            "unreadable": [],
        }),
    );
    says(event, file_of(&handler));
    let end = outcome.end_of(event["pid"].as_u64().unwrap().try_into().unwrap());
    says(end, json!({ "ppid": event["ppid"], "process": event["process"], "exit_code": 0 }));
    // PF_KTHREAD, include/linux/sched.h; the ninth field of the line.
    let stat = fs::read_to_string(format!("/proc/{}/stat", event["ppid"])).unwrap();
    let flags = stat.rsplit(") ").next().unwrap().split(' ').nth(6).unwrap();
    assert_ne!(flags.parse::<u64>().unwrap() & 0x0020_0000, 0, "no kernel thread: {stat}");
    assert_eq!(outcome.of_kind("failed").count(), 0);
}

fn run_crash(place: &Place) -> u32 {
    let mut command = Command::new(subject());
    run(command.arg("abort").current_dir(place.path()))
}

/// The handler of core dumps, until this is dropped.
struct CorePattern(Vec<u8>);

impl CorePattern {
    const FILE: &str = "/proc/sys/kernel/core_pattern";

    fn set(pattern: &str) -> Self {
        let before = Self(fs::read(Self::FILE).unwrap());
        fs::write(Self::FILE, pattern).unwrap();
        before
    }
}

impl Drop for CorePattern {
    fn drop(&mut self) {
        fs::write(Self::FILE, &self.0).unwrap();
    }
}
