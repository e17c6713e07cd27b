//! Paths: the clean key, the long path, the deep one.

use std::{
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::support::{
    Trace, copy, program_at, real_kernel, run, run_subject, scratch, subject, tiny_at,
};

/// The oldest bug of such tracers: a buffer that keeps yesterday's bytes, so
/// that a short path after a long one matches nothing.
#[test]
fn a_short_excluded_path_after_a_long_one_is_excluded_every_time() {
    if !real_kernel("a_short_excluded_path_after_a_long_one_is_excluded_every_time") {
        return;
    }
    let directory = scratch();
    let long = path_of_length(directory.path(), 400);
    tiny_at(&long);
    let short = tiny_at(&directory.path().join("s")).to_owned();
    // The first two keep the rest of the host away from this test's account.
    let long_path = long.to_str().unwrap();
    let trace = Trace::start(&["--only", long_path, "--only", &short, "--exclude", &short]);
    run_subject(&["alternate", long_path, &short, "1000"]);
    let outcome = trace.stop();
    assert_eq!(outcome.execs_of(&short).len(), 0);
    assert_eq!(outcome.execs_of(long_path).len(), 1000);
    let summary = outcome.summary();
    assert!(summary["filtered"].as_u64().unwrap() >= 1000);
    assert_eq!(summary["dropped"], 0);
}

#[test]
fn a_path_longer_than_a_key_is_not_excluded_by_its_first_bytes() {
    if !real_kernel("a_path_longer_than_a_key_is_not_excluded_by_its_first_bytes") {
        return;
    }
    // Around both key sizes, 64 and 256 bytes: the excluded path fills a key,
    // the others go on from there, or end before.
    for size in [64, 256] {
        let directory = scratch();
        let exact = path_of_length(directory.path(), size);
        let excluded = tiny_at(&exact).to_owned();
        let longer: Vec<_> = [format!("{excluded}x"), format!("{excluded}-and-more/p")].into();
        let shorter = excluded[..excluded.len() - 1].to_owned();
        for path in longer.iter().chain([&shorter]) {
            tiny_at(Path::new(path));
        }
        let trace = Trace::start(&["--exclude", &excluded]);
        for path in longer.iter().chain([&shorter, &excluded]) {
            run(&mut Command::new(path));
        }
        let outcome = trace.stop();
        assert_eq!(outcome.execs_of(&excluded).len(), 0, "{size}");
        for path in longer.iter().chain([&shorter]) {
            assert_eq!(outcome.execs_of(path).len(), 1, "{size}: {path}");
        }
    }
}

#[test]
fn a_rule_longer_than_every_key_still_holds() {
    if !real_kernel("a_rule_longer_than_every_key_still_holds") {
        return;
    }
    let directory = scratch();
    let (excluded, kept) =
        (path_of_length(directory.path(), 300), path_of_length(directory.path(), 301));
    let (excluded, kept) = (tiny_at(&excluded).to_owned(), tiny_at(&kept).to_owned());
    let trace = Trace::start(&["--exclude", &excluded]);
    run(&mut Command::new(&excluded));
    run(&mut Command::new(&kept));
    let outcome = trace.stop();
    assert_eq!(outcome.execs_of(&excluded).len(), 0);
    assert_eq!(outcome.execs_of(&kept).len(), 1);
    let trace = Trace::start(&["--only", &excluded]);
    run(&mut Command::new(&excluded));
    run(&mut Command::new(&kept));
    let outcome = trace.stop();
    assert_eq!(outcome.execs_of(&excluded).len(), 1);
    assert_eq!(outcome.of_kind("exec").count(), 1);
}

#[test]
fn a_path_of_4095_bytes_is_whole() {
    if !real_kernel("a_path_of_4095_bytes_is_whole") {
        return;
    }
    let directory = scratch();
    let path = path_of_length(directory.path(), 4095);
    let path = tiny_at(&path).to_owned();
    assert_eq!(path.len(), 4095);
    let trace = Trace::start(&["--only", &format!("{}/**", directory.path().display())]);
    run(&mut Command::new(&path));
    let outcome = trace.stop();
    let events = outcome.execs_of(&path);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["filename"], path);
    assert_eq!(events[0]["args"][0], path);
}

/// The smallest program by this name, below so many directories; `directory` is one of them.
fn tiny_deep(directory: &Path, directories: usize, name: &str) -> String {
    let above = directory.components().count() - 1;
    let mut path = directory.to_owned();
    path.extend(std::iter::repeat_n("d", directories - above));
    tiny_at(&path.join(name)).to_owned()
}

/// The walk is four steps a call, and 24 calls above each other.
#[test]
fn deep_paths_are_whole() {
    if !real_kernel("deep_paths_are_whole") {
        return;
    }
    let directory = scratch();
    for hook in ["raw", "classic"] {
        for depth in [3, 4, 5, 94, 95, 96, 97, 98, 192, 600, 1900] {
            let path = tiny_deep(directory.path(), depth - 1, hook);
            let trace = Trace::start(&["--only", "/tmp/**", "--only", hook, "--hook", hook]);
            run(&mut Command::new(&path));
            let outcome = trace.stop();
            assert_eq!(outcome.execs_of(&path).len(), 1, "{hook}, {depth} components");
        }
    }
}

/// So are those of the working directory and of the parent's executable.
#[test]
fn deep_surroundings_are_whole() {
    if !real_kernel("deep_surroundings_are_whole") {
        return;
    }
    let directory = scratch();
    let tiny = tiny_at(&directory.path().join("tiny")).to_owned();
    for depth in [31, 33, 97, 500] {
        let parent = PathBuf::from(tiny_deep(directory.path(), depth - 1, "parent"));
        copy(subject(), &parent);
        let trace = Trace::start(&["--only", &tiny]);
        run(Command::new(&parent)
            .args(["storm", &tiny, "1", "1"])
            .current_dir(parent.parent().unwrap()));
        let outcome = trace.stop();
        let events = outcome.execs_of(&tiny);
        assert_eq!(events.len(), 1, "{depth} components");
        assert_eq!(events[0]["cwd"], json!(parent.parent().unwrap()), "{depth} components");
        assert_eq!(events[0]["parent_exe"], json!(parent), "{depth} components");
        assert_eq!(events[0]["unreadable"], json!([]), "{depth} components");
    }
}

/// A directory's rule looks at the components nearest the root, of which there may be more
/// than are kept.
#[test]
fn a_deep_program_is_below_its_own_directory_and_no_other() {
    if !real_kernel("a_deep_program_is_below_its_own_directory_and_no_other") {
        return;
    }
    for (hook, depth) in [("auto", 31), ("auto", 32), ("auto", 33), ("auto", 700), ("classic", 80)]
    {
        let (wanted, other) = (scratch(), scratch());
        let [program, others] = [&wanted, &other].map(|it| tiny_deep(it.path(), depth, "deep"));
        let rule = format!("{}/**", wanted.path().display());
        let trace = Trace::start(&["--only", &rule, "--hook", hook]);
        run(&mut Command::new(&program));
        run_subject(&["storm", &others, "20", "1"]);
        let outcome = trace.stop();
        assert_eq!(outcome.execs_of(&program).len(), 1, "{hook}, {depth} directories");
        assert_eq!(outcome.execs_of(&others).len(), 0, "{hook}, {depth} directories");
        // Nor what is to be left out.
        let trace = Trace::start(&["--only", &rule, "--exclude", &rule, "--hook", hook]);
        run_subject(&["storm", &program, "20", "1"]);
        let outcome = trace.stop();
        assert_eq!(outcome.execs_of(&program).len(), 0, "{hook}, {depth} directories");
    }
}

/// Of a path that is longer than a record keeps, a directory in the middle looks like one
/// below the root.
#[test]
fn a_path_that_is_cut_is_below_no_directory() {
    if !real_kernel("a_path_that_is_cut_is_below_no_directory") {
        return;
    }
    let directory = scratch();
    let long = "n".repeat(255);
    // 15 of these, the program, and what is no directory below the root fill 4,096 bytes but
    // for less than another.
    let script = format!(
        "cd -P {0} && mkdir {long} && cd -P {long} && mkdir no-root && cd -P no-root || exit
         for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
             mkdir {long} && cd -P {long} || exit
         done
         cp {1} program && exec ./program exit {0}",
        directory.path().display(),
        subject().display()
    );
    let trace = Trace::start(&["--exclude", "/no-root/**"]);
    run(Command::new("sh").args(["-c", &script]));
    let outcome = trace.stop();
    let seen: Vec<_> = outcome.marked(directory.path().to_str().unwrap());
    assert_eq!(seen.len(), 1, "{:#?}", outcome.summary());
    let (exe, unreadable) = (seen[0]["exe"].as_str(), &seen[0]["unreadable"]);
    assert!(exe.is_some_and(|exe| exe.starts_with("/no-root/")), "{exe:?}");
    assert_eq!(*unreadable, json!(["exe", "cwd"]));
}

#[test]
fn a_path_through_links_and_mounts_is_the_executables_own() {
    if !real_kernel("a_path_through_links_and_mounts_is_the_executables_own") {
        return;
    }
    let directory = scratch();
    let real = program_at(&directory.path().join("real")).to_owned();
    let link = directory.path().join("link");
    symlink(&real, &link).unwrap();
    let trace = Trace::start(&["--only", &format!("{}/**", directory.path().display())]);
    run(Command::new(&link).arg("exit"));
    run(Command::new("./real").current_dir(directory.path()).arg("exit"));
    // A bind mount in a mount namespace of our own: the path is what that
    // namespace sees.
    let mounted = directory.path().join("mounted");
    fs::create_dir(&mounted).unwrap();
    let script = format!(
        "mount --bind {0} {0}/mounted && exec {0}/mounted/real exit",
        directory.path().display()
    );
    run(Command::new("unshare").args(["-m", "sh", "-c", &script]));
    let outcome = trace.stop();
    let seen: Vec<_> = outcome
        .of_kind("exec")
        .map(|event| (event["filename"].as_str().unwrap(), event["exe"].as_str().unwrap()))
        .collect();
    let mounted = format!("{}/real", mounted.display());
    let expect = [(link.to_str().unwrap(), &*real), ("./real", &*real), (&*mounted, &*mounted)];
    assert_eq!(seen, expect);
}

#[test]
fn a_path_that_is_no_text() {
    if !real_kernel("a_path_that_is_no_text") {
        return;
    }
    let directory = scratch();
    let path = directory.path().join(std::ffi::OsStr::from_bytes(b"odd\xff\n\x1b[31m"));
    copy(subject(), &path);
    let trace = Trace::start(&["--only", &format!("{}/**", directory.path().display())]);
    run(Command::new(&path).arg("exit"));
    let outcome = trace.stop();
    let event = outcome.marked("exit")[0];
    let shown = format!("{}/odd\u{fffd}\n\u{1b}[31m", directory.path().display());
    assert_eq!(event["exe"], shown);
    assert!(event["exe_raw"].is_string() && event["args_raw"].is_array());
}

/// A path of exactly so many bytes, below a directory.
fn path_of_length(directory: &Path, bytes: usize) -> PathBuf {
    let mut path = directory.to_str().unwrap().to_owned();
    while path.len() + 202 < bytes {
        path.push('/');
        path.push_str(&"l".repeat(200));
    }
    let rest = bytes - path.len();
    if rest > 1 {
        path.push('/');
        path.push_str(&"p".repeat(rest - 1));
    }
    assert_eq!(path.len(), bytes);
    PathBuf::from(path)
}
