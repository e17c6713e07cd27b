//! Where this kernel's structures keep their members, read from its own BTF.
//!
//! The kernel side reads a handful of kernel structures whose layout differs
//! from build to build. Most loaders let the compiler note each access in the
//! object and patch the instructions at load time (CO-RE); the Rust compiler
//! notes none, so the offsets are looked up here and handed over as constants.
//!
//! `/sys/kernel/btf/vmlinux` (since 5.4, `CONFIG_DEBUG_INFO_BTF`) is about five
//! megabytes and some hundred thousand types, of which fewer than ten matter.
//! So there is one pass, which notes where each type begins, and where the few
//! wanted structures are; members are looked at only when they are asked for.
//!
//! The format is described in the kernel's `Documentation/bpf/btf.rst` and
//! `include/uapi/linux/btf.h`. The bytes are not trusted: every place is
//! checked, no walk is longer than a fixed bound, and what makes no sense is
//! "no such member" at worst, never a panic.

#[cfg(test)]
pub(crate) mod builder;
mod bytes;
mod kind;
mod raw;
#[cfg(test)]
mod tests;

pub(crate) use bytes::BtfBytes;
use kind::Kind;
use raw::{Sections, Type};

/// How many names a type may have one behind the other (`typedef`, `const`, …,
/// arrays of arrays), as many as the kernel itself follows
/// (`MAX_RESOLVE_DEPTH`, `kernel/bpf/btf.c`).
const LONGEST_CHAIN: usize = 32;

/// How deep anonymous structures and unions may stand within each other.
const DEEPEST_NESTING: usize = 16;

/// How many members one question may look at. The largest kernel structure has
/// some hundreds; the bound is for types made to hold themselves many times over.
const MOST_MEMBERS: usize = 1 << 16;

/// Size of a kernel pointer: only 64-bit kernels are traced.
const POINTER_SIZE: u32 = 8;

/// Why bytes are not BTF that can be read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BtfError {
    /// The bytes end too early.
    #[error("BTF is cut short: {what} at byte {at} is not all there")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// Something else altogether.
    #[error("not BTF: it begins with {found:#06x} instead of {:#06x}", raw::MAGIC)]
    NotBtf {
        /// The first two bytes.
        found: u16,
    },
    /// BTF of a machine with the other byte order.
    #[error("BTF is in the byte order of another machine")]
    ForeignByteOrder,
    /// A version that did not exist when this was written.
    #[error("BTF version {found} at byte 2 is not supported, only version {}", raw::VERSION)]
    Version {
        /// The version.
        found: u8,
    },
    /// Flags that did not exist when this was written, so what they change is unknown.
    #[error("BTF flags {found:#04x} at byte 3 are not supported")]
    Flags {
        /// The flags.
        found: u8,
    },
    /// A header too short to hold what a header holds.
    #[error("BTF header claims at byte 4 to be {found} bytes long, less than {}", raw::HEADER_SIZE)]
    HeaderLength {
        /// The length.
        found: u32,
    },
    /// A kind of type whose size is not known, so nothing behind it can be found.
    #[error("BTF type at byte {at} is of unknown kind {kind}")]
    UnknownKind {
        /// The kind.
        kind: u32,
        /// Where the type begins.
        at: usize,
    },
}

/// Where a member is, counted from the start of the structure that was asked
/// about, and how large it is. Both in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FieldPlace {
    /// Distance from the start of the structure.
    pub(crate) offset: u32,
    /// Size of the member.
    pub(crate) size: u32,
}

/// Type information, and where the wanted structures are in it.
#[derive(Debug)]
pub(crate) struct Btf<'a> {
    sections: Sections<'a>,
    /// Where each type begins in the type section. Types are numbered from one,
    /// in the order in which they stand; number zero is `void`, and not stored.
    starts: Vec<u32>,
    /// Each wanted structure and function that was found.
    named: Vec<Named<'a>>,
}

/// What was wanted, by name.
#[derive(Debug)]
struct Named<'a> {
    name: &'a str,
    /// Its number among the types.
    number: u32,
    read: Type,
}

/// A member as found on the way down a path.
struct Found {
    offset: u32,
    type_id: u32,
}

impl<'a> Btf<'a> {
    /// Reads `bytes`, noting the structures and functions named in `wanted`. Of several
    /// structures with one name the first that has members counts; forward declarations
    /// do not.
    ///
    /// # Errors
    ///
    /// When the bytes are not BTF of this machine's byte order, are cut short,
    /// or have a type of a kind that cannot be stepped over.
    pub(crate) fn parse(bytes: &'a [u8], wanted: &[&'a str]) -> Result<Self, BtfError> {
        let sections = Sections::locate(bytes)?;
        let mut starts = Vec::new();
        let mut named: Vec<Named<'_>> = Vec::with_capacity(wanted.len());
        // Of some seventy thousand names, nearly all differ from these in their first bytes.
        let beginnings: Vec<_> = wanted.iter().map(|name| raw::beginning(name)).collect();
        let (mut at, mut number) = (0, 0);
        while sections.has_type_at(at) {
            let read = sections.type_at(at)?;
            starts.push(at);
            (at, number) = (read.end, number + 1);
            if (read.kind == Kind::Function || read.kind == Kind::Struct && read.count > 0)
                && beginnings.contains(&sections.beginning(read.name))
            {
                let name = wanted.iter().find(|name| sections.is_name(read.name, name));
                if let Some(name) = name
                    && named.iter().all(|known| known.name != *name || known.read.kind != read.kind)
                {
                    named.push(Named { name, number, read });
                }
            }
        }
        Ok(Self { sections, starts, named })
    }

    /// The number of a wanted structure among the kernel's types.
    pub(crate) fn structure(&self, name: &str) -> Option<u32> {
        self.named(Kind::Struct, name).map(|named| named.number)
    }

    /// The number of a wanted function among the kernel's types.
    pub(crate) fn function(&self, name: &str) -> Option<u32> {
        self.named(Kind::Function, name).map(|named| named.number)
    }

    fn named(&self, kind: Kind, name: &str) -> Option<&Named<'a>> {
        self.named.iter().find(|named| named.read.kind == kind && named.name == name)
    }

    /// Where in `structure` the member at the end of `path` is: member names
    /// with dots between them, each in the structure or union before it or in an
    /// anonymous one within that. Pointers are not followed.
    ///
    /// None where there is no such member, where it is a bit field, and where
    /// `structure` was not wanted by [`Btf::parse`] or is not there.
    pub(crate) fn offset_of(&self, structure: &str, path: &str) -> Option<FieldPlace> {
        let mut holder = self.named(Kind::Struct, structure)?.read;
        let mut budget = MOST_MEMBERS;
        let mut names = path.split('.').peekable();
        let mut offset = 0_u32;
        loop {
            let name = names.next().filter(|name| !name.is_empty())?;
            let found = self.find(&holder, name, DEEPEST_NESTING, &mut budget)?;
            offset = offset.checked_add(found.offset)?;
            if names.peek().is_none() {
                return Some(FieldPlace { offset, size: self.size_of(found.type_id)? });
            }
            holder = self.resolve(found.type_id)?;
        }
    }

    /// The member called `name` in `holder`, or in an anonymous structure or
    /// union within it.
    fn find(&self, holder: &Type, name: &str, depth: usize, budget: &mut usize) -> Option<Found> {
        if !matches!(holder.kind, Kind::Struct | Kind::Union) {
            return None;
        }
        for index in 0..holder.count {
            *budget = budget.checked_sub(1)?;
            let member = self.sections.member(holder, index)?;
            if self.sections.is_name(member.name, name) {
                return Some(Found { offset: member.byte_offset()?, type_id: member.type_id });
            }
            if !self.sections.is_name(member.name, "") {
                continue;
            }
            // Unnamed bit fields are padding: they resolve to an integer and end at once.
            let (Some(depth), Some(offset), Some(inner)) =
                (depth.checked_sub(1), member.byte_offset(), self.resolve(member.type_id))
            else {
                continue;
            };
            if let Some(found) = self.find(&inner, name, depth, budget) {
                return Some(Found { offset: offset.checked_add(found.offset)?, ..found });
            }
        }
        None
    }

    /// The type numbered `id`, once its qualifiers and other names are taken off.
    fn resolve(&self, mut id: u32) -> Option<Type> {
        for _ in 0..LONGEST_CHAIN {
            let read = self.type_numbered(id)?;
            if read.kind != Kind::Alias {
                return Some(read);
            }
            id = read.size_or_id;
        }
        None
    }

    /// How many bytes a member of type `id` fills. None for what fills none,
    /// such as a function, and for a bit field of the older encoding, where the
    /// integer type says that it has fewer bits than its bytes hold.
    fn size_of(&self, mut id: u32) -> Option<u32> {
        let mut elements = 1_u32;
        for _ in 0..LONGEST_CHAIN {
            let read = self.resolve(id)?;
            let each = match read.kind {
                Kind::Array => {
                    let array = self.sections.array(&read)?;
                    elements = elements.checked_mul(array.length)?;
                    id = array.element;
                    continue;
                }
                Kind::Int if self.sections.is_bit_field(&read)? => return None,
                Kind::Int | Kind::Sized | Kind::Struct | Kind::Union => read.size_or_id,
                Kind::Pointer => POINTER_SIZE,
                Kind::Alias | Kind::Function | Kind::Unsized => return None,
            };
            return elements.checked_mul(each);
        }
        None
    }

    fn type_numbered(&self, id: u32) -> Option<Type> {
        let index = usize::try_from(id.checked_sub(1)?).ok()?;
        self.sections.type_at(*self.starts.get(index)?).ok()
    }
}
