//! The file that `exectrail run -o` writes: whose it is.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
};

use crate::{
    edge_expect::Place,
    run::{exectrail_run, outcome},
    support::real_kernel,
};

/// Who calls sudo, and with which group.
const CALLER: (u32, u32) = (65534, 65533);

/// Runs a program with `-o` this file as under sudo, and says whose the file is then.
fn owner(file: &str, options: &[&str]) -> (u32, u32) {
    let words = [options, &["-o", file, "--", "/usr/bin/true", "file-marker"]].concat();
    let mut command = exectrail_run(&words);
    command.env("SUDO_UID", CALLER.0.to_string()).env("SUDO_GID", CALLER.1.to_string());
    let (output, stderr) = outcome(&mut command);
    assert!(output.status.success(), "{stderr}");
    // Only that of this run.
    assert_eq!(fs::read_to_string(file).unwrap().matches("true file-marker").count(), 1);
    let found = fs::metadata(file).unwrap();
    (found.uid(), found.gid())
}

#[test]
fn a_file_of_a_run_under_sudo_is_its_callers() {
    if !real_kernel("a_file_of_a_run_under_sudo_is_its_callers") {
        return;
    }
    let place = Place::new();
    // As /tmp is, where the kernel is strict about files of others.
    let shared = place.directory("shared");
    fs::set_permissions(&shared, Permissions::from_mode(0o1777)).unwrap();
    let file = format!("{shared}/run.txt");
    assert_eq!(owner(&file, &[]), CALLER);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    // And once more, when it is there already.
    assert_eq!(owner(&file, &[]), CALLER);
    assert_eq!(owner(&place.at("as-root.txt"), &["--as-root"]), (0, 0));
}

/// Root's files stay root's, whatever name they are found by.
#[test]
fn what_was_there_before_is_given_to_nobody() {
    if !real_kernel("what_was_there_before_is_given_to_nobody") {
        return;
    }
    let place = Place::new();
    let there = place.at("there.txt");
    fs::write(&there, "of root\n").unwrap();
    assert_eq!(owner(&there, &[]), (0, 0));
    let (link, dangling) = (place.at("link.txt"), place.at("dangling.txt"));
    symlink(&there, &link).unwrap();
    assert_eq!(owner(&link, &[]), (0, 0));
    symlink(place.at("target.txt"), &dangling).unwrap();
    assert_eq!(owner(&dangling, &[]), (0, 0));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn a_run_that_does_not_begin_leaves_no_file() {
    let place = Place::new();
    let file = place.at("never.txt");
    let mut command = exectrail_run(&["--format", "xml", "-o", &file, "--", "/usr/bin/true"]);
    command.env("SUDO_UID", CALLER.0.to_string());
    let (output, stderr) = outcome(&mut command);
    assert_ne!(output.status.code(), Some(0), "{stderr}");
    assert!(!fs::exists(&file).unwrap(), "{stderr}");
}
