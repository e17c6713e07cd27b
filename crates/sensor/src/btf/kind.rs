//! The kinds of BTF types, and how much room each takes.

/// What a type is, as far as members are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An integer, which may have fewer bits than its bytes hold.
    Int,
    /// A pointer.
    Pointer,
    /// So many of another type.
    Array,
    /// A structure.
    Struct,
    /// A union.
    Union,
    /// Something else that says its own size.
    Sized,
    /// Another name for a type, or a qualifier before it.
    Alias,
    /// A function.
    Function,
    /// Nothing else that a member can be.
    Unsized,
}

/// How many bytes follow a type's common part: once, and for each of its
/// elements (`vlen` of them).
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    pub(super) once: u32,
    pub(super) each: u32,
}

impl Tail {
    const NONE: Self = Self::once(0);

    const fn once(bytes: u32) -> Self {
        Self { once: bytes, each: 0 }
    }

    const fn each(bytes: u32) -> Self {
        Self { once: 0, each: bytes }
    }
}

/// The kinds by number, from one on (`BTF_KIND_*`).
pub(super) const KINDS: [(Kind, Tail); 19] = [
    (Kind::Int, Tail::once(4)),      // 1 INT
    (Kind::Pointer, Tail::NONE),     // 2 PTR
    (Kind::Array, Tail::once(12)),   // 3 ARRAY
    (Kind::Struct, Tail::each(12)),  // 4 STRUCT
    (Kind::Union, Tail::each(12)),   // 5 UNION
    (Kind::Sized, Tail::each(8)),    // 6 ENUM
    (Kind::Unsized, Tail::NONE),     // 7 FWD
    (Kind::Alias, Tail::NONE),       // 8 TYPEDEF
    (Kind::Alias, Tail::NONE),       // 9 VOLATILE
    (Kind::Alias, Tail::NONE),       // 10 CONST
    (Kind::Alias, Tail::NONE),       // 11 RESTRICT
    (Kind::Function, Tail::NONE),    // 12 FUNC
    (Kind::Unsized, Tail::each(8)),  // 13 FUNC_PROTO
    (Kind::Unsized, Tail::once(4)),  // 14 VAR
    (Kind::Unsized, Tail::each(12)), // 15 DATASEC
    (Kind::Sized, Tail::NONE),       // 16 FLOAT, since 5.13
    (Kind::Unsized, Tail::once(4)),  // 17 DECL_TAG, since 5.16
    (Kind::Alias, Tail::NONE),       // 18 TYPE_TAG, since 5.17
    (Kind::Sized, Tail::each(12)),   // 19 ENUM64, since 6.0
];
