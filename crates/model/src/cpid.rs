//! A process's id that is never used twice, and that others arrive at as well.
//!
//! A pid comes back within seconds on a busy host. The Common Process Identifier
//! of OCSF (<https://github.com/ocsf/common-process-id>, `specification.md`) is
//! computed from what the kernel knows of a process and nobody can change, so
//! two tools that never heard of each other name the same process alike. An exec
//! keeps it: it names the process, not the program that runs in it.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Nanoseconds in a tick of `USER_HZ`, which is 100 on every architecture that
/// we run on. The kernel rounds down (`nsec_to_clock_t`), and so do we.
pub(crate) const TICK: u64 = 10_000_000;

/// Places in a [`CpidCache`]; a power of two.
const SLOTS: usize = 1024;

/// Where the hyphens of a UUID stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Which boot of which host: `/proc/sys/kernel/random/boot_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BootId([u8; 16]);

/// Why a text is no boot id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a boot id has 32 hexadecimal digits and 4 hyphens, as in 51e507fd-29a4-4c0c-a358-ae5e6d159458"
)]
pub struct BootIdError;

impl BootId {
    /// The one with these 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its 16 bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads the UUID; white space around it (the file ends with a newline) is
    /// left alone.
    ///
    /// # Errors
    ///
    /// When it is not written as RFC 9562 has it.
    pub fn parse(text: &str) -> Result<Self, BootIdError> {
        let text = text.trim().as_bytes();
        if text.len() != 36 || HYPHENS.iter().any(|&at| text.get(at) != Some(&b'-')) {
            return Err(BootIdError);
        }
        let mut digits = text.iter().enumerate().filter(|(at, _)| !HYPHENS.contains(at));
        let mut digit = || digits.next().and_then(|(_, &byte)| hex(byte)).ok_or(BootIdError);
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            *byte = digit()? << 4 | digit()?;
        }
        Ok(Self(bytes))
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// What makes a process one of its kind within a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessKey {
    /// Inode of the pid namespace that it was created in, its innermost.
    pub pid_ns: u32,
    /// When it started, nanoseconds since boot: `start_boottime` of the thread
    /// group's leader. Another thread's is another time.
    pub start_boottime: u64,
    /// Its process id (the kernel's tgid) in that namespace.
    pub ns_pid: u32,
}

/// The identifier, a UUID of version 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cpid([u8; 16]);

impl Cpid {
    /// The one with these 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, in the order of RFC 9562.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Cpid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        let (head, tail) = (bits >> 64, bits & u128::from(u64::MAX));
        let (time_low, time_mid, version) = (head >> 32, head >> 16 & 0xffff, head & 0xffff);
        let (variant, node) = (tail >> 48, tail & 0xffff_ffff_ffff);
        write!(f, "{time_low:08x}-{time_mid:04x}-{version:04x}-{variant:04x}-{node:012x}")
    }
}

/// The identifier of a process.
#[must_use]
pub fn cpid(boot: &BootId, key: &ProcessKey) -> Cpid {
    // Native order, as the specification asks: what is hashed is the memory of
    // a packed C structure.
    let digest = Sha256::new()
        .chain_update(boot.0)
        .chain_update(u64::from(key.pid_ns).to_ne_bytes())
        .chain_update((key.start_boottime / TICK).to_ne_bytes())
        .chain_update(i64::from(key.ns_pid).to_ne_bytes())
        .finalize();
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(digest) {
        *byte = hashed;
    }
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Cpid(bytes)
}

/// Identifiers that were asked for lately: a shell's is wanted again with each
/// of its children. Each key has one place, and the last to come has it.
#[derive(Clone, Debug)]
pub struct CpidCache {
    boot: BootId,
    slots: Box<[Option<(ProcessKey, Cpid)>]>,
}

impl CpidCache {
    /// For this boot. All the memory it will ever have is taken here.
    #[must_use]
    pub fn new(boot: BootId) -> Self {
        Self { boot, slots: vec![None; SLOTS].into_boxed_slice() }
    }

    /// The same as [`cpid`], and sooner.
    pub fn get(&mut self, key: &ProcessKey) -> Cpid {
        match self.slots.get_mut(place(key)) {
            Some(Some((kept, known))) if kept == key => *known,
            slot => {
                let fresh = cpid(&self.boot, key);
                if let Some(slot) = slot {
                    *slot = Some((*key, fresh));
                }
                fresh
            }
        }
    }
}

/// Knuth's multiplicative hash: processes of one burst differ in the low bits of
/// their start, and these end up in the high bits of the product.
fn place(key: &ProcessKey) -> usize {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let ids = u64::from(key.pid_ns) << 32 | u64::from(key.ns_pid);
    let mixed = (key.start_boottime ^ ids.rotate_left(17)).wrapping_mul(GOLDEN);
    (mixed >> 32) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::{BootId, BootIdError, CpidCache, ProcessKey, TICK, cpid, place};

    fn boot(text: &str) -> BootId {
        BootId::parse(text).unwrap()
    }

    fn key(pid_ns: u32, ticks: u64, ns_pid: u32) -> ProcessKey {
        ProcessKey { pid_ns, start_boottime: ticks * TICK, ns_pid }
    }

    fn check(id: &str, key: &ProcessKey, expect: &str) {
        assert_eq!(cpid(&boot(id), key).to_string(), expect);
    }

    /// The first is the specification's own example. The others were computed
    /// with Python: `hashlib.sha256(uuid.UUID(boot).bytes + struct.pack("=QQq",
    /// ns, ticks, pid)).digest()[:16]`, then version and variant.
    #[cfg(target_endian = "little")]
    #[test]
    fn the_specification_and_python_agree() {
        let example = "2899dae4-4fa4-4eef-95b6-6bc95325f61a";
        check(example, &key(4_026_532_263, 55_558, 29), "b770a0ed-8463-822c-b5f6-30d9081ddbd9");
        let usual = "51e507fd-29a4-4c0c-a358-ae5e6d159458";
        check(usual, &key(4_026_531_836, 0, 1), "3bec2910-f005-88a1-90d8-8798156a3abe");
        check(
            "00000000-0000-0000-0000-000000000000",
            &key(0, 0, 0),
            "2c34ce1d-f23b-838c-9abf-2a7f6437cca3",
        );
        let most = ProcessKey { pid_ns: u32::MAX, start_boottime: u64::MAX, ns_pid: u32::MAX };
        check(
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            &most,
            "79a3ed30-c2dd-88a8-9341-471d943b01ea",
        );
    }

    #[test]
    fn a_tick_is_not_over_before_its_end() {
        let boot = boot("2899dae4-4fa4-4eef-95b6-6bc95325f61a");
        let at = |start_boottime| cpid(&boot, &ProcessKey { start_boottime, ..key(1, 0, 1) });
        assert_eq!(at(7 * TICK), at(8 * TICK - 1));
        assert_ne!(at(8 * TICK - 1), at(8 * TICK));
    }

    #[test]
    fn version_and_variant_are_set_whatever_the_hash() {
        let boot = boot("2899dae4-4fa4-4eef-95b6-6bc95325f61a");
        for pid in 0..1000 {
            let id = cpid(&boot, &key(1, 2, pid));
            let (text, bytes) = (id.to_string(), id.bytes());
            assert_eq!((bytes[6] >> 4, bytes[8] >> 6), (8, 2), "{text}");
            assert_eq!((text.len(), text.as_bytes()[14]), (36, b'8'));
            assert_eq!(boot_bytes(&text), *bytes);
        }
    }

    fn boot_bytes(text: &str) -> [u8; 16] {
        boot(text).0
    }

    #[test]
    fn a_boot_id_is_read_in_one_spelling_only() {
        let good = "51e507fd-29a4-4c0c-a358-ae5e6d159458";
        assert_eq!(BootId::parse(&format!("{good}\n")), BootId::parse(good));
        assert_eq!(BootId::parse(&good.to_uppercase()), BootId::parse(good));
        assert_eq!(boot(good).0[..5], [0x51, 0xe5, 0x07, 0xfd, 0x29]);
        for bad in [
            "",
            "51e507fd29a44c0ca358ae5e6d159458",
            "51e507fd-29a4-4c0c-a358-ae5e6d15945",
            "51e507fd-29a4-4c0c-a358-ae5e6d1594588",
            "51e507fd-29a4-4c0c-a358-ae5e6d15945g",
            "51e507fd-29a4-4c0c-a358-ae5e6d15945-",
            "51e507f-d29a4-4c0c-a358-ae5e6d159458",
            "{51e507fd-29a4-4c0c-a358-ae5e6d1594}",
            "51e507fd-29a4-4c0c-a358-ae5e6d1594é",
        ] {
            assert_eq!(BootId::parse(bad), Err(BootIdError), "{bad}");
        }
    }

    #[test]
    fn the_cache_never_says_anything_else() {
        let boot = boot("2899dae4-4fa4-4eef-95b6-6bc95325f61a");
        let mut cache = CpidCache::new(boot);
        // Enough keys for places to change hands, few enough to meet again.
        let mut state = 1_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let draw = state >> 33;
            let wanted =
                key(u32::from(draw & 1 != 0), draw % 8, u32::try_from(draw % 700).unwrap());
            assert_eq!(cache.get(&wanted), cpid(&boot, &wanted));
        }
    }

    /// Two processes that have a place and all but one part of their keys in
    /// common.
    #[test]
    fn who_shares_a_place_is_told_apart() {
        let boot = boot("2899dae4-4fa4-4eef-95b6-6bc95325f61a");
        let one = key(1, 1, 1);
        let others: [fn(u32) -> ProcessKey; 3] =
            [|n| key(n, 1, 1), |n| key(1, u64::from(n), 1), |n| key(1, 1, n)];
        for other in others {
            let other = (2..u32::MAX).map(other).find(|other| place(other) == place(&one)).unwrap();
            let mut cache = CpidCache::new(boot);
            for wanted in [&one, &other, &one] {
                assert_eq!(cache.get(wanted), cpid(&boot, wanted));
            }
        }
    }

    #[test]
    fn neighbours_do_not_share_a_place() {
        let mut places: Vec<_> =
            (0..256).map(|pid| place(&key(4_026_531_836, 1000 + u64::from(pid), pid))).collect();
        places.sort_unstable();
        places.dedup();
        // By pure chance 226 places of 1,024 would be taken.
        assert!(places.len() > 180, "{}", places.len());
    }
}
