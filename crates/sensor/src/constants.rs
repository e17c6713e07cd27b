//! The configuration as constants in the instructions of the kernel side.
//!
//! The kernel side reads its configuration out of frozen data. To the verifier each value
//! there is a constant: it drops what hangs on it. But it leaves the read itself: an address,
//! a load, and lines of the cache that nobody has touched since the exec before. There are
//! some two hundred on the way of an exec, most of them offsets in the kernel's structures.
//! What is read is known before the kernel gets the programs, so each such load becomes a
//! move of its value, and the address before it, where nothing else wants it, two moves of
//! zero. With that a record took 4 % less, an exec that a rule turns away 5 % (6.18). As
//! instructions that do nothing they would be taken out by the verifier, one by one
//! (`opt_remove_nops`), for 5 ms of every start and nothing that could be measured after it.
//!
//! What is not plainly such a load stays one: the address is followed from where it is
//! taken in a straight line, up to the first place that another way leads to.

use object::{
    Endianness, Object as _, ObjectSection as _, ObjectSymbol as _,
    elf::SHT_REL,
    read::elf::{ElfFile64, SectionHeader as _},
};

use crate::error::SensorError;

/// The name of the configuration in the object.
pub(crate) const CONFIG: &str = "CONFIG";

/// Bytes of an instruction.
const SIZE: usize = 8;
/// Bytes of a relocation of ELF64 (`Elf64_Rel`): a place, then a kind and a symbol.
const ENTRY: usize = 16;

// From include/uapi/linux/bpf.h and bpf_common.h.
const CLASS: u8 = 0x07;
const LD: u8 = 0x00;
const LDX: u8 = 0x01;
const ST: u8 = 0x02;
const STX: u8 = 0x03;
const ALU: u8 = 0x04;
const JMP: u8 = 0x05;
const JMP32: u8 = 0x06;
const ALU64: u8 = 0x07;
/// `BPF_LD | BPF_IMM | BPF_DW`: an address or a word of 64 bits, in two places.
const WIDE: u8 = 0x18;
/// `BPF_MEM`, the mode of a plain load, in its bits.
const MEM: u8 = 0x60;
const MODE: u8 = 0xe0;
/// The operation of arithmetic and of jumps, in its bits.
const OPERATION: u8 = 0xf0;
const MOV: u8 = 0xb0;
const JA: u8 = 0x00;
const CALL: u8 = 0x80;
const EXIT: u8 = 0x90;
/// `BPF_X`: the second operand is a register.
const REGISTER: u8 = 0x08;

/// What became of the reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Folded {
    /// Loads that are moves now.
    pub(crate) loads: usize,
    /// Addresses that are gone.
    pub(crate) addresses: usize,
    /// Addresses that something else wants, too.
    pub(crate) kept: usize,
}

/// One section of programs.
struct Section {
    /// Where its instructions are in the object.
    start: usize,
    len: usize,
    /// Where relocations are, each of an address of the configuration, and in the section
    /// its place.
    addresses: Vec<(usize, usize)>,
}

/// Puts the values of the configuration into all programs that read it.
///
/// # Errors
///
/// When the object is no ELF file.
pub(crate) fn fold(object: &mut [u8], config: &[u8]) -> Result<Folded, SensorError> {
    let failed = |error| SensorError::at("looking for constants in the embedded object", error);
    let mut folded = Folded::default();
    for section in sections(object).map_err(failed)? {
        let Some(code) = object.get_mut(section.start..section.start + section.len) else {
            continue;
        };
        let (code, _) = code.as_chunks_mut::<SIZE>();
        let targets = jump_targets(code);
        let mut gone = Vec::new();
        for (entry, place) in section.addresses {
            let followed = follow(code, &targets, place / SIZE, config);
            folded.loads += followed.loads;
            if followed.is_dead {
                let zero = moved(Instruction::of(code[place / SIZE]).dst, 0);
                code[place / SIZE] = zero;
                code[place / SIZE + 1] = zero;
                gone.push(entry);
            }
            folded.addresses += usize::from(followed.is_dead);
            folded.kept += usize::from(!followed.is_dead);
        }
        for entry in gone {
            // A relocation behind the end of its section is of no instruction.
            if let Some(place) = object.get_mut(entry..entry + size_of::<u64>()) {
                place.copy_from_slice(&(section.len as u64).to_le_bytes());
            }
        }
    }
    Ok(folded)
}

/// The sections that take addresses of the configuration.
fn sections(object: &[u8]) -> object::Result<Vec<Section>> {
    let file = ElfFile64::<Endianness>::parse(object)?;
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok(CONFIG));
    let Some(symbol) = symbol.map(|symbol| symbol.index().0 as u64) else { return Ok(Vec::new()) };
    let as_place = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
    let mut sections = Vec::new();
    for relocations in file.sections() {
        let header = relocations.elf_section_header();
        if header.sh_type(file.endian()) != SHT_REL {
            continue;
        }
        let index = object::SectionIndex(header.sh_info(file.endian()) as usize);
        let (target, entries) = (file.section_by_index(index)?, relocations.data()?);
        let (first, _) = relocations.file_range().unwrap_or_default();
        let (start, len) = target.file_range().unwrap_or_default();
        if target.kind() != object::SectionKind::Text {
            continue;
        }
        let (entries, _) = entries.as_chunks::<ENTRY>();
        let addresses = entries.iter().enumerate().filter_map(|(number, entry)| {
            let (words, _) = entry.as_chunks::<8>();
            let [place, info] = [words[0], words[1]].map(u64::from_le_bytes);
            (info >> 32 == symbol).then(|| (as_place(first) + number * ENTRY, as_place(place)))
        });
        let (start, len, addresses) = (as_place(start), as_place(len), addresses.collect());
        sections.push(Section { start, len, addresses });
    }
    Ok(sections)
}

/// An instruction, taken apart.
#[derive(Clone, Copy)]
struct Instruction {
    code: u8,
    dst: u8,
    src: u8,
    offset: i16,
    immediate: i32,
}

impl Instruction {
    fn of(bytes: [u8; SIZE]) -> Self {
        let [code, registers, low, high, immediate @ ..] = bytes;
        Self {
            code,
            dst: registers & 0xf,
            src: registers >> 4,
            offset: i16::from_le_bytes([low, high]),
            immediate: i32::from_le_bytes(immediate),
        }
    }

    fn class(self) -> u8 {
        self.code & CLASS
    }

    fn is_jump(self, operation: u8) -> bool {
        self.class() == JMP && self.code & OPERATION == operation
    }

    /// How far it can jump.
    fn distance(self) -> Option<isize> {
        match self.class() {
            JMP if matches!(self.code & OPERATION, CALL | EXIT) => None,
            // `gotol`, whose distance is larger.
            JMP32 if self.code & OPERATION == JA => isize::try_from(self.immediate).ok(),
            JMP | JMP32 => Some(isize::from(self.offset)),
            _ => None,
        }
    }

    fn is_wide(self) -> bool {
        self.code == WIDE
    }

    /// Whether the value that the register has before is of use to it, as far as can be
    /// told: a call may want any of its arguments.
    fn uses(self, register: u8) -> bool {
        let second = self.code & REGISTER != 0 && self.src == register;
        match self.class() {
            LD => !self.is_wide(),
            LDX => self.src == register,
            ST => self.dst == register,
            STX => self.dst == register || self.src == register,
            ALU | ALU64 if self.code & OPERATION == MOV => second,
            ALU | ALU64 => second || self.dst == register,
            _ if self.is_jump(CALL) => (1..=5).contains(&register),
            _ if self.is_jump(EXIT) => register == 0,
            _ => second || self.dst == register,
        }
    }

    /// Whether the register has another value afterwards.
    fn overwrites(self, register: u8) -> bool {
        match self.class() {
            LD | LDX | ALU | ALU64 => self.dst == register,
            _ => self.is_jump(CALL) && register <= 5 || self.is_jump(EXIT),
        }
    }
}

/// Of each instruction, whether another one jumps there.
fn jump_targets(code: &[[u8; SIZE]]) -> Vec<bool> {
    let mut targets = vec![false; code.len()];
    let mut index = 0;
    while let Some(bytes) = code.get(index) {
        let instruction = Instruction::of(*bytes);
        let target = instruction.distance().and_then(|far| (index + 1).checked_add_signed(far));
        if let Some(target) = target.and_then(|target| targets.get_mut(target)) {
            *target = true;
        }
        index += if instruction.is_wide() { 2 } else { 1 };
    }
    targets
}

/// What became of one address.
#[derive(Default)]
struct Followed {
    loads: usize,
    /// Nothing wants it any more.
    is_dead: bool,
}

/// Follows the address that is taken at `place`, and makes a move of each load through it.
fn follow(code: &mut [[u8; SIZE]], targets: &[bool], place: usize, config: &[u8]) -> Followed {
    let mut followed = Followed::default();
    let Some(taken) = code.get(place).map(|bytes| Instruction::of(*bytes)) else { return followed };
    let (register, base) = (taken.dst, taken.immediate);
    let mut is_wanted = !taken.is_wide();
    let mut index = place + 2;
    while let Some(bytes) = code.get_mut(index).filter(|_| !targets[index] && !is_wanted) {
        let instruction = Instruction::of(*bytes);
        if instruction.uses(register) {
            match value(instruction, base, config) {
                Some(value) => *bytes = moved(instruction.dst, value),
                None => is_wanted = true,
            }
            followed.loads += usize::from(!is_wanted);
        }
        if instruction.overwrites(register) {
            followed.is_dead = !is_wanted;
            return followed;
        }
        // Where it goes elsewhere, nobody follows it.
        if instruction.distance().is_some() {
            return followed;
        }
        index += if instruction.is_wide() { 2 } else { 1 };
    }
    followed
}

/// What a load through the address gives, if that fits into an instruction.
fn value(load: Instruction, base: i32, config: &[u8]) -> Option<i32> {
    if load.class() != LDX || load.code & MODE != MEM {
        return None;
    }
    let from = usize::try_from(base.checked_add(i32::from(load.offset))?).ok()?;
    // The bits between class and mode: a word, half of one, a byte, two words.
    let len = [4, 2, 1, 8][usize::from(load.code >> 3 & 3)];
    let mut word = [0; 8];
    word[..len].copy_from_slice(config.get(from..from + len)?);
    let value = u64::from_le_bytes(word);
    // Of 32 bits all values fit, and the upper half becomes zero; of 64 those that do not
    // reach the sign.
    if len < 8 {
        u32::try_from(value).ok().map(u32::cast_signed)
    } else {
        i32::try_from(value).ok()
    }
}

/// `wDST = value`, which makes the upper half zero.
fn moved(dst: u8, value: i32) -> [u8; SIZE] {
    let [a, b, c, d] = value.to_le_bytes();
    [ALU | MOV, dst, 0, 0, a, b, c, d]
}

#[cfg(test)]
mod tests;
