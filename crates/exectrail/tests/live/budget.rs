//! What the verifier may walk of each program: a start takes as long as that does, and
//! the oldest kernels give up at a million instructions.
//!
//! The committed numbers are those of one kernel, since verifiers differ. A program that
//! grows by more than a tenth has to say so: `UPDATE_BUDGET=1 cargo test -p exectrail
//! --test live budget` writes the file anew, and the commit says why.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use exectrail_model::{
    filter::{Rule, Rules, Verdict},
    plan::Plan,
    tally::{By, Counting},
};
use exectrail_sensor::Sensor;
use serde::{Deserialize, Serialize};

use crate::support::real_kernel;

/// Instructions by program.
type Programs = BTreeMap<String, u32>;

/// The file.
#[derive(Debug, Deserialize, Serialize)]
struct Budget {
    /// Major and minor version of the kernel that it holds for.
    kernel: String,
    /// By what is traced.
    traces: BTreeMap<String, Programs>,
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/budget.json")
}

fn running() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    release.trim().splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
}

fn verified(plan: &Plan) -> Programs {
    let infos = Sensor::start(plan).unwrap().program_infos();
    let known = infos.into_iter().filter_map(|info| Some((info.name.to_owned(), info.verified?)));
    known.collect()
}

fn traces() -> BTreeMap<String, Programs> {
    let everything = || Plan { exits: true, failed: true, ancestors: 8, ..Plan::default() };
    let counted = |by| {
        let counting = Some(Counting { by, room: None });
        Plan { counting, failed: true, parts: 0, ..Plan::default() }
    };
    let mut rules = Rules::default();
    for text in ["parent=one,/usr/**", "name=two", "/etc/none", "result=failed,arg=three"] {
        rules.push(Rule::parse(Verdict::Exclude, text, &()).unwrap()).unwrap();
    }
    [
        ("execs", Plan::default()),
        ("everything", everything()),
        ("everything, with rules", Plan { rules, live: true, ..everything() }),
        ("everything, by helper", Plan { direct_loads: false, ..everything() }),
        ("counted", counted(By::Program)),
        ("counted by parent", counted(By::Parent)),
    ]
    .map(|(name, plan)| (name.to_owned(), verified(&plan)))
    .into()
}

#[test]
fn no_program_grows_unannounced() {
    if !real_kernel("no_program_grows_unannounced") {
        return;
    }
    let now = Budget { kernel: running(), traces: traces() };
    if env::var_os("UPDATE_BUDGET").is_some() {
        let text = serde_json::to_string_pretty(&now).unwrap();
        fs::write(file(), text + "\n").unwrap();
        return;
    }
    let text = include_str!("budget.json");
    let budget: Budget = serde_json::from_str(text).unwrap();
    if budget.kernel != now.kernel {
        eprintln!("NOT COMPARED: the budget is for {}, this is {}", budget.kernel, now.kernel);
        return;
    }
    assert!(budget.traces.keys().eq(now.traces.keys()), "{budget:#?}");
    for (trace, programs) in &now.traces {
        for (program, &instructions) in programs {
            let room = budget.traces[trace].get(program).copied().unwrap_or(0);
            eprintln!("{trace}: {program}: {instructions} of {room}");
            assert!(
                u64::from(instructions) * 10 <= u64::from(room) * 11,
                "{trace}: {program} grew from {room} to {instructions} instructions; if that is \
                 meant: UPDATE_BUDGET=1, and say why"
            );
        }
    }
}
