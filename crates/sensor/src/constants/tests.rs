use std::collections::HashSet;

use exectrail_abi::config::Config;
use zerocopy::{FromZeros as _, IntoBytes as _};

use super::{ALU, Folded, MOV, SIZE, fold, follow, jump_targets};
use crate::object;

const CONFIG: [u8; 24] =
    [1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];

fn insn(code: u8, dst: u8, src: u8, offset: i16, immediate: i32) -> [u8; SIZE] {
    let mut bytes = [code, src << 4 | dst, 0, 0, 0, 0, 0, 0];
    bytes[2..4].copy_from_slice(&offset.to_le_bytes());
    bytes[4..].copy_from_slice(&immediate.to_le_bytes());
    bytes
}

fn address(dst: u8, base: i32) -> [[u8; SIZE]; 2] {
    [insn(0x18, dst, 0, 0, base), [0; SIZE]]
}

fn word(dst: u8, src: u8, offset: i16) -> [u8; SIZE] {
    insn(0x61, dst, src, offset, 0)
}

fn long(dst: u8, src: u8, offset: i16) -> [u8; SIZE] {
    insn(0x79, dst, src, offset, 0)
}

fn moved(dst: u8, value: i32) -> [u8; SIZE] {
    insn(ALU | MOV, dst, 0, 0, value)
}

const EXIT: [u8; SIZE] = [0x95, 0, 0, 0, 0, 0, 0, 0];

/// The code behind an address in `r1` of the configuration's byte `base`: what it becomes,
/// and whether the address is gone.
fn folded(base: i32, code: &[[u8; SIZE]]) -> (Vec<[u8; SIZE]>, bool) {
    let mut all = [&address(1, base), code].concat();
    let targets = jump_targets(&all);
    let followed = follow(&mut all, &targets, 0, &CONFIG);
    (all.split_off(2), followed.is_dead)
}

#[test]
fn a_load_becomes_its_value() {
    let cases = [
        (0, word(1, 1, 0), moved(1, 0x0403_0201)),
        (4, word(1, 1, 0), moved(1, -1)),
        (0, word(1, 1, 8), moved(1, 9)),
        (8, long(1, 1, 0), moved(1, 9)),
        (0, insn(0x69, 1, 1, 0, 0), moved(1, 0x0201)),
        (0, insn(0x71, 1, 1, 3, 0), moved(1, 4)),
    ];
    for (base, load, expected) in cases {
        assert_eq!(folded(base, &[load, EXIT]), (vec![expected, EXIT], true));
    }
}

#[test]
fn what_is_no_plain_load_of_what_is_known_stays() {
    let cases = [
        // A value of 64 bits that no instruction holds, two of its halves, and bytes
        // behind the end.
        (16, long(1, 1, 0)),
        (0, long(1, 1, 0)),
        (0, word(1, 1, 22)),
        (0, word(1, 1, -4)),
        // A load that extends the sign, a store, arithmetic, a call.
        (0, insn(0x81, 1, 1, 0, 0)),
        (0, insn(0x7b, 10, 1, -8, 0)),
        (0, insn(0x07, 1, 0, 0, 8)),
        (0, insn(0xbf, 6, 1, 0, 0)),
        (0, insn(0x85, 0, 0, 0, 5)),
        (0, insn(0x15, 1, 0, 0, 0)),
    ];
    for (base, used) in cases {
        let code = [used, word(1, 1, 0), EXIT];
        assert_eq!(folded(base, &code), (code.to_vec(), false), "{used:?}");
    }
}

#[test]
fn an_address_serves_several_loads() {
    let code = [word(2, 1, 0), insn(0x0f, 3, 2, 0, 0), word(4, 1, 8), insn(0xb7, 1, 0, 0, 7), EXIT];
    let expected = [moved(2, 0x0403_0201), code[1], moved(4, 9), code[3], EXIT];
    assert_eq!(folded(0, &code), (expected.to_vec(), true));
    // The program's end is the end of all registers but the result.
    let code = [word(2, 1, 8), EXIT];
    assert_eq!(folded(0, &code), (vec![moved(2, 9), EXIT], true));
}

#[test]
fn nothing_is_followed_past_a_place_where_ways_meet() {
    // The last of these jumps back to the load, with another address perhaps.
    let code = [insn(0xb7, 3, 0, 0, 0), word(2, 1, 0), insn(0x55, 3, 0, -2, 0), EXIT];
    assert_eq!(folded(0, &code), (code.to_vec(), false));
    // Where ways part, the other one may want it.
    let code = [word(2, 1, 8), insn(0x15, 2, 0, 1, 0), word(1, 1, 8), EXIT];
    let expected = [moved(2, 9), code[1], code[2], EXIT];
    assert_eq!(folded(0, &code), (expected.to_vec(), false));
    // The second half of a wide instruction is none, whatever it looks like.
    let wide = [insn(0x18, 2, 0, 0, 5), insn(0x05, 0, 0, 0, 0)];
    let code = [wide[0], wide[1], word(1, 1, 8), EXIT];
    assert_eq!(folded(0, &code), (vec![wide[0], wide[1], moved(1, 9), EXIT], true));
}

/// In the real object nearly every read of the configuration is gone, the object is still
/// one, and nothing else has changed.
#[test]
fn the_object_reads_no_more_of_its_configuration_than_it_must() {
    let mut changed = object::aligned();
    let Folded { loads, addresses, kept } =
        fold(changed.bytes_mut(), Config::new_zeroed().as_bytes()).unwrap();
    eprintln!("{loads} loads, {addresses} addresses, {kept} kept");
    assert!(loads > 300 && addresses > kept, "most of them");
    let (before, after) = (
        aya_obj::Object::parse(object::BYTES).unwrap(),
        aya_obj::Object::parse(changed.bytes_mut()).unwrap(),
    );
    let names = |object: &aya_obj::Object| object.programs.keys().cloned().collect::<HashSet<_>>();
    assert_eq!(names(&before), names(&after));
    let mut moves = 0;
    for (key, function) in &before.functions {
        let now = &after.functions[key].instructions;
        assert_eq!(function.instructions.len(), now.len());
        for (before, now) in function.instructions.iter().zip(now) {
            let words = |of: &aya_obj::generated::bpf_insn| (of.code, of.dst_reg(), of.off, of.imm);
            if words(before) != words(now) {
                assert_eq!((now.code, now.src_reg(), now.off), (ALU | MOV, 0, 0));
                moves += 1;
            }
        }
    }
    assert_eq!(moves, loads + addresses * 2);
    // What is gone needs no second look.
    assert_eq!(fold(changed.bytes_mut(), &[0; 4]).unwrap().addresses, 0);
}
