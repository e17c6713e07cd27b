//! Flags of maps that depend on the kernel.
//!
//! Before 6.1 a hash of a tracing program had to be preallocated: a kernel that is
//! asked for one that is not answers with a warning in its log, "trace type BPF program
//! uses run-time allocation" (`check_map_prog_compatibility`, kernel/bpf/verifier.c;
//! gone with 34dd3bad1a6f), and with `panic_on_warn` it ends there. Since then
//! programs allocate safely, and maps that stay mostly empty cost little.

use aya_obj::generated::{BPF_F_NO_PREALLOC, bpf_map_type};
use object::{File, Object as _, ObjectSection as _, ObjectSymbol as _};

use crate::{error::SensorError, preflight::KernelVersion};

/// From here on, hashes of tracing programs can take their memory as they need it.
const SAFE_ALLOCATION: KernelVersion = KernelVersion { major: 6, minor: 1 };

/// Whether all hashes have to be preallocated on this kernel.
pub(crate) fn must_preallocate(kernel: KernelVersion) -> bool {
    kernel < SAFE_ALLOCATION
}

/// Where the fields of a map's definition stand, which are words
/// (`aya_ebpf::bindings::bpf_map_def`).
const TYPE: usize = 0;
const FLAGS: usize = 4;

/// Makes every hash of this object a preallocated one. Aya takes flags from the object
/// alone, so the object is what has to change.
pub(crate) fn preallocate(object: &mut [u8]) -> Result<(), SensorError> {
    for place in definitions(object)? {
        let Some(definition) = object.get_mut(place..place + 28) else { continue };
        let (words, _) = definition.as_chunks_mut::<4>();
        if u32::from_ne_bytes(words[TYPE]) == bpf_map_type::BPF_MAP_TYPE_HASH as u32 {
            let flags = u32::from_ne_bytes(words[FLAGS]) & !BPF_F_NO_PREALLOC;
            words[FLAGS] = flags.to_ne_bytes();
        }
    }
    Ok(())
}

/// Where in the object the definitions of maps begin.
fn definitions(object: &[u8]) -> Result<Vec<usize>, SensorError> {
    let failed = |error| SensorError::at("looking for maps in the embedded object", error);
    let file = File::parse(object).map_err(failed)?;
    let Some(section) = file.section_by_name("maps") else { return Ok(Vec::new()) };
    let (start, _) = section.file_range().unwrap_or_default();
    let ours = file.symbols().filter(|symbol| symbol.section_index() == Some(section.index()));
    let places = ours.filter(|symbol| symbol.size() > 0).map(|symbol| start + symbol.address());
    Ok(places.filter_map(|place| usize::try_from(place).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::{definitions, preallocate};
    use crate::object;

    #[test]
    fn every_hash_is_preallocated_and_nothing_else_changes() {
        let mut patched = object::aligned();
        preallocate(patched.bytes_mut()).unwrap();
        let places = definitions(object::BYTES).unwrap();
        assert!(places.len() > 15, "{places:?}");
        let (before, after) = (
            aya_obj::Object::parse(object::BYTES).unwrap(),
            aya_obj::Object::parse(patched.bytes_mut()).unwrap(),
        );
        let mut hashes = 0;
        for (name, map) in &before.maps {
            let now = &after.maps[name];
            assert_eq!(now.map_type(), map.map_type(), "{name}");
            let expect = if map.map_type() == 1 { map.map_flags() & !1 } else { map.map_flags() };
            hashes += u32::from(map.map_flags() != expect);
            assert_eq!(now.map_flags(), expect, "{name}");
        }
        assert!(hashes > 5, "{hashes}");
    }
}
