//! Trees of processes: who is in them, however born, and whatever became of whom they
//! were born to.

use std::{ops::ControlFlow, process::Command, thread};

use exectrail_model::{
    args::Arg,
    filter::{Rule, Rules, Verdict},
    plan::Plan,
};
use exectrail_sensor::Sensor;
use serde_json::json;

use crate::{
    edge_expect::Place,
    rules_workers::Worker,
    support::{Trace, exectrail, real_kernel, run_subject, subject},
};

/// Ways to be born; of a worker's siblings its parent has to take leave.
const BIRTHS: [&str; 7] =
    ["fork", "vfork", "thread", "session", "orphan", "execs-from-thread", "sibling"];

/// A program, and somebody in a tree and somebody outside who run it.
struct Scene {
    place: Place,
    target: String,
    inside: Worker,
    outside: Worker,
}

impl Scene {
    fn new() -> Self {
        let (place, program) = (Place::new(), subject());
        let target = place.tiny("target");
        let (inside, outside) =
            [0; 2].map(|_| Worker::below_a_shell(program.to_str().unwrap())).into();
        Self { place, target, inside, outside }
    }

    /// The shell below which everybody inside was born.
    fn root(&self) -> u32 {
        self.inside.line[2]
    }

    fn order(&self, birth: &str, marker: &str) -> serde_json::Value {
        let args = json!([self.target, birth, marker]);
        json!({ "how": "path", "path": self.target, "birth": birth, "args": args })
    }

    /// Everybody runs the program, born in each way.
    fn everybody(&mut self) {
        for birth in BIRTHS {
            self.inside.order(&self.order(birth, "inside"));
            self.outside.order(&self.order(birth, "outside"));
        }
    }

    fn births(events: &[&serde_json::Value]) -> Vec<String> {
        events.iter().map(|event| event["args"][1].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_tree_has_those_who_are_born_in_any_way() {
    if !real_kernel("a_tree_has_those_who_are_born_in_any_way") {
        return;
    }
    let mut scene = Scene::new();
    let root = scene.root().to_string();
    let trace = Trace::start(&["--follow", &root]);
    scene.everybody();
    let outcome = trace.stop();
    assert_eq!(Scene::births(&outcome.marked("inside")), BIRTHS);
    assert_eq!(outcome.marked("outside").len(), 0);

    let exclude = format!("tree={root}");
    let trace = Trace::start(&["--only", &scene.place.below(), "--exclude", &exclude]);
    scene.everybody();
    let outcome = trace.stop();
    assert_eq!(Scene::births(&outcome.marked("outside")), BIRTHS);
    assert_eq!(outcome.marked("inside").len(), 0);
}

/// Who is born as a sibling belongs to those whose birth it was, and not to everybody
/// else's whose parent it has.
#[test]
fn a_sibling_is_in_the_trees_of_who_gave_birth_to_it() {
    if !real_kernel("a_sibling_is_in_the_trees_of_who_gave_birth_to_it") {
        return;
    }
    let mut scene = Scene::new();
    let trace = Trace::start(&["--follow", &scene.inside.pid.to_string()]);
    scene.everybody();
    let outcome = trace.stop();
    assert_eq!(Scene::births(&outcome.marked("inside")), BIRTHS);
    let sibling = outcome.marked("inside").into_iter().find(|event| event["args"][1] == "sibling");
    assert_eq!(sibling.unwrap()["ppid"], scene.inside.line[1]);
    assert_eq!(outcome.marked("outside").len(), 0);
}

/// Children and grandchildren from before the trace have many more while it begins.
#[test]
fn a_tree_from_before_is_whole() {
    if !real_kernel("a_tree_from_before_is_whole") {
        return;
    }
    let turns = 2_100;
    let mut scene = Scene::new();
    let script = scene.place.executable("script", &format!("#!{}\n", scene.target));
    let unmappable = scene.place.at("unmappable");
    run_subject(&["unmappable", &unmappable]);
    let root = scene.root().to_string();
    let storm = |target: &str, script: &str| {
        let (turns, program) = (turns.to_string(), subject());
        let program = program.to_str().unwrap();
        let args = json!(["storm", "storm-of-births", target, script, unmappable, turns, "4"]);
        json!({ "how": "path", "path": program, "args": args })
    };
    let elsewhere = scene.place.tiny("elsewhere");
    let noise = storm(&elsewhere, &elsewhere);
    let trace = Trace::start(&["--follow", &root]);
    thread::scope(|scope| {
        let Scene { inside, outside, target, .. } = &mut scene;
        scope.spawn(|| inside.order(&storm(target, &script)));
        scope.spawn(|| outside.order(&noise));
    });
    let outcome = trace.stop();
    // One of seven ways is an exec that fails, and is not asked for.
    assert_eq!(outcome.execs_of(&scene.target).len(), turns / 7 * 6);
    let of_inside = |path: &str| path == scene.target || path == script;
    for event in outcome.of_kind("exec") {
        let (filename, exe) = (event["filename"].as_str().unwrap(), event["exe"].as_str().unwrap());
        let is_subject = exe == subject().to_str().unwrap();
        assert!(of_inside(filename) || is_subject, "{event}");
    }
    assert_eq!(outcome.summary()["dropped"], 0);
}

/// A trace that begins in the middle of a storm shows all of it from then on.
#[test]
fn descendants_outlive_their_root() {
    if !real_kernel("descendants_outlive_their_root") {
        return;
    }
    let mut scene = Scene::new();
    let root = scene.root();
    let trace = Trace::start(&["--follow", &root.to_string()]);
    scene.inside.end_the_first();
    scene.everybody();
    let outcome = trace.stop();
    assert_eq!(Scene::births(&outcome.marked("inside")), BIRTHS);
    assert_eq!(outcome.marked("outside").len(), 0);
}

/// Other rules can come when the root has gone, and those it leaves stay in its tree.
#[test]
fn rules_are_replaced_after_the_end_of_a_root() {
    if !real_kernel("rules_are_replaced_after_the_end_of_a_root") {
        return;
    }
    let mut scene = Scene::new();
    let root = scene.root();
    let rule = |text: &str| Rule::parse(Verdict::Only, text, &()).unwrap();
    let mut rules = Rules::default();
    rules.push(rule(&format!("tree={root}"))).unwrap();
    let mut sensor = Sensor::start(&Plan { live: true, rules, ..Plan::default() }).unwrap();
    scene.inside.end_the_first();

    for more in ["/nowhere", "/somewhere"] {
        let mut rules = Rules::after(sensor.rules());
        rules.push(rule(&format!("tree={root}"))).unwrap();
        rules.push(rule(more)).unwrap();
        sensor.replace_rules(rules).unwrap();
        let mut shown = Vec::new();
        scene.everybody();
        sensor.read(&mut |event| {
            let args = event.program().and_then(|program| program.args).unwrap_or_default();
            if let Some(Arg::Whole(last)) = args.iter().last() {
                shown.push(String::from_utf8_lossy(last).into_owned());
            }
            ControlFlow::Continue(())
        });
        assert_eq!(shown, ["inside"; BIRTHS.len()]);
    }
}

/// What is not there has no tree, and no program would ever be shown.
#[test]
fn a_wrong_process_id_is_an_error() {
    if !real_kernel("a_wrong_process_id_is_an_error") {
        return;
    }
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let gone = child.id().to_string();
    for (option, value) in [("--follow", gone.clone()), ("--exclude", format!("tree={gone}"))] {
        let output = exectrail().args([option, &value, "--duration", "1"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{said}");
        assert!(said.contains(&format!("there is no process {gone}")), "{said}");
    }
}

/// The id of a thread is none of a process, and nobody has it for a parent.
#[test]
fn the_id_of_a_thread_is_not_taken_for_a_process() {
    if !real_kernel("the_id_of_a_thread_is_not_taken_for_a_process") {
        return;
    }
    let thread = rustix::thread::gettid().as_raw_nonzero().to_string();
    assert_ne!(thread, std::process::id().to_string(), "tests have threads of their own");
    let output = exectrail().args(["--follow", &thread, "--duration", "1"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains(&thread), "{said}");
}
