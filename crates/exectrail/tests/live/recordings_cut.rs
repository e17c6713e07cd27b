//! Recordings whose writer was killed, or had no room, and such that are still written.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    edge_expect::Place,
    hostile_files::{Disk, account},
    rules_universe::Random,
    support::{Trace, exectrail, is_emulated, real_kernel, run, run_subject, subject},
};

/// Bytes of the head of a file, and of a frame's heading (docs/recording.md).
const HEAD: usize = 16;
const HEADING: usize = 36;

/// Counted by hand: the events in whole frames, and the bytes behind these.
fn whole_frames(bytes: &[u8]) -> (u64, usize) {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut at, mut events) = (HEAD, 0);
    while bytes.len() >= at + HEADING {
        assert_eq!(&bytes[at..at + 4], b"\xfeXRF", "a frame at {at}");
        let next = at + HEADING + usize::try_from(word(at + 8)).unwrap();
        if next > bytes.len() {
            break;
        }
        events += u64::from(word(at + 24));
        at = next;
    }
    (events, bytes.len().saturating_sub(at))
}

/// What a replay of it says: how many events, how many of these tell losses, and its words.
fn replayed(file: &str) -> (u64, u64, String) {
    let output = exectrail().args(["replay", "--json", "--no-fold", file]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let (mut events, mut losses) = (0, 0);
    for line in lines.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        events += u64::from(event["event"] != "summary");
        losses += u64::from(event["event"] == "lost");
    }
    (events, losses, stderr)
}

/// At moments by chance: of what was written, all whole frames are read. `EXECTRAIL_KILLS`
/// gives another number of kills.
#[test]
fn what_was_written_before_a_kill_is_read() {
    if !real_kernel("what_was_written_before_a_kill_is_read") {
        return;
    }
    let place = Place::new();
    let target = place.tiny("target");
    let kills = std::env::var("EXECTRAIL_KILLS").ok().and_then(|text| text.parse().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut random = Random(u64::from(now.subsec_nanos()) | 1);
    let (mut read, mut torn) = (0, 0);
    for round in 0..kills.unwrap_or(if is_emulated() { 2 } else { 5 }) {
        let file = place.at(&format!("{round}.rec"));
        let mut command = exectrail();
        command.args(["record", "--exit", "-x", "--only", &target, "-o", &file]);
        let recorder = Trace::start_command(&mut command);
        let mut storm = Command::new(subject())
            .args(["storm", &target, "100000", "2"])
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(random.next() % 900));
        recorder.signal(Signal::KILL);
        let outcome = recorder.wait();
        assert!(!outcome.status.success());
        // With its workers.
        kill_process_group(Pid::from_child(&storm), Signal::KILL).unwrap();
        storm.wait().unwrap();
        let bytes = fs::read(&file).unwrap();
        let (events, rest) = whole_frames(&bytes);
        let (shown, _, said) = replayed(&file);
        assert_eq!(shown, events, "{round}: {said}");
        assert!(said.contains("ends without its account"), "{said}");
        assert!(
            rest == 0 || bytes.len() < HEAD || said.contains(&format!("{rest} byte")),
            "{said}"
        );
        read += events;
        torn += u64::from(rest > 0);
        fs::remove_file(file).unwrap();
    }
    assert!(read > 0);
    eprintln!("{read} events read after the kills; {torn} files had an end that was not whole");
}

#[test]
fn a_full_disk_ends_a_recording_with_a_whole_frame() {
    if !real_kernel("a_full_disk_ends_a_recording_with_a_whole_frame") {
        return;
    }
    let place = Place::new();
    let disk = Disk::new(&place);
    let target = place.tiny("target");
    let file = format!("{}/full.rec", disk.path);
    let mut command = exectrail();
    command.args(["record", "--only", &target, "-o", &file]);
    let recorder = Trace::start_command(&mut command);
    run_subject(&["storm", &target, if is_emulated() { "4000" } else { "20000" }, "2"]);
    let outcome = recorder.wait();
    assert_eq!(outcome.status.code(), Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("No space left on device"), "{}", outcome.stderr);
    let [kept, filtered, lost, seen] = account(&outcome.stderr);
    assert_eq!(seen, kept + filtered + lost, "{}", outcome.stderr);
    let (events, rest) = whole_frames(&fs::read(&file).unwrap());
    let (shown, losses, _) = replayed(&file);
    assert_eq!((events, events - losses, rest), (shown, kept, 0), "{}", outcome.stderr);
    eprintln!("{}", outcome.stderr);
}

#[test]
fn a_recording_is_shown_while_it_is_written() {
    if !real_kernel("a_recording_is_shown_while_it_is_written") {
        return;
    }
    let place = Place::new();
    let (file, tiny) = (place.at("test.rec"), place.tiny("tiny"));
    let mut command = exectrail();
    command.args(["record", "--only", &place.below(), "-o", &file]);
    let recorder = Trace::start_command(&mut command);
    let mut command = exectrail();
    command.args(["replay", "--tail", "--json", &file]).stdout(Stdio::piped());
    let mut replay = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(replay.stdout.take().unwrap()).lines();
    for number in 0..3 {
        let marker = format!("tail-marker-{number}");
        run(Command::new(&tiny).arg(&marker));
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains(&marker), "{line}");
    }
    assert!(recorder.stop().status.success());
    assert!(lines.next().unwrap().unwrap().contains("\"summary\""));
    let output = replay.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// In the middle: that place is told, and what is behind it is shown.
#[test]
fn a_damaged_middle_is_told_and_passed_over() {
    if !real_kernel("a_damaged_middle_is_told_and_passed_over") {
        return;
    }
    let place = Place::new();
    let (file, tiny) = (place.at("test.rec"), place.tiny("tiny"));
    let mut command = exectrail();
    command.args(["record", "--only", &place.below(), "-o", &file]);
    let recorder = Trace::start_command(&mut command);
    for _ in 0..3 {
        run(&mut Command::new(&tiny));
        // Long enough for a frame of its own.
        thread::sleep(Duration::from_millis(1500));
    }
    assert!(recorder.stop().status.success());
    let mut bytes = fs::read(&file).unwrap();
    let starts: Vec<_> =
        (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"\xfeXRF")).collect();
    // The description, three events, the account.
    let [_, _, second, third, _] = starts[..] else { panic!("{starts:?}") };
    bytes[second + HEADING + 5] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let output = exectrail().args(["replay", "--json", &file]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let words = format!("damaged at byte {second}: {} bytes", third - second);
    assert!(stderr.contains(&words) && stderr.contains("1 events were in them"), "{stderr}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let [first, last, summary] = lines.lines().collect::<Vec<_>>()[..] else { panic!("{lines}") };
    assert!(first.contains("\"exec\"") && last.contains("\"exec\""));
    let summary: serde_json::Value = serde_json::from_str(summary).unwrap();
    assert_eq!((&summary["delivered"], &summary["dropped"]), (&2.into(), &1.into()));
}
