//! Rules that are swapped while execs come as fast as they can: nothing falls between
//! two sets of them.

use std::{
    ops::ControlFlow,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use exectrail_model::{
    event::Event,
    filter::{Rule, Rules, Verdict},
    plan::{BufferSize, Plan},
};
use exectrail_sensor::Sensor;
use serde_json::Value;

use crate::{
    edge_expect::Place,
    support::{Trace, exectrail, real_kernel, subject},
};

/// Swaps; `EXECTRAIL_SWAPS` gives another number.
const SWAPS: usize = 1000;

/// A storm that begins again until it is told that it is enough.
struct Storm {
    target: String,
    running: Child,
    execs: usize,
}

impl Storm {
    const EXECS: usize = 2000;

    fn start(target: &str) -> Self {
        let running = Self::again(target);
        Self { target: target.to_owned(), running, execs: Self::EXECS }
    }

    fn again(target: &str) -> Child {
        let mut command = Command::new(subject());
        command.args(["storm", target, &Self::EXECS.to_string(), "2"]);
        command.stdout(Stdio::null()).spawn().unwrap()
    }

    fn go_on(&mut self) {
        if let Some(status) = self.running.try_wait().unwrap() {
            assert!(status.success());
            self.running = Self::again(&self.target);
            self.execs += Self::EXECS;
        }
    }

    fn is_over(&mut self) -> bool {
        self.running.try_wait().unwrap().is_some()
    }
}

fn rules(before: &Rules, texts: &[&str]) -> Rules {
    let mut rules = Rules::after(before);
    for text in texts {
        rules.push(Rule::parse(Verdict::Exclude, text, &()).unwrap()).unwrap();
    }
    rules
}

/// By path or by directory and user: the first program is always excluded, the second
/// one never.
#[test]
fn no_exec_falls_between_two_sets_of_rules() {
    if !real_kernel("no_exec_falls_between_two_sets_of_rules") {
        return;
    }
    let swaps = std::env::var("EXECTRAIL_SWAPS").map_or(SWAPS, |text| text.parse().unwrap());
    let place = Place::new();
    let (one, two) = (place.tiny("a/one"), place.tiny("b/two"));
    let below = format!("{}/**,user=0", place.at("a"));
    let sets = [[one.as_str(), "/not/there"], ["also-not-there", &below]];
    // On a busy host the reader can wait long for its turn.
    let buffer = BufferSize::at_least(64 << 20).unwrap();
    let rules_at_first = rules(&Rules::default(), &sets[0]);
    let plan = Plan { rules: rules_at_first, live: true, buffer, ..Plan::default() };
    let mut sensor = Sensor::start(&plan).unwrap();
    let (mut of_one, mut of_two) = (0, 0);
    let mut count = |event: &Event<'_>| {
        let exe = event.program().and_then(|program| program.exe).unwrap_or_default();
        of_one += usize::from(exe == one.as_bytes());
        of_two += usize::from(exe == two.as_bytes());
        ControlFlow::Continue(())
    };
    let mut storms = [Storm::start(&one), Storm::start(&two)];
    let (began, mut longest) = (Instant::now(), Duration::ZERO);
    for swap in 1..=swaps {
        let next = rules(sensor.rules(), &sets[swap % 2]);
        let swapping = Instant::now();
        sensor.replace_rules(next).unwrap();
        longest = longest.max(swapping.elapsed());
        sensor.read(&mut count);
        storms.iter_mut().for_each(Storm::go_on);
    }
    let elapsed = began.elapsed();
    let deadline = Some(Instant::now() + Duration::from_millis(10));
    while !storms.each_mut().map(Storm::is_over).into_iter().all(|is_over| is_over) {
        sensor.wait(&[], deadline).unwrap();
        sensor.read(&mut count);
    }
    // Both, so that the hits of both are shown.
    let all = rules(sensor.rules(), &[&one, &below]);
    sensor.replace_rules(all).unwrap();
    let hits: u64 = sensor.rule_hits().iter().map(|hits| hits.by_kernel + hits.by_reader).sum();
    let account = sensor.stop(&mut count);
    let [first, second] = storms.map(|storm| storm.execs);
    eprintln!(
        "{swaps} swaps in {elapsed:?}, the longest in {longest:?}; {first} execs excluded, \
         {second} shown"
    );
    assert_eq!((account.dropped(), account.missed()), (0, 0));
    assert_eq!((of_one, of_two), (0, second));
    assert_eq!(hits, first as u64);
}

/// The same through the socket.
#[test]
fn no_exec_falls_between_two_requests() {
    if !real_kernel("no_exec_falls_between_two_requests") {
        return;
    }
    let place = Place::new();
    let (one, two) = (place.tiny("a/one"), place.tiny("b/two"));
    let below = format!("{}/**", place.at("a"));
    let mut command = exectrail();
    command.env("XDG_RUNTIME_DIR", place.path()).args(["--json", "--buffer", "64M"]);
    command.args(["--exclude", &one]);
    let trace = Trace::start_command(&mut command);
    let socket = place.at(&format!("exectrail/{}.sock", trace.pid()));
    let mut storms = [Storm::start(&one), Storm::start(&two)];
    for swap in 1..=50 {
        let mut command = exectrail();
        command.args(["filter", "--socket", &socket, "replace", "--exclude"]);
        command.arg(if swap % 2 == 0 { &one } else { &below });
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        storms.iter_mut().for_each(Storm::go_on);
    }
    for storm in &mut storms {
        assert!(storm.running.wait().unwrap().success());
    }
    let outcome = trace.stop();
    let shown = [&one, &two].map(|exe| outcome.execs_of(exe).len());
    assert_eq!(shown, [0, storms[1].execs]);
    let summary: &Value = outcome.summary();
    assert_eq!((&summary["dropped"], &summary["missed"]), (&0.into(), &0.into()), "{summary}");
}
