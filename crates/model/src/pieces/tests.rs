//! Pieces in order, with gaps, and of records that never came.

use exectrail_abi::{
    fault::Fault,
    record::{Exec, KIND_EXEC, KIND_PIECE, Piece},
};
use zerocopy::FromZeros;

use super::Pieces;

fn piece(lane: u32, of: u64, offset: u64) -> Piece {
    let mut piece = Piece::new_zeroed();
    piece.header.kind = KIND_PIECE;
    piece.header.lane = lane;
    (piece.of, piece.offset) = (of, offset);
    piece
}

fn record(lane: u32, ktime: u64, args_offset: u64) -> Exec {
    let mut record = Exec::new_zeroed();
    record.header.kind = KIND_EXEC;
    (record.header.lane, record.header.ktime, record.args_offset) = (lane, ktime, args_offset);
    record
}

/// Pieces by offset, the record's own part, and what comes of it: the bytes, and
/// where they are cut.
fn check(pieces: &[(u64, &[u8])], last: (u64, &[u8]), expect: &[u8], cut: Option<u32>) {
    let mut all = Pieces::default();
    for (offset, bytes) in pieces {
        all.add(&piece(1, 77, *offset), bytes);
    }
    let mut record = record(1, 77, last.0);
    let mut buffer = b"of the one before".to_vec();
    assert_eq!(all.whole(&mut record, last.1, &mut buffer), expect);
    let shortened = record.faults & Fault::ArgsShortened.bit() != 0;
    assert_eq!(shortened.then_some(record.args_cut), cut);
}

#[test]
fn without_pieces_the_record_has_all() {
    let mut buffer = Vec::new();
    let args = Pieces::default().whole(&mut record(1, 77, 0), b"ls", &mut buffer);
    assert_eq!(args, b"ls");
    assert!(buffer.is_empty());
}

#[test]
fn pieces_in_their_order_are_the_whole() {
    check(&[(0, b"abc"), (3, b"def")], (6, b"gh"), b"abcdefgh", None);
    check(&[(0, b"abc")], (3, b"d"), b"abcd", None);
}

#[test]
fn a_gap_leaves_beginning_and_end() {
    check(&[(0, b"abc"), (6, b"ghi")], (9, b"j"), b"abcghij", Some(3));
    check(&[(0, b"abc"), (3, b"def")], (9, b"j"), b"abcdefj", Some(6));
    check(&[(3, b"def")], (6, b"g"), b"defg", Some(0));
    check(&[], (6, b"g"), b"g", Some(0));
}

#[test]
fn of_two_gaps_the_bytes_between_go_too() {
    check(&[(0, b"ab"), (4, b"ef")], (8, b"ij"), b"abij", Some(2));
}

#[test]
fn a_gap_that_was_asked_for_is_none_of_the_buffers() {
    let mut all = Pieces::default();
    all.add(&piece(1, 77, 0), b"ab");
    let mut record = record(1, 77, 8);
    record.faults = Fault::ArgsCut.bit();
    let mut buffer = Vec::new();
    assert_eq!(all.whole(&mut record, b"ij", &mut buffer), b"abij");
    assert_eq!(record.args_cut, 2);
    assert_eq!(record.faults, Fault::ArgsCut.bit());
}

#[test]
fn lanes_and_records_are_kept_apart() {
    let mut all = Pieces::default();
    all.add(&piece(1, 70, 0), b"of a record that was lost");
    all.add(&piece(1, 77, 0), b"ab");
    all.add(&piece(2, 77, 0), b"xy");
    let mut buffer = Vec::new();
    assert_eq!(all.whole(&mut record(2, 77, 2), b"z", &mut buffer), b"xyz");
    assert_eq!(all.whole(&mut record(1, 77, 2), b"c", &mut buffer), b"abc");
    // Taken out: nothing of them is left for the next.
    assert_eq!(all.whole(&mut record(1, 77, 2), b"c", &mut buffer), b"c");
}

#[test]
fn more_than_any_exec_has_is_not_kept() {
    let mut all = Pieces::default();
    let much = vec![b'x'; 4 << 20];
    all.add(&piece(1, 77, 0), &much);
    all.add(&piece(1, 77, 4 << 20), &much);
    let mut buffer = Vec::new();
    let args = all.whole(&mut record(1, 77, 8 << 20), b"end", &mut buffer);
    assert_eq!(args.len(), (4 << 20) + 3);
}
