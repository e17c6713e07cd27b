//! From a plan and a host to the object in the kernel, of which nothing is attached yet.

use std::{fs, io};

use exectrail_abi::config::{Config, Types};
use exectrail_model::plan::{HookChoice, Plan};

use crate::{
    attach,
    error::SensorError,
    lower::{self, Room},
    map_room::Sizes,
    object::Object,
    offsets,
    preflight::{self, Host, KernelVersion, Layout},
    programs::{self, Hook, RAW_PREEMPTIBLE},
    rulebook::Rulebook,
    tallies,
    tracefs::{Need, Tracefs},
};

/// What these hooks need to be attached, if they need it.
pub(crate) fn open_tracefs(
    plan: &Plan,
    kernel: KernelVersion,
    hooks: &[Hook],
) -> Result<Option<Tracefs>, SensorError> {
    if !attach::needs_tracefs(hooks) {
        return Ok(None);
    }
    Tracefs::open(match plan.hook {
        _ if kernel >= RAW_PREEMPTIBLE => Need::Kernel,
        HookChoice::Classic => Need::Choice,
        HookChoice::Auto | HookChoice::Raw => Need::Failed,
    })
    .map(Some)
}

/// Creates the maps for `plan`, on this host, and what is constant in the programs.
pub(crate) fn create(
    plan: &Plan,
    host: &Host,
    hooks: &[Hook],
    tracefs: Option<&Tracefs>,
    direct_loads: bool,
) -> Result<Object, SensorError> {
    let Layout { offsets, missing, cast } = preflight::layout(plan, &host.btf)?;
    let can_be_loaded = offsets::can_be_loaded(&missing);
    if direct_loads && !can_be_loaded {
        log::warn!("without direct loads, slower: this kernel lacks what all others have");
    }
    let direct_loads = direct_loads && can_be_loaded;
    let cast = cast.filter(|_| direct_loads);
    for field in &missing {
        log::info!("{} is off on this kernel: {field}", field.name);
    }
    let formats = attach::formats(hooks, tracefs)?;
    let rules_max = Rulebook::room_for(plan, host.kernel);
    let rules = if plan.live || !plan.rules.is_empty() { rules_max } else { 0 };
    let room = Room { cpus: possible_cpus()?, images: image_places(), rules };
    let classic = programs::are_classic(hooks);
    let config = Config {
        attempt_scratch: if classic { room.cpus * 2 } else { room.cpus },
        attempts_again: u32::from(programs::attempts_again(host.kernel)),
        types: cast.map_or(Types::NONE, |cast| cast.types),
        tally_keys: tallies::random_keys()?,
        ..lower::config(plan, room, &offsets, formats, direct_loads)
    };
    let sizes = Sizes {
        ring_bytes: plan.buffer.bytes(),
        rules_max,
        classic,
        tallies: plan.counting.map(|counting| tallies::entries(counting, room.cpus)),
    };
    Object::create(&config, cast, host.kernel, sizes)
}

/// How many CPUs there can be.
pub(crate) fn possible_cpus() -> Result<u32, SensorError> {
    let cpus = aya::util::nr_cpus().map_err(|(path, error)| match error.kind() {
        io::ErrorKind::NotFound => SensorError::Unsupported {
            what: format!("how many CPUs there can be is not known: there is no {path}"),
            cure: "mount sysfs on /sys".to_owned(),
        },
        _ => SensorError::io(format!("reading {path}"), error),
    })?;
    u32::try_from(cpus).map_err(|error| SensorError::at("counting CPUs", error))
}

/// A place for the image counter of each process id that there can be: then no
/// living process takes another's. Up to 4 MiB; where there can be more ids than
/// that, some counters are forgotten.
fn image_places() -> u32 {
    const MOST: u32 = 1 << 18;
    let pid_max = fs::read_to_string("/proc/sys/kernel/pid_max").ok();
    let ids = pid_max.and_then(|text| text.trim().parse::<u32>().ok()).unwrap_or(MOST);
    ids.min(MOST).next_power_of_two()
}
