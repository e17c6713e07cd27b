//! A trace without a kernel: a plan, and what happens one thing after the other.

use std::{ops::ControlFlow, sync::LazyLock};

use arbitrary::Arbitrary;
use exectrail_abi::fault::Loss;
use exectrail_model::{
    args::{Arg, Args},
    cpid::BootId,
    environment::Wanted,
    event::{Body, Event, Moment, Summary},
    filter::{Rule, Rules, Verdict},
    lifetimes::Found,
    lift::Host,
    pipeline::Pipeline,
    plan::Plan,
};
use exectrail_recording::{Description, Player, Reader, Step as Next, Writer};

use crate::{host::SomeHost, outputs, records::Draft};

/// When the first thing happens, and the wall clock at boot.
const BEGIN: u64 = 1_000_000_000;
const WALL_AT_BOOT: i64 = 1_787_486_400_000_000_000;

const RULES: [(Verdict, &str); 8] = [
    (Verdict::Exclude, "/usr/bin/ls"),
    (Verdict::Exclude, "/usr/local/**,result=failed"),
    (Verdict::Exclude, "arg=-l"),
    (Verdict::Exclude, "tree=7"),
    (Verdict::Only, "ls"),
    (Verdict::Only, "user=ada,container=*"),
    (Verdict::Only, "cgroup=/system.slice"),
    (Verdict::Only, "**/l*,parent=sh"),
];

/// What was asked for.
#[derive(Arbitrary, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Asked {
    failed: bool,
    fold: bool,
    exits: bool,
    has_boot: bool,
    environment: bool,
    /// Bit n: rule n of [`RULES`].
    rules: u8,
}

/// Something that happens.
#[derive(Arbitrary, Debug)]
pub enum Step<'a> {
    /// A record comes.
    Record(Draft<'a>),
    /// Bytes come that are supposed to be a record.
    Bytes(&'a [u8]),
    /// A process was there before.
    Found(u8, &'a [u8]),
    /// A lane tells what it has lost.
    Lost(u8, [u32; Loss::COUNT]),
    /// Milliseconds pass.
    Time(u8),
    /// Other rules.
    Rules(u8),
}

impl Asked {
    fn host(&self) -> Host {
        let boot = self.has_boot.then(|| BootId::parse("2899dae4-4fa4-4eef-95b6-6bc95325f61a"));
        Host { boot: boot.map(|boot| boot.expect("a good id")), page_size: 4096 }
    }

    fn plan(&self, fold: bool) -> Plan {
        let environment = if self.environment { "A*,HOME" } else { "*" };
        Plan {
            rules: rules(self.rules, Rules::default()),
            failed: self.failed,
            fold,
            exits: self.exits,
            environment: Wanted::parse(environment).expect("a good list"),
            ..Plan::default()
        }
    }
}

fn rules(bits: u8, mut rules: Rules) -> Rules {
    // Their patterns take longer to make than a trace takes.
    static PARSED: LazyLock<Vec<Rule>> = LazyLock::new(|| {
        let parsed = RULES.map(|(verdict, text)| Rule::parse(verdict, text, &SomeHost));
        parsed.map(|rule| rule.expect("a good rule")).into()
    });
    for (index, rule) in PARSED.iter().enumerate() {
        if bits >> index & 1 == 1 {
            rules.push(rule.clone()).expect("few of them");
        }
    }
    rules
}

/// Those of [`RULES`] that ask the kernel side.
const OF_KERNEL: u8 = 1 << 3;

/// What has come out of a pipeline.
#[derive(Debug, Default, PartialEq)]
struct Told {
    /// Records that the events stand for.
    records: u64,
    folded: u64,
    /// Each exec: when, and its arguments, each behind what it is.
    execs: Vec<(Moment, Vec<u8>)>,
}

impl Told {
    fn take(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        let folded = u64::from(event.program().map_or(0, |program| program.folded));
        self.folded += folded;
        match &event.body {
            Body::Exec(program) => {
                self.execs.push((event.moment, program.args.map_or_else(Vec::new, bytes)));
                self.records += 1 + folded;
            }
            Body::Failed(..) => self.records += 1 + folded,
            Body::Exit(_) => self.records += 1,
            Body::Lost(lost) => assert!(lost.count > 0),
            Body::Summary(_) => unreachable!("nobody asked for one"),
        }
        ControlFlow::Continue(())
    }
}

fn bytes(args: Args<'_>) -> Vec<u8> {
    let each = args.iter().map(|arg| match arg {
        Arg::Whole(bytes) => [b"\0=", bytes].concat(),
        Arg::Piece(bytes) => [b"\0~", bytes].concat(),
        Arg::Unreadable => b"\0?".to_vec(),
    });
    each.flatten().collect()
}

/// Lets it all happen, and shows it: nothing is lost on the way, and what is folded
/// changes no other event.
pub fn run(asked: &Asked, steps: &[Step<'_>]) {
    let all = steps.iter().collect::<Vec<_>>();
    let (told, filtered) = through(&asked.plan(asked.fold), asked, &all, &mut |event| {
        outputs::show(event);
    });
    let (seen, delivered) = (told.records + filtered, told.records);
    outputs::end(Summary { seen, delivered, filtered, folded: told.folded, ..Summary::default() });
    if asked.failed {
        let (other, _) = through(&asked.plan(!asked.fold), asked, &all, &mut |_| {});
        assert_eq!(told.execs, other.execs, "with folding and without");
        assert_eq!(told.records, other.records, "with folding and without");
    }
    // Half of them are enough: it takes as long again.
    if asked.has_boot {
        through_a_recording(asked, steps);
    }
}

/// Recorded without rules and folding, and replayed with them, it is what it would have
/// been at once. What only a running trace has is left out: what was there before it, its
/// clock, and changes of its rules; and records that the kernel side never sends.
fn through_a_recording(asked: &Asked, steps: &[Step<'_>]) {
    let is_told = |step: &&Step<'_>| match step {
        Step::Record(draft) => draft.is_plain(),
        Step::Lost(..) => true,
        _ => false,
    };
    let steps: Vec<_> = steps.iter().filter(is_told).collect();
    // Nor has a recording an answer for what the kernel side alone can tell.
    let mut plan = asked.plan(asked.fold);
    plan.rules = rules(asked.rules & !OF_KERNEL, Rules::default());
    let mut at_once = Vec::new();
    through(&plan, asked, &steps, &mut |event| at_once.push(outputs::show(event)));

    let plain = Plan { rules: Rules::default(), fold: false, ..asked.plan(false) };
    let description = Description {
        boot: asked.host().boot,
        failed: asked.failed,
        exits: asked.exits,
        ..Description::default()
    };
    let mut writer = Writer::begin(Vec::new(), &description).expect("memory takes everything");
    through(&plain, asked, &steps, &mut |event| {
        writer.event(event).expect("memory takes everything");
    });
    writer.flush().expect("memory takes everything");
    let mut player = Player::new(&description, plan.rules, asked.fold);
    let mut replayed = Vec::new();
    let mut take = |event: &Event<'_>| {
        replayed.push(outputs::show(event));
        ControlFlow::Continue(())
    };
    let bytes = writer.into_inner();
    let mut reader = Reader::open(&*bytes).expect("a recording");
    loop {
        match reader.step().expect("memory can be read") {
            Next::Description(_) => {}
            Next::Events(items) => {
                let _ = player.play(items, &mut take);
            }
            Next::Damage(damage) => panic!("{damage:?}"),
            Next::End(_) => break,
        }
    }
    player.finish(&mut take);
    assert_eq!(player.unread(), 0);
    assert_eq!(at_once, replayed, "at once and from a recording");
}

fn through(
    plan: &Plan,
    asked: &Asked,
    steps: &[&Step<'_>],
    show: &mut dyn FnMut(&Event<'_>),
) -> (Told, u64) {
    let mut pipeline = Pipeline::new(plan, asked.host(), 4);
    let mut told = Told::default();
    let mut take = |event: &Event<'_>| {
        show(event);
        told.take(event)
    };
    let mut now = BEGIN;
    for step in steps {
        match step {
            Step::Record(draft) => {
                now += u64::from(draft.later) * 1_000_000;
                for record in draft.ahead(now).into_iter().chain([draft.record(now)]) {
                    let _ = pipeline.record(&record, WALL_AT_BOOT, &mut take);
                }
            }
            Step::Bytes(bytes) => {
                let _ = pipeline.record(bytes, WALL_AT_BOOT, &mut take);
            }
            Step::Found(pid, args) => pipeline.found(&Found {
                pid: u32::from(*pid),
                start_ticks: u64::from(*pid),
                exe: Some(b"/usr/bin/ls".to_vec()),
                args: args.to_vec(),
                comm: b"ls".to_vec(),
            }),
            Step::Lost(lane, lost) => {
                let moment = Moment { ktime: now, wall: WALL_AT_BOOT };
                pipeline.lost((*lane).into(), *lost, moment, &mut take);
            }
            Step::Time(millis) => {
                now += u64::from(*millis) * 1_000_000;
                pipeline.tick(now, &mut take);
                assert!(pipeline.deadline().is_none_or(|deadline| deadline > now));
            }
            Step::Rules(bits) => {
                let others = rules(*bits, Rules::after(pipeline.rules()));
                pipeline.replace_rules(others);
            }
        }
    }
    pipeline.finish(&mut take);
    assert_eq!(pipeline.deadline(), None);
    let counts = pipeline.counts();
    assert_eq!(counts.received, told.records + counts.filtered + counts.damaged, "the account");
    (told, counts.filtered)
}
