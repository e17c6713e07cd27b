//! A process that says of itself what `/proc` has of it.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use serde_json::{Map, Value, json};

/// Prints, as one JSON object, what the fields of these names should be.
pub(crate) fn tell(names: &[&str]) {
    let all: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), value(name))).collect();
    println!("{}", Value::Object(all));
}

fn value(name: &str) -> Value {
    match name {
        "exe" => json!(link("exe")),
        "cwd" => json!(link("cwd")),
        "exe_dev" => json!(executable().dev()),
        "exe_inode" => json!(executable().ino()),
        "exe_mode" => json!(executable().mode()),
        "comm" => json!(fs::read_to_string(of_self("comm")).expect("comm").trim_end()),
        "cmdline" => json!(fs::read_to_string(of_self("cmdline")).expect("cmdline")),
        "pid" => json!(status("Pid", 0)),
        // In the innermost namespace.
        "ns_pid" => json!(last_status("NSpid")),
        "uid" => json!(status("Uid", 0)),
        "euid" => json!(status("Uid", 1)),
        "suid" => json!(status("Uid", 2)),
        "fsuid" => json!(status("Uid", 3)),
        "effective_capabilities" => json!(line("CapEff").trim()),
        _ => match name.strip_suffix("_ns") {
            Some(namespace) => json!(inode(&format!("ns/{namespace}"))),
            None => panic!("nothing is known of {name}"),
        },
    }
}

/// Not the running thread's: threads have `/proc/thread-self`.
fn of_self(name: &str) -> String {
    format!("/proc/self/{name}")
}

fn link(name: &str) -> String {
    path_text(&fs::read_link(of_self(name)).expect("a link"))
}

fn path_text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

fn executable() -> fs::Metadata {
    fs::metadata(of_self("exe")).expect("the executable")
}

fn inode(name: &str) -> u64 {
    fs::metadata(of_self(name)).expect(name).ino()
}

fn line(name: &str) -> String {
    let status = fs::read_to_string(of_self("status")).expect("status");
    let found = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.expect(name).to_owned()
}

fn numbers(name: &str) -> Vec<u32> {
    line(name).split_whitespace().map(|number| number.parse().expect("a number")).collect()
}

fn status(name: &str, column: usize) -> u32 {
    numbers(name)[column]
}

fn last_status(name: &str) -> u32 {
    *numbers(name).last().expect("a number")
}
