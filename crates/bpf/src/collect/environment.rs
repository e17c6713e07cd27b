//! The environment, when it was asked for: read whole, like the arguments. Which
//! variables are shown is decided in user space, where names are compared.

use aya_ebpf::helpers::generated::bpf_probe_read_user;
use exectrail_abi::{
    fault::Fault,
    record::{ARGS_MAX, BEFORE_ARGS_MAX, ENVIRONMENT_MAX, Tail},
};

use crate::{
    account::Account, collect::argv::SHORT, config::config, emit::is_short_of_room_for,
    kernel::Task, scratch::Scratch, verifier::at_most,
};

/// Of a new program: side by side behind the arguments, and resident.
#[inline(always)]
pub fn of_new_program(scratch: &mut Scratch, account: Account, task: Task) -> Result<(), Fault> {
    let (start, end) = task.mm().and_then(|mm| mm.environment()).ok_or(Fault::Environment)?;
    let total = end.wrapping_sub(start);
    let asked = u64::from(config!(environment_max));
    let short = total > SHORT && is_short_of_room_for(total.min(asked));
    let room = if short { SHORT } else { asked };
    if short && !scratch.has(Fault::ArgsShortened) {
        account.shortened();
    }
    let len = at_most(total.min(room), u64::from(ENVIRONMENT_MAX)).ok_or(Fault::Environment)?;
    let before = BEFORE_ARGS_MAX as u64 + u64::from(ARGS_MAX);
    let to = scratch.end(before).ok_or(Fault::Environment)?;
    // SAFETY: `to` has room for `ENVIRONMENT_MAX`; the helper checks the source.
    let failed = unsafe { bpf_probe_read_user(to.cast(), len as u32, start as *const _) };
    if failed != 0 {
        return Err(Fault::Environment);
    }
    scratch.grow(Tail::Environment, len);
    if total > len { Err(Fault::EnvironmentCut) } else { Ok(()) }
}
