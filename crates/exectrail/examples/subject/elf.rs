//! Programs written byte by byte, so that an exec costs what the kernel makes of
//! it and little else, and so that no other compiler is needed.

use std::os::unix::fs::PermissionsExt;

/// Writes the smallest program there is: one that exits.
pub(crate) fn tiny(path: &str) {
    #[cfg(target_arch = "x86_64")]
    // xor edi, edi; mov eax, 60 (exit); syscall
    let code: &[u8] = &[0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05];
    #[cfg(target_arch = "aarch64")]
    // mov x0, 0; mov x8, 93 (exit); svc 0
    let code: &[u8] = &[0, 0, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0, 0, 0xd4];
    program(path, code);
}

/// Writes the smallest program that stays.
pub(crate) fn sleeper(path: &str) {
    #[cfg(target_arch = "x86_64")]
    // mov eax, 34 (pause); syscall; jmp to the beginning
    let code: &[u8] = &[0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7];
    #[cfg(target_arch = "aarch64")]
    // mov x0..x4, 0; mov x8, 73 (ppoll); svc 0; b to the beginning
    let code: &[u8] = &[
        0, 0, 0x80, 0xd2, 1, 0, 0x80, 0xd2, 2, 0, 0x80, 0xd2, 3, 0, 0x80, 0xd2, 4, 0, 0x80, 0xd2,
        0x28, 0x09, 0x80, 0xd2, 1, 0, 0, 0xd4, 0xf9, 0xff, 0xff, 0x17,
    ];
    program(path, code);
}

/// Writes a program of this code.
pub(crate) fn program(path: &str, code: &[u8]) {
    write(path, &elf_64(code, None));
}

/// Writes a program that the kernel gives up on when it has destroyed the old
/// one already: a segment of it lies where no user memory can be.
pub(crate) fn unmappable(path: &str) {
    write(path, &elf_64(&[], Some(1 << 56)));
}

/// Writes the smallest 32-bit program there is.
#[cfg(target_arch = "x86_64")]
pub(crate) fn tiny_32(path: &str) {
    write(path, &elf_32(|_| EXIT_32.to_vec()));
}

/// Writes a 32-bit program that execs `target` with a marker.
#[cfg(target_arch = "x86_64")]
pub(crate) fn exec_32(path: &str, target: &str, marker: &str) {
    let program = elf_32(|start| {
        // Behind the code: the vector of three words, then the strings.
        let vector = start + 5 + 5 + 2 + 5 + 2 + short(EXIT_32.len());
        let (name, argument) = (vector + 12, vector + 12 + short(target.len()) + 1);
        let mut code = Vec::new();
        code.push(0xbb); // mov ebx, name
        code.extend(name.to_le_bytes());
        code.push(0xb9); // mov ecx, vector
        code.extend(vector.to_le_bytes());
        code.extend([0x31, 0xd2]); // xor edx, edx: no environment
        code.extend([0xb8, 11, 0, 0, 0]); // mov eax, 11 (execve)
        code.extend([0xcd, 0x80]); // int 0x80
        code.extend(EXIT_32);
        code.extend([name, argument, 0].map(u32::to_le_bytes).concat());
        code.extend([target.as_bytes(), b"\0", marker.as_bytes(), b"\0"].concat());
        code
    });
    write(path, &program);
}

#[cfg(target_arch = "x86_64")]
const EXIT_32: [u8; 9] = [
    0x31, 0xdb, // xor ebx, ebx: exit code 0
    0xb8, 1, 0, 0, 0, // mov eax, 1 (exit)
    0xcd, 0x80, // int 0x80
];

fn write(path: &str, program: &[u8]) {
    std::fs::write(path, program).expect("writing the program");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("chmod");
}

#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;

/// A program of one segment, headers and code; and, if asked for, one more
/// segment without contents, at an address of the caller's choice.
fn elf_64(code: &[u8], more: Option<u64>) -> Vec<u8> {
    let (base, header, segment): (u64, u16, u16) = (0x40_0000, 64, 56);
    let segments = 1 + u16::from(more.is_some());
    let headers = u64::from(header) + u64::from(segment) * u64::from(segments);
    let size = headers + code.len() as u64;
    let mut elf = Vec::from(*b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    // e_type EXEC, e_machine, e_version, e_entry, e_phoff, e_shoff, e_flags,
    // e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx.
    elf.extend([2, MACHINE].map(u16::to_le_bytes).concat());
    elf.extend(1u32.to_le_bytes());
    elf.extend([base + headers, u64::from(header), 0].map(u64::to_le_bytes).concat());
    elf.extend(0u32.to_le_bytes());
    elf.extend([header, segment, segments, 0, 0, 0].map(u16::to_le_bytes).concat());
    for (address, size) in [(base, size)].into_iter().chain(more.map(|address| (address, 0x1000))) {
        // p_type LOAD, p_flags RX, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align.
        elf.extend([1u32, 5].map(u32::to_le_bytes).concat());
        elf.extend([0, address, address, size, size, 0x1000].map(u64::to_le_bytes).concat());
    }
    elf.extend(code);
    elf
}

/// The same for 32 bits. `code` is told the address at which it will stand.
#[cfg(target_arch = "x86_64")]
fn elf_32(code: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let (base, header, segment): (u32, u16, u16) = (0x0804_8000, 52, 32);
    let headers = u32::from(header) + u32::from(segment);
    let code = code(base + headers);
    let size = headers + short(code.len());
    let mut elf = Vec::from(*b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0");
    // As above; e_machine is the 386.
    elf.extend([2u16, 3].map(u16::to_le_bytes).concat());
    let words = [1, base + headers, u32::from(header), 0, 0];
    elf.extend(words.map(u32::to_le_bytes).concat());
    elf.extend([header, segment, 1, 0, 0, 0].map(u16::to_le_bytes).concat());
    // p_type LOAD, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_flags RX, p_align.
    let words = [1, 0, base, base, size, size, 5, 0x1000];
    elf.extend(words.map(u32::to_le_bytes).concat());
    elf.extend(code);
    elf
}

#[cfg(target_arch = "x86_64")]
fn short(len: usize) -> u32 {
    len.try_into().expect("a small program")
}
