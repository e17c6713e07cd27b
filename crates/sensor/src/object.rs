//! The kernel side's object: embedded, loaded, and found by name. The only
//! place, with the table of programs, where those names stand as strings.

use std::{
    collections::HashMap,
    os::fd::BorrowedFd,
    panic::resume_unwind,
    sync::{Mutex, PoisonError},
    thread,
};

use aya::{
    Ebpf, EbpfLoader, VerifierLogLevel,
    maps::{Array, Map, MapData, MapError, PerCpuArray},
    programs::Program,
};
use exectrail_abi::{ABI_SYMBOL, config::Config, counters::COUNTERS_WORDS, rules::SWITCH_ATTACHED};
use zerocopy::IntoBytes;

use crate::{
    constants,
    error::SensorError,
    map_flags::{must_preallocate, preallocate},
    map_room::{MapRoom, Sizes},
    marks,
    preflight::KernelVersion,
    programs::Hook,
    refusal, sys,
    trust::{self, Cast},
};

/// The object that the build script has chosen.
pub(crate) static BYTES: &[u8] = aya::include_bytes_aligned!(env!("EXECTRAIL_BPF_OBJECT_FILE"));

/// A copy of them that can be changed, aligned as the parser wants it.
pub(crate) fn aligned() -> Aligned {
    let mut words = vec![0u64; BYTES.len().div_ceil(size_of::<u64>())];
    words.as_mut_bytes()[..BYTES.len()].copy_from_slice(BYTES);
    Aligned(words)
}

/// See [`aligned`].
pub(crate) struct Aligned(Vec<u64>);

impl Aligned {
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0.as_mut_bytes()[..BYTES.len()]
    }
}

/// The object, loaded: its maps exist, its programs not yet.
pub(crate) struct Object {
    ebpf: Ebpf,
    rules_max: u32,
    /// How the counters of hits are laid out.
    hits: Rows,
}

/// A row for each CPU.
#[derive(Clone, Copy, Debug)]
struct Rows {
    cpus: u32,
    width: u32,
}

impl Object {
    /// Creates the maps and writes the configuration, which is frozen with it.
    pub(crate) fn create(
        config: &Config,
        cast: Option<Cast>,
        kernel: KernelVersion,
        sizes: Sizes,
    ) -> Result<Self, SensorError> {
        check_language()?;
        let room = MapRoom::new(config, sizes);
        let mut object = aligned();
        trust::settle(object.bytes_mut(), cast);
        marks::settle_stacks(object.bytes_mut(), kernel, config.direct_loads != 0);
        constants::fold(object.bytes_mut(), config.as_bytes())?;
        if must_preallocate(kernel) {
            preallocate(object.bytes_mut())?;
        }
        let mut loader: EbpfLoader<'_> = new_loader();
        loader
            .override_global(constants::CONFIG, config.as_bytes(), true)
            .override_global(ABI_SYMBOL, &0u32, true)
            .verifier_log_level(VerifierLogLevel::DEBUG);
        for (map, entries) in room.entries() {
            loader.map_max_entries(map, entries);
        }
        let ebpf = loader.load(object.bytes_mut()).map_err(|error| room.not_created(error))?;
        let hits = Rows { cpus: config.cpus, width: config.rules };
        Ok(Self { ebpf, rules_max: sizes.rules_max, hits })
    }

    pub(crate) fn ebpf(&self) -> &Ebpf {
        &self.ebpf
    }

    pub(crate) fn ebpf_mut(&mut self) -> &mut Ebpf {
        &mut self.ebpf
    }

    /// How many rules there can be.
    pub(crate) fn rules_max(&self) -> u32 {
        self.rules_max
    }

    /// Tells the kernel side when, by the boot clock, all was attached.
    pub(crate) fn set_attached(&mut self, ktime: u64) -> Result<(), SensorError> {
        self.switch(SWITCH_ATTACHED, ktime)
            .map_err(|error| SensorError::at("noting when the trace began", error))
    }

    /// Loads programs, or says with the verifier's words why not. Half of a start is its
    /// work, which it does for several at once.
    pub(crate) fn load(&mut self, hooks: &[Hook]) -> Result<(), SensorError> {
        let mut programs: HashMap<_, _> = self.ebpf.programs_mut().collect();
        let mut wanted = Vec::new();
        for hook in hooks {
            let program = programs.remove(hook.program).ok_or_else(|| missing(hook.program))?;
            wanted.push((hook, program));
        }
        let next = Mutex::new(wanted.into_iter());
        let work = || -> Result<(), SensorError> {
            loop {
                let taken = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((hook, program)) = taken else { return Ok(()) };
                load(hook, program)?;
            }
        };
        thread::scope(|scope| {
            let helper = scope.spawn(work);
            let (mine, other) = (work(), helper.join());
            mine.and(other.unwrap_or_else(|panic| resume_unwind(panic)))
        })
    }

    /// A program of the object.
    pub(crate) fn program_mut(&mut self, name: &str) -> Result<&mut Program, SensorError> {
        self.ebpf.program_mut(name).ok_or_else(|| missing(name))
    }

    /// The file descriptor of a loaded program.
    pub(crate) fn program_fd(&self, name: &str) -> Option<BorrowedFd<'_>> {
        use std::os::fd::AsFd;
        self.ebpf.program(name)?.fd().ok().map(AsFd::as_fd)
    }

    /// The ring buffer; there is one reader.
    pub(crate) fn take_ring(&mut self) -> Result<MapData, SensorError> {
        match self.ebpf.take_map("RING") {
            Some(Map::RingBuf(map)) => Ok(map),
            _ => Err(missing("RING")),
        }
    }

    /// The exec hooks' rows of the account, by CPU number.
    pub(crate) fn exec_counters(&self) -> Result<Vec<[u64; COUNTERS_WORDS]>, MapError> {
        let map: PerCpuArray<_, [u64; COUNTERS_WORDS]> =
            PerCpuArray::try_from(map(&self.ebpf, "EXEC_COUNTERS")?)?;
        Ok(map.get(&0, 0)?.to_vec())
    }

    /// How often the rule with this number has turned something away, by CPU number.
    pub(crate) fn hits(&self, number: u32) -> Result<Vec<u64>, MapError> {
        let map: Array<_, u64> = Array::try_from(map(&self.ebpf, "HITS")?)?;
        let Rows { cpus, width } = self.hits;
        let places = (0..cpus).filter(|_| number < width).map(|cpu| cpu * width + number);
        places.map(|place| map.get(&place, 0)).collect()
    }

    /// The attempt hooks' rows of the account.
    pub(crate) fn interruptible_counters(&self) -> Result<Vec<[u64; COUNTERS_WORDS]>, MapError> {
        let map: Array<_, [u64; COUNTERS_WORDS]> =
            Array::try_from(map(&self.ebpf, "INTERRUPTIBLE_COUNTERS")?)?;
        map.iter().collect()
    }
}

fn load(hook: &Hook, program: &mut Program) -> Result<(), SensorError> {
    let loaded = match program {
        Program::RawTracePoint(program) => program.load(),
        Program::TracePoint(program) => program.load(),
        _ => return Err(missing(hook.program)),
    };
    loaded.map_err(|error| refusal::of_program(hook, error))
}

/// What loads the object.
///
/// Aya's begins by reading and parsing all of the kernel's types (`EbpfLoader::new`, 0.14;
/// later ones, which want Rust 1.98, do not). We look ours up [ourselves](crate::btf), and it
/// has no use for them; but they take a fifth of a start and twenty megabytes. It goes without
/// where it cannot open the file, so it is made by a thread that cannot open any.
fn new_loader() -> EbpfLoader<'static> {
    let blind = thread::Builder::new().name("loader".to_owned()).spawn(|| {
        if let Err(error) = sys::open_no_files() {
            log::debug!("a slower start: {error}");
        }
        EbpfLoader::new()
    });
    let made = blind.map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
    let mut loader = made.unwrap_or_else(|_| EbpfLoader::new());
    loader.btf(None);
    loader
}

/// A packager can name any object; this one has to be of our version.
fn check_language() -> Result<(), SensorError> {
    let symbol = ABI_SYMBOL.as_bytes();
    if BYTES.windows(symbol.len()).any(|bytes| bytes == symbol) {
        return Ok(());
    }
    Err(SensorError::Unsupported {
        what: format!("the embedded kernel object is of another version: it has no {ABI_SYMBOL}"),
        cure: "build it from the same sources as this program, or build this program without \
               EXECTRAIL_BPF_OBJECT"
            .to_owned(),
    })
}

pub(crate) fn map<'a>(ebpf: &'a Ebpf, name: &str) -> Result<&'a Map, MapError> {
    ebpf.map(name).ok_or_else(|| MapError::InvalidName { name: name.to_owned() })
}

pub(crate) fn map_mut<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut Map, MapError> {
    ebpf.map_mut(name).ok_or_else(|| MapError::InvalidName { name: name.to_owned() })
}

fn missing(name: &str) -> SensorError {
    SensorError::at("looking into the embedded object", format!("it has no {name}"))
}
