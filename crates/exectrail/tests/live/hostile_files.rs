//! A full disk, a limit on files, no file descriptor left.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use serde_json::Value;

use crate::{
    edge_expect::Place,
    hostile::{EXECTRAIL, Ended, end_of, exectrail_under, under},
    support::{Trace, exectrail, is_emulated, real_kernel, run, run_subject, subject},
};

/// A disk of 64 KiB, for as long as somebody lives who sees it.
pub(crate) struct Disk {
    keeper: Child,
    pub(crate) path: String,
}

impl Disk {
    pub(crate) fn new(place: &Place) -> Self {
        let inside = place.directory("disk");
        let subject = subject();
        let tmpfs = format!("tmpfs=64k:{inside}");
        let program = [subject.to_str().unwrap(), "crowd", "/none", "0"];
        let mut keeper = under(&["mounts", &tmpfs], &program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "0", "the disk is there");
        let path = format!("/proc/{}/root{inside}", keeper.id());
        Self { keeper, path }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().unwrap();
    }
}

/// The numbers of a summary: shown, filtered, lost, seen.
pub(crate) fn account(said: &str) -> [u64; 4] {
    let line = said.lines().find(|line| line.contains("the kernel saw")).expect(said);
    let before = |word: &str| {
        let text = line.split(word).next().unwrap().trim_end_matches(|c: char| !c.is_ascii_digit());
        text.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let seen = line.split("the kernel saw ").nth(1).unwrap();
    let seen = seen.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
    [before(" event"), before(" filtered"), before(" lost"), seen]
}

/// Checks the account, and that as many lines are in the file as it says, all whole.
fn file_and_account_agree(file: &str, json: bool, said: &str) {
    let [shown, filtered, lost, seen] = account(said);
    assert_eq!(seen, shown + filtered + lost, "{said}");
    let text = fs::read(file).unwrap();
    assert!(text.is_empty() || text.ends_with(b"\n"), "the last line is whole");
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    let lines: Vec<_> = if json { lines.collect() } else { lines.skip(1).collect() };
    for line in &lines {
        assert!(line.ends_with(b"\n"));
        assert!(!json || serde_json::from_slice::<Value>(line).is_ok());
    }
    assert_eq!(lines.len() as u64, shown, "{said}");
    assert!(shown > 10 && lost > 100, "{said}");
    eprintln!("{} lines, {} bytes\n{said}", lines.len(), text.len());
}

fn storm_until_it_ends(conditions: &[&str], file: &str, args: &[&str]) -> Ended {
    let place = Place::new();
    let target = place.tiny("target");
    let command = [&[EXECTRAIL, "-o", file, "--only", &target], args].concat();
    let trace = Trace::start_command(&mut under(conditions, &command));
    // Stopped, so that more is there at once than there is room for.
    trace.signal(Signal::STOP);
    run_subject(&["storm", &target, "1500", "2"]);
    trace.signal(Signal::CONT);
    let outcome = trace.wait();
    Ended { code: outcome.status.code(), said: outcome.stderr }
}

/// What is in the file is whole, and what is not is counted.
#[test]
fn a_full_disk_keeps_whole_lines_and_the_account_true() {
    if !real_kernel("a_full_disk_keeps_whole_lines_and_the_account_true") {
        return;
    }
    let place = Place::new();
    for args in [&["--json"][..], &["--format", "pretty"], &["--json", "--fields", "pid,args"]] {
        let disk = Disk::new(&place);
        let file = format!("{}/out", disk.path);
        let ended = storm_until_it_ends(&[], &file, args);
        assert_eq!(ended.code, Some(1), "{}", ended.said);
        for words in ["No space left on device", &file, "counted as lost", "-o FILE"] {
            assert!(ended.said.contains(words), "{words}: {}", ended.said);
        }
        file_and_account_agree(&file, args[0] == "--json", &ended.said);
    }
}

/// A signal would end it without a word.
#[test]
fn a_limit_on_file_sizes_is_an_error_like_a_full_disk() {
    if !real_kernel("a_limit_on_file_sizes_is_an_error_like_a_full_disk") {
        return;
    }
    let place = Place::new();
    let file = place.at("out.jsonl");
    let ended = storm_until_it_ends(&["file-size=100000"], &file, &["--json"]);
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    for words in ["File too large", "ulimit -f", "counted as lost"] {
        assert!(ended.said.contains(words), "{words}: {}", ended.said);
    }
    file_and_account_agree(&file, true, &ended.said);
}

/// That nobody hears the words is no reason to end.
#[test]
fn a_full_disk_under_the_words_ends_nothing() {
    if !real_kernel("a_full_disk_under_the_words_ends_nothing") {
        return;
    }
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let place = Place::new();
    let target = place.tiny("target");
    let file = place.at("out.jsonl");
    let mut child = exectrail()
        .args(["--json", "--count", "1", "--only", &target, "-o", &file])
        .stderr(full())
        .spawn()
        .unwrap();
    // It cannot say when it has started.
    while child.try_wait().unwrap().is_none() {
        run(Command::new(&target).arg("unheard"));
        thread::sleep(Duration::from_millis(50));
    }
    assert!(child.wait().unwrap().success());
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("unheard") && text.contains(r#""event":"summary""#), "{text}");
    // Nor is what goes wrong.
    let status = exectrail().args(["--btf", "/none"]).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(1));
}

/// Whose programs are found by its number.
const SOMEBODY: &str = "54321";

fn programs_of_somebody() -> usize {
    run_subject(&["programs-of", SOMEBODY]).trim().parse().unwrap()
}

/// The kernel takes them down when nobody uses them any more, a little later.
#[track_caller]
fn nothing_is_left(of: &str) {
    let give_up = Instant::now() + Duration::from_secs(20);
    while programs_of_somebody() > 0 {
        assert!(Instant::now() < give_up, "something is left: {of}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// From the fewest on: each start works, or names the limit and the cure, and leaves
/// nothing in the kernel.
#[test]
fn with_too_few_file_descriptors_it_says_so_and_leaves_nothing() {
    if !real_kernel("with_too_few_file_descriptors_it_says_so_and_leaves_nothing") {
        return;
    }
    let user = format!("user={SOMEBODY}");
    let rights = [&user[..], "capabilities=bpf,perfmon,sys_admin,dac_override"];
    let args = ["--failed", "--exit"];
    let command = [&[EXECTRAIL, "--json", "--duration", "100ms"], &args[..]].concat();
    let step = if is_emulated() { 7 } else { 2 };
    let (mut refused, mut worked) = (0, 0);
    for files in (3..).step_by(step) {
        let limit = format!("files={files}");
        let conditions = [&[&limit[..]], &rights[..]].concat();
        let Ended { code, said } = end_of(&mut under(&conditions, &command));
        match code {
            Some(0) => worked += 1,
            // The program loader's, which is not ours to change.
            Some(127) if files == 3 => assert!(said.contains("Error 24"), "{said}"),
            Some(1) => {
                refused += 1;
                assert!(worked == 0, "{files}: fewer were enough: {said}");
                let limit = format!("this process may have {files} open files");
                for words in [&limit[..], "Too many open files", "ulimit -n", "LimitNOFILE="] {
                    assert!(said.contains(words), "{files}: {words}: {said}");
                }
            }
            code => panic!("{files}: {code:?}: {said}"),
        }
        nothing_is_left(&said);
        if worked > 3 {
            break;
        }
    }
    assert!(refused > 5, "{refused}");
    eprintln!("{refused} refused, {worked} worked");
    // They would have been found.
    let mut command = exectrail_under(&rights, &args);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(err.any(|line| line.unwrap().contains("tracing")));
    assert!(programs_of_somebody() > 3);
    child.kill().unwrap();
    child.wait().unwrap();
    nothing_is_left("it was killed");
}

/// A client for whom there is no descriptor goes away unheard, and the trace neither
/// stumbles nor spins.
#[test]
fn a_client_for_whom_no_descriptor_is_left_is_turned_away() {
    if !real_kernel("a_client_for_whom_no_descriptor_is_left_is_turned_away") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let runtime = place.directory("run");
    fs::set_permissions(&runtime, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let mut command = exectrail();
    command.args(["--json", "--only", &target]).env("XDG_RUNTIME_DIR", &runtime);
    let trace = Trace::start_command(&mut command);
    let pid = trace.pid();
    let list = || {
        let mut command = exectrail();
        command.args(["filter", "list", "--pid", &pid.to_string()]);
        end_of(command.env("XDG_RUNTIME_DIR", &runtime))
    };
    assert_eq!(list().code, Some(0), "{}", list().said);
    let free = Some(least_free_descriptor(pid));
    let process = Pid::from_raw(pid.try_into().unwrap());
    prlimit(process, Resource::Nofile, Rlimit { current: free, maximum: free }).unwrap();
    let used = cpu_ticks(pid);
    for _ in 0..3 {
        let Ended { code, said } = list();
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("turned us away"), "{said}");
    }
    thread::sleep(Duration::from_millis(500));
    let used = cpu_ticks(pid) - used;
    let one = run(Command::new(&target).arg("after"));
    let outcome = trace.stop();
    assert!(used < 20, "{used} hundredths of a second");
    assert_eq!(outcome.only_one_of(one)["args"][1], "after");
    assert!(outcome.stderr.contains("control socket: Too many open files"), "{}", outcome.stderr);
    outcome.summary();
}

/// The least number that no descriptor has, once the last client's is closed.
fn least_free_descriptor(pid: u32) -> u64 {
    let is_free = |fd: &u64| !Path::new(&format!("/proc/{pid}/fd/{fd}")).exists();
    let least = || (0..1000).find(is_free).unwrap();
    let looks = (0..10).map(|_| {
        thread::sleep(Duration::from_millis(100));
        least()
    });
    looks.min().unwrap()
}

/// User and system time of a process, in hundredths of a second (`USER_HZ`).
fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let field = |index: usize| rest.split_whitespace().nth(index).unwrap().parse::<u64>().unwrap();
    // Fields 14 and 15, counted from behind the name.
    field(14 - 3) + field(15 - 3)
}
