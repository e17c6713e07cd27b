use exectrail_abi::{
    fault::Fault,
    record::{Creds, Exec, FIXED_LEN, Header, KIND_EXEC, KIND_FAILED, UNKNOWN_U32, UNKNOWN_U64},
};
use zerocopy::IntoBytes;

use super::{Lifter, RecordError, leaf_first, turn_round};
use crate::{args::Arg, event::Body};

fn short(len: usize) -> u32 {
    len.try_into().unwrap()
}

fn record(
    kind: u16,
    filename: &[u8],
    exe: &[u8],
    args: &[u8],
    change: impl Fn(&mut Exec),
) -> Vec<u8> {
    let len = FIXED_LEN + filename.len() + exe.len() + args.len();
    let mut fixed = Exec {
        header: Header { len: short(len), kind, cpu: 1, ktime: 5, lane: 1, dropped: 0 },
        pid: 10,
        tid: 10,
        ppid: 9,
        faults: 0,
        creds: Creds { uid: 1, gid: 2, suid: 3, sgid: 4, euid: 5, egid: 6, fsuid: 7, fsgid: 8 },
        comm: *b"true\0\0\0\0junk\0\0\0\0",
        cgroup: 1,
        exec_id: 2,
        latency: UNKNOWN_U64,
        args_total: args.len() as u64,
        args_missing: 0,
        args_count: UNKNOWN_U32,
        args_len: short(args.len()),
        args_cut: 0,
        filename_len: short(filename.len()),
        exe_len: short(exe.len()),
        flags: 0,
        errno: 0,
        reserved: 0,
    };
    change(&mut fixed);
    [fixed.as_bytes(), filename, exe, args].concat()
}

#[test]
fn a_whole_record() {
    let bytes = record(KIND_EXEC, b"./true", b"true\0bin\0usr\0", b"./true\0\0", |_| {});
    let mut lifter = Lifter::default();
    let event = lifter.lift(&bytes, 1000).unwrap();
    assert_eq!((event.moment.ktime, event.moment.wall), (5, 1005));
    let Body::Exec(program) = event.body else { panic!("{event:?}") };
    assert_eq!(program.filename, Some(&b"./true"[..]));
    assert_eq!(program.exe, Some(&b"/usr/bin/true"[..]));
    assert_eq!(program.comm, b"true");
    assert_eq!(program.args_count, Some(2));
    let args: Vec<_> = program.args.unwrap().iter().collect();
    assert_eq!(args, [Arg::Whole(b"./true"), Arg::Whole(b"")]);
}

#[test]
fn what_could_not_be_read_is_none() {
    let faults = Fault::ALL.iter().fold(0, |bits, fault| bits | fault.bit());
    let bytes = record(KIND_FAILED, b"", b"", b"", |fixed| fixed.faults = faults);
    let mut lifter = Lifter::default();
    let event = lifter.lift(&bytes, 0).unwrap();
    let program = event.program().unwrap();
    assert!(program.filename.is_none() && program.exe.is_none() && program.args.is_none());
    assert!(program.ppid.is_none() && program.creds.is_none() && program.image.is_none());
    assert_eq!(program.args_count, None);
}

#[test]
fn an_empty_name_is_a_name() {
    let bytes = record(KIND_FAILED, b"", b"", b"x\0", |fixed| fixed.errno = 2);
    let mut lifter = Lifter::default();
    let event = lifter.lift(&bytes, 0).unwrap();
    assert_eq!(event.program().unwrap().filename, Some(&b""[..]));
    let Body::Failed(_, failure) = event.body else { panic!("{event:?}") };
    assert_eq!((failure.errno, failure.latency), (2, None));
}

#[test]
fn damaged_records_are_refused() {
    let good = record(KIND_EXEC, b"/x", b"x\0", b"x\0", |_| {});
    let mut lifter = Lifter::default();
    let mut check = |bytes: &[u8]| lifter.lift(bytes, 0).map(|_| ()).unwrap_err();
    assert_eq!(check(&good[..10]), RecordError::Short(10));
    assert!(matches!(check(&good[..good.len() - 1]), RecordError::Length { .. }));
    let long = record(KIND_EXEC, b"/x", b"x\0", b"x\0", |fixed| fixed.args_len = u32::MAX);
    assert!(matches!(check(&long), RecordError::Length { .. }));
    assert_eq!(check(&record(9, b"", b"", b"", |_| {})), RecordError::Kind(9));
}

#[test]
fn no_bytes_make_it_panic() {
    let good = record(KIND_EXEC, b"/x/y", b"y\0x\0", b"y\0z\0", |_| {});
    let mut lifter = Lifter::default();
    let mut state = 1u32;
    for _ in 0..20_000 {
        let mut bytes = good.clone();
        for _ in 0..3 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (state >> 8) as usize % bytes.len();
            bytes[at] = state.to_le_bytes()[1];
        }
        if let Ok(event) = lifter.lift(&bytes, 0)
            && let Some(args) = event.program().and_then(|program| program.args)
        {
            args.iter().for_each(drop);
            let _ = args.cut_index();
        }
    }
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
