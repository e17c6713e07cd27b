//! Kernel structures are read in one of two ways: both tell the same.

use std::process::Command;

use crate::{
    edge_expect::Place,
    support::{Outcome, Trace, real_kernel, run},
};
use serde_json::Value;

/// What differs, since each looks at its own moment, or the sooner the sooner it is done.
const OF_THE_MOMENT: [&str; 6] =
    ["time", "ktime", "latency_ns", "duration_ns", "cpu_user_ns", "cpu_system_ns"];

fn events(outcome: &Outcome) -> Vec<Value> {
    let of_processes = outcome.events.iter().filter(|event| event["pid"].is_u64());
    let mut events: Vec<_> = of_processes.cloned().collect();
    for event in &mut events {
        let event = event.as_object_mut().unwrap();
        for key in OF_THE_MOMENT {
            event.remove(key);
        }
    }
    events
}

#[test]
fn by_load_and_by_helper_is_the_same() {
    if !real_kernel("by_load_and_by_helper_is_the_same") {
        return;
    }
    let place = Place::new();
    let (tiny, program) = (place.tiny("deep/er/tiny"), place.program("adopter"));
    let script = place.executable("script", &format!("#!{tiny} option\n"));
    let below = place.below();
    let common = ["--failed", "--no-fold", "--exit", "--ancestors", "8", "--only", &below];
    let by_load = Trace::start(&common);
    let by_helper = Trace::start(&[&common[..], &["--no-direct-loads"]].concat());
    run(Command::new(&tiny).args(["first", "b c", ""]).current_dir(place.path()));
    run(Command::new(&script).arg("second"));
    run(Command::new(&program).args(["orphan", &tiny, "third"]));
    run(Command::new("unshare").args(["--pid", "--fork", "--mount", "--uts", &tiny, "fourth"]));
    run(Command::new("setpriv").args(["--no-new-privs", "--reuid=65534", &tiny, "fifth"]));
    assert!(Command::new(place.at("missing")).arg("sixth").spawn().is_err());
    let (by_load, by_helper) = (by_load.stop(), by_helper.stop());
    let (loaded, helped) = (events(&by_load), events(&by_helper));
    assert!(loaded.len() >= 13, "{} events", loaded.len());
    assert_eq!(loaded.len(), helped.len());
    for (loaded, helped) in loaded.iter().zip(&helped) {
        assert_eq!(loaded, helped);
        assert_eq!(loaded["unreadable"], Value::Array(Vec::new()), "{loaded}");
    }
    let refused = |outcome: &Outcome| outcome.stderr.contains("without direct loads");
    assert!(!refused(&by_load) && !refused(&by_helper), "{}", by_load.stderr);
}
