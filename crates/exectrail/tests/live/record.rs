//! The whole record: each field beside what the system itself says.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{Trace, executable_at, program_at, real_kernel, run, scratch};

fn inode_of_namespace(name: &str) -> u64 {
    fs::metadata(format!("/proc/self/ns/{name}")).unwrap().ino()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap().trim().to_owned()
}

/// What the kernel has as "nobody" is null.
fn unless_unset(text: &str) -> Value {
    let number: u32 = text.parse().unwrap();
    if number == u32::MAX { Value::Null } else { json!(number) }
}

#[test]
fn each_field_is_what_the_system_says() {
    if !real_kernel("each_field_is_what_the_system_says") {
        return;
    }
    let directory = scratch();
    let program = program_at(&directory.path().join("program")).to_owned();
    let trace = Trace::start(&["--only", &program]);
    run(Command::new(&program).arg("exit").current_dir(directory.path()));
    let outcome = trace.stop();
    let event = outcome.of_kind("exec").next().unwrap();
    assert_eq!(event["unreadable"], json!([]), "{event}");
    assert_eq!(event["cwd"], directory.path().to_str().unwrap());
    let file = fs::metadata(&program).unwrap();
    assert_eq!((&event["exe_inode"], &event["exe_dev"]), (&json!(file.ino()), &json!(file.dev())));
    assert_eq!(event["exe_mode"], file.mode());
    assert_eq!((&event["exe_uid"], &event["exe_gid"]), (&json!(file.uid()), &json!(file.gid())));
    for (field, name) in [
        ("pid_ns", "pid"),
        ("mnt_ns", "mnt"),
        ("net_ns", "net"),
        ("user_ns", "user"),
        ("uts_ns", "uts"),
        ("ipc_ns", "ipc"),
        ("cgroup_ns", "cgroup"),
    ] {
        assert_eq!(event[field], inode_of_namespace(name), "{field}");
    }
    assert_eq!(event["loginuid"], unless_unset(&read("/proc/self/loginuid")));
    assert_eq!(event["session"], unless_unset(&read("/proc/self/sessionid")));
    assert_eq!(event["user"], "root");
    let cgroups = read("/proc/self/cgroup");
    if let Some(path) = cgroups.lines().find_map(|line| line.strip_prefix("0::")) {
        assert_eq!(event["cgroup"], path);
    }
    assert_eq!(event["parent_comm"], read("/proc/self/comm"));
    assert_eq!(event["parent_exe"], fs::read_link("/proc/self/exe").unwrap().to_str().unwrap());
    assert_eq!(event["flags"], json!([]));
}

/// What nobody shows is not collected; what is shown is right all the same.
#[test]
fn any_choice_of_fields_is_whole() {
    if !real_kernel("any_choice_of_fields_is_whole") {
        return;
    }
    let directory = scratch();
    let program = program_at(&directory.path().join("program")).to_owned();
    let cwd = directory.path().to_str().unwrap();
    let exe = fs::read_link("/proc/self/exe").unwrap();
    for (fields, expect) in [
        ("ppid", json!({ "ppid": std::process::id() })),
        ("cwd,exe", json!({ "cwd": cwd, "exe": program })),
        ("parent_exe,args", json!({ "parent_exe": exe, "args": [program, "exit"] })),
        ("mnt_ns", json!({ "mnt_ns": inode_of_namespace("mnt") })),
        ("flags,exe_inode", json!({ "exe_inode": fs::metadata(&program).unwrap().ino() })),
        ("pid_ns,uid", json!({ "pid_ns": inode_of_namespace("pid"), "uid": 0 })),
    ] {
        let trace = Trace::start(&["--only", &program, "--fields", fields]);
        run(Command::new(&program).arg("exit").current_dir(cwd));
        let outcome = trace.stop();
        let event = outcome.of_kind("exec").next().unwrap();
        for (field, value) in expect.as_object().unwrap() {
            assert_eq!(&event[field], value, "{fields}");
        }
    }
}

#[test]
fn ids_name_a_process_for_ever() {
    if !real_kernel("ids_name_a_process_for_ever") {
        return;
    }
    let directory = scratch();
    let program = program_at(&directory.path().join("program")).to_owned();
    // A shell that becomes `program`, which is so its second image; and children.
    let shell = fs::canonicalize("/bin/sh").unwrap();
    let trace = Trace::start(&["--only", &program, "--only", shell.to_str().unwrap()]);
    let script = format!("{program} exit id-marker; exec {program} exit id-marker last");
    let pid = run(Command::new("/bin/sh").args(["-c", &script, "id-marker"]));
    let outcome = trace.stop();
    let events = outcome.marked("id-marker");
    let [first, child, last] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&first["pid"], &last["pid"]), (&json!(pid), &json!(pid)));
    // An exec changes neither pid nor id, but counts one image on.
    assert_eq!(first["process"], last["process"]);
    assert_eq!(first["image"].as_u64().unwrap() + 1, last["image"].as_u64().unwrap());
    assert_eq!(child["parent"], first["process"]);
    assert_eq!(child["parent_image"], first["image"]);
    assert_ne!(child["process"], first["process"]);
    assert_eq!(child["process"].as_str().unwrap().len(), 36);
}

#[test]
fn environment_and_ancestors_when_asked_for() {
    if !real_kernel("environment_and_ancestors_when_asked_for") {
        return;
    }
    let directory = scratch();
    let program = program_at(&directory.path().join("program")).to_owned();
    let args = ["--only", &program, "--env", "EXECTRAIL_TEST,LC_*", "--ancestors", "8"];
    let trace = Trace::start(&args);
    run(Command::new("/bin/sh")
        .args(["-c", &format!("{program} exit; true")])
        .env("EXECTRAIL_TEST", "yes and no")
        .env("LC_ALL", "C")
        .env("SECRET", "not asked for"));
    let outcome = trace.stop();
    let event = outcome.of_kind("exec").next().unwrap();
    let env = event["env"].as_object().unwrap();
    assert_eq!((&env["EXECTRAIL_TEST"], &env["LC_ALL"]), (&json!("yes and no"), &json!("C")));
    assert!(!env.contains_key("SECRET"));
    // The parent is the shell, so the first ancestor is this test.
    let ancestors = event["ancestors"].as_array().unwrap();
    assert_eq!(ancestors[0]["pid"], std::process::id());
    assert!(ancestors.len() <= 8);
    assert_eq!(ancestors[0]["process"].as_str().unwrap().len(), 36);
}

#[test]
fn a_script_and_what_is_odd_about_executables() {
    if !real_kernel("a_script_and_what_is_odd_about_executables") {
        return;
    }
    let directory = scratch();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let script = directory.path().join("script");
    executable_at(&script, b"#!/bin/sh\nexit 0\n");
    let program = |name: &str, mode: u32| {
        let path = program_at(&directory.path().join(name)).to_owned();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let (setid, writable) = (program("setid", 0o4755), program("writable", 0o777));
    let below = format!("{}/**", directory.path().display());
    let trace = Trace::start(&["--only", &below]);
    run(&mut Command::new(&script));
    let nobody = |path: &str, extra: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).args(extra);
        run(command.args([path, "exit"]).current_dir("/"))
    };
    let (set, kept, other) =
        (nobody(&setid, &[]), nobody(&setid, &["--no-new-privs"]), nobody(&writable, &[]));
    let outcome = trace.stop();
    let of = |pid: u32| outcome.of_kind("exec").find(|event| event["pid"] == pid).unwrap();
    let shell = outcome.of_kind("exec").next().unwrap();
    assert_eq!((&shell["flags"], &shell["interpreter"]), (&json!(["script"]), &json!("/bin/sh")));
    assert_eq!(of(set)["flags"], json!(["setid"]));
    assert_eq!((&of(set)["uid"], &of(set)["euid"]), (&json!(65534), &json!(0)));
    assert_eq!(of(kept)["flags"], json!(["no_new_privs"]));
    assert_eq!(of(kept)["euid"], 65534);
    assert_eq!(of(other)["flags"], json!(["writable"]));
    assert_eq!(of(other)["user"], "nobody");
}

#[test]
fn an_exec_tells_its_latency_when_failures_are_traced() {
    if !real_kernel("an_exec_tells_its_latency_when_failures_are_traced") {
        return;
    }
    let trace = Trace::start(&["--failed", "--only", "/usr/bin/true"]);
    run(Command::new("/usr/bin/true").arg("latency-marker"));
    let outcome = trace.stop();
    let latency = outcome.marked("latency-marker")[0]["latency_ns"].as_u64().unwrap();
    assert!((1_000..10_000_000_000).contains(&latency), "{latency}");
}

#[test]
fn a_container_is_known_by_its_cgroup() {
    if !real_kernel("a_container_is_known_by_its_cgroup") {
        return;
    }
    let Some(root) = unified_hierarchy() else {
        assert!(std::env::var_os("CI").is_none(), "no cgroup v2 hierarchy is mounted");
        eprintln!("NOT RUN: no cgroup v2 hierarchy is mounted");
        return;
    };
    let id = "0123456789abcdef".repeat(4);
    let slice = format!("{root}/exectrail-test-{}", std::process::id());
    let cgroup = format!("{slice}/docker-{id}.scope");
    fs::create_dir_all(&cgroup).unwrap();
    let trace = Trace::start(&["--only", "/usr/bin/true"]);
    let script = format!("echo $$ > {cgroup}/cgroup.procs && exec /usr/bin/true container-marker");
    let status = Command::new("/bin/sh").args(["-c", &script]).stdin(Stdio::null()).status();
    let outcome = trace.stop();
    fs::remove_dir(&cgroup).unwrap();
    fs::remove_dir(&slice).unwrap();
    assert!(status.unwrap().success());
    let event = outcome.marked("container-marker")[0];
    assert_eq!(event["cgroup"], cgroup.strip_prefix(&root).unwrap());
    assert_eq!((&event["container"], &event["container_runtime"]), (&json!(id), &json!("docker")));
}

fn unified_hierarchy() -> Option<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let line = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2"))?;
    line.split(' ').nth(1).map(str::to_owned)
}
