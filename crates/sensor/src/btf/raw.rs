//! BTF as it lies in memory: header, sections, types and members.
//!
//! Everything here answers about one place and goes nowhere else. All numbers
//! are in the byte order of the machine that made them.

use super::BtfError;
use super::kind::{KINDS, Kind, Tail};

/// The first two bytes (`BTF_MAGIC`).
pub(super) const MAGIC: u16 = 0xeb9f;
/// The only version there has been (`BTF_VERSION`).
pub(super) const VERSION: u8 = 1;
/// The header as it was in the beginning. It may grow at the end and says so.
pub(super) const HEADER_SIZE: u32 = 24;

/// Where the header tells of the layout section, which kernels have since 2026
/// (commit 222edc843c15).
const LAYOUT_FIELD: usize = 24;
/// Size of what all types begin with (`struct btf_type`).
const TYPE_SIZE: u32 = 12;
/// Size of `struct btf_member`.
const MEMBER_SIZE: u32 = 12;
/// Size of `struct btf_layout`.
const LAYOUT_SIZE: usize = 4;

/// The common part of a type, and where the rest of it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Type {
    pub(super) kind: Kind,
    /// How many elements it has.
    pub(super) count: u32,
    /// Its name, in the string section.
    pub(super) name: u32,
    /// Its size, or the number of the type it refers to; the kind says which.
    pub(super) size_or_id: u32,
    /// Where the next type begins, in the type section.
    pub(super) end: u32,
    /// Where what follows the common part begins.
    tail: u32,
    /// Whether members say how many bits they have (`kind_flag`).
    has_bit_sizes: bool,
}

/// A member of a structure or union.
pub(super) struct Member {
    /// Its name, in the string section.
    pub(super) name: u32,
    /// The number of its type.
    pub(super) type_id: u32,
    bit_offset: u32,
    bit_field: bool,
}

impl Member {
    /// Distance from the start of its structure, unless it is a bit field.
    pub(super) fn byte_offset(&self) -> Option<u32> {
        (!self.bit_field && self.bit_offset.is_multiple_of(8)).then_some(self.bit_offset / 8)
    }
}

/// How many of what an array holds.
pub(super) struct Array {
    /// The number of the elements' type.
    pub(super) element: u32,
    /// How many there are.
    pub(super) length: u32,
}

/// The parts of BTF, each within the bytes that were given.
#[derive(Debug)]
pub(super) struct Sections<'a> {
    types: &'a [u8],
    /// Where the types begin in all the bytes, for error messages.
    types_at: usize,
    strings: &'a [u8],
    /// One `struct btf_layout` per kind: how to step over kinds that are newer
    /// than this code. Empty where the kernel has no such section.
    layouts: &'a [u8],
}

impl<'a> Sections<'a> {
    /// Reads the header.
    pub(super) fn locate(bytes: &'a [u8]) -> Result<Self, BtfError> {
        let cut = BtfError::Truncated { what: "the header", at: 0 };
        let &[a, b, version, flags] = bytes.first_chunk().ok_or(cut)?;
        let magic = u16::from_ne_bytes([a, b]);
        if magic == MAGIC.swap_bytes() {
            return Err(BtfError::ForeignByteOrder);
        }
        if magic != MAGIC {
            return Err(BtfError::NotBtf { found: magic });
        }
        if version != VERSION {
            return Err(BtfError::Version { found: version });
        }
        if flags != 0 {
            return Err(BtfError::Flags { found: flags });
        }
        let length = word(bytes, 4).ok_or(cut)?;
        if length < HEADER_SIZE {
            return Err(BtfError::HeaderLength { found: length });
        }
        let header = bytes.get(..length as usize).ok_or(cut)?;
        let body = bytes.get(length as usize..).ok_or(cut)?;
        let section = |field: usize, what| {
            let start = word(header, field).ok_or(cut)? as usize;
            let size = word(header, field + 4).ok_or(cut)? as usize;
            let cut = BtfError::Truncated { what, at: start.saturating_add(header.len()) };
            let end = start.checked_add(size).ok_or(cut)?;
            Ok((body.get(start..end).ok_or(cut)?, start.saturating_add(header.len())))
        };
        let (types, types_at) = section(8, "the type section")?;
        let (strings, _) = section(16, "the string section")?;
        let layouts = if header.len() >= LAYOUT_FIELD + 8 {
            section(LAYOUT_FIELD, "the layout section")?.0
        } else {
            &[]
        };
        Ok(Self { types, types_at, strings, layouts })
    }

    /// Whether another type begins at `at`.
    pub(super) fn has_type_at(&self, at: u32) -> bool {
        (at as usize) < self.types.len()
    }

    /// The type that begins at `at`, checked to lie within the section as a whole.
    pub(super) fn type_at(&self, at: u32) -> Result<Type, BtfError> {
        let place = self.types_at.saturating_add(at as usize);
        let cut = BtfError::Truncated { what: "a type", at: place };
        let tail = at.checked_add(TYPE_SIZE).ok_or(cut)?;
        let common = self.types.get(at as usize..tail as usize).ok_or(cut)?;
        let info = word(common, 4).ok_or(cut)?;
        // There were 16 bits for the count and 5 for the kind, with zeros above
        // each, until 2026 (commit f7a6b9eaff3e); 24 and 7 are right for both.
        let count = info & 0x00ff_ffff;
        let number = info >> 24 & 0x7f;
        let (kind, shape) =
            self.kind(number).ok_or(BtfError::UnknownKind { kind: number, at: place })?;
        let end = shape
            .each
            .checked_mul(count)
            .and_then(|elements| elements.checked_add(shape.once)?.checked_add(tail))
            .filter(|end| *end as usize <= self.types.len())
            .ok_or(cut)?;
        Ok(Type {
            kind,
            count,
            name: word(common, 0).ok_or(cut)?,
            size_or_id: word(common, 8).ok_or(cut)?,
            end,
            tail,
            has_bit_sizes: info >> 31 != 0,
        })
    }

    /// What a kind is. A newer one is nothing that a member can be, but it can be
    /// stepped over where the layout section tells its size.
    fn kind(&self, number: u32) -> Option<(Kind, Tail)> {
        let index = number.checked_sub(1)? as usize;
        KINDS.get(index).copied().or_else(|| {
            let layout = self.layouts.get((number as usize).checked_mul(LAYOUT_SIZE)?..)?;
            let &[once, each, _, _] = layout.first_chunk::<LAYOUT_SIZE>()?;
            Some((Kind::Unsized, Tail { once: once.into(), each: each.into() }))
        })
    }

    /// The member numbered `index`, counted from zero, of a structure or union.
    pub(super) fn member(&self, holder: &Type, index: u32) -> Option<Member> {
        let at = index.checked_mul(MEMBER_SIZE)?.checked_add(holder.tail)? as usize;
        let member = self.types.get(at..holder.end as usize)?;
        let place = word(member, 8)?;
        // With bit sizes the upper eight bits are the size, zero for what is no
        // bit field; without, all 32 are the offset.
        let (bit_offset, bit_field) = if holder.has_bit_sizes {
            (place & 0x00ff_ffff, place >> 24 != 0)
        } else {
            (place, false)
        };
        Some(Member { name: word(member, 0)?, type_id: word(member, 4)?, bit_offset, bit_field })
    }

    /// What an array holds.
    pub(super) fn array(&self, array: &Type) -> Option<Array> {
        let tail = self.types.get(array.tail as usize..)?;
        // Between the two is the type of the index, which says nothing in C.
        Some(Array { element: word(tail, 0)?, length: word(tail, 8)? })
    }

    /// Whether an integer has other bits than all that its bytes hold.
    pub(super) fn is_bit_field(&self, integer: &Type) -> Option<bool> {
        let encoding = word(self.types, integer.tail as usize)?;
        let (bits, first) = (encoding & 0xff, encoding >> 16 & 0xff);
        Some(first != 0 || integer.size_or_id.checked_mul(8) != Some(bits))
    }

    /// How the string at `at` begins.
    pub(super) fn beginning(&self, at: u32) -> u16 {
        let two = self.strings.get(at as usize..).and_then(|string| string.first_chunk());
        two.map_or(0, |two| u16::from_ne_bytes(*two))
    }

    /// Whether the string at `at` is `name`.
    pub(super) fn is_name(&self, at: u32, name: &str) -> bool {
        self.strings
            .get(at as usize..)
            .and_then(|string| string.strip_prefix(name.as_bytes()))
            .is_some_and(|rest| rest.first() == Some(&0))
    }
}

/// The first two bytes of what `name` is as a string of the format, with a zero behind it.
pub(super) fn beginning(name: &str) -> u16 {
    u16::from_ne_bytes(match *name.as_bytes() {
        [] => [0, 0],
        [one] => [one, 0],
        [one, two, ..] => [one, two],
    })
}

/// The 32-bit number at `at`.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_ne_bytes(*word))
}
