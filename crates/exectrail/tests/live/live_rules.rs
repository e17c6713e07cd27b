//! Rules that change while the trace runs, and what can be seen of them.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::PathBuf,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    edge_expect::Place,
    support::{Trace, exectrail, is_emulated, real_kernel, run, subject},
};

/// A running exectrail with a run-time directory of the test's own.
struct Live {
    place: Place,
    trace: Trace,
}

impl Live {
    fn start(place: Place, args: &[&str]) -> Self {
        let mut command = exectrail();
        command.env("XDG_RUNTIME_DIR", place.path()).arg("--json").args(args);
        let trace = Trace::start_command(&mut command);
        Self { place, trace }
    }

    fn socket(&self) -> PathBuf {
        self.place.path().join(format!("exectrail/{}.sock", self.trace.pid()))
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(self.socket()).unwrap()
    }

    fn filter(&self, args: &[&str]) -> Output {
        let socket = self.socket();
        let mut command = exectrail();
        command.arg("filter").args(["--socket", socket.to_str().unwrap()]).args(args);
        command.output().unwrap()
    }

    #[track_caller]
    fn done(&self, args: &[&str]) -> String {
        let output = self.filter(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn refused(&self, args: &[&str], code: i32, says: &str) {
        let output = self.filter(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(says), "{args:?} does not say {says:?}: {stderr}");
    }

    fn rules(&self) -> Vec<Value> {
        let answer: Value = serde_json::from_str(&self.done(&["list", "--json"])).unwrap();
        answer["rules"]["rules"].as_array().unwrap().clone()
    }

    fn texts(&self) -> Vec<String> {
        let rules = self.rules();
        let text = |rule: &Value| {
            format!("{} {}", rule["verdict"].as_str().unwrap(), rule["rule"].as_str().unwrap())
        };
        rules.iter().map(text).collect()
    }
}

fn exec(program: &str, marker: &str) {
    run(Command::new(program).arg(marker));
}

#[test]
fn rules_come_and_go_at_once() {
    if !real_kernel("rules_come_and_go_at_once") {
        return;
    }
    let place = Place::new();
    let (one, two) = (place.tiny("one"), place.tiny("two"));
    let live = Live::start(place, &["--only", &one, "--only", &two]);
    exec(&one, "before");
    live.done(&["add", "--exclude", &one, "--exclude", "arg=hidden"]);
    exec(&one, "excluded");
    exec(&two, "hidden");
    exec(&two, "kept");
    // A wrong one of several changes nothing.
    live.refused(&["add", "--exclude", &two, "--only", "usr=root"], 2, "usr=root\n  ^^^");
    live.refused(&["remove", "1", "17"], 2, "no rule `17`");
    live.refused(&["add"], 2, "say which");
    exec(&two, "still-kept");
    live.done(&["remove", &format!("path={two}"), "4"]);
    let texts = live.texts();
    exec(&two, "not-wanted-any-more");
    live.done(&["remove", "arg=hidden"].map(|name| if name == "arg=hidden" { "2" } else { name }));
    exec(&one, "after");
    live.done(&["replace", "--only", &two]);
    exec(&one, "replaced");
    exec(&two, "of-the-replacement");
    let outcome = live.trace.stop();
    assert_eq!(texts, [format!("only {one}"), format!("exclude {one}")]);
    for (marker, times) in [
        ("before", 1),
        ("excluded", 0),
        ("hidden", 0),
        ("kept", 1),
        ("still-kept", 1),
        ("not-wanted-any-more", 0),
        ("after", 1),
        ("replaced", 0),
        ("of-the-replacement", 1),
    ] {
        assert_eq!(outcome.marked(marker).len(), times, "{marker}");
    }
    assert_eq!(outcome.summary()["dropped"], 0);
}

#[test]
fn a_hangup_reads_the_files_again() {
    if !real_kernel("a_hangup_reads_the_files_again") {
        return;
    }
    let place = Place::new();
    let (one, two) = (place.tiny("one"), place.tiny("two"));
    let file = place.at("config.toml");
    let exclude = |path: &str| format!("[[exclude]]\npath = \"{path}\"\nlabel = \"it\"\n");
    fs::write(&file, exclude(&one)).unwrap();
    let (only_one, only_two) = (one.clone(), two.clone());
    let args = ["--config", &file, "--only", &only_one, "--only", &only_two];
    let live = Live::start(place, &args);
    let hang_up = || {
        live.trace.signal(Signal::HUP);
        thread::sleep(Duration::from_millis(200));
        live.texts()
    };
    let wanted = |excluded: &str| {
        [format!("exclude {excluded}"), format!("only {one}"), format!("only {two}")]
    };
    exec(&one, "one-first");
    live.done(&["add", "--exclude", "something"]);
    fs::write(&file, "failed = true\n".to_owned() + &exclude(&two)).unwrap();
    assert_eq!(hang_up(), wanted(&two));
    let rules = live.rules();
    assert_eq!(
        (&rules[0]["place"], &rules[0]["label"]),
        (&json!(format!("{file}:2")), &json!("it"))
    );
    exec(&one, "one-second");
    exec(&two, "two-second");
    for broken in ["[[exclude]]\npath = \"usr/bin\"\n", "[[exclud]]", "\u{0}"] {
        fs::write(&file, broken).unwrap();
        assert_eq!(hang_up(), wanted(&two));
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(hang_up(), wanted(&two));
    exec(&two, "two-third");
    let outcome = live.trace.stop();
    for (marker, times) in
        [("one-first", 0), ("one-second", 1), ("two-second", 0), ("two-third", 0)]
    {
        assert_eq!(outcome.marked(marker).len(), times, "{marker}");
    }
    let said = &outcome.stderr;
    assert!(said.contains("rules in force: 3") && said.contains("changes failed;"), "{said}");
    assert!(said.contains("line 2, column 9") && said.contains("        ^^^^^^^"), "{said}");
    assert_eq!(said.matches("the rules stay as they were").count(), 4, "{said}");
}

#[test]
fn hits_are_counted_exactly() {
    const EXECS: u64 = 2000;
    if !real_kernel("hits_are_counted_exactly") {
        return;
    }
    let place = Place::new();
    let names = ["by-kernel", "below/by-kernel", "by-reader", "wanted"];
    let [path, below, glob, wanted] = names.map(|name| place.tiny(name));
    let root = place.path().to_str().unwrap().to_owned();
    let rules = [
        ("--exclude", path.clone()),
        ("--exclude", format!("{root}/below/**,user=root")),
        ("--exclude", format!("{root}/by-read??")),
        ("--exclude", format!("{root}/never")),
        ("--only", format!("{root}/**")),
    ];
    let args: Vec<_> = rules.iter().flat_map(|(flag, rule)| [*flag, rule]).collect();
    let live = Live::start(place, &args);
    let storms = [&path, &below, &glob, &wanted].map(|target| {
        let mut command = Command::new(subject());
        command.args(["storm", target, &EXECS.to_string(), "2"]).stdout(Stdio::null());
        command.spawn().unwrap()
    });
    for mut storm in storms {
        assert!(storm.wait().unwrap().success());
    }
    let stats: Value = serde_json::from_str(&live.done(&["stats", "--json"])).unwrap();
    let text = live.done(&["stats"]);
    // It counts on when it comes again.
    live.done(&["remove", "1"]);
    live.done(&["add", "--exclude", &path]);
    exec(&path, "x");
    let again = live.rules();
    let summary = live.trace.stop().summary().clone();
    let hits = |row: &Value| {
        let number = |name: &str| row[name].as_u64().unwrap();
        (number("hits_kernel"), number("hits_here"), row["decided"].as_str().unwrap().to_owned())
    };
    let found: Vec<_> = stats.as_array().unwrap().iter().map(hits).collect();
    let expect = [
        (EXECS, 0, "kernel"),
        (EXECS, 0, "kernel"),
        (0, EXECS, "here"),
        (0, 0, "kernel"),
        (0, EXECS, "both"),
    ];
    assert_eq!(found, expect.map(|(kernel, here, decided)| (kernel, here, decided.to_owned())));
    assert_eq!(text.matches("never matched").count(), 1, "{text}");
    assert_eq!(hits(&again[4]), (EXECS + 1, 0, "kernel".to_owned()));
    assert_eq!((&summary["dropped"], &summary["delivered"]), (&json!(0), &json!(EXECS)));
}

#[test]
fn a_trial_says_what_the_kernel_does() {
    if !real_kernel("a_trial_says_what_the_kernel_does") {
        return;
    }
    let place = Place::new();
    let (one, two) = (place.tiny("one"), place.tiny("two"));
    let live = Live::start(place, &["--only", &one, "--only", &two]);
    live.done(&["add", "--exclude", &format!("user=root,{one}"), "--exclude", "arg=h?dden"]);
    let test = |args: &[&str]| live.done(&[&["test"], args].concat());
    let said = test(&["--user", "root", "--", &one]);
    assert!(said.starts_with("not shown: rule 3") && said.contains("in the kernel"), "{said}");
    let said = test(&["--", &two, "hidden"]);
    assert!(said.starts_with("not shown: rule 4") && said.contains("here"), "{said}");
    assert!(test(&["--user", "1", "--", &one]).starts_with("shown: rule 1"));
    assert!(test(&["--", "/bin/ls"]).starts_with("not shown: it is nothing"));
    live.refused(&["test", "--user", "nobody-at-all", "--", &one], 2, "no user");
    live.refused(&["test", "--", "name"], 2, "path");
    exec(&one, "as-root");
    exec(&two, "hidden");
    exec(&two, "seen");
    let outcome = live.trace.stop();
    let shown = ["as-root", "hidden", "seen"].map(|marker| outcome.marked(marker).len());
    assert_eq!(shown, [0, 0, 1]);
}

/// Without a running exectrail, and without rights.
#[test]
fn a_trial_of_rules_on_the_command_line() {
    let place = Place::new();
    let file = place.at("config.toml");
    fs::write(&file, "[[exclude]]\nname = \"c*t\"\nlabel = \"pets\"\n").unwrap();
    let test = |args: &[&str]| {
        let output = exectrail().args(["filter", "test"]).args(args).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap(), text)
    };
    let (code, said) = test(&["--config", &file, "--", "/bin/cat"]);
    assert!(code == 0 && said.starts_with("not shown: rule 1, exclude 'c*t' (pets, "), "{said}");
    let (code, said) = test(&["--exclude", "/x,result=ENOENT", "--errno", "2", "--", "/x"]);
    assert!(code == 0 && said.contains("in the kernel"), "{said}");
    let (code, said) = test(&["--json", "--only", "parent=sh", "--parent", "/bin/sh", "--", "/x"]);
    let judged: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &judged["judged"]["shown"]), (0, &json!(true)));
    assert_eq!(test(&["--exclude", "usr=x", "--", "/x"]).0, 2);
    fs::write(&file, "[[exclude]]\nnme = \"c*t\"\n").unwrap();
    let (code, said) = test(&["--config", &file, "--", "/bin/cat"]);
    assert!(code == 78 && said.contains("line 2") && said.contains("^^^"), "{said}");
}

#[test]
fn the_dump_is_what_the_kernel_has() {
    if !real_kernel("the_dump_is_what_the_kernel_has") {
        return;
    }
    let live = Live::start(Place::new(), &["--exclude", "/x/one", "--exclude", "/x/dir/**"]);
    live.done(&["replace", "--exclude", "/x/two", "--exclude", "user=7,/x/one"]);
    let dump: Value = serde_json::from_str(&live.done(&["dump", "--json"])).unwrap();
    let text = live.done(&["dump"]);
    live.trace.stop();
    let active = usize::try_from(dump["dump"]["active"].as_u64().unwrap()).unwrap();
    let maps = dump["dump"]["maps"].as_array().unwrap();
    let entry = |map: &str, text: &str| {
        let map = maps.iter().find(|found| found["name"] == map).unwrap();
        let entries = map["entries"].as_array().unwrap();
        entries
            .iter()
            .find(|entry| entry["text"] == text)
            .unwrap_or_else(|| panic!("{map}"))
            .clone()
    };
    let one = entry("SHORT_PATHS", "/x/one");
    assert_eq!(one["key"], format!("{:0<128}", "2f782f6f6e65"));
    // A plain rule before, one of several selectors now.
    assert_eq!(one["says"][1 - active], "exclude #0");
    assert_eq!(one["says"][active], "bits 0");
    let two = entry("SHORT_PATHS", "two<x");
    assert_eq!(
        (&two["says"][active], &two["says"][1 - active]),
        (&json!("exclude #2"), &json!("bits -"))
    );
    assert_eq!(entry("NUMBERS", "user 7")["says"][active], "bits 0");
    assert_ne!(entry("PREFIXES", "/x/dir/")["says"][1 - active], "bits -");
    for words in ["SHORT_PATHS: 4 entries", "two<x", "2f782f6f 6e65 (58 bytes of zero)", "holds"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn which_exectrail_is_meant() {
    if !real_kernel("which_exectrail_is_meant") {
        return;
    }
    let first = Live::start(Place::new(), &[]);
    let directory = first.place.path().join("exectrail");
    assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o7777, 0o700);
    // Of one that was killed, or of another program's past.
    let dead = directory.join("1.sock");
    drop(UnixListener::bind(&dead).unwrap());
    // With a /run of its own, it sees none but those of this test.
    let filter = |args: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", "mount -t tmpfs none /run && exec \"$@\"", "sh"]);
        command.arg(env!("CARGO_BIN_EXE_exectrail")).arg("filter").args(args);
        command.env("XDG_RUNTIME_DIR", first.place.path()).output().unwrap()
    };
    let code = |args: &[&str]| filter(args).status.code();
    let output = filter(&["list"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(code(&["list", "--pid", "1"]), Some(69));
    let mut command = exectrail();
    command.env("XDG_RUNTIME_DIR", first.place.path()).arg("--json");
    let second = Trace::start_command(&mut command);
    assert!(!dead.exists(), "a dead socket is removed by the next one");
    let output = filter(&["list"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(&format!("--pid {}", first.trace.pid())), "{said}");
    assert!(said.contains(&format!("--pid {}", second.pid())), "{said}");
    assert_eq!(code(&["list", "--pid", &second.pid().to_string()]), Some(0));
    second.stop();
    assert_eq!(code(&["list"]), Some(0));
    let socket = first.socket();
    first.trace.stop();
    assert!(!socket.exists());
}

#[test]
fn without_a_socket_the_trace_goes_on() {
    if !real_kernel("without_a_socket_the_trace_goes_on") {
        return;
    }
    let place = Place::new();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let none = Live::start(place, &["--no-control"]);
    assert!(!none.place.path().join("exectrail").exists());
    let output = none.filter(&["list"]);
    assert_eq!(output.status.code(), Some(69), "{output:?}");
    assert!(none.trace.stop().status.success());
}

#[test]
fn hostile_clients_are_left_behind() {
    if !real_kernel("hostile_clients_are_left_behind") {
        return;
    }
    let place = Place::new();
    let one = place.tiny("one");
    let live = Live::start(place, &["--only", &one]);
    let mut half = live.connect();
    half.write_all(b"{\"v\":1,\"ask\"").unwrap();
    for words in ["", "{\"v\":1,\"ask\":\"rules\"}\n", "\n\n\n"] {
        live.connect().write_all(words.as_bytes()).unwrap();
    }
    // It asks and asks, and never reads.
    let mut deaf = live.connect();
    deaf.set_nonblocking(true).unwrap();
    let asked = (0..10_000).take_while(|_| deaf.write_all(b"{\"v\":1,\"ask\":\"dump\"}\n").is_ok());
    assert!(asked.count() > 10);
    // It is to be over before the patience with a client is.
    let execs = if is_emulated() { 100 } else { 2000 };
    let storm = Command::new(subject())
        .args(["storm", &one, &execs.to_string(), "2"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut flood = live.connect();
    let chunk = vec![b'x'; 1 << 20];
    let sent = (0..1024).take_while(|_| flood.write_all(&chunk).is_ok()).count();
    assert!((16..64).contains(&sent), "{sent} MiB of 1024 were taken");
    let mut said = String::new();
    // What it sent beyond the limit can cost it the answer.
    if flood.read_to_string(&mut said).is_ok() {
        assert!(said.contains("16 MiB") || said.is_empty(), "{said}");
    }
    let crowd: Vec<_> = (0..20).map(|_| live.connect()).collect();
    thread::sleep(Duration::from_millis(100));
    drop(crowd);
    assert!(storm.wait_with_output().unwrap().status.success());
    assert_eq!(live.texts(), [format!("only {one}")]);
    // Who has begun and goes on in time is served.
    half.write_all(b":\"rules\"}\n{\"v\":7,\"ask\":\"x\"}\n").unwrap();
    let mut lines = BufReader::new(half).lines();
    assert!(lines.next().unwrap().unwrap().contains("since_start_ns"));
    assert!(lines.next().unwrap().unwrap().contains("version 1"));
    let began = Instant::now();
    let mut silent = live.connect();
    assert_eq!(silent.read(&mut [0; 1]).unwrap(), 0, "it is left behind");
    assert!(began.elapsed() > Duration::from_secs(5));
    let outcome = live.trace.stop();
    assert_eq!(outcome.execs_of(&one).len(), execs);
    assert_eq!(outcome.summary()["dropped"], 0);
}

/// Rules are changed by one that may do nothing any more.
#[test]
fn after_the_start_no_capability_is_left() {
    if !real_kernel("after_the_start_no_capability_is_left") {
        return;
    }
    let place = Place::new();
    let one = place.tiny("one");
    let live = Live::start(place, &["--failed", "--exit", "--only", &one]);
    let tasks = fs::read_dir(format!("/proc/{}/task", live.trace.pid())).unwrap();
    let status = |task: PathBuf| fs::read_to_string(task.join("status")).unwrap();
    for status in tasks.map(|task| status(task.unwrap().path())) {
        for name in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert!(status.contains(&format!("{name}:\t0000000000000000")), "{status}");
        }
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    }
    let own = std::process::id();
    let tree = format!("tree={own}");
    live.done(&["replace", "--only", &format!("{tree},{one}"), "--exclude", "ns=host,arg=x"]);
    exec(&one, "in-the-tree");
    live.done(&["add", "--exclude", &tree]);
    exec(&one, "excluded");
    let outcome = live.trace.stop();
    let shown = ["in-the-tree", "excluded"].map(|marker| outcome.marked(marker).len());
    // Its start and its end.
    assert_eq!(shown, [2, 0]);
}

#[test]
fn ten_thousand_paths_are_replaced_by_others() {
    if !real_kernel("ten_thousand_paths_are_replaced_by_others") {
        return;
    }
    let place = Place::new();
    let (one, two) = (place.tiny("one"), place.tiny("two"));
    let files = ["first", "second", "third"].map(|name| {
        let rule = |path: &str| format!("[[exclude]]\npath = \"{path}\"\n");
        let paths = (0..10_000).map(|number| format!("/opt/{name}/{number}/program"));
        let last = if name == "second" { &one } else { &two };
        let text: String = paths.chain([last.clone()]).map(|path| rule(&path)).collect();
        let file = place.at(name);
        fs::write(&file, text).unwrap();
        file
    });
    let live = Live::start(place, &[]);
    for (turn, file) in files.iter().cycle().take(6).enumerate() {
        let began = Instant::now();
        live.done(&["replace", "--config", file]);
        eprintln!("10,001 rules replaced in {:?}", began.elapsed());
        let excluded = if turn % 3 == 1 { &one } else { &two };
        exec(excluded, "excluded");
        exec(if excluded == &one { &two } else { &one }, "kept");
    }
    let (rules, dump) = (live.rules(), live.done(&["dump"]));
    let outcome = live.trace.stop();
    assert!(rules.len() == 10_001 && rules.iter().all(|rule| rule["decided"] == "kernel"));
    assert!(dump.contains("/opt/third/9999/program"));
    assert_eq!((outcome.marked("excluded").len(), outcome.marked("kept").len()), (0, 6));
}
