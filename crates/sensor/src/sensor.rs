//! The sensor: start, wait, read, stop.

use std::{
    fs,
    ops::ControlFlow,
    os::fd::BorrowedFd,
    thread,
    time::{Duration, Instant},
};

use exectrail_abi::{config::parts, counters::Counters};
use exectrail_model::{
    cpid::BootId,
    event::Moment,
    filter::{Rules, What},
    lift::Host as LiftHost,
    pipeline::{Counts, Pipeline, Taker},
    plan::Plan,
    tally::{Counting, Snapshot},
};

use crate::{
    attach::{self, Link},
    cgroups, clock,
    counters::{self, Account, ProgramInfo},
    creation::{create, open_tracefs, possible_cpus},
    dump,
    dump_maps::RuleMaps,
    error::SensorError,
    lower,
    object::{BYTES, Object},
    preflight::{self, Host, KernelVersion},
    programs::{self, Hook},
    reader::{Reader, Wake},
    rulebook::Rulebook,
    scan, sys,
    tallies::{self, RowNames},
    tracefs::Tracefs,
    trees,
};

/// How often the counters of the kernel side are asked for losses while there
/// are records. Rarely: on some kernels a map operation makes classic
/// tracepoint programs on the same CPU be skipped.
const ASK_FOR_LOSSES: Duration = Duration::from_secs(1);

/// How long [`Sensor::stop`] waits for programs that still run elsewhere.
const CLOSE_ACCOUNT: Duration = Duration::from_millis(200);

/// How often what was freed goes back to the system while there are records: after a stall of
/// what is written to, say, it is megabytes. It takes some 0.1 ms.
const GIVE_MEMORY_BACK: Duration = Duration::from_secs(10);

/// How often a rule has decided what becomes of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleHits {
    /// In the kernel.
    pub by_kernel: u64,
    /// Here.
    pub by_reader: u64,
    /// Whether the kernel decides it; of an `only` rule, as far as it can.
    pub is_in_kernel: bool,
}

/// Since then, the running task comes with its type: `bpf_get_current_task_btf`
/// (3ca1032ab7ab).
const TYPED_TASKS: KernelVersion = KernelVersion { major: 5, minor: 11 };

/// A running trace. Dropping it detaches everything.
pub struct Sensor {
    object: Object,
    hooks: Vec<Hook>,
    links: Vec<Link>,
    /// Kept apart, since births are followed without a break.
    births: Vec<Link>,
    tracefs: Option<Tracefs>,
    reader: Reader,
    pipeline: Pipeline,
    rulebook: Rulebook,
    kernel: KernelVersion,
    cpus: u32,
    has_v1_cgroups: bool,
    /// Parts of a record that are collected.
    parts: u32,
    asked: Instant,
    gave_memory_back: Instant,
    row_names: RowNames,
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
        if !plan.direct_loads || host.kernel < TYPED_TASKS {
            return Self::start_on(host, plan, false);
        }
        match Self::start_on(host, plan, true) {
            Err(SensorError::Kernel { step, cause }) => {
                log::warn!("without direct loads, slower: {step}: {cause}");
                Self::start_on(preflight::check(plan)?, plan, false)
            }
            started => started,
        }
    }

    /// Starts; kernel structures are read by loads, or by helper.
    fn start_on(host: Host, plan: &Plan, direct_loads: bool) -> Result<Self, SensorError> {
        let hooks = programs::hooks(plan, host.kernel);
        let tracefs = open_tracefs(plan, host.kernel, &hooks)?;
        let mut object = create(plan, &host, &hooks, tracefs.as_ref(), direct_loads)?;
        let mut rulebook = Rulebook::default();
        if !plan.rules.is_empty() {
            rulebook.enforce(&mut object, &plan.rules, parts::ALL)?;
        }
        let (kernel, cpus) = (host.kernel, possible_cpus()?);
        drop(host);
        // What the start took so far goes while the verifier is at work.
        thread::scope(|scope| {
            scope.spawn(sys::give_memory_back);
            object.load(&hooks)
        })?;
        sys::give_pages_back(BYTES);
        let reader = Reader::new(object.take_ring()?, plan.buffer.bytes() as usize)?;
        let mut sensor = Self {
            object,
            hooks,
            links: Vec::new(),
            births: Vec::new(),
            tracefs,
            reader,
            pipeline: Pipeline::new(plan, this_host(), cpus),
            rulebook,
            kernel,
            cpus,
            has_v1_cgroups: lower::asks_for_v1_cgroups(&plan.rules),
            parts: plan.parts,
            asked: Instant::now(),
            gave_memory_back: Instant::now(),
            row_names: RowNames::default(),
        };
        sensor.births = sensor.attach(|hook| programs::BIRTH.contains(hook))?;
        sensor.prepare_answers(&plan.rules, &[])?;
        sensor.resume()?;
        sensor.object.set_attached(clock::now())?;
        if sensor.pipeline.tells_ends() {
            for found in scan::processes() {
                sensor.pipeline.found(&found);
            }
        }
        Ok(sensor)
    }

    /// Detaches all but what follows births, and keeps the rest. What happens until it is
    /// attached again is missed; as far as image counters prove it, it will be told as
    /// such.
    ///
    /// A program is detached when the last descriptor of its link is closed: a child that
    /// was forked meanwhile and has not called exec yet has one of them for that time.
    pub fn pause(&mut self) {
        self.links.clear();
    }

    /// Attaches everything again.
    ///
    /// # Errors
    ///
    /// When the kernel refuses, which it did not at the start.
    pub fn resume(&mut self) -> Result<(), SensorError> {
        self.pause();
        self.links = self.attach(|hook| !programs::BIRTH.contains(hook))?;
        Ok(())
    }

    fn attach(&mut self, which: impl Fn(&Hook) -> bool) -> Result<Vec<Link>, SensorError> {
        let mut links = Vec::new();
        for hook in self.hooks.iter().filter(|hook| which(hook)) {
            links.extend(attach::attach(&mut self.object, hook, self.tracefs.as_ref())?);
        }
        Ok(links)
    }

    /// Prepares the answers that the kernel side alone can give: follows births from here
    /// on, and finds what is there already.
    /// What rules have `asked` before is answered already, even if the root of a tree has
    /// ended since.
    fn prepare_answers(&mut self, rules: &Rules, asked: &[What]) -> Result<(), SensorError> {
        let mut trees = Vec::new();
        for (slot, what) in rules.told().iter().enumerate() {
            if asked.contains(what) {
                continue;
            }
            let bit = 1 << slot;
            match what {
                What::Tree(pid) => trees.push((*pid, bit)),
                What::CgroupV1 { controller, path } => {
                    self.check_v1_cgroups(controller, path)?;
                    let key = cgroups::of_version_1(controller, path)?;
                    let put = self.object.put_v1_cgroup(key, bit);
                    put.map_err(|error| SensorError::at("entering a cgroup", error))?;
                }
            }
        }
        if trees.is_empty() {
            return Ok(());
        }
        let following = self.object.follow_births();
        following.map_err(|error| SensorError::at("following births", error))?;
        trees::plant(&mut self.object, &trees)
    }

    /// Looking at cgroups of version 1 is a constant of the kernel side since the start.
    fn check_v1_cgroups(&self, controller: &str, path: &str) -> Result<(), SensorError> {
        if self.has_v1_cgroups {
            return Ok(());
        }
        Err(SensorError::Rule {
            what: format!("cgroup={controller}:{path}: this trace does not look at such cgroups"),
            cure: "start exectrail with such a rule; others can take its place later".to_owned(),
        })
    }

    /// Puts other rules in the place of those that hold, at once.
    ///
    /// # Errors
    ///
    /// When they do not fit, or ask for what is not collected; then those that hold go on
    /// to hold.
    pub fn replace_rules(&mut self, rules: Rules) -> Result<(), SensorError> {
        let asked = self.rules().told().to_vec();
        self.prepare_answers(&rules, &asked)?;
        self.rulebook.enforce(&mut self.object, &rules, self.parts)?;
        self.pipeline.replace_rules(rules);
        Ok(())
    }

    /// The rules that hold.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        self.pipeline.rules()
    }

    /// Of each rule that holds, in their order: how often it has decided.
    #[must_use]
    pub fn rule_hits(&self) -> Vec<RuleHits> {
        let by_reader = self.pipeline.hits().iter().copied();
        let by_kernel = self.rulebook.current();
        by_kernel
            .zip(by_reader)
            .map(|((number, is_in_kernel), by_reader)| RuleHits {
                by_kernel: self.rulebook.hits(&self.object, number),
                by_reader,
                is_in_kernel,
            })
            .collect()
    }

    /// What the kernel's maps of rules have, read from the kernel.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to show them.
    pub fn rule_maps(&self) -> Result<RuleMaps, SensorError> {
        let maps = self.object.rule_maps(self.rulebook.numbers_given());
        maps.map_err(|error| SensorError::at("reading the maps of rules", error))
    }

    /// The programs in use, by name, for words to people.
    pub fn programs(&self) -> impl Iterator<Item = &'static str> {
        self.hooks.iter().map(|hook| hook.program)
    }

    /// The same, with what the kernel tells of them.
    #[must_use]
    pub fn program_infos(&self) -> Vec<ProgramInfo> {
        counters::infos(&self.object, &self.hooks)
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
        // What is held back is released in time, whether or not records come.
        let release = self
            .pipeline
            .deadline()
            .map(|ktime| Instant::now() + Duration::from_nanos(ktime.saturating_sub(clock::now())));
        let first = release.into_iter().chain(deadline).min();
        let wake = self.reader.wait(others, first)?;
        let early = deadline.is_none_or(|deadline| Instant::now() < deadline);
        Ok(if wake == Wake::Deadline && early { Wake::Records } else { wake })
    }

    /// Hands every event that is there to `take`, losses in their place; of those that come
    /// meanwhile, some or all.
    pub fn read(&mut self, take: &mut Taker<'_>) {
        // Looked at before: what happened until then has been read when it is told.
        let now = clock::now();
        self.read_records(take);
        self.pipeline.tick(now, take);
        if self.pipeline.counts().received > 0 && self.asked.elapsed() >= ASK_FOR_LOSSES {
            self.tell_losses(take);
            if self.gave_memory_back.elapsed() >= GIVE_MEMORY_BACK {
                self.gave_memory_back = Instant::now();
                sys::give_memory_back();
            }
        }
    }

    fn read_records(&mut self, take: &mut Taker<'_>) {
        let wall_at_boot = clock::wall_at_boot();
        let Self { reader, pipeline, .. } = self;
        reader.read(|record| {
            if log::log_enabled!(log::Level::Debug) {
                log::debug!("record of {} bytes:\n{}", record.len(), dump::Dump(record));
            }
            pipeline.record(record, wall_at_boot, take)
        });
    }

    /// Tells losses that no record has told yet: those at the end of a storm.
    fn tell_losses(&mut self, take: &mut Taker<'_>) {
        self.asked = Instant::now();
        let moment = Self::now();
        for row in self.rows() {
            let Counters { lost, .. } = row.counters;
            self.pipeline.lost(row.lane, lost.map(modulo_u32), moment, take);
        }
    }

    fn rows(&self) -> Vec<counters::Row> {
        counters::rows(&self.object, self.cpus)
    }

    /// Detaches, hands over what is still in the buffer, and closes the account. All of
    /// it is handed over, whether or not `take` has had enough: it has to be counted.
    pub fn stop(&mut self, take: &mut Taker<'_>) -> Account {
        let take: &mut Taker<'_> = &mut |event| {
            let _ = take(event);
            ControlFlow::Continue(())
        };
        self.pause();
        self.births.clear();
        let give_up = Instant::now() + CLOSE_ACCOUNT;
        loop {
            self.read_records(take);
            let account = self.account();
            if self.pipeline.counts().received >= account.sent() || Instant::now() >= give_up {
                self.pipeline.finish(take);
                self.tell_losses(take);
                return account;
            }
            // A program that started before the detaching may still be at it.
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// What the kernel side has counted so far.
    #[must_use]
    pub fn account(&self) -> Account {
        Account {
            cpus: counters::by_cpu(&self.rows(), self.cpus),
            programs: counters::by_program(&self.object, &self.hooks, self.kernel),
        }
    }

    /// What the kernel side has counted so far, of a plan that counts.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to show its maps.
    pub fn tallies(&mut self, counting: Counting) -> Result<Snapshot, SensorError> {
        let rows = tallies::read(&self.object, counting.by, &mut self.row_names);
        let (totals, rows) =
            rows.map_err(|error| SensorError::at("reading what was counted", error))?;
        Ok(Snapshot { moment: Self::now(), totals, rows })
    }

    /// What has come from it so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.pipeline.counts()
    }

    /// This moment, on both clocks.
    pub fn now() -> Moment {
        let ktime = clock::now();
        Moment { ktime, wall: clock::wall_at_boot().wrapping_add(ktime.cast_signed()) }
    }
}

/// As records carry it.
fn modulo_u32(count: u64) -> u32 {
    u32::try_from(count & u64::from(u32::MAX)).unwrap_or(0)
}

/// What this host adds to the meaning of records.
fn this_host() -> LiftHost {
    LiftHost { boot: this_boot(), page_size: rustix::param::page_size() as u64 }
}

/// Which boot of the host this is, from which the lasting ids of processes follow; `None`
/// where that cannot be read.
#[must_use]
pub fn this_boot() -> Option<BootId> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    BootId::parse(text.trim()).ok()
}
