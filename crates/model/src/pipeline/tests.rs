//! What comes out for what goes in: folding, rules, ends, losses, damage.

use std::ops::ControlFlow;

use exectrail_abi::record::{FLAG_CHECK, KIND_EXEC, KIND_FAILED, KIND_PIECE, Piece, Process, Tail};
use zerocopy::{FromZeros, IntoBytes};

use super::{Counts, Pipeline};
use crate::{
    args::Arg,
    event::{Body, Event},
    filter::{Rule, Verdict},
    fold::PATIENCE,
    lifetimes::Found,
    lift::Host,
    plan::Plan,
    samples::{PROCESS, exit, record, short},
};

const ENOENT: u32 = 2;

/// A pipeline, and what has come out of it: a word per event.
struct Bench {
    pipeline: Pipeline,
    said: Vec<String>,
    /// Say `Break` to every event.
    has_enough: bool,
}

impl Bench {
    fn new(change: impl Fn(&mut Plan)) -> Self {
        let mut plan = Plan { failed: true, exits: true, ..Plan::default() };
        change(&mut plan);
        let host = Host { boot: None, page_size: 4096 };
        Self { pipeline: Pipeline::new(&plan, host, 2), said: Vec::new(), has_enough: false }
    }

    /// Says whether there is use for more.
    fn put(&mut self, record: &[u8]) -> bool {
        let Self { pipeline, said, has_enough } = self;
        let flow = pipeline.record(record, 0, &mut |event| {
            said.push(word(event));
            if *has_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        flow.is_continue()
    }

    fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    fn finish(&mut self) -> Vec<String> {
        let said = &mut self.said;
        self.pipeline.finish(&mut |event| {
            said.push(word(event));
            ControlFlow::Continue(())
        });
        self.said()
    }
}

fn word(event: &Event<'_>) -> String {
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap_or(b"?").to_vec()).unwrap();
    match &event.body {
        Body::Exec(program) => format!("{} after {}", text(program.filename), program.folded),
        Body::Failed(program, failure) => {
            let name = text(program.filename);
            format!("{name} failed with {}, and {} others", failure.errno, program.folded)
        }
        Body::Exit(ended) => match ended.program {
            Some(program) if program.scanned => format!("end of old {}", text(program.exe)),
            Some(program) => format!("end of {}", text(program.exe)),
            None => "end".to_owned(),
        },
        Body::Lost(lost) => format!("{} {}", lost.count, lost.reason),
        Body::Summary(_) => "summary".to_owned(),
    }
}

/// Records of process 10, at this time.
fn exec(ktime: u64, name: &str) -> Vec<u8> {
    record(KIND_EXEC, &[(Tail::Filename, name.as_bytes()), (Tail::Exe, b"x\0")], |fixed| {
        fixed.header.ktime = ktime;
    })
}

fn failed(ktime: u64, name: &str, flags: u32) -> Vec<u8> {
    record(KIND_FAILED, &[(Tail::Filename, name.as_bytes())], |fixed| {
        (fixed.header.ktime, fixed.errno, fixed.flags) = (ktime, ENOENT, flags);
    })
}

fn exclude(plan: &mut Plan, selector: &str) {
    plan.rules.push(Rule::parse(Verdict::Exclude, selector, &()).unwrap()).unwrap();
}

#[test]
fn a_walk_is_one_event() {
    let mut bench = Bench::new(|_| {});
    bench.put(&failed(1, "/a/x", 0));
    bench.put(&failed(2, "/b/x", 0));
    assert!(bench.said().is_empty());
    bench.put(&exec(3, "/c/x"));
    assert_eq!(bench.said(), ["/c/x after 2"]);
    assert_eq!(bench.pipeline.counts().received, 3);
}

#[test]
fn a_walk_in_vain_is_told_before_what_came_after_it() {
    let mut bench = Bench::new(|_| {});
    bench.put(&failed(1, "/a/x", 0));
    bench.put(&failed(2, "/b/x", 0));
    bench.put(&exec(3, "/c/y"));
    assert_eq!(bench.said(), ["/b/x failed with 2, and 1 others", "/c/y after 0"]);
    bench.put(&failed(4, "/a/z", 0));
    bench.put(&exit(|_| {}));
    assert_eq!(bench.said(), ["/a/z failed with 2, and 0 others", "end of /x"]);
    bench.put(&failed(5, "/a/z", 0));
    assert_eq!(bench.finish(), ["/a/z failed with 2, and 0 others"]);
}

#[test]
fn time_releases() {
    let mut bench = Bench::new(|_| {});
    bench.put(&failed(7, "/a/x", 0));
    let deadline = bench.pipeline.deadline().unwrap();
    for (now, events) in [(deadline - 1, 0), (deadline, 1), (deadline + 1, 0)] {
        let mut told = 0;
        bench.pipeline.tick(now, &mut |_| {
            told += 1;
            ControlFlow::Continue(())
        });
        assert_eq!(told, events);
    }
    assert_eq!(bench.pipeline.deadline(), None);
}

#[test]
fn each_for_itself_when_asked_for() {
    let mut bench = Bench::new(|plan| plan.fold = false);
    bench.put(&failed(1, "/a/x", 0));
    bench.put(&exec(2, "/b/x"));
    assert_eq!(bench.said(), ["/a/x failed with 2, and 0 others", "/b/x after 0"]);
}

#[test]
fn a_question_for_permission_is_no_step_of_a_walk() {
    let mut bench = Bench::new(|_| {});
    bench.put(&failed(1, "/a/x", FLAG_CHECK));
    bench.put(&exec(2, "/b/x"));
    assert_eq!(bench.said(), ["/a/x failed with 2, and 0 others", "/b/x after 0"]);
}

#[test]
fn what_is_not_wanted_is_counted_and_folds_nothing() {
    let mut bench = Bench::new(|plan| {
        exclude(plan, "/a/x");
        exclude(plan, "/c/x");
    });
    bench.put(&failed(1, "/a/x", 0));
    bench.put(&failed(2, "/b/x", 0));
    bench.put(&exec(3, "/c/x"));
    assert_eq!(bench.said(), ["/b/x failed with 2, and 0 others"]);
    // Its end is as little wanted.
    bench.put(&exit(|_| {}));
    assert!(bench.said().is_empty());
    assert_eq!(bench.pipeline.counts(), Counts { received: 4, filtered: 3, damaged: 0 });
}

#[test]
fn an_end_knows_what_was_there_before_the_trace() {
    let mut bench = Bench::new(|plan| exclude(plan, "/unwanted"));
    for (pid, exe) in [(10, "/old"), (11, "/unwanted")] {
        let exe = Some(exe.as_bytes().to_vec());
        let found = Found { pid, start_ticks: 0, exe, args: Vec::new(), comm: Vec::new() };
        bench.pipeline.found(&found);
    }
    bench.put(&exit(|_| {}));
    bench.put(&exit(|exit| exit.process = Process { pid: 11, ..PROCESS }));
    // Of what nothing is known, nothing says that it is wanted.
    bench.put(&exit(|exit| exit.process = Process { pid: 12, ..PROCESS }));
    assert_eq!(bench.said(), ["end of old /old"]);
    assert_eq!(bench.pipeline.counts().filtered, 2);
}

#[test]
fn losses_are_told_before_the_record_that_shows_them() {
    let mut bench = Bench::new(|_| {});
    bench.put(&record(KIND_EXEC, &[(Tail::Filename, b"/x")], |fixed| {
        fixed.header.lost = [3, 0, 2];
    }));
    assert_eq!(bench.said(), ["3 ring_full", "2 missed", "/x after 0"]);
}

#[test]
fn pieces_are_no_events() {
    let mut bench = Bench::new(|_| {});
    let mut piece = Piece::new_zeroed();
    (piece.header.kind, piece.header.len) = (KIND_PIECE, short(size_of::<Piece>() + 2));
    let piece = [piece.as_bytes(), b"ab"].concat();
    bench.put(&piece);
    assert_eq!(bench.pipeline.counts(), Counts::default());
    assert!(bench.said().is_empty());
}

/// A miss of another process can become due with any exec.
#[test]
fn pieces_are_not_forgotten_over_what_becomes_due() {
    let mut pipeline = Bench::new(|_| {}).pipeline;
    let (mut piece, at) = (Piece::new_zeroed(), PATIENCE + 2);
    (piece.header.kind, piece.header.lane, piece.of) = (KIND_PIECE, 1, at);
    let piece = [piece.as_bytes(), b"a\0b"].concat();
    let exec = record(KIND_EXEC, &[(Tail::Filename, b"/x"), (Tail::Args, b"c\0")], |fixed| {
        (fixed.header.ktime, fixed.args_offset, fixed.args_total) = (at, 3, 5);
        fixed.process.pid = 11;
    });
    let mut said = Vec::new();
    for record in [&failed(1, "/a/y", 0), &piece, &exec] {
        let _ = pipeline.record(record, 0, &mut |event| {
            let args = event.program().and_then(|program| program.args).unwrap_or_default();
            said.push(args.iter().map(|arg| format!("{arg:?}")).collect::<Vec<_>>());
            ControlFlow::Continue(())
        });
    }
    let whole = ["a", "bc"].map(|arg| format!("{:?}", Arg::Whole(arg.as_bytes())));
    assert_eq!(said, [vec![], whole.to_vec()]);
}

#[test]
fn damage_is_counted_and_nothing_else() {
    let mut bench = Bench::new(|_| {});
    let good = exec(1, "/x");
    assert!(bench.put(&good[..good.len() - 1]));
    bench.put(&good[..7]);
    bench.put(&[]);
    bench.put(&record(99, &[], |_| {}));
    bench.put(&exit(|_| {})[..50]);
    assert!(bench.said().is_empty());
    assert_eq!(bench.pipeline.counts(), Counts { received: 5, filtered: 0, damaged: 5 });
}

#[test]
fn who_has_enough_still_gets_what_belongs_to_the_record() {
    let mut bench = Bench::new(|_| {});
    bench.put(&failed(1, "/a/y", 0));
    bench.has_enough = true;
    assert!(!bench.put(&exec(2, "/b/x")));
    assert_eq!(bench.said(), ["/a/y failed with 2, and 0 others", "/b/x after 0"]);
}
