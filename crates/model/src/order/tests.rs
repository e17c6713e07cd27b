use std::cmp::Ordering;

use super::{Order, put};
use crate::{
    args::Args,
    cpid::Cpid,
    environment::{Environment, Wanted},
    fields::{FIELDS, Field},
    report::{Key, OfProcess, PROCESSES},
    value::Value,
};

fn key(value: Value<'_>, is_down: bool) -> Vec<u8> {
    let mut key = Vec::new();
    put(value, is_down, &mut key);
    key
}

/// Each before the next one, and the other way round; what is not known comes last.
fn check(values: &[Value<'_>]) {
    for (place, one) in values.iter().enumerate() {
        for (other_place, other) in values.iter().enumerate() {
            let expect = place.cmp(&other_place);
            assert_eq!(key(*one, false).cmp(&key(*other, false)), expect, "{one:?} {other:?}");
            assert_eq!(key(*one, true).cmp(&key(*other, true)), expect.reverse());
            // What follows decides where both are equal, and there only.
            let followed = |value, last| [key(value, true), vec![last]].concat();
            let behind = followed(*one, 1).cmp(&followed(*other, 0));
            let expect =
                if expect == Ordering::Equal { Ordering::Greater } else { expect.reverse() };
            assert_eq!(behind, expect, "{one:?} {other:?}");
        }
        for is_down in [false, true] {
            assert!(key(*one, is_down) < key(Value::Null, is_down), "{one:?}");
        }
    }
}

const TABLE: &[(u32, &str)] = &[(1, "a"), (2, "b"), (4, "c")];

#[test]
fn each_type_has_its_order() {
    check(&[0, 9, 10, 255, 256, u64::MAX].map(Value::Number));
    check(&[i64::MIN, -1, 0, 1, i64::MAX].map(Value::Time));
    check(&[false, true].map(Value::Bool));
    check(&["", "ENOENT", "exec", "exit"].map(Value::Text));
    check(&["", "ada", "adam", "bob"].map(Value::Name));
    check(
        &[&b""[..], b"\0", b"\0\0", b"\0a", b"\x01", b"a", b"a\0", b"a\0b", b"ab", b"b", b"\xff"]
            .map(Value::Bytes),
    );
    check(&[[0; 16], [1; 16], [0xff; 16]].map(|bytes| Value::Id(Cpid::from_bytes(bytes))));
    let args = [&b""[..], b"\0", b"\0\0", b"a\0", b"a\0\0", b"a\0b\0", b"ab\0", b"b\0"];
    check(&args.map(|bytes| Value::Args(Args::whole(bytes))));
    check(&[0, 1, 3, 7, 5, 2, 6, 4].map(|bits| Value::Names { table: TABLE, bits }));
    let all = Wanted::parse("*").unwrap();
    let variables = [&b""[..], b"A=\0", b"A=\0B=1\0", b"A=1\0", b"AB=\0", b"B=\0"];
    check(&variables.map(|bytes| Value::Environment(Environment::new(bytes, &all))));
}

#[test]
fn the_end_of_a_path_stands_where_that_has_its_place() {
    check(&[Value::Bytes(b"a"), Value::End(b"b/c"), Value::Bytes(b"b/d")]);
}

#[test]
fn a_minus_turns_one_of_several_round() {
    let terms = |list| {
        let order = Order::<Field>::parse(list).unwrap();
        order.terms().iter().map(|term| (term.row.name, term.is_down)).collect::<Vec<_>>()
    };
    assert_eq!(terms("pid"), [("pid", false)]);
    assert_eq!(terms("-exe, pid ,-time"), [("exe", true), ("pid", false), ("time", true)]);
    let order = Order::<Field>::parse("exe,cwd,-exe_mode").unwrap();
    let needs = |name| Field::named(name).unwrap().needs;
    assert_eq!(order.needs(), needs("cwd") | needs("exe_mode"));
}

#[test]
fn every_row_is_an_order() {
    for Field { name, .. } in FIELDS {
        assert!(Order::<Field>::parse(&format!("-{name}")).is_ok(), "{name}");
    }
    for Key { name, .. } in PROCESSES {
        assert!(Order::<Key<OfProcess>>::parse(name).is_ok(), "{name}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let words = |list| Order::<Field>::parse(list).unwrap_err().to_string();
    for (list, expect) in [
        ("", "the list of fields has an empty item"),
        ("pid,,exe", "the list of fields has an empty item"),
        ("-", "the list of fields has an empty item"),
        ("pid,-pid", "the field 'pid' is in the list twice"),
        (
            "-pdi",
            "no field is named 'pdi'; did you mean 'pid'? ('exectrail fields' lists them all)",
        ),
        ("--json", "no field is named '--json' ('exectrail fields' lists them all)"),
    ] {
        assert_eq!(words(list), expect, "{list}");
    }
    let words = Order::<Key<OfProcess>>::parse("cpu").unwrap_err().to_string();
    assert!(words.starts_with("no column is named 'cpu'"), "{words}");
}
