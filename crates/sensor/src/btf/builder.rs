//! Builds BTF for tests, as a compiler would lay it out.

use super::raw::{HEADER_SIZE, MAGIC, VERSION};

pub(crate) const INT: u32 = 1;
pub(crate) const PTR: u32 = 2;
pub(crate) const ARRAY: u32 = 3;
pub(crate) const STRUCT: u32 = 4;
pub(crate) const UNION: u32 = 5;
pub(crate) const ENUM: u32 = 6;
pub(crate) const FWD: u32 = 7;
pub(crate) const TYPEDEF: u32 = 8;
pub(crate) const VOLATILE: u32 = 9;
pub(crate) const CONST: u32 = 10;
pub(crate) const RESTRICT: u32 = 11;
pub(crate) const FUNC: u32 = 12;
pub(crate) const FUNC_PROTO: u32 = 13;
pub(crate) const VAR: u32 = 14;
pub(crate) const DATASEC: u32 = 15;
pub(crate) const FLOAT: u32 = 16;
pub(crate) const DECL_TAG: u32 = 17;
pub(crate) const TYPE_TAG: u32 = 18;
pub(crate) const ENUM64: u32 = 19;

/// Bit in `info` that members say their bit sizes.
pub(crate) const KIND_FLAG: u32 = 1 << 31;

pub(crate) struct Builder {
    types: Vec<u8>,
    strings: Vec<u8>,
    /// The number that the next type gets.
    pub(crate) next: u32,
    layouts: Vec<u8>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self { types: Vec::new(), strings: vec![0], next: 1, layouts: Vec::new() }
    }

    fn string(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let at = u32::try_from(self.strings.len()).unwrap();
        self.strings.extend_from_slice(text.as_bytes());
        self.strings.push(0);
        at
    }

    /// Any type: `kind` may carry [`KIND_FLAG`].
    pub(crate) fn raw(&mut self, kind: u32, vlen: u32, name: &str, last: u32, tail: &[u32]) -> u32 {
        let name = self.string(name);
        let info = (kind & KIND_FLAG) | (kind & !KIND_FLAG) << 24 | vlen;
        for word in [name, info, last].iter().chain(tail) {
            self.types.extend_from_slice(&word.to_ne_bytes());
        }
        self.next += 1;
        self.next - 1
    }

    /// An integer of `size` bytes.
    pub(crate) fn int(&mut self, size: u32) -> u32 {
        self.raw(INT, 0, "int", size, &[size * 8])
    }

    /// A pointer to `to`.
    pub(crate) fn pointer(&mut self, to: u32) -> u32 {
        self.raw(PTR, 0, "", to, &[])
    }

    /// `length` times `element`.
    pub(crate) fn array(&mut self, element: u32, length: u32) -> u32 {
        self.raw(ARRAY, 0, "", 0, &[element, 0, length])
    }

    /// A structure or union; members are name, type and the raw `offset` word.
    pub(crate) fn compound(
        &mut self,
        kind: u32,
        name: &str,
        size: u32,
        members: &[(&str, u32, u32)],
    ) -> u32 {
        let tail: Vec<u32> =
            members.iter().flat_map(|(name, id, place)| [self.string(name), *id, *place]).collect();
        self.raw(kind, u32::try_from(members.len()).unwrap(), name, size, &tail)
    }

    /// A structure whose members are given with their offsets in bytes.
    pub(crate) fn structure(&mut self, name: &str, size: u32, members: &[(&str, u32, u32)]) -> u32 {
        let members: Vec<_> = members.iter().map(|(name, id, at)| (*name, *id, at * 8)).collect();
        self.compound(STRUCT, name, size, &members)
    }

    /// Says of each kind from zero on how many bytes follow: once, and for each element.
    pub(crate) fn layout(&mut self, kinds: &[(u8, u8)]) {
        self.layouts = kinds.iter().flat_map(|(once, each)| [*once, *each, 0, 0]).collect();
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
        let (types, strings) = (length(&self.types), length(&self.strings));
        let mut header = vec![0, types, types, strings];
        if !self.layouts.is_empty() {
            header.extend([types + strings, length(&self.layouts)]);
        }
        let header_size = if self.layouts.is_empty() { HEADER_SIZE } else { HEADER_SIZE + 8 };
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend([VERSION, 0]);
        bytes.extend(header_size.to_ne_bytes());
        bytes.extend(header.iter().flat_map(|word| word.to_ne_bytes()));
        bytes.extend([&self.types[..], &self.strings, &self.layouts].concat());
        bytes
    }
}
