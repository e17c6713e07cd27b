use super::builder::*;
use super::*;

/// Parses, asking for the structures that the tests call `outer` and `other`.
fn parse(bytes: &[u8]) -> Result<Btf<'_>, BtfError> {
    Btf::parse(bytes, &["outer", "other"])
}

fn place(bytes: &[u8], path: &str) -> Option<(u32, u32)> {
    parse(bytes).unwrap().offset_of("outer", path).map(|place| (place.offset, place.size))
}

/// One `outer` whose members are of every kind that a member can be.
fn zoo() -> Vec<u8> {
    let mut types = Builder::new();
    let int = types.int(4);
    let long = types.int(8);
    let pointer = types.pointer(0);
    let id = types.structure("", 4, &[("val", int, 0)]);
    let id = types.raw(TYPEDEF, 0, "kuid_t", id, &[]);
    let tagged = types.raw(TYPE_TAG, 0, "rcu", id, &[]);
    let qualified = types.raw(RESTRICT, 0, "", tagged, &[]);
    let qualified = types.raw(VOLATILE, 0, "", qualified, &[]);
    let qualified = types.raw(CONST, 0, "", qualified, &[]);
    let row = types.array(long, 3);
    let table = types.array(row, 2);
    let colour = types.raw(ENUM, 2, "colour", 4, &[0, 0, 0, 1]);
    let wide = types.raw(ENUM64, 1, "wide", 8, &[0, 1, 2]);
    let double = types.raw(FLOAT, 0, "double", 8, &[]);
    let path = types.structure("path", 16, &[("mnt", pointer, 0), ("dentry", pointer, 8)]);
    let inner = types.compound(UNION, "", 16, &[("f_path", path, 0), ("other", path, 0)]);
    let middle = types.structure("", 24, &[("before", long, 0), ("", inner, 8)]);
    let function = types.raw(FUNC_PROTO, 1, "", int, &[0, int]);
    types.raw(FUNC, 1, "main", function, &[]);
    types.raw(VAR, 0, "jiffies", long, &[1]);
    types.raw(DATASEC, 1, ".data", 8, &[long, 0, 8]);
    types.raw(DECL_TAG, 0, "kfunc", long, &[u32::MAX]);
    types.raw(FWD, 0, "outer", 0, &[]);
    types.structure("outer", 0, &[]);
    types.structure(
        "outer",
        200,
        &[
            ("number", int, 0),
            ("uid", qualified, 4),
            ("table", table, 8),
            ("colour", colour, 56),
            ("wide", wide, 64),
            ("double", double, 72),
            ("", middle, 80),
            ("after", pointer, 104),
            ("call", function, 112),
        ],
    );
    types.structure("outer", 8, &[("namesake", long, 0)]);
    types.build()
}

#[test]
fn members_of_every_kind() {
    let zoo = zoo();
    for (path, expected) in [
        ("number", (0, 4)),
        ("uid", (4, 4)),
        ("uid.val", (4, 4)),
        ("table", (8, 48)),
        ("colour", (56, 4)),
        ("wide", (64, 8)),
        ("double", (72, 8)),
        ("before", (80, 8)),
        ("f_path", (88, 16)),
        ("f_path.mnt", (88, 8)),
        ("f_path.dentry", (96, 8)),
        ("other.dentry", (96, 8)),
        ("after", (104, 8)),
    ] {
        assert_eq!(place(&zoo, path), Some(expected), "{path}");
    }
}

#[test]
fn what_is_not_there() {
    let zoo = zoo();
    for path in [
        "",
        ".",
        "number.",
        ".number",
        "numbe",
        "numbers",
        "nothing",
        "uid.nothing",
        "uid.val.more",
        "after.mnt",
        "table.0",
        "f_path..mnt",
        "call",
        "namesake",
        "kuid_t",
    ] {
        assert_eq!(place(&zoo, path), None, "{path}");
    }
    let btf = parse(&zoo).unwrap();
    assert_eq!(btf.offset_of("other", "number"), None);
    assert_eq!(btf.offset_of("path", "mnt"), None, "was not asked for");
}

#[test]
fn bit_fields_with_sizes_in_the_members() {
    let mut types = Builder::new();
    let int = types.int(4);
    let members = [
        ("plain", int, 64),
        ("flag", int, (1 << 24) + 96),
        ("odd", int, 97),
        ("", int, (3 << 24) + 99),
        ("last", int, 128),
    ];
    types.compound(STRUCT | KIND_FLAG, "outer", 24, &members);
    let bytes = types.build();
    assert_eq!(place(&bytes, "plain"), Some((8, 4)));
    assert_eq!(place(&bytes, "flag"), None);
    assert_eq!(place(&bytes, "odd"), None);
    assert_eq!(place(&bytes, "last"), Some((16, 4)));
}

#[test]
fn bit_fields_with_sizes_in_the_integers() {
    let mut types = Builder::new();
    let int = types.int(4);
    let bits = types.raw(INT, 0, "bits", 4, &[3]);
    let bits = types.raw(TYPEDEF, 0, "bits_t", bits, &[]);
    let shifted = types.raw(INT, 0, "shifted", 1, &[1 << 16 | 8]);
    // Here the upper bits of an offset are no size.
    let members = [("far", int, 1 << 27), ("flag", bits, 64), ("shifted", shifted, 96)];
    types.compound(STRUCT, "outer", 1 << 25, &members);
    let bytes = types.build();
    assert_eq!(place(&bytes, "far"), Some((1 << 24, 4)));
    assert_eq!(place(&bytes, "flag"), None);
    assert_eq!(place(&bytes, "shifted"), None);
}

#[test]
fn types_that_lead_round_in_circles() {
    let mut types = Builder::new();
    types.raw(TYPEDEF, 0, "self", 1, &[]);
    types.raw(TYPEDEF, 0, "ping", 3, &[]);
    types.raw(CONST, 0, "", 2, &[]);
    types.array(4, 2);
    types.structure("", 8, &[("", 5, 0), ("", 5, 0), ("", 5, 0), ("", 5, 0)]);
    types.structure(
        "outer",
        8,
        &[
            ("a", 1, 0),
            ("b", 2, 0),
            ("c", 4, 0),
            ("", 1, 0),
            ("", 5, 0),
            ("d", 0, 0),
            ("e", 9999, 0),
        ],
    );
    let bytes = types.build();
    for path in ["a", "a.x", "b", "b.x", "c", "c.x", "d", "d.x", "e", "e.x", "nothing"] {
        assert_eq!(place(&bytes, path), None, "{path}");
    }
}

#[test]
fn offsets_and_sizes_that_do_not_fit() {
    let mut types = Builder::new();
    let int = types.int(4);
    let huge = types.array(int, u32::MAX);
    let mut deep = types.structure("", 8, &[("deep", int, 0)]);
    for _ in 0..12 {
        deep = types.compound(STRUCT, "", 8, &[("", deep, u32::MAX - 7)]);
    }
    types.structure("outer", 8, &[("huge", huge, 0), ("", deep, 0)]);
    let bytes = types.build();
    assert_eq!(place(&bytes, "huge"), None);
    assert_eq!(place(&bytes, "deep"), None);
}

#[test]
fn headers_that_are_refused() {
    let good = zoo();
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        parse(&changed).unwrap_err()
    };
    let header = BtfError::Truncated { what: "the header", at: 0 };
    assert_eq!(parse(&[]).unwrap_err(), header);
    assert_eq!(parse(&good[..23]).unwrap_err(), header);
    assert_eq!(with(4, &u32::MAX.to_ne_bytes()), header);
    assert_eq!(with(0, b"\x7fE"), BtfError::NotBtf { found: u16::from_ne_bytes(*b"\x7fE") });
    assert_eq!(with(0, &0xeb9f_u16.swap_bytes().to_ne_bytes()), BtfError::ForeignByteOrder);
    assert_eq!(with(2, &[2]), BtfError::Version { found: 2 });
    assert_eq!(with(3, &[1]), BtfError::Flags { found: 1 });
    assert_eq!(with(4, &23_u32.to_ne_bytes()), BtfError::HeaderLength { found: 23 });
    let types = BtfError::Truncated { what: "the type section", at: 24 };
    assert_eq!(with(12, &u32::MAX.to_ne_bytes()), types);
    let strings = |at| BtfError::Truncated { what: "the string section", at };
    assert_eq!(with(16, &u32::MAX.to_ne_bytes()), strings(u32::MAX as usize + 24));
    assert!(matches!(parse(&good[..good.len() - 1]), Err(BtfError::Truncated { .. })));
}

#[test]
fn the_last_type_is_cut_short() {
    let mut types = Builder::new();
    types.int(4);
    types.raw(STRUCT, 2, "outer", 8, &[0, 1, 0]);
    let cut = BtfError::Truncated { what: "a type", at: 24 + 16 };
    assert_eq!(parse(&types.build()).unwrap_err(), cut);
    assert_eq!(cut.to_string(), "BTF is cut short: a type at byte 40 is not all there");
}

#[test]
fn unknown_kinds_are_named_or_stepped_over() {
    let mut types = Builder::new();
    let int = types.int(4);
    types.raw(20, 3, "newer", 0, &[0; 7]);
    types.structure("outer", 4, &[("a", int, 0)]);
    let unknown = BtfError::UnknownKind { kind: 20, at: 24 + 16 };
    assert_eq!(parse(&types.build()).unwrap_err(), unknown);
    assert_eq!(unknown.to_string(), "BTF type at byte 40 is of unknown kind 20");

    // A kernel that says how large its kinds are: 4 bytes, and 8 for each of three.
    let mut kinds = [(0, 0); 21];
    kinds[20] = (4, 8);
    types.layout(&kinds);
    assert_eq!(place(&types.build(), "a"), Some((0, 4)));
    types.layout(&kinds[..20]);
    assert!(matches!(parse(&types.build()), Err(BtfError::UnknownKind { kind: 20, .. })));

    let mut types = Builder::new();
    types.raw(0, 0, "", 0, &[]);
    assert_eq!(parse(&types.build()).unwrap_err(), BtfError::UnknownKind { kind: 0, at: 24 });
}

#[test]
fn counts_of_more_than_sixteen_bits() {
    let mut types = Builder::new();
    let int = types.int(4);
    let members = vec![("", int, 0); 0xffff];
    types.structure("other", 4, &members);
    types.raw(ENUM, 0x1_0001, "large", 4, &vec![0; 2 * 0x1_0001]);
    types.structure("outer", 4, &[("a", int, 0)]);
    let bytes = types.build();
    assert_eq!(place(&bytes, "a"), Some((0, 4)));
    assert_eq!(parse(&bytes).unwrap().offset_of("other", "a"), None);
}

#[test]
fn damaged_bytes_never_panic() {
    let good = zoo();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut parsed = 0_u32;
    for _ in 0..60_000 {
        let mut bytes = good.clone();
        // The header is most often left alone, or nearly nothing would come by it.
        let first = if random(8) == 0 { 0 } else { 24 };
        for _ in 0..=random(6) {
            let at = first + random(bytes.len() - first);
            bytes[at] = u8::try_from(random(256)).unwrap();
        }
        if random(16) == 0 {
            bytes.truncate(random(good.len()));
        }
        if let Ok(btf) = parse(&bytes) {
            parsed += 1;
            for path in ["uid.val", "table", "f_path.dentry", "call", "nothing", "flag"] {
                let _ = btf.offset_of("outer", path);
            }
        }
    }
    assert!(parsed > 10_000, "only {parsed} came through to the members");
}
