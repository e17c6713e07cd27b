//! The sensor: start, wait, read, stop.

use std::{
    fs,
    ops::ControlFlow,
    os::fd::BorrowedFd,
    thread,
    time::{Duration, Instant},
};

use exectrail_abi::config::ABSENT;
use exectrail_model::{
    cpid::BootId,
    event::{Body, Event, Moment},
    lift::{Host as LiftHost, Lifter},
    losses::Losses,
    plan::Plan,
};

use crate::{
    attach::{self, Link},
    btf::Btf,
    clock,
    counters::{self, KernelCounts},
    dump,
    error::SensorError,
    lower::{self, PathRules},
    object::Object,
    offsets,
    preflight::{self, Host, KernelVersion},
    programs::{self, Hook},
    reader::{Reader, Wake},
    sys,
    tracefs::Tracefs,
};

/// How often the counters of the kernel side are asked for losses while there
/// are records. Rarely: on some kernels a map operation makes classic
/// tracepoint programs on the same CPU be skipped.
const ASK_FOR_LOSSES: Duration = Duration::from_secs(1);

/// How long [`Sensor::stop`] waits for programs that still run elsewhere.
const CLOSE_ACCOUNT: Duration = Duration::from_millis(200);

/// Takes events; `Break` ends the reading.
pub type Taker<'t> = dyn FnMut(&Event<'_>) -> ControlFlow<()> + 't;

/// A running trace. Dropping it detaches everything.
pub struct Sensor {
    object: Object,
    hooks: Vec<Hook>,
    links: Vec<Link>,
    reader: Reader,
    lifter: Lifter,
    losses: Losses,
    kernel: KernelVersion,
    cpus: u32,
    failed: bool,
    received: u64,
    damaged: u64,
    asked: Instant,
}

impl Sensor {
    /// Checks the host, loads the kernel side with the plan's rules in place,
    /// and attaches it.
    ///
    /// # Errors
    ///
    /// When rights or kernel do not suffice; the error says how to mend it.
    pub fn start(plan: &Plan) -> Result<Self, SensorError> {
        let host = preflight::check(plan)?;
        let hooks = programs::hooks(plan, host.kernel);
        let tracefs = open_tracefs(plan, &hooks)?;
        let mut object = create(plan, &host, &hooks, tracefs.as_ref())?;
        let (kernel, cpus) = (host.kernel, possible_cpus()?);
        drop(host);
        sys::give_memory_back();
        for hook in &hooks {
            object.load(hook)?;
        }
        let reader = Reader::new(object.take_ring()?);
        let mut sensor = Self {
            object,
            hooks,
            links: Vec::new(),
            reader,
            lifter: Lifter::new(this_host(), plan.environment.clone()),
            losses: Losses::new(cpus),
            kernel,
            cpus,
            failed: plan.failed,
            received: 0,
            damaged: 0,
            asked: Instant::now(),
        };
        for hook in &sensor.hooks {
            sensor.links.extend(attach::attach(&mut sensor.object, hook, tracefs.as_ref())?);
        }
        Ok(sensor)
    }

    /// The programs in use, by name, for words to people.
    pub fn programs(&self) -> impl Iterator<Item = &'static str> {
        self.hooks.iter().map(|hook| hook.program)
    }

    /// Waits until there may be records, one of `others` is readable, or the
    /// deadline has come.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to wait, which is no one's to mend.
    pub fn wait(
        &self,
        others: &[BorrowedFd<'_>],
        deadline: Option<Instant>,
    ) -> Result<Wake, SensorError> {
        self.reader.wait(others, deadline)
    }

    /// Hands every event that is there to `take`, losses in their place.
    pub fn read(&mut self, take: &mut Taker<'_>) {
        self.read_records(take);
        if self.received > 0 && self.asked.elapsed() >= ASK_FOR_LOSSES {
            self.tell_losses(take);
        }
    }

    fn read_records(&mut self, take: &mut Taker<'_>) {
        let wall_at_boot = clock::wall_at_boot();
        let Self { reader, lifter, losses, received, damaged, .. } = self;
        reader.read(|record| {
            *received += 1;
            if log::log_enabled!(log::Level::Debug) {
                log::debug!("record of {} bytes:\n{}", record.len(), dump::Dump(record));
            }
            let heading = Lifter::heading(record);
            if let Ok(heading) = heading
                && let Some(lost) = losses.update(heading.lane, heading.dropped)
            {
                let wall = wall_at_boot.wrapping_add(heading.ktime.cast_signed());
                let moment = Moment { ktime: heading.ktime, wall };
                if take(&Event { moment, body: Body::Lost(lost) }).is_break() {
                    return ControlFlow::Break(());
                }
            }
            match lifter.lift(record, wall_at_boot) {
                Ok(event) => take(&event),
                Err(error) => {
                    log::warn!("damaged record: {error}");
                    *damaged += 1;
                    ControlFlow::Continue(())
                }
            }
        });
    }

    /// Tells losses that no record has told yet: those at the end of a storm.
    fn tell_losses(&mut self, take: &mut Taker<'_>) {
        self.asked = Instant::now();
        let moment = Self::now();
        for row in counters::rows(&self.object, self.cpus, self.failed) {
            let dropped = row.counters.dropped.iter().sum::<u64>();
            if let Some(lost) = self.losses.update(row.lane, modulo_u32(dropped)) {
                // The account is told whole, whoever has had enough.
                let _ = take(&Event { moment, body: Body::Lost(lost) });
            }
        }
    }

    /// Detaches, hands over what is still in the buffer, and closes the account.
    pub fn stop(&mut self, take: &mut Taker<'_>) -> KernelCounts {
        self.links.clear();
        let give_up = Instant::now() + CLOSE_ACCOUNT;
        loop {
            self.read_records(take);
            let mut counts = self.counts();
            if self.received >= counts.sent() || Instant::now() >= give_up {
                self.tell_losses(take);
                counts.missed = counters::missed(&self.object, &self.hooks, self.kernel);
                return counts;
            }
            // A program that started before the detaching may still be at it.
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn counts(&self) -> KernelCounts {
        let mut counts = KernelCounts::default();
        for row in counters::rows(&self.object, self.cpus, self.failed) {
            counts += row.counters;
        }
        counts
    }

    /// This moment, on both clocks.
    pub fn now() -> Moment {
        let ktime = clock::now();
        Moment { ktime, wall: clock::wall_at_boot().wrapping_add(ktime.cast_signed()) }
    }

    /// Records that made no sense, so far.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }
}

/// As records carry it.
fn modulo_u32(count: u64) -> u32 {
    u32::try_from(count & u64::from(u32::MAX)).unwrap_or(0)
}

/// What this host adds to the meaning of records.
fn this_host() -> LiftHost {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    LiftHost {
        boot: boot.and_then(|text| BootId::parse(text.trim()).ok()),
        page_size: rustix::param::page_size() as u64,
    }
}

fn open_tracefs(plan: &Plan, hooks: &[Hook]) -> Result<Option<Tracefs>, SensorError> {
    if !attach::needs_tracefs(hooks) {
        return Ok(None);
    }
    Tracefs::open(if plan.failed { "--failed" } else { "this kernel's exec hook" }).map(Some)
}

fn create(
    plan: &Plan,
    host: &Host,
    hooks: &[Hook],
    tracefs: Option<&Tracefs>,
) -> Result<Object, SensorError> {
    let btf = Btf::parse(&host.btf, &offsets::structures())
        .map_err(|error| SensorError::at("reading the kernel's BTF", error))?;
    let (offsets, missing) = offsets::kernel_offsets(&btf);
    for field in &missing {
        log::info!("{} is off on this kernel: {field}", field.name);
    }
    if offsets.task_mm == ABSENT || offsets.mm_args == ABSENT {
        return Err(SensorError::Unsupported {
            what: "this kernel's BTF does not tell where a program's arguments are".to_owned(),
            cure: "please report the kernel's version and configuration".to_owned(),
        });
    }
    let rules = PathRules::of(&plan.rules);
    let formats = attach::formats(hooks, tracefs)?;
    let config = lower::config(plan, &rules, possible_cpus()?, &offsets, formats);
    Object::create(&config, plan.buffer.bytes(), &rules)
}

fn possible_cpus() -> Result<u32, SensorError> {
    let cpus = aya::util::nr_cpus()
        .map_err(|(path, error)| SensorError::io(format!("reading {path}"), error))?;
    u32::try_from(cpus).map_err(|error| SensorError::at("counting CPUs", error))
}
