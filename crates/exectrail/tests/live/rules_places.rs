//! Rules about who runs a program, and where: users, cgroups, namespaces.

use std::{
    fs,
    ops::ControlFlow,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use exectrail_model::{
    args::Arg,
    filter::{Rule, Rules, Verdict},
    plan::Plan,
};
use exectrail_sensor::Sensor;
use serde_json::{Value, json};

use crate::{
    edge_expect::{NOBODY, Place},
    rules_author::{NAMESPACES, Names},
    rules_workers::{Cgroup, Worker},
    support::{Trace, exectrail, real_kernel, subject},
};

/// A program that everybody may run.
struct Scene {
    place: Place,
    target: String,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        let target = place.tiny("target");
        Self { place, target }
    }

    fn order(&self, marker: &str) -> Value {
        json!({ "how": "path", "path": self.target, "args": [self.target, marker] })
    }

    /// Which markers a trace of these options shows, in their order.
    fn shown(&self, options: &[&str], act: impl FnOnce()) -> Vec<String> {
        let trace = Trace::start(options);
        act();
        let outcome = trace.stop();
        let of_ours = outcome.execs_of(&self.target).into_iter();
        of_ours.map(|event| event["args"][1].as_str().unwrap().to_owned()).collect()
    }
}

fn worker() -> Worker {
    Worker::start(&[], subject().to_str().unwrap(), "")
}

/// The test's cgroup, or the loud word that there is none.
fn cgroup(test: &str, name: &str) -> Option<Cgroup> {
    let made = Cgroup::new(name);
    if made.is_none() {
        eprintln!("NOT RUN: {test} needs the unified cgroup hierarchy, which is not mounted");
    }
    made
}

#[test]
fn a_cgroup_has_those_below_it_and_no_neighbours() {
    if !real_kernel("a_cgroup_has_those_below_it_and_no_neighbours") {
        return;
    }
    let Some(base) = cgroup("a_cgroup_has_those_below_it_and_no_neighbours", "place") else {
        return;
    };
    let scene = Scene::new();
    let (below, deep) = (base.below("below"), base.below("below/deep"));
    let neighbour = base.below("below-too");
    let cgroups = [&base, &below, &deep, &neighbour];
    let names = ["base", "below", "deep", "neighbour", "outside"];
    let mut workers = names.map(|_| worker());
    for (cgroup, worker) in cgroups.iter().zip(&workers) {
        cgroup.take(worker.pid);
    }
    let ours = scene.place.below();
    let mut shown = |options: &[&str]| {
        scene.shown(options, || {
            for (worker, name) in workers.iter_mut().zip(names) {
                worker.order(&scene.order(name));
            }
        })
    };
    assert_eq!(shown(&["--cgroup", &base.path]), names[..4]);
    assert_eq!(shown(&["--cgroup", &below.path]), ["below", "deep"]);
    assert_eq!(shown(&["--only", &format!("cgroup={}", deep.path)]), ["deep"]);
    let exclude = format!("cgroup={}", below.path);
    assert_eq!(shown(&["--only", &ours, "--exclude", &exclude]), ["base", "neighbour", "outside"]);
    assert_eq!(shown(&["--only", &format!("{ours},cgroup=/")]), names);
}

/// A path is what a rule names, whichever cgroup has it at the time.
#[test]
fn a_cgroup_that_is_made_later_or_again_is_the_one_that_is_meant() {
    if !real_kernel("a_cgroup_that_is_made_later_or_again_is_the_one_that_is_meant") {
        return;
    }
    let test = "a_cgroup_that_is_made_later_or_again_is_the_one_that_is_meant";
    let Some(base) = cgroup(test, "again") else { return };
    let scene = Scene::new();
    let again = base.below("again");
    let mut worker = worker();
    let (later, ours) = (format!("{}/later", base.path), scene.place.below());
    let mut shown = |options: &[&str]| {
        scene.shown(options, || {
            again.take(worker.pid);
            worker.order(&scene.order("at first"));
            base.take(worker.pid);
            worker.order(&scene.order("between"));
            again.remake();
            again.take(worker.pid);
            worker.order(&scene.order("again"));
            let later = base.below("later");
            later.take(worker.pid);
            worker.order(&scene.order("later"));
            base.take(worker.pid);
        })
    };
    assert_eq!(shown(&["--cgroup", &again.path]), ["at first", "again"]);
    let exclude = |path: &str| format!("cgroup={path}");
    let without = ["--only", &ours, "--exclude", &exclude(&again.path)];
    assert_eq!(shown(&without), ["between", "later"]);
    assert_eq!(shown(&["--cgroup", &later]), ["later"]);
    let without = ["--only", &ours, "--exclude", &exclude(&later)];
    assert_eq!(shown(&without), ["at first", "between", "again"]);
}

/// Real and effective ids are different things, and each has a key of its own.
#[test]
fn users_and_groups_by_name_are_the_ids_that_are_meant() {
    if !real_kernel("users_and_groups_by_name_are_the_ids_that_are_meant") {
        return;
    }
    let scene = Scene::new();
    let group = name_of_group(NOBODY);
    let mut worker = worker();
    let mut shown = |options: &[&str]| {
        scene.shown(options, || {
            for (place, marker) in ["user", "euser", "group", "egroup"].into_iter().enumerate() {
                let mut ids = [0; 4];
                ids[place] = NOBODY;
                let mut order = scene.order(marker);
                order["ids"] = json!(ids);
                worker.order(&order);
            }
        })
    };
    assert_eq!(shown(&["--user", "nobody"]), ["user"]);
    let ours = scene.place.below();
    for (key, name) in
        [("user", "nobody"), ("euser", "nobody"), ("group", &group), ("egroup", &group)]
    {
        assert_eq!(shown(&["--only", &format!("{ours},{key}={name}")]), [key]);
        let others: Vec<_> = ["user", "euser", "group", "egroup"]
            .into_iter()
            .filter(|other| *other != key)
            .collect();
        assert_eq!(shown(&["--only", &ours, "--exclude", &format!("{key}={name}")]), others);
    }
}

fn name_of_group(id: u32) -> String {
    let groups = fs::read_to_string("/etc/group").unwrap();
    let mut fields = groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = fields.find(|fields| fields[2] == id.to_string());
    found.expect("a group beside nobody").first().unwrap().to_string()
}

/// Those who have all namespaces of their own, as in a container, and those who have
/// none.
#[test]
fn namespaces_tell_a_container_from_the_host() {
    if !real_kernel("namespaces_tell_a_container_from_the_host") {
        return;
    }
    let scene = Scene::new();
    let program = subject();
    let program = program.to_str().unwrap();
    let unshare =
        ["--user", "--map-root-user", "--pid", "--mount", "--net", "--uts", "--ipc", "--cgroup"];
    let inside = Worker::start(&[&["unshare", "--fork"], &unshare[..]].concat(), program, "");
    let mut workers = [inside, worker()];
    let plan = Plan { live: true, ..Plan::default() };
    let mut sensor = Sensor::start(&plan).unwrap();
    for (key, file) in NAMESPACES {
        let [inside, outside] = [0, 1].map(|which: usize| workers[which].namespace(file));
        assert_ne!(inside, outside, "{key}");
        for (verdict, value, wanted) in [
            (Verdict::Only, inside.to_string(), ["inside"]),
            (Verdict::Only, "host".to_owned(), ["outside"]),
            (Verdict::Only, outside.to_string(), ["outside"]),
            (Verdict::Exclude, inside.to_string(), ["outside"]),
            (Verdict::Exclude, "host".to_owned(), ["inside"]),
        ] {
            let text = format!("{},{key}={value}", scene.place.below());
            let mut rules = Rules::after(sensor.rules());
            rules.push(Rule::parse(verdict, &text, &Names).unwrap()).unwrap();
            sensor.replace_rules(rules).unwrap();
            let shown = markers(&mut sensor, &scene.target, || {
                workers[0].order(&scene.order("inside"));
                workers[1].order(&scene.order("outside"));
            });
            assert_eq!(shown, wanted, "{verdict:?} {text} {:?}", sensor.account());
        }
    }
}

/// The last argument of each exec of this program that a sensor tells of what `act` does;
/// there is one at least. It may stand behind a record that another CPU has not finished.
/// A storm nearby, which some rules let through, can leave no room for it: then it is done
/// again.
fn markers(sensor: &mut Sensor, target: &str, mut act: impl FnMut()) -> Vec<String> {
    loop {
        let dropped = sensor.account().dropped();
        let mut markers = Vec::new();
        act();
        let give_up = Instant::now() + Duration::from_secs(10);
        while markers.is_empty()
            && sensor.account().dropped() == dropped
            && Instant::now() < give_up
        {
            sensor.read(&mut |event| {
                let ours = event.program().filter(|program| program.exe == Some(target.as_bytes()));
                let args = ours.and_then(|program| program.args).unwrap_or_default();
                if let Some(Arg::Whole(last)) = args.iter().last() {
                    markers.push(String::from_utf8_lossy(last).into_owned());
                }
                ControlFlow::Continue(())
            });
            thread::sleep(Duration::from_millis(1));
        }
        if sensor.account().dropped() == dropped {
            return markers;
        }
        // What is left of it is not to be found next time.
        sensor.read(&mut |_| ControlFlow::Continue(()));
        eprintln!("a storm nearby; once more");
    }
}

/// The same on the command line, which asks the first process what the host's are.
#[test]
fn the_command_knows_the_namespace_of_the_host() {
    if !real_kernel("the_command_knows_the_namespace_of_the_host") {
        return;
    }
    let scene = Scene::new();
    let program = subject();
    let inside = Worker::start(&["unshare", "--pid", "--fork"], program.to_str().unwrap(), "");
    let mut workers = [inside, worker()];
    let mut shown = |options: &[&str]| {
        scene.shown(options, || {
            workers[0].order(&scene.order("inside"));
            workers[1].order(&scene.order("outside"));
        })
    };
    let ours = scene.place.below();
    assert_eq!(shown(&["--only", &format!("{ours},ns=host")]), ["outside"]);
    assert_eq!(shown(&["--only", &ours, "--exclude", "pidns=host"]), ["inside"]);
}

/// A rule that the kernel side cannot answer for is refused: it would be a trace
/// without events, and nobody would know why.
#[test]
fn a_cgroup_of_version_1_is_right_or_refused() {
    if !real_kernel("a_cgroup_of_version_1_is_right_or_refused") {
        return;
    }
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mut fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let is_cpu = |options: &str| options.split(',').any(|option| option == "cpu");
    let Some(mount) = fields.find(|fields| fields[2] == "cgroup" && is_cpu(fields[3])) else {
        eprintln!("NOT RUN: no cgroup hierarchy of version 1 with the cpu controller is mounted");
        return;
    };
    let scene = Scene::new();
    let made = Cgroup::at(Path::new(mount[1]), &format!("/exectrail-{}", std::process::id()));
    let mut workers = [worker(), worker()];
    made.take(workers[0].pid);
    let rule = format!("cgroup=cpu:{}", made.path);
    let output = exectrail().args(["--only", &rule, "--duration", "1"]).output().unwrap();
    if output.status.success() {
        let shown = scene.shown(&["--only", &rule], || {
            workers[0].order(&scene.order("inside"));
            workers[1].order(&scene.order("outside"));
        });
        assert_eq!(shown, ["inside"], "{rule}");
    } else {
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&rule), "{said}");
    }
}
