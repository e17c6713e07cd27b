//! A successful exec, whatever kind of program saw it.

use aya_ebpf::{EbpfContext, helpers::bpf_get_current_pid_tgid};
use exectrail_abi::{
    fault::Fault,
    record::{KIND_EXEC, UNKNOWN_U32},
};

use crate::{
    account::Account,
    collect::{
        argv,
        exe::{self, Progress},
        filename,
        identity::identity,
    },
    config::config,
    emit::emit,
    gate,
    maps::{forget_attempt, go_on_in_walk_stage},
    scratch::Scratch,
};

/// What the attach point tells, in its own way.
pub struct NewProgram {
    /// Kernel address of the name given to exec.
    pub filename: Option<u64>,
    /// How many arguments there are.
    pub argc: Option<u32>,
    /// The thread that called exec; it has the process's id by now.
    pub caller: u32,
}

/// From the exec to the first part of the path.
#[inline(always)]
pub fn begin<C: EbpfContext>(context: &C, program: &NewProgram) -> Option<()> {
    let account = Account::of_exec()?;
    account.seen();
    if config!(failed) != 0 {
        // A success needs no answer from the system call's exit, which may never
        // come: from a thread, the exec ends under another thread id.
        let tgid = bpf_get_current_pid_tgid() >> 32;
        forget_attempt(tgid << 32 | u64::from(program.caller));
    }
    let scratch = Scratch::of_exec()?;
    scratch.begin(KIND_EXEC);
    scratch.record.args_count = program.argc.unwrap_or(UNKNOWN_U32);
    let filename = filename::from_kernel(scratch, program.filename);
    scratch.note(filename);
    if gate::has_path_rules() && gate::excluded(gate::rules_of_filename(scratch)) {
        account.filtered();
        return None;
    }
    let started = exe::start(scratch);
    scratch.note(started);
    walk(context, account, scratch)
}

/// On with the path, then the rest of the record.
#[inline(always)]
pub fn go_on<C: EbpfContext>(context: &C) -> Option<()> {
    let account = Account::of_exec()?;
    walk(context, account, Scratch::of_exec()?)
}

#[inline(always)]
fn walk<C: EbpfContext>(context: &C, account: Account, scratch: &mut Scratch) -> Option<()> {
    if !scratch.has(Fault::Exe) {
        match exe::advance(scratch) {
            Ok(Progress::Root) => {}
            Ok(Progress::Deeper) => {
                // The stage finds the rest in this CPU's scratch buffer.
                go_on_in_walk_stage(context);
                scratch.note(Err(Fault::ExeCut));
            }
            Err(fault) => scratch.note(Err(fault)),
        }
    }
    finish(account, scratch)
}

#[inline(always)]
fn finish(account: Account, scratch: &mut Scratch) -> Option<()> {
    if gate::has_path_rules() || config!(gate.only) != 0 {
        let rules = gate::rules_of_filename(scratch) | gate::rules_of_exe(scratch);
        if gate::excluded(rules) || gate::unwanted(scratch, rules) {
            account.filtered();
            return None;
        }
    }
    identity(&mut scratch.record);
    let args = argv::of_new_program(scratch);
    scratch.note(args);
    emit(scratch, account);
    Some(())
}
