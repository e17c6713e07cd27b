//! Neighbours that make life hard for programs of the kernel.

use std::io;

/// From here on, whoever wants to run waits for us: `SCHED_RR`, which children inherit.
pub(crate) fn become_real_time() {
    let priority = libc::sched_param { sched_priority: 10 };
    // SAFETY: a value on our stack.
    let done = unsafe { libc::sched_setscheduler(0, libc::SCHED_RR, &raw const priority) };
    assert_eq!(done, 0, "sched_setscheduler: {}", io::Error::last_os_error());
}

/// `BPF_MAP_CREATE`, `BPF_MAP_UPDATE_ELEM` and `BPF_MAP_TYPE_HASH`
/// (include/uapi/linux/bpf.h).
const MAP_CREATE: libc::c_int = 0;
const MAP_UPDATE: libc::c_int = 2;
const HASH: u32 = 1;

/// Changes a map of its own as fast as it can, until it is ended. While such a call
/// stands interrupted, the kernel runs no classic program on its CPU.
pub(crate) fn hammer_map() {
    // Before 5.11 maps count as locked memory, of which little is allowed.
    let unlimited = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: a value on our stack. Where it is refused, the map tells.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const unlimited) };
    // Kind, bytes of a key, bytes of a value, entries.
    let map = bpf(MAP_CREATE, &[HASH, 4, 4096, 16]);
    let map = u32::try_from(map).unwrap_or_else(|_| {
        panic!("creating a map: {}", io::Error::last_os_error());
    });
    let value = vec![0u8; 4096];
    loop {
        for key in 0u32..16 {
            let [key_low, key_high] = halves((&raw const key) as u64);
            let [value_low, value_high] = halves(value.as_ptr() as u64);
            let done = bpf(MAP_UPDATE, &[map, 0, key_low, key_high, value_low, value_high, 0, 0]);
            assert_eq!(done, 0, "updating a map: {}", io::Error::last_os_error());
        }
    }
}

/// Both words of one that is twice as long, in the order of memory.
fn halves(word: u64) -> [u32; 2] {
    let bytes = word.to_ne_bytes();
    let (first, second) = bytes.split_at(4);
    [first, second].map(|half| u32::from_ne_bytes(half.try_into().expect("four bytes")))
}

fn bpf(command: libc::c_int, words: &[u32]) -> libc::c_long {
    // SAFETY: the words live through the call, and it is told how many there are.
    unsafe { libc::syscall(libc::SYS_bpf, command, words.as_ptr(), size_of_val(words)) }
}
