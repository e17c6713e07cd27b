//! Counting: what was seen, turned away, lost.
//!
//! Plain adds, exact because a row has one lane (`exectrail_abi::counters`).
//! Rust has no atomic add for this target, and the C way, an add that returns
//! nothing, would cost every exec for the sake of the preemptible hooks.

use exectrail_abi::{
    counters::{ATTEMPT_SLOTS, Counters, EXEC_AGAIN_ROW, EXIT_AGAIN_ROW, INTERRUPTIBLE_ROWS},
    fault::Loss,
};

use crate::{
    config::config,
    kernel::cpu,
    maps::{EXEC_COUNTERS, INTERRUPTIBLE_COUNTERS},
};

/// Whether a program does its work, or stands in for one that the kernel did not run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is never interrupted.
    Main,
    /// It can be, by any other program, but not by itself: what it writes is its own.
    StandIn,
}

/// What a scratch buffer remembers of the account: zero for the exec hooks' row, of any
/// other row its number among those of one CPU, plus one.
pub type Row = u32;
const EXEC: Row = 0;

/// The row of one of this CPU's attempt buffers.
#[inline(always)]
pub fn row_of_attempt(slot: u32) -> Row {
    slot + 1
}

/// The slot of that buffer.
#[inline(always)]
pub fn slot_of_row(row: Row) -> u32 {
    row.wrapping_sub(1) % ATTEMPT_SLOTS
}

impl Role {
    /// Of what has this row, if it is an exec hook.
    #[inline(always)]
    pub fn of_row(row: Row) -> Self {
        if row == EXEC { Self::Main } else { Self::StandIn }
    }

    /// The row of an exec hook.
    #[inline(always)]
    pub fn row(self) -> Row {
        match self {
            Self::Main => EXEC,
            Self::StandIn => EXEC_AGAIN_ROW + 1,
        }
    }
}

/// One row of the account.
#[derive(Clone, Copy)]
pub struct Account {
    row: *mut Counters,
    lane: u32,
}

impl Account {
    /// The exec hooks' row of this CPU. `None` cannot happen: the entry is there.
    #[inline(always)]
    pub fn of_exec(role: Role) -> Option<Self> {
        match role {
            Role::Main => Some(Self { row: EXEC_COUNTERS.get_ptr_mut(0)?, lane: cpu() }),
            Role::StandIn => Self::of_interruptible(EXEC_AGAIN_ROW),
        }
    }

    /// The same of the hooks of ends.
    #[inline(always)]
    pub fn of_exit(role: Role) -> Option<Self> {
        match role {
            Role::Main => Self::of_exec(role),
            Role::StandIn => Self::of_interruptible(EXIT_AGAIN_ROW),
        }
    }

    /// The row of whatever fills a scratch buffer, by [its number](Row).
    #[inline(always)]
    pub fn of(row: Row) -> Option<Self> {
        match row {
            EXEC => Self::of_exec(Role::Main),
            row => Self::of_interruptible(row - 1),
        }
    }

    /// The row of one of this CPU's attempt buffers, or the one behind them.
    #[inline(always)]
    pub fn of_attempt(slot: u32) -> Option<Self> {
        Self::of_interruptible(slot)
    }

    #[inline(always)]
    fn of_interruptible(row: u32) -> Option<Self> {
        let row = cpu() * INTERRUPTIBLE_ROWS + row;
        Some(Self { row: INTERRUPTIBLE_COUNTERS.get_ptr_mut(row)?, lane: config!(cpus) + row })
    }

    /// The number of this row's lane.
    #[inline(always)]
    pub fn lane(self) -> u32 {
        self.lane
    }

    /// A program of ours ran for an exec.
    #[inline(always)]
    pub fn seen(self) {
        // SAFETY: a map value, valid for the program's whole run; one lane writes it.
        unsafe { (*self.row).seen += 1 };
    }

    /// A rule turned it away.
    #[inline(always)]
    pub fn filtered(self) {
        // SAFETY: as in `seen`.
        unsafe { (*self.row).filtered += 1 };
    }

    /// It did not reach the ring buffer.
    #[inline(always)]
    pub fn dropped(self, reason: Loss) {
        self.lost(reason, 1);
    }

    /// So many execs happened without us.
    #[inline(always)]
    pub fn missed(self, count: u64) {
        self.lost(Loss::Missed, count);
    }

    #[inline(always)]
    fn lost(self, reason: Loss, count: u64) {
        // SAFETY: as in `seen`; the index is a constant below the array's length.
        unsafe { *(&raw mut (*self.row).lost).cast::<u64>().add(reason as usize) += count };
    }

    /// Its arguments were shortened for want of room.
    #[inline(always)]
    pub fn shortened(self) {
        // SAFETY: as in `seen`.
        unsafe { (*self.row).shortened += 1 };
    }

    /// The beginning of an attempt could not be kept.
    #[inline(always)]
    pub fn attempt_forgotten(self) {
        // SAFETY: as in `seen`.
        unsafe { (*self.row).attempts_forgotten += 1 };
    }

    /// What was lost so far, modulo 2^32.
    #[inline(always)]
    pub fn lost_so_far(self) -> [u32; Loss::COUNT] {
        // SAFETY: as in `seen`.
        unsafe { (*self.row).lost }.map(|count| count as u32)
    }
}
