use exectrail_abi::{
    fault::Fault,
    record::{FLAG_DELETED, KIND_EXEC, KIND_EXIT, KIND_FAILED, Tail},
};

use super::{Host, Lifter, RecordError, leaf_first, turn_round};
use crate::{
    args::Arg,
    environment::Wanted,
    event::{Body, FLAG_MEMFD, FLAG_SETID, FLAG_WRITABLE},
    samples::{CREDS, exit, record},
};

fn lifter() -> Lifter {
    let host = Host { boot: None, page_size: 4096 };
    Lifter::new(host, Wanted::parse("LANG").unwrap())
}

#[test]
fn a_whole_record() {
    let tails: [(Tail, &[u8]); 5] = [
        (Tail::Filename, b"./true"),
        (Tail::Exe, b"true\0bin\0usr\0"),
        (Tail::Cwd, b""),
        (Tail::Args, b"./true\0\0"),
        (Tail::Environment, b"A=1\0LANG=C\0"),
    ];
    let bytes = record(KIND_EXEC, &tails, |_| {});
    let mut lifter = lifter();
    let event = lifter.lift(&bytes, 1000).unwrap();
    assert_eq!((event.moment.ktime, event.moment.wall), (5, 1005));
    let Body::Exec(program) = event.body else { panic!("{event:?}") };
    assert_eq!(program.filename, Some(&b"./true"[..]));
    assert_eq!(program.exe, Some(&b"/usr/bin/true"[..]));
    assert_eq!(program.comm, b"true");
    assert_eq!(program.cwd, Some(&b"/"[..]));
    assert_eq!((program.loginuid, program.session), (Some(None), Some(Some(4))));
    let parent = program.parent.unwrap();
    assert_eq!((parent.process.pid, parent.comm, parent.exe), (9, &b"sh"[..], None));
    let environment: Vec<_> = program.environment.unwrap().iter().collect();
    assert_eq!(environment, [(&b"LANG"[..], &b"C"[..])]);
    assert_eq!(program.interpreter, Some(None));
    assert_eq!(program.args_count, Some(2));
    let args: Vec<_> = program.args.unwrap().iter().collect();
    assert_eq!(args, [Arg::Whole(b"./true"), Arg::Whole(b"")]);
}

#[test]
fn what_could_not_be_read_is_none() {
    let faults = Fault::ALL.iter().fold(0, |bits, fault| bits | fault.bit());
    let bytes = record(KIND_FAILED, &[], |fixed| fixed.faults = faults);
    let mut lifter = lifter();
    let event = lifter.lift(&bytes, 0).unwrap();
    let program = event.program().unwrap();
    assert!(program.filename.is_none() && program.exe.is_none() && program.args.is_none());
    assert!(program.parent.is_none() && program.creds.is_none() && program.image.is_none());
    assert_eq!(program.args_count, None);
}

#[test]
fn what_was_not_collected_is_not_known() {
    let bytes = record(KIND_EXEC, &[(Tail::Exe, b"x\0")], |fixed| fixed.parts = 0);
    let mut lifter = lifter();
    let event = lifter.lift(&bytes, 0).unwrap();
    let program = event.program().unwrap();
    assert!(program.cwd.is_none() && program.cgroup.is_none() && program.file.is_none());
    assert!(program.namespaces.is_none() && program.loginuid.is_none() && program.id.is_none());
    assert_eq!((program.exe, program.process.pid), (Some(&b"/x"[..]), 10));
    assert_eq!(program.parent.unwrap().process.pid, 9);
}

#[test]
fn an_empty_name_is_a_name() {
    let bytes = record(KIND_FAILED, &[(Tail::Args, b"x\0")], |fixed| fixed.errno = 2);
    let mut lifter = lifter();
    let event = lifter.lift(&bytes, 0).unwrap();
    assert_eq!(event.program().unwrap().filename, Some(&b""[..]));
    let Body::Failed(_, failure) = event.body else { panic!("{event:?}") };
    assert_eq!((failure.errno, event.program().unwrap().latency), (2, None));
}

#[test]
fn damaged_records_are_refused() {
    let tails: [(Tail, &[u8]); 2] = [(Tail::Filename, b"/x"), (Tail::Args, b"x\0")];
    let good = record(KIND_EXEC, &tails, |_| {});
    let mut lifter = lifter();
    let mut check = |bytes: &[u8]| lifter.lift(bytes, 0).map(|_| ()).unwrap_err();
    assert_eq!(check(&good[..10]), RecordError::Short(10));
    assert!(matches!(check(&good[..good.len() - 1]), RecordError::Length { .. }));
    let long = record(KIND_EXEC, &tails, |fixed| fixed.tails[8] = u32::MAX);
    assert!(matches!(check(&long), RecordError::Length { .. }));
    assert_eq!(check(&record(9, &[], |_| {})), RecordError::Kind(9));
    let fixed_only = record(KIND_EXIT, &[], |_| {});
    assert!(matches!(check(&fixed_only), RecordError::Length { .. }));
}

#[test]
fn no_bytes_make_it_panic() {
    let tails: [(Tail, &[u8]); 4] = [
        (Tail::Exe, b"y\0x\0"),
        (Tail::Args, b"y\0z\0"),
        (Tail::Environment, b"LANG=\0"),
        (Tail::Ancestors, &[7; 48]),
    ];
    let good = record(KIND_EXEC, &tails, |_| {});
    let mut lifter = lifter();
    let mut state = 1u32;
    for _ in 0..20_000 {
        let mut bytes = good.clone();
        for _ in 0..3 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (state >> 8) as usize % bytes.len();
            bytes[at] = state.to_le_bytes()[1];
        }
        if let Ok(event) = lifter.lift(&bytes, 0) {
            for field in crate::fields::FIELDS {
                let _ = (field.get)(&event);
            }
        }
    }
}

#[test]
fn what_follows_from_the_inode() {
    let flags = |flags: u32, mode: u32, owner: u32, exe: &[u8]| {
        let bytes = record(KIND_EXEC, &[(Tail::Exe, exe)], |fixed| {
            fixed.flags = flags;
            fixed.file.mode = mode;
            fixed.file.uid = owner;
        });
        lifter().lift(&bytes, 0).unwrap().program().unwrap().flags
    };
    let memfd = b"memfd:x\0";
    assert_eq!(flags(FLAG_DELETED, 0o755, 0, memfd), FLAG_DELETED | FLAG_MEMFD);
    assert_eq!(flags(0, 0o755, 0, memfd), 0, "a file of that name");
    assert_eq!(flags(0, 0o4755, CREDS.euid, b"x\0"), FLAG_SETID | FLAG_WRITABLE);
    assert_eq!(flags(0, 0o4755, 0, b"x\0"), 0, "the bit did nothing");
    assert_eq!(flags(0, 0o555, CREDS.euid, b"x\0"), 0);
    assert_eq!(flags(0, 0o757, 0, b"x\0"), FLAG_WRITABLE);
}

#[test]
fn the_end_of_a_process() {
    let exit = exit(|_| {});
    let mut lifter = lifter();
    let event = lifter.lift(&exit, 0).unwrap();
    let Body::Exit(ended) = event.body else { panic!("{event:?}") };
    let status = ended.status.unwrap();
    assert_eq!((status.code(), status.signal(), status.core()), (None, Some(11), true));
    assert_eq!((ended.duration, ended.max_rss, ended.read_bytes), (Some(2), Some(12_288), None));
}

#[test]
fn paths_turn_round_and_back() {
    for path in ["/usr/bin/true", "/x", "/a/b/c/d e"] {
        let mut turned = Vec::new();
        turn_round(&leaf_first(path.as_bytes()), &mut turned);
        assert_eq!(turned, path.as_bytes());
    }
    let mut turned = b"old".to_vec();
    turn_round(b"", &mut turned);
    assert_eq!(turned, b"/");
}
