//! Where a record is put together before it goes into the ring buffer.
//!
//! A record is larger than the BPF stack (512 bytes), so it is built in a map.
//! Two dangers live there. The first is yesterday's bytes: a short path after a
//! long one. So every field of the fixed part is written anew by [`Scratch::begin`],
//! and of the tail only as many bytes leave as were written this time; nothing
//! is ever read up to a NUL. The second is preemption: two tasks on one CPU in
//! one buffer. So a preemptible program must [`Claimed::take`] its buffer.

use core::hint::black_box;

use aya_ebpf::{
    bindings::BPF_NOEXIST, helpers::generated::bpf_probe_read_kernel, maps::lpm_trie::Key,
};
use exectrail_abi::{
    config::{LONG_PATH, SHORT_PATH},
    counters::ATTEMPT_SLOTS,
    fault::Fault,
    record::{
        ARGS_MAX, BEFORE_ARGS_MAX, Exec, Exit, FIXED_LEN, KIND_EXIT, KIND_PIECE, Piece, TAIL_MAX,
        Tail, UNKNOWN_U32, UNKNOWN_U64,
    },
    rules::{DIRECTORIES_MAX, PREFIX_MAX},
    tally::{LONG_NAME, Name},
};

use crate::{
    account::{Account, Role, Row, row_of_attempt},
    collect::path::Walk,
    config::config,
    kernel::{cpu, now},
    maps::{CLAIMS, EXIT_SCRATCH, SCRATCH},
    verifier::at_most,
};

/// Components that are remembered, those nearest the root: as many as the directory of a
/// rule can have, and one below it.
pub const COMPONENTS: usize = DIRECTORIES_MAX + 1;
const _: () = assert!(COMPONENTS.is_power_of_two());

/// One record in the making.
#[repr(C)]
pub struct Scratch {
    /// Its own number, for [`lend`](Scratch::lend).
    number: u32,
    /// The row of the account that goes with it.
    account: Row,
    /// How far the walk to the root has come.
    pub walk: Walk,
    /// Kernel address of a script's interpreter's name, or zero.
    pub interpreter: u64,
    /// Most bytes of arguments that are copied from a failed exec.
    pub args_room: u64,
    /// Bytes of all tails that are finished or in the making.
    pub tail_len: u64,
    /// The generation of rules that this exec is judged by.
    pub generation: u64,
    /// Bits of the combined rules that can still match.
    pub left: u64,
    /// Bits of those that name the path as it was given.
    pub by_filename: u64,
    /// Bits of those that name its last component.
    pub by_name: u64,
    /// Non-zero: that component is known whole.
    pub names_are_whole: u64,
    /// Non-zero: a plain `only` rule names the path.
    pub plain_only: u64,
    /// Where the last components of the walk along the executable's path begin: the
    /// place of each is its number, modulo their count.
    components: [u32; COMPONENTS],
    /// How many there were.
    pub component_count: u64,
    /// Where the first of them ends, with its NUL, if there is another.
    pub leaf_end: u64,
    /// The number of a row in the making.
    pub row: u64,
    /// Where the name's bytes are that its number is still to be made of.
    pub row_from: u64,
    /// How many these are.
    pub row_left: u64,
    /// A key for [`SHORT_PATHS`](crate::maps::SHORT_PATHS) and
    /// [`NAMES`](crate::maps::NAMES).
    short_key: ShortKey,
    /// A key for [`LONG_PATHS`](crate::maps::LONG_PATHS).
    long_key: [u8; LONG_PATH],
    /// A key for [`PREFIXES`](crate::maps::PREFIXES).
    pub prefix_key: Key<[u8; PREFIX_MAX]>,
    /// The fixed part, as it goes out.
    pub record: Exec,
    /// The tails, right behind it, as they go out.
    pub tail: [u8; TAIL_MAX],
}

const _: () = assert!(
    core::mem::offset_of!(Scratch, tail) - core::mem::offset_of!(Scratch, record) == FIXED_LEN
);
const _: () = assert!(core::mem::offset_of!(Scratch, tail).is_multiple_of(8));

impl Scratch {
    /// The exec hooks' buffer of this CPU.
    #[inline(always)]
    pub fn of_exec(role: Role) -> Option<&'static mut Self> {
        let number = match role {
            Role::Main => cpu(),
            Role::StandIn => config!(cpus) + cpu(),
        };
        // Nobody else holds it: the exec hooks are not preemptible (`hooks/mod.rs`). What
        // stands in for them may be, but the kernel does not run it while it stands
        // interrupted on this CPU.
        let scratch = Self::at(number)?;
        (scratch.number, scratch.account) = (number, role.row());
        Some(scratch)
    }

    /// The buffer with this number, for whoever was [lent](Scratch::lend) it.
    #[inline(always)]
    pub fn at(number: u32) -> Option<&'static mut Self> {
        let scratch = SCRATCH.get_ptr_mut(number)?;
        // SAFETY: a map value; whoever holds it waits for us.
        Some(unsafe { &mut *scratch })
    }

    /// The row of the account that goes with it.
    #[inline(always)]
    pub fn account(&self) -> Option<Account> {
        Account::of(self.account)
    }

    /// The same by its number.
    #[inline(always)]
    pub fn account_row(&self) -> Row {
        self.account
    }

    /// Lends the buffer to a global function, which takes numbers alone and finds it by its
    /// own.
    #[inline(always)]
    pub fn lend<T>(&mut self, function: impl FnOnce(u32) -> T) -> T {
        // The function changes what we hold: the compiler has to take it that somebody
        // else knows the address.
        black_box(&raw mut *self);
        function(self.number)
    }

    /// Starts a record: writes every field of the fixed part.
    #[inline(always)]
    pub fn begin(&mut self, kind: u16) {
        // SAFETY: the record is made of so many words.
        unsafe { zero((&raw mut self.record).cast(), FIXED_LEN / 8) };
        let record = &mut self.record;
        record.header.len = FIXED_LEN as u32;
        record.header.kind = kind;
        record.header.cpu = cpu() as u16;
        record.header.ktime = now();
        record.latency = UNKNOWN_U64;
        all_ones(&mut record.args_total);
        record.args_count = UNKNOWN_U32;
        record.loginuid = UNKNOWN_U32;
        record.session = UNKNOWN_U32;
        record.parts = config!(parts);
        self.tail_len = 0;
        self.component_count = 0;
    }

    /// Starts the record of an end, which has the place of the tails: an exec and an end
    /// are never in the making at once.
    #[inline(always)]
    pub fn begin_exit() -> Option<&'static mut Exit> {
        let place = Self::of_exec(Role::Main)?.tail().cast::<Exit>();
        // SAFETY: the tails have room for one, aligned as the fields before them are.
        Some(unsafe { Self::exit_at(place) })
    }

    /// The same for what stands in for the hook of ends, in a place of its own: it may
    /// interrupt what stands in for the exec hook.
    #[inline(always)]
    pub fn begin_exit_again() -> Option<&'static mut Exit> {
        let place = EXIT_SCRATCH.get_ptr_mut(cpu())?;
        // SAFETY: a map value, of which no other program holds this CPU's.
        Some(unsafe { Self::exit_at(place) })
    }

    /// # Safety
    ///
    /// There is room for one, which nobody else uses.
    #[inline(always)]
    unsafe fn exit_at(place: *mut Exit) -> &'static mut Exit {
        // SAFETY: as the caller says.
        let exit = unsafe {
            zero(place.cast(), size_of::<Exit>() / 8);
            &mut *place
        };
        exit.header.kind = KIND_EXIT;
        exit.header.cpu = cpu() as u16;
        exit.header.ktime = now();
        exit
    }

    /// Of the rules that can still match, keeps these. In memory: what is read from there is
    /// any number to the verifier, for which so all ways here are alike.
    #[inline(always)]
    pub fn keep(&mut self, rules: u64) {
        let left = &raw mut self.left;
        // SAFETY: a field of ours.
        unsafe { left.write_volatile(left.read_volatile() & rules) };
    }

    /// Notes what a step of the collection fell short of.
    #[inline(always)]
    pub fn note(&mut self, outcome: Result<(), Fault>) {
        if let Err(fault) = outcome {
            self.record.faults |= fault.bit();
        }
    }

    /// Whether `fault` has been noted.
    #[inline(always)]
    pub fn has(&self, fault: Fault) -> bool {
        self.record.faults & fault.bit() != 0
    }

    /// `len` bytes of the tail, from `start`, as a key of up to 64 bytes. Clean by
    /// construction: zeroed each time. In place, since of a value that is returned the
    /// compiler makes a copy, and of the copy of zeroes a loop over bytes.
    #[inline(always)]
    pub fn short_key(&mut self, start: u64, len: u64) -> &ShortKey {
        // SAFETY: an array of so many words.
        unsafe { zero((&raw mut self.short_key).cast(), SHORT_PATH / 8) };
        let key = (&raw mut self.short_key).cast();
        self.copy_tail(start, len, key);
        &self.short_key
    }

    /// Zeroes what the first tail's first bytes are a key of, before they are read.
    #[inline(always)]
    pub fn clean_first_bytes(&mut self) {
        // SAFETY: the tails begin at a multiple of eight, and are longer.
        unsafe { zero((&raw mut self.tail).cast(), SHORT_PATH / 8) };
    }

    /// The first bytes of the tails as such a key, where they were clean before the first
    /// tail, of at most so many bytes, was copied there byte by byte.
    #[inline(always)]
    pub fn first_bytes(&self) -> &ShortKey {
        // SAFETY: as above; any bytes are good.
        unsafe { &*(&raw const self.tail).cast() }
    }

    /// A short name as such a key.
    #[inline(always)]
    pub fn name_key(&mut self, comm: [u8; 16]) -> &ShortKey {
        // SAFETY: an array of so many words.
        unsafe { zero((&raw mut self.short_key).cast(), SHORT_PATH / 8) };
        // SAFETY: the same bytes, of which any is good.
        [self.short_key[0], self.short_key[1]] =
            unsafe { core::mem::transmute::<[u8; 16], [u64; 2]>(comm) };
        &self.short_key
    }

    /// The same as a key of up to 256 bytes, too large for the stack, so zeroed
    /// in place, each time.
    #[inline(always)]
    pub fn long_key(&mut self, start: u64, len: u64) -> &[u8; LONG_PATH] {
        // SAFETY: an array of so many words, aligned as the fields before it are.
        unsafe { zero((&raw mut self.long_key).cast(), LONG_PATH / 8) };
        let key = (&raw mut self.long_key).cast();
        self.copy_tail(start, len, key);
        &self.long_key
    }

    /// Begins a path from the root down, for [`PREFIXES`](crate::maps::PREFIXES).
    #[inline(always)]
    pub fn begin_prefix(&mut self) {
        self.prefix_key.prefix_len = 0;
    }

    /// Adds a slash to it, if there is room.
    #[inline(always)]
    pub fn slash_prefix(&mut self) -> Option<()> {
        let used = u64::from(self.prefix_key.prefix_len) / 8;
        let Some(used) = at_most(used, PREFIX_MAX as u64 - 1) else { return Some(()) };
        // SAFETY: `used` is below the key's length.
        unsafe { (&raw mut self.prefix_key.data).cast::<u8>().add(used as usize).write(b'/') };
        self.prefix_key.prefix_len = (used as u32 + 1) * 8;
        Some(())
    }

    /// Adds `len` bytes of the tail, from `start`, as far as there is room.
    #[inline(always)]
    pub fn grow_prefix(&mut self, start: u64, len: u64) -> Option<()> {
        let used = at_most(u64::from(self.prefix_key.prefix_len) / 8, PREFIX_MAX as u64)?;
        let len = at_most(len.min(PREFIX_MAX as u64 - used), PREFIX_MAX as u64)?;
        // SAFETY: `used` is at most the key's length. Behind the key the scratch buffer
        // goes on for longer than another key.
        let to = unsafe { (&raw mut self.prefix_key.data).cast::<u8>().add(used as usize) };
        self.copy_tail(start, len, to);
        self.prefix_key.prefix_len = (used as u32 + len as u32) * 8;
        Some(())
    }

    /// Copies within our own memory through the helper, which takes a length that
    /// is not a constant; a loop would cost the verifier a branch per byte.
    #[inline(always)]
    fn copy_tail(&mut self, start: u64, len: u64, to: *mut u8) {
        // SAFETY: the callers bound `start` by the tail and `len` by their key.
        unsafe {
            let from = self.tail().add(start as usize);
            bpf_probe_read_kernel(to.cast(), len as u32, from.cast_const().cast());
        }
    }

    /// Notes that a component of the executable's path begins there. Of those before, the
    /// one furthest from the root gives way.
    #[inline(always)]
    pub fn remember_component(&mut self, begin: u64) {
        if self.component_count == 1 {
            self.leaf_end = begin;
        }
        if let Some(place) = self.place_of_component(self.component_count) {
            // SAFETY: the place is below the array's length.
            unsafe {
                (&raw mut self.components).cast::<u32>().add(place).write(begin as u32);
            }
        }
        self.component_count += 1;
    }

    /// Where the component of this number begins, one of the last so many.
    #[inline(always)]
    pub fn component(&self, number: u64) -> Option<u64> {
        Some(u64::from(*self.components.get(self.place_of_component(number)?)?))
    }

    #[inline(always)]
    fn place_of_component(&self, number: u64) -> Option<usize> {
        Some(at_most(number % COMPONENTS as u64, COMPONENTS as u64 - 1)? as usize)
    }

    /// What the tails begin with, whether or not it is from this record.
    #[inline(always)]
    pub fn first_byte(&mut self) -> u8 {
        // SAFETY: within the tails, whose bytes always have a value.
        unsafe { self.tail().read() }
    }

    /// First byte of the tails.
    #[inline(always)]
    pub fn tail(&mut self) -> *mut u8 {
        (&raw mut self.tail).cast()
    }

    /// Where the next bytes of the tails go, if no more than `max` are there yet.
    #[inline(always)]
    pub fn end(&mut self, max: u64) -> Option<*mut u8> {
        let used = at_most(self.tail_len, max)?;
        // SAFETY: callers name a `max` that leaves room for what they write.
        Some(unsafe { self.tail().add(used as usize) })
    }

    /// Counts `len` bytes, written at the end, to a tail.
    #[inline(always)]
    pub fn grow(&mut self, tail: Tail, len: u64) {
        self.record.tails[tail as usize] += len as u32;
        self.tail_len += len;
    }

    /// A piece of this record's arguments, and where its bytes go. It is put together
    /// in the part of the tails that the arguments themselves get later: until
    /// then nothing stands there.
    #[inline(always)]
    pub fn piece(&mut self, offset: u64) -> (&mut Piece, *mut u8) {
        const PLACE: usize = BEFORE_ARGS_MAX - size_of::<Piece>();
        const { assert!(BEFORE_ARGS_MAX + ARGS_MAX as usize <= TAIL_MAX) };
        let of = self.record.header.ktime;
        // SAFETY: a constant place inside the tails, aligned as a `Piece` is, with
        // room for `ARGS_MAX` bytes behind it.
        let piece = unsafe { &mut *self.tail().add(PLACE).cast::<Piece>() };
        // Field by field: of the whole the compiler makes a loop over its bytes, which
        // the verifier walks for each piece anew.
        piece.header.kind = KIND_PIECE;
        piece.header.cpu = cpu() as u16;
        piece.header.ktime = now();
        (piece.of, piece.offset) = (of, offset);
        // SAFETY: as above.
        (piece, unsafe { self.tail().add(BEFORE_ARGS_MAX) })
    }

    /// Appends a short name to a tail.
    #[inline(always)]
    pub fn append_comm(&mut self, tail: Tail, comm: [u8; 16]) -> Option<()> {
        let to = self.end(BEFORE_ARGS_MAX as u64)?;
        // SAFETY: `to` has room for one: behind it lies the arguments' part; it may stand
        // at any byte.
        unsafe { to.cast::<[u8; 16]>().write_unaligned(comm) };
        self.grow(tail, comm.len() as u64);
        Some(())
    }

    /// `len` bytes of the tails, from `start`, as the name of a row. It is put together in
    /// the arguments' part, of which what is counted has none.
    #[inline(always)]
    pub fn row_name(&mut self, kind: u32, start: u64, len: u64) -> Option<&Name<LONG_NAME>> {
        const HEAD: usize = size_of::<Name<0>>();
        const PLACE: usize = BEFORE_ARGS_MAX;
        const { assert!(PLACE.is_multiple_of(8) && PLACE + HEAD + LONG_NAME <= TAIL_MAX) };
        let start = at_most(start, (BEFORE_ARGS_MAX - LONG_NAME) as u64)?;
        let len = at_most(len, LONG_NAME as u64)?;
        // SAFETY: a constant place inside the tails, aligned as a name is, with room for
        // one.
        let to = unsafe { self.tail().add(PLACE) };
        // SAFETY: as above.
        self.copy_tail(start, len, unsafe { to.add(HEAD) });
        // SAFETY: as above; any bytes are good.
        let name = unsafe { &mut *to.cast::<Name<LONG_NAME>>() };
        (name.kind, name.len) = (kind, len as u32);
        Some(name)
    }

    /// Bytes of a tail so far.
    #[inline(always)]
    pub fn len(&self, tail: Tail) -> u64 {
        u64::from(self.record.tails[tail as usize])
    }
}

/// A key of 64 bytes, as words: a copy of bytes is a loop over them.
pub type ShortKey = [u64; SHORT_PATH / 8];

/// Writes [`UNKNOWN_U64`] in a way of its own: of several side by side the compiler makes
/// a loop over bytes, too.
#[inline(always)]
pub fn all_ones(word: &mut u64) {
    // SAFETY: a reference is valid and aligned.
    unsafe { core::ptr::from_mut(word).write_volatile(UNKNOWN_U64) };
}

/// Zeroes so many words. Of anything else that does, the compiler makes a loop over
/// bytes, which took 0.18 us for a record.
///
/// # Safety
///
/// `at` is aligned, and has room for them.
#[inline(always)]
unsafe fn zero(at: *mut u64, words: usize) {
    for word in 0..words {
        // SAFETY: as the caller says.
        unsafe { at.add(word).write_volatile(0) };
    }
}

/// A buffer of the attempt hooks, ours until [`release`](Claimed::release).
pub struct Claimed {
    scratch: *mut Scratch,
    /// Its number among all CPUs' buffers.
    claim: u32,
    /// Which of this CPU's buffers it is: the row of the account that goes with it.
    pub slot: u32,
}

impl Claimed {
    /// Takes a free buffer of this CPU; `None` if as many programs as there are
    /// buffers stand preempted on it.
    #[inline(always)]
    pub fn take() -> Option<Self> {
        let first = cpu() * ATTEMPT_SLOTS;
        for slot in 0..ATTEMPT_SLOTS {
            let claim = first + slot;
            if CLAIMS.insert(claim, 1, u64::from(BPF_NOEXIST)).is_ok() {
                let number = config!(attempt_scratch) + claim;
                let Some(scratch) = Scratch::at(number) else {
                    let _ = CLAIMS.remove(claim);
                    return None;
                };
                (scratch.number, scratch.account) = (number, row_of_attempt(slot));
                return Some(Self { scratch, claim, slot });
            }
        }
        None
    }

    /// The buffer.
    #[inline(always)]
    pub fn scratch(&mut self) -> &mut Scratch {
        // SAFETY: claimed by us alone in `take`, and `self` is borrowed uniquely.
        unsafe { &mut *self.scratch }
    }

    /// Gives the buffer back.
    #[inline(always)]
    pub fn release(self) {
        let _ = CLAIMS.remove(self.claim);
    }
}
