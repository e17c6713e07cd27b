//! What a recording of many events costs, beside JSON lines of the same: bytes, and events
//! per second. `cargo run --release -p exectrail-sinks --example recording [EVENTS]`; a
//! million without a number.

use std::{
    env, fs,
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use exectrail_abi::record::{Creds, File, Namespaces, Process};
use exectrail_model::{
    args::Args,
    cpid::{BootId, Cpid, ProcessKey, cpid},
    event::{
        Body, Ended, Event, LastProgram, Moment, NO_PROCESS, Parent, Program, Status, Summary,
    },
    filter::Rules,
};
use exectrail_recording::{Description, Player, Reader, Step, Writer};
use exectrail_sinks::{Options, Sink, SinkKind};

const BOOT: BootId = BootId::from_bytes(*b"a boot of a host");

/// What a build, a shell and a service manager run, and where.
const PROGRAMS: [(&str, &str, &str); 8] = [
    ("/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "-quiet\0-imultiarch\0x86_64-linux-gnu\0", "cc1"),
    ("/usr/bin/x86_64-linux-gnu-as", "--64\0-o\0", "as"),
    ("/usr/bin/dash", "-c\0set -e; make -C lib all\0", "sh"),
    ("/usr/bin/sed", "-n\0s/^version=//p\0", "sed"),
    ("/usr/bin/git", "rev-parse\0--short\0HEAD\0", "git"),
    ("/usr/bin/python3.11", "-m\0build\0--wheel\0", "python3"),
    ("/usr/bin/ls", "-l\0--color=auto\0", "ls"),
    ("/usr/bin/true", "", "true"),
];

fn main() -> io::Result<()> {
    let count: u64 = env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let place = env::temp_dir().join(format!("exectrail-recording-{}", std::process::id()));
    fs::create_dir(&place)?;
    let done = measure(count, &place);
    fs::remove_dir_all(&place)?;
    done
}

fn measure(count: u64, place: &Path) -> io::Result<()> {
    let (recording, lines, again) =
        (place.join("events.rec"), place.join("events.jsonl"), place.join("again.jsonl"));
    // Making them takes its time, which is nobody's cost.
    let making = timed(|| each(count, &mut |_| Ok(())))?;
    let writing = timed(|| record(count, &recording))? - making;
    let json = timed(|| {
        let mut sink = sink(&lines)?;
        each(count, &mut |event| sink.event(event))?;
        sink.end(&summary(count))
    })? - making;
    let reading = timed(|| play(&recording, &mut |_| {}))?;
    let replaying = timed(|| {
        let mut sink = sink(&again)?;
        play(&recording, &mut |event| drop(sink.event(event)))?;
        sink.end(&summary(count))
    })?;
    let is_same = Command::new("cmp").args([&lines, &again]).status()?.success();
    let gzipped = place.join("events.jsonl.gz");
    let input = Stdio::from(fs::File::open(&lines)?);
    let output = Stdio::from(fs::File::create(&gzipped)?);
    let zipping =
        timed(|| Command::new("gzip").arg("-c").stdin(input).stdout(output).status().map(drop))?;
    let mut out = io::stdout().lock();
    writeln!(out, "{count} events; a replay as JSON is the same bytes: {is_same}")?;
    // As many as nobody counts by hand: the last digits do not matter.
    let events = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    for (what, seconds, file) in [
        ("recording written", writing, Some(&recording)),
        ("recording read", reading, None),
        ("recording replayed as JSON", replaying, None),
        ("JSON lines written", json, Some(&lines)),
        ("JSON lines written, through gzip", json + zipping, Some(&gzipped)),
    ] {
        let speed = events / seconds;
        write!(out, "{what:<34} {speed:>10.0} events/s")?;
        if let Some(file) = file {
            let bytes = u32::try_from(file.metadata()?.len() / 10).unwrap_or(u32::MAX);
            let each = 10.0 * f64::from(bytes) / events;
            write!(out, " {each:>8.1} bytes per event")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Seconds.
fn timed(work: impl FnOnce() -> io::Result<()>) -> io::Result<f64> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed().as_secs_f64())
}

fn sink(path: &Path) -> io::Result<Box<dyn Sink>> {
    let kind = SinkKind::named("json").map_err(io::Error::other)?;
    Ok((kind.build)(Options::new(Box::new(fs::File::create(path)?))))
}

fn record(count: u64, path: &Path) -> io::Result<()> {
    let description = Description { boot: Some(BOOT), exits: true, ..Description::default() };
    let mut writer = Writer::begin(BufWriter::new(fs::File::create(path)?), &description)?;
    each(count, &mut |event| writer.event(event))?;
    writer.end(&summary(count))
}

fn play(path: &Path, take: &mut dyn FnMut(&Event<'_>)) -> io::Result<()> {
    let mut reader = Reader::open(fs::File::open(path)?).map_err(io::Error::other)?;
    let mut player: Option<Player> = None;
    loop {
        match reader.step()? {
            Step::Description(description) => {
                player.get_or_insert_with(|| Player::new(description, Rules::default(), true));
            }
            Step::Events(items) => {
                let Some(player) = &mut player else { continue };
                let _ = player.play(items, &mut |event| {
                    take(event);
                    ControlFlow::Continue(())
                });
            }
            Step::Damage(_) => return Err(io::Error::other("it is damaged")),
            Step::End(_) => return Ok(()),
        }
    }
}

fn summary(count: u64) -> Event<'static> {
    let moment = Moment { ktime: u64::MAX / 4, wall: i64::MAX / 4 };
    let summary = Summary { seen: count, delivered: count, ..Summary::default() };
    Event { moment, body: Body::Summary(summary) }
}

fn process(pid: u64, start: u64) -> Process {
    let pid = u32::try_from(pid % 4_000_000 + 2).unwrap_or(2);
    Process { start, pid, ns_pid: pid, pid_ns: 4_026_531_836, ..NO_PROCESS }
}

fn id(process: &Process) -> Cpid {
    let Process { start, pid_ns, ns_pid, .. } = *process;
    cpid(&BOOT, &ProcessKey { pid_ns, start_boottime: start, ns_pid })
}

/// One of them, by its number, and some chance.
#[derive(Clone, Copy)]
struct Run {
    number: u64,
    random: u64,
    ktime: u64,
}

/// An exec and an end in turn, of processes whose every number is another one.
fn each(count: u64, take: &mut dyn FnMut(&Event<'_>) -> io::Result<()>) -> io::Result<()> {
    let (mut args, mut cwd) = (Vec::new(), Vec::new());
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for number in 0..count / 2 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let ktime = 1_000_000_000_000 + number * 731_000 + (random >> 46);
        let run = Run { number, random, ktime };
        let (exe, words, comm) = PROGRAMS[usize::try_from(random >> 61).unwrap_or(0)];
        args.clear();
        write!(args, "{exe}\0{words}src/part-{}/file-{number}.c\0", number % 40)?;
        cwd.clear();
        write!(cwd, "/home/ada/work/tree/part-{}", number % 40)?;
        let program = Program {
            filename: Some(exe.as_bytes()),
            exe: Some(exe.as_bytes()),
            comm: comm.as_bytes(),
            cwd: Some(&cwd),
            args: Some(Args::whole(&args)),
            args_count: Some(Args::whole(&args).len() as u64),
            args_bytes: Some(args.len() as u64),
            ..run.program()
        };
        let moment = |ktime: u64| Moment { ktime, wall: ktime.cast_signed() + (1 << 60) };
        take(&Event { moment: moment(ktime), body: Body::Exec(program) })?;
        let ended = Body::Exit(run.ended(&program));
        take(&Event { moment: moment(ktime + 600_000), body: ended })?;
    }
    Ok(())
}

impl Run {
    fn program(self) -> Program<'static> {
        let Self { number, random, ktime } = self;
        let own = process(number * 3, ktime - 400_000 - (random >> 50));
        let parents = process(number / 16 * 48, (ktime >> 24) << 24);
        let parent = Parent {
            process: parents,
            id: Some(id(&parents)),
            image: 3,
            comm: b"make",
            exe: Some(b"/usr/bin/make"),
        };
        let inode = 100 + (random >> 61);
        Program {
            process: own,
            id: Some(id(&own)),
            tid: own.pid,
            parent: Some(parent),
            creds: Some(CREDS),
            user: Some("ada"),
            loginuid: Some(Some(1000)),
            session: Some(Some(4)),
            tty: b"pts0",
            cgroup_id: 4711,
            cgroup: Some(b"/user.slice/user-1000.slice/session-4.scope"),
            namespaces: Some(Namespaces { mnt: 1, uts: 2, ipc: 3, net: 4, cgroup: 5, user: 6 }),
            image: Some(random >> 62),
            file: Some(File { inode, device: 0x80_0001, mode: 0o100_755, uid: 0, gid: 0 }),
            interpreter: Some(None),
            cpu: u16::try_from(number % 2).unwrap_or(0),
            ..Program::UNKNOWN
        }
    }

    fn ended<'a>(self, program: &Program<'a>) -> Ended<'a> {
        let random = self.random;
        let last = LastProgram { exe: program.exe, args: program.args, scanned: false };
        Ended {
            process: program.process,
            id: program.id,
            tid: program.tid,
            ppid: program.parent.map(|parent| parent.process.pid),
            creds: program.creds,
            user: program.user,
            comm: program.comm,
            image: program.image,
            status: Some(Status(0)),
            duration: Some(500_000 + (random >> 44)),
            cpu_user: Some(random >> 45),
            cpu_system: Some(random >> 46),
            max_rss: Some((random >> 52) << 12),
            minor_faults: Some(random >> 56),
            major_faults: Some(0),
            read_bytes: Some(0),
            write_bytes: Some((random >> 58) << 12),
            program: Some(last),
            cpu: program.cpu,
            ..Ended::UNKNOWN
        }
    }
}

const CREDS: Creds = Creds {
    uid: 1000,
    gid: 1000,
    suid: 1000,
    sgid: 1000,
    euid: 1000,
    egid: 1000,
    fsuid: 1000,
    fsgid: 1000,
};
