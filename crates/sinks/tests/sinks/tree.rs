//! Lines below those of the processes that they descend from, in terminals of any width.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use exectrail_abi::record::Process;
use exectrail_model::{
    ancestors::Ancestors,
    args::Args,
    event::{Body, Ended, Event, Failure, LastProgram, NO_PROCESS, Parent, Program, Status},
};
use exectrail_sinks::{Options, select};

use crate::{
    events::{moment, written, written_by},
    processes::{ended, parent, row},
};

fn process(pid: u32) -> Process {
    Process { pid, ns_pid: pid, start: 1_000_000, ..NO_PROCESS }
}

/// Process 20's parent is a copy of 7 that did not exec.
static COPY: LazyLock<Vec<u8>> = LazyLock::new(|| row(process(7), 2, b"make"));

fn program(pid: u32, parent_pid: u32, args: &'static str) -> Program<'static> {
    Program {
        process: process(pid),
        parent: Some(Parent { process: process(parent_pid), ..parent() }),
        exe: Some(b"/usr/bin/some"),
        filename: Some(b"/bin/some"),
        args: (!args.is_empty()).then(|| Args::whole(args.as_bytes())),
        ..crate::events::program()
    }
}

fn exit(pid: u32, status: u32, args: Option<&'static str>) -> Body<'static> {
    let program = args.map(|args| LastProgram {
        exe: Some(b"/usr/bin/cc"),
        args: Some(Args::whole(args.as_bytes())),
        scanned: false,
    });
    Body::Exit(Ended {
        process: process(pid),
        status: Some(Status(status)),
        comm: b"older",
        program,
        ..ended()
    })
}

fn events() -> Vec<Event<'static>> {
    let bodies = [
        Body::Exec(program(7, 1, "make\0-j2\0")),
        Body::Exec(program(8, 7, "cc\0-c\0日本語.c\0")),
        Body::Exec(program(9, 8, "cc1\0日本語日本語日本語日本語日本語.c\0")),
        Body::Exec(program(9, 8, "")),
        Body::Exec(Program {
            ancestors: Some(Ancestors::new(&COPY, None)),
            ..program(20, 19, "true\0")
        }),
        Body::Failed(program(10, 7, "/bin/some\0x\0"), Failure { errno: 13 }),
        Body::Failed(program(10, 7, "some\0"), Failure { errno: 2 }),
        Body::Failed(program(10, 7, "some\0"), Failure { errno: 4000 }),
        Body::Failed(Program { folded: 2, ..program(10, 7, "some\0") }, Failure { errno: 2 }),
        Body::Exec(Program { folded: 2, ..program(10, 7, "some\0") }),
        exit(9, 0x0b, None),
        exit(8, 0x100, Some("/usr/bin/cc\0-c\0日本語.c\0-DMANY=more than enough\0")),
        Body::Exec(program(30, 2, "sh\0")),
    ];
    bodies.into_iter().map(|body| Event { moment: moment(0), body }).collect()
}

fn tree(options: Options) -> Options {
    Options { tree: true, failed: true, exits: true, ..options }
}

#[test]
fn each_line_stands_below_its_forebears() {
    let expect = "\
time             pid    ppid  result    program
15:23:20.000       7       1  ok        make -j2
15:23:20.000       8       7  ok          cc -c 日本語.c
15:23:20.000       9       8  ok            cc1 日本語日本語日本語日本語日本語.c
15:23:20.000       9       8  ok            <unreadable>  # /usr/bin/some
15:23:20.000      20      19  ok          true
15:23:20.000      10       7  EACCES      /bin/some x  # permission denied
15:23:20.000      10       7  ENOENT      some  # no such file, /bin/some
15:23:20.000      10       7  4000        some  # /bin/some
15:23:20.000      10       7  ENOENT      some  # no such file, tried 3, /bin/some
15:23:20.000      10       7  ok          some  # tried 2
15:23:20.000       9       1  SIGSEGV       older  # after 1.234 s, 12 ms CPU, 3.4 MB
15:23:20.000       8       1  exit 1      cc -c 日本語.c […]  # after 1.234 s, 12 ms CPU, 3.4 MB
15:23:20.000      30       2  ok        sh
";
    assert_eq!(written("pretty", &events(), tree), expect);
}

#[test]
fn a_narrow_terminal_cuts_by_cells() {
    let narrow = |options| Options { width: Some(Box::new(|| Some(60))), ..tree(options) };
    let text = written("pretty", &events(), narrow);
    assert!(text.contains("            cc1 日本語日本…\n"), "{text}");
    assert!(text.contains("  cc -c 日本語.c\n"), "{text}");
}

#[test]
fn how_far_to_the_right_has_a_limit() {
    let chain: Vec<_> = (100..200)
        .map(|pid| Body::Exec(program(pid, pid - 1, "x\0")))
        .map(|body| Event { moment: moment(0), body })
        .collect();
    let most = |width: Option<usize>| {
        let text = written("pretty", &chain, |options| {
            let width =
                width.map(|width| -> exectrail_sinks::Width { Box::new(move || Some(width)) });
            let fields = Some(select("args").unwrap());
            Options { tree: true, header: false, fields, width, ..options }
        });
        text.lines().map(|line| line.len() - 1).max().unwrap()
    };
    assert_eq!(most(None), 48);
    assert_eq!(most(Some(60)), 12);
    assert_eq!(most(Some(1000)), 48);
}

#[test]
fn fields_of_ones_own_can_show_it() {
    let fields = Some(select("pid,comm,ppid").unwrap());
    let text = written("pretty", &events()[..2], |options| Options { fields, ..tree(options) });
    let lines: Vec<_> = text.lines().skip(1).collect();
    assert_eq!(lines, ["      7  ls                    1", "      8    ls                  7"]);
}

/// As when a window is made narrower while nothing happens.
#[test]
fn each_batch_has_the_width_of_its_time() {
    let width = Arc::new(AtomicUsize::new(80));
    let asked = Arc::clone(&width);
    let resized = |options| Options {
        width: Some(Box::new(move || Some(asked.load(Ordering::Relaxed)))),
        ..tree(options)
    };
    let text = written_by("pretty", resized, |sink| {
        for columns in [80, 40, 0, 44] {
            width.store(columns, Ordering::Relaxed);
            sink.event(&events()[2]).unwrap();
            sink.batch_ends().unwrap();
        }
    });
    let lines: Vec<_> = text.lines().skip(1).map(|line| line.get(40..).unwrap_or("")).collect();
    let whole = "cc1 日本語日本語日本語日本語日本語.c";
    assert_eq!(lines, [whole, "", whole, "cc1…"]);
}
