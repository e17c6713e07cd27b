//! Lines below those of the processes that they descend from.

use std::{fs, process::Command};

use crate::{
    edge_expect::Place,
    support::{Trace, exectrail, program_at, real_kernel, run},
};

/// What is below the title, without what differs from run to run.
fn lines(text: &str, place: &Place) -> Vec<String> {
    let here = format!("{}/", place.path().display());
    text.lines().skip(1).map(|line| line.replace(&here, "")).collect()
}

#[test]
fn each_program_stands_below_its_forebears() {
    if !real_kernel("each_program_stands_below_its_forebears") {
        return;
    }
    let place = Place::new();
    let inner = program_at(&place.path().join("inner")).to_owned();
    let script = format!("#!/bin/sh\n({inner} exit a; :)\n{inner} exit b\n");
    let middle = place.executable("middle", &script);
    let outer = place.executable("outer", &format!("#!/bin/sh\n{middle} x\n{inner} exit c\n"));
    let expect = [
        "/bin/sh outer",
        "  /bin/sh middle x",
        // By a copy of the shell, which has no line.
        "    inner exit a",
        "    inner exit b",
        "  inner exit c",
        // Another one begins anew.
        "inner exit d",
    ];
    let (shown, recording) = (place.at("shown"), place.at("recording"));
    let below = place.below();
    let only = ["--only", &below, "--no-control", "-o"];
    let form = ["--tree", "--fields", "args"];
    let trace = Trace::start_command(exectrail().args(form).args(only).arg(&shown));
    let record = Trace::start_command(
        exectrail().args(["record", "--ancestors", "8"]).args(only).arg(&recording),
    );
    run(&mut Command::new(&outer));
    run(Command::new(&inner).args(["exit", "d"]));
    assert!(trace.stop().status.success() && record.stop().status.success());
    assert_eq!(lines(&fs::read_to_string(&shown).unwrap(), &place), expect);

    let replayed = exectrail().arg("replay").args(form).arg(&recording).output().unwrap();
    assert!(replayed.status.success());
    assert_eq!(lines(&String::from_utf8(replayed.stdout).unwrap(), &place), expect);
    let stderr = String::from_utf8(replayed.stderr).unwrap();
    assert!(!stderr.contains("parents alone"), "{stderr}");
}

/// A line of its own for the end, which says what has ended.
#[test]
fn an_end_stands_where_its_beginning_does() {
    if !real_kernel("an_end_stands_where_its_beginning_does") {
        return;
    }
    let place = Place::new();
    let inner = place.executable("inner", "#!/bin/sh\nexit 7\n");
    let missing = place.at("missing");
    let script = format!("#!/bin/sh\n{inner} 'a b'\n{missing}\nkill -SEGV $$\n");
    let outer = place.executable("outer", &script);
    let shown = place.at("shown");
    let mut command = exectrail();
    command.args([
        "--tree",
        "-x",
        "--exit",
        "--no-control",
        "--only",
        &place.below(),
        "-o",
        &shown,
    ]);
    let trace = Trace::start_command(&mut command);
    run(&mut Command::new(&outer));
    assert!(trace.stop().status.success());
    let text = fs::read_to_string(&shown).unwrap();
    let titles: Vec<_> = text.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(titles, ["time", "pid", "ppid", "result", "program"]);
    let has = |result: &str, program: &str| {
        assert!(
            text.lines().any(|line| line.contains(result) && line.contains(program)),
            "{result} {program}: {text}"
        );
    };
    has(" exit 7      sh ", "  # after ");
    has(" ENOENT ", &format!("  {missing}  # no such file"));
    // How many megabytes is not its own doing: the peak of who forked it is its peak, too.
    has(" SIGSEGV   sh ", " CPU, ");
}

#[test]
fn a_tree_that_would_not_be_seen_is_refused() {
    for (words, says) in [
        (&["--tree", "--json"][..], "for people"),
        (&["--tree", "--format", "json"], "for people"),
        (&["--tree", "--fields", "pid,cwd"], "args, exe, filename, comm"),
    ] {
        let output = exectrail().args(words).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("--tree") && stderr.contains(says), "{stderr}");
    }
}
