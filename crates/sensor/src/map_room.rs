//! How many entries each map has, and what to say where there is no room for one.

use aya::{EbpfError, maps::MapError};
use exectrail_abi::{
    config::Config,
    counters::{ATTEMPT_SLOTS, INTERRUPTIBLE_ROWS},
};

use crate::{error::SensorError, object};

/// Attempts that can be under way at once, before the oldest is forgotten.
const ATTEMPTS: u32 = 8192;

/// Rows with long names, before the oldest name is forgotten.
const LONG_NAMES: u32 = 512;

/// How large maps are to be, besides what the configuration says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Of the ring buffer, in bytes.
    pub(crate) ring_bytes: u32,
    /// How many rules there can be.
    pub(crate) rules_max: u32,
    /// Whether the exec hook is of the classic kind: it has to be given what it is not
    /// told, and others stand in for it.
    pub(crate) classic: bool,
    /// Entries of the map of rows, if execs are counted.
    pub(crate) tallies: Option<u32>,
}

/// The maps whose size depends on the plan or on the host.
pub(crate) struct MapRoom {
    entries: Vec<(&'static str, u32)>,
}

/// What helps if a map is too large.
const CURES: [(&str, &[&str]); 4] = [
    ("ask for a smaller --buffer", &["RING"]),
    ("use fewer rules", &["SHORT_PATHS", "LONG_PATHS", "PREFIXES", "NAMES", "HITS"]),
    ("leave out --failed", &["SCRATCH", "CLAIMS", "INTERRUPTIBLE_COUNTERS", "ATTEMPTS"]),
    (
        "lower kernel.pid_max, for each of which it has a place",
        &["IMAGES", "GIVEN", "TREES", "RUNS"],
    ),
];

impl MapRoom {
    pub(crate) fn new(config: &Config, sizes: Sizes) -> Self {
        let Sizes { ring_bytes, rules_max, classic, tallies } = sizes;
        let if_counted = |entries: u32| if tallies.is_some() { entries } else { 1 };
        let (cpus, failed) = (config.cpus, config.failed != 0);
        let if_failed = |entries: u32| if failed { entries } else { 1 };
        // A plain rule has up to two entries; of others there are too few to fill a map.
        let rules = rules_max.saturating_mul(2);
        let entries = vec![
            ("RING", ring_bytes),
            ("SCRATCH", config.attempt_scratch + if failed { cpus * ATTEMPT_SLOTS } else { 0 }),
            ("EXIT_SCRATCH", if classic { cpus } else { 1 }),
            ("IMAGES", config.images),
            ("GIVEN", if classic { config.images } else { 1 }),
            ("CLAIMS", if_failed(cpus * ATTEMPT_SLOTS)),
            (
                "INTERRUPTIBLE_COUNTERS",
                if failed || classic { cpus * INTERRUPTIBLE_ROWS } else { 1 },
            ),
            ("ATTEMPTS", if_failed(ATTEMPTS)),
            ("HITS", cpus.saturating_mul(config.rules).max(1)),
            ("RUNS", if_counted(config.images)),
            ("TALLIES", tallies.unwrap_or(1)),
            ("SHORT_NAMES", tallies.unwrap_or(1)),
            ("LONG_NAMES", if_counted(LONG_NAMES)),
            ("TREES", config.images),
            ("SHORT_PATHS", rules),
            ("LONG_PATHS", rules),
            ("PREFIXES", rules),
            ("NAMES", rules),
        ];
        Self { entries }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.entries.iter().copied()
    }

    /// Says which map could not be made, how large it was to be, and what helps.
    pub(crate) fn not_created(&self, error: EbpfError) -> SensorError {
        if let EbpfError::MapError(MapError::CreateError { name, io_error }) = &error
            && io_error.raw_os_error() == Some(libc::ENOMEM)
        {
            let cures = CURES.iter().find(|(_, maps)| maps.contains(&name.as_str()));
            let cure = cures.map(|(cure, _)| format!("{cure}, or ")).unwrap_or_default();
            return SensorError::Shortage {
                what: format!("the kernel has no memory for the map {name}{}", self.size(name)),
                cure: format!(
                    "{cure}give it more memory: free some, or raise its cgroup's limit \
                     (memory.max)"
                ),
            };
        }
        SensorError::refused("creating the kernel side's maps", error)
    }

    fn size(&self, name: &str) -> String {
        let Some((_, entries)) = self.entries.iter().find(|(map, _)| *map == name) else {
            return String::new();
        };
        // A ring buffer has bytes, and neither keys nor values.
        match value_bytes(name) {
            None | Some(0) => format!(" of {entries} bytes"),
            Some(bytes) => format!(" of {entries} entries of {bytes} bytes"),
        }
    }
}

fn value_bytes(map: &str) -> Option<u32> {
    Some(aya_obj::Object::parse(object::BYTES).ok()?.maps.get(map)?.value_size())
}

#[cfg(test)]
mod tests {
    use std::io;

    use aya::{EbpfError, maps::MapError};
    use exectrail_abi::config::Config;
    use zerocopy::FromZeros;

    use super::{CURES, MapRoom, Sizes};
    use crate::{error::SensorError, object};

    fn room() -> MapRoom {
        let config = Config {
            cpus: 4,
            attempt_scratch: 8,
            failed: 1,
            images: 1 << 15,
            ..Config::new_zeroed()
        };
        MapRoom::new(
            &config,
            Sizes { ring_bytes: 1 << 21, rules_max: 512, classic: true, tallies: Some(8) },
        )
    }

    #[test]
    fn every_name_is_a_map_of_the_object() {
        let object = aya_obj::Object::parse(object::BYTES).unwrap();
        let cures = CURES.iter().flat_map(|(_, maps)| maps.iter().copied());
        for name in room().entries().map(|(name, _)| name).chain(cures) {
            assert!(object.maps.contains_key(name), "{name}");
        }
    }

    #[test]
    fn what_there_is_no_room_for_is_told_with_its_size_and_the_flag() {
        let of = |name: &str| {
            let io_error = io::Error::from_raw_os_error(libc::ENOMEM);
            let error = MapError::CreateError { name: name.to_owned(), io_error };
            let SensorError::Shortage { what, cure } =
                room().not_created(EbpfError::MapError(error))
            else {
                panic!("{name}");
            };
            format!("{what}; {cure}")
        };
        let ring = of("RING");
        assert!(ring.contains("RING of 2097152 bytes") && ring.contains("--buffer"), "{ring}");
        let names = of("NAMES");
        assert!(names.contains("1024 entries of ") && names.contains("rules"), "{names}");
        assert!(of("CLAIMS").contains("--failed"));
        assert!(of("WAKE").contains("memory.max"));
    }
}
