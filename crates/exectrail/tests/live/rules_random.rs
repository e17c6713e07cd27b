//! Random rules and random execs: what is shown with the rules in the kernel is what
//! the rules alone make of what is shown without.

use std::{
    collections::HashMap,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use exectrail_model::{
    args::Arg,
    event::{Event, Program},
    filter::{Rules, Subject, Verdict, What},
    plan::{BufferSize, Plan},
};
use exectrail_sensor::Sensor;
use serde_json::Value;

use crate::{
    gaps::is_alone_with,
    rules_author::Author,
    rules_universe::{Random, Universe},
    rules_workers::{Cgroup, Worker},
    support::real_kernel,
};

/// Execs that are judged; `EXECTRAIL_CASES` gives another number.
const CASES: u64 = 5_000;
/// Where they begin; `EXECTRAIL_SEED` gives another one.
const SEED: u64 = 20_260_823;
/// Execs under the same rules.
const BATCH: u64 = 25;
/// Sets of rules that one sensor has: of all that it ever had, it keeps the numbers.
const SETS: usize = 60;
/// The worker in another user namespace, which knows no ids but one.
const APART: usize = 5;

/// An exec that was ordered.
struct Case {
    order: Value,
    worker: usize,
    /// What the rules say of it as it is without them.
    wanted: Option<bool>,
    /// Its trees, by the bits of the rules that held.
    told: Option<u64>,
    /// How often it was shown.
    shown: u32,
}

/// Both sensors, and what they are shown.
struct Judge {
    /// Sees everything.
    all: Sensor,
    /// Has the rules.
    ruled: Sensor,
    cases: HashMap<String, Case>,
    /// The markers of processes that are under way, by their ids.
    pids: HashMap<u32, String>,
    differences: Vec<String>,
    /// Turned away so far, the rest of the host included.
    in_kernel: u64,
    here: u64,
}

fn plan(live: bool, rules: Rules) -> Plan {
    // Room for seconds of storms that other tests make meanwhile.
    let buffer = BufferSize::at_least(128 << 20).unwrap();
    Plan { live, rules, failed: true, fold: false, buffer, ..Plan::default() }
}

impl Judge {
    fn new() -> Self {
        Self {
            all: Sensor::start(&plan(false, Rules::default())).unwrap(),
            ruled: Sensor::start(&plan(true, Rules::default())).unwrap(),
            in_kernel: 0,
            here: 0,
            cases: HashMap::new(),
            pids: HashMap::new(),
            differences: Vec::new(),
        }
    }

    /// A sensor that has these rules from its start, in the place of the one that has had
    /// many.
    fn begin_again(&mut self, rules: Rules) {
        let plan = plan(true, rules);
        let mut old = std::mem::replace(&mut self.ruled, Sensor::start(&plan).unwrap());
        let account = old.stop(&mut |event| {
            assert_eq!(marker(event, &HashMap::new()), None, "it has been judged already");
            ControlFlow::Continue(())
        });
        assert_eq!(account.dropped(), 0);
        self.in_kernel += account.filtered();
        self.here += old.counts().filtered;
    }

    /// Has one of them exec something.
    fn order(
        &mut self,
        random: &mut Random,
        universe: &Universe,
        workers: &mut [Worker],
        number: u64,
    ) {
        let which = random.below(workers.len());
        let worker = &mut workers[which];
        let marker = format!("case-{number}");
        let mut order = universe.order(random, which != APART, &marker);
        while !worker.tells_ids && loses_arguments(&order) {
            order = universe.order(random, which != APART, &marker);
        }
        let pid = worker.order(&order);
        if worker.tells_ids {
            self.pids.insert(pid, marker.clone());
        }
        let case = Case { order, worker: which, wanted: None, told: None, shown: 0 };
        self.cases.insert(marker, case);
    }

    /// Reads what has come, and judges what the first sensor shows of ours.
    fn read(&mut self, workers: &[Worker]) {
        let Self { all, ruled, cases, pids, differences, .. } = self;
        let rules = ruled.rules();
        all.read(&mut |event| {
            if let Some(marker) = marker(event, pids)
                && let Some(case) = cases.get_mut(&marker)
            {
                let told = trees(rules, &workers[case.worker]);
                (case.wanted, case.told) = (Some(wanted(rules, event, told)), Some(told));
            }
            ControlFlow::Continue(())
        });
        ruled.read(&mut |event| {
            if let Some(marker) = marker(event, pids)
                && let Some(case) = cases.get_mut(&marker)
            {
                case.shown += 1;
                let told = event.program().and_then(|program| program.told);
                if case.told.is_some_and(|bits| bits != 0 && told != Some(bits)) {
                    differences.push(format!("trees {told:?} of {:?}: {}", case.told, case.order));
                }
            }
            ControlFlow::Continue(())
        });
    }

    /// Reads until all of a batch have been judged, and all that were sent have been
    /// read.
    fn finish(&mut self, workers: &[Worker]) {
        let give_up = Instant::now() + Duration::from_secs(10);
        loop {
            self.read(workers);
            let is_judged = self.cases.values().all(|case| case.wanted.is_some());
            // Asked anew each time: what is being judged now has been seen already.
            let sent = self.ruled.account().sent();
            if is_judged && self.ruled.counts().received >= sent {
                return;
            }
            if Instant::now() > give_up {
                let open = self.cases.values().filter(|case| case.wanted.is_none());
                let open: Vec<_> = open.map(|case| &case.order).collect();
                let account = self.ruled.account();
                panic!(
                    "never seen: {open:#?}, or of {sent}: {:?}, {account:?}",
                    self.ruled.counts()
                );
            }
        }
    }

    /// Compares, and forgets. Gives how many were shown.
    fn compare(&mut self) -> u64 {
        let mut count = 0;
        for (marker, case) in self.cases.drain() {
            count += u64::from(case.shown);
            if case.shown != u32::from(case.wanted.unwrap()) {
                let rules: Vec<_> = self.ruled.rules().iter().map(written).collect();
                let (shown, wanted) = (case.shown, case.wanted);
                self.differences.push(format!(
                    "{marker} by worker {}: shown {shown} times, wanted {wanted:?}: {}\n{}",
                    case.worker,
                    case.order,
                    rules.join("\n")
                ));
            }
        }
        self.pids.clear();
        count
    }
}

fn written(rule: &exectrail_model::filter::Rule) -> String {
    format!("    {} {rule}", rule.verdict.name())
}

/// Whose event it is: by its last argument, or, where there are none to be had, by its
/// process.
fn marker(event: &Event<'_>, pids: &HashMap<u32, String>) -> Option<String> {
    let program = event.program()?;
    let last = program.args.and_then(|args| args.iter().last());
    match last {
        Some(Arg::Whole(last)) => {
            let text = std::str::from_utf8(last).ok()?;
            text.starts_with("case-").then(|| text.to_owned())
        }
        _ => pids.get(&program.process.pid).cloned(),
    }
}

/// What the kernel side would have told of a worker's child.
fn trees(rules: &Rules, worker: &Worker) -> u64 {
    let is_in = |what: &What| matches!(what, What::Tree(root) if worker.line.contains(root));
    let bits = rules.told().iter().enumerate().filter(|(_, what)| is_in(what));
    bits.fold(0, |told, (slot, _)| told | 1 << slot)
}

fn wanted(rules: &Rules, event: &Event<'_>, told: u64) -> bool {
    let subject = Subject::of(event).unwrap();
    let program = Program { told: Some(told), ..*subject.program };
    rules.keep(&Subject { program: &program, ..subject })
}

/// Those who exec: at different places among cgroups, namespaces and processes.
fn workers(universe: &Universe, cgroups: &[&Cgroup]) -> Vec<Worker> {
    let at = |name: &str| universe.place.program(&format!("workers/{name}"));
    let (alpha, long) = (at("alpha"), at("a-longer-name-of-it"));
    let unshare = |more: &'static [&'static str]| [&["unshare"], more].concat();
    let places = ["--mount", "--net", "--uts", "--ipc", "--cgroup", "--fork"];
    let all = vec![
        Worker::start(&[], &alpha, ""),
        Worker::start(&[], &long, "changed"),
        Worker::start(&[], &at("fourteen-bytes"), ""),
        Worker::start(&[], &at("fifteen--bytes-"), ""),
        Worker::below_a_shell(&alpha),
        Worker::start(&unshare(&["--user", "--map-root-user"]), &alpha, "100"),
        Worker::start(&unshare(&["--pid", "--fork"]), &alpha, ""),
        Worker::start(&[&["unshare"], &places[..]].concat(), &alpha, ""),
        Worker::start(&[], &alpha, ""),
    ];
    // The last one alone, in the one that comes and goes.
    for (cgroup, which) in cgroups.iter().zip([2, 3, all.len() - 1]) {
        cgroup.take(all[which].pid);
    }
    all
}

fn random_rules(random: &mut Random, author: &Author<'_>, before: &Rules) -> Rules {
    let mut rules = Rules::after(before);
    let count = if random.below(20) == 0 { 70 } else { random.below(13) };
    // From none that are `only` to none that are not.
    let only = random.below(5);
    for _ in 0..count {
        let verdict = if random.below(4) < only { Verdict::Only } else { Verdict::Exclude };
        rules.push(author.rule(random, verdict)).unwrap();
    }
    rules
}

/// Whether it fails when the arguments are gone: then only the process id is left to
/// know it by.
fn loses_arguments(order: &Value) -> bool {
    order["path"].as_str().is_some_and(|path| path.ends_with("unmappable"))
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect(name))
}

#[test]
fn kernel_and_reader_together_are_the_reference() {
    if !real_kernel("kernel_and_reader_together_are_the_reference") {
        return;
    }
    if !is_alone_with("rules_random::kernel_and_reader_together_are_the_reference") {
        return;
    }
    let cases = from_environment("EXECTRAIL_CASES", CASES);
    let seed = from_environment("EXECTRAIL_SEED", SEED);
    let mut random = Random(seed.max(1));
    let universe = Universe::new();
    let base = Cgroup::new("random");
    if base.is_none() {
        eprintln!("NOT RUN: the part about cgroups, since no unified hierarchy is mounted");
    }
    let below = base.as_ref().map(|base| base.below("below"));
    let again = base.as_ref().map(|base| base.below("again"));
    let cgroups: Vec<_> = [&base, &below, &again].into_iter().flatten().collect();
    let mut workers = workers(&universe, &cgroups);
    let author = Author::new(&universe, &workers, &cgroups);
    let mut judge = Judge::new();
    let start = Instant::now();
    let (mut sets, mut done, mut shown) = (0, 0, 0);
    while done < cases {
        if sets % SETS == 0 {
            judge.begin_again(random_rules(&mut random, &author, &Rules::default()));
        } else {
            let rules = random_rules(&mut random, &author, judge.ruled.rules());
            judge.ruled.replace_rules(rules).unwrap();
        }
        sets += 1;
        if let (Some(base), Some(again)) = (&base, &again)
            && random.below(2) == 0
        {
            let last = workers.last().unwrap().pid;
            base.take(last);
            again.remake();
            again.take(last);
        }
        let end = cases.min(done + BATCH);
        for number in done..end {
            judge.order(&mut random, &universe, &mut workers, number);
        }
        done = end;
        judge.finish(&workers);
        shown += judge.compare();
    }
    let time = start.elapsed();
    judge.begin_again(Rules::default());
    let Judge { mut all, differences, in_kernel, here, .. } = judge;
    let everything = all.stop(&mut |_| ControlFlow::Continue(())).seen();
    eprintln!(
        "{done} cases under {sets} sets of rules in {time:?}: {shown} shown, {} not; \
         of {everything} on the host, {in_kernel} ended in the kernel and {here} here",
        done - shown,
    );
    let (count, first) = (differences.len(), differences.iter().take(8));
    let first: Vec<_> = first.map(String::as_str).collect();
    assert!(count == 0, "{count} differences, EXECTRAIL_SEED={seed}:\n{}", first.join("\n"));
    assert!(in_kernel > 0 && here > 0 && shown > 0);
}
