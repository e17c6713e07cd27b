//! Paths of files and directories: from the leaf to the root.
//!
//! `d_path` is not for tracepoints (the verifier knows who may call it), so we
//! walk as it does (fs/d_path.c, `prepend_path`): from the file's directory
//! entry up to the root of its mount, on from the place where that is mounted,
//! until a mount has no parent. That is the root of the mount namespace, so a
//! program in a chroot shows the path outside of it. What belongs to no
//! directory (a memfd) is its name alone.
//!
//! Nothing is locked. A rename during the walk can show a path that was never
//! whole; `d_path` takes the rename lock against that, which we cannot.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel;
use exectrail_abi::{
    fault::Fault,
    record::{BEFORE_ARGS_MAX, PATH_MAX, Tail},
};

use crate::{
    gate,
    kernel::{Dentry, FilePath, Mount, MountPlace, Name, Task},
    scratch::Scratch,
    verifier::at_most,
};

/// Steps of one call: most paths need no more. The verifier walks each.
const STEPS: usize = 4;

/// Calls of one call above it, and of the one above that: their steps are more than the
/// 2,047 components that fit into `PATH_MAX`, and the mounts between them.
const CALLS: usize = 24;

/// Longest name of a component (`NAME_MAX`, include/uapi/linux/limits.h).
const NAME_MAX: u64 = 255;

/// Where a walk is. It lives in the scratch buffer, because a global function takes
/// nothing but numbers; and what is read from there is any number to the verifier, for
/// which so all steps are alike.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Walk {
    dentry: Dentry,
    mount: Mount,
    place: MountPlace,
    /// Bytes of the tails before this one.
    start: u64,
    /// Non-zero: where components begin is remembered.
    remembers: u64,
}

/// Whose path it is: the tail it goes to, and what to say when it falls short.
#[derive(Clone, Copy)]
pub struct Part {
    tail: Tail,
    missing: Fault,
    cut: Fault,
}

/// The executable.
pub const EXE: Part = Part { tail: Tail::Exe, missing: Fault::Exe, cut: Fault::ExeCut };
/// The working directory.
pub const CWD: Part = Part { tail: Tail::Cwd, missing: Fault::Cwd, cut: Fault::CwdCut };
/// The parent's executable.
pub const PARENT_EXE: Part =
    Part { tail: Tail::ParentExe, missing: Fault::ParentExe, cut: Fault::ParentExeCut };

/// Walks a whole path.
#[inline(always)]
pub fn walk(scratch: &mut Scratch, part: Part, path: Option<FilePath>) -> Result<(), Fault> {
    let FilePath { mnt, dentry } = path.ok_or(part.missing)?;
    let mount = Mount::of(mnt).ok_or(part.missing)?;
    let place = mount.place().ok_or(part.missing)?;
    let start = scratch.tail_len;
    let remembers = gate::is_on() && part.tail as usize == Tail::Exe as usize;
    let remembers = u64::from(remembers);
    scratch.walk = Walk { dentry: Dentry(dentry), mount, place, start, remembers };
    let mut outcome = scratch.lend(|buffer| walk_on(buffer));
    if outcome == DEEPER {
        outcome = scratch.lend(|buffer| walk_to_root(buffer));
    }
    scratch.record.tails[part.tail as usize] = scratch.tail_len.wrapping_sub(start) as u32;
    match outcome {
        ROOT => Ok(()),
        MISSING => Err(part.missing),
        _ => Err(part.cut),
    }
}

/// Walks the path of a task's executable.
#[inline(always)]
pub fn walk_executable(scratch: &mut Scratch, part: Part, task: Task) -> Result<(), Fault> {
    walk(scratch, part, task.exe_file().and_then(|file| file.path()))
}

/// How a walk went on: the root is reached, there is more above, something could not be
/// read, or there is no room.
const ROOT: u32 = 0;
const DEEPER: u32 = 1;
const MISSING: u32 = 2;
const CUT: u32 = 3;

/// Walks to the root, in the buffer with this number.
///
/// Global functions, this one and the next two: the verifier walks each once, by itself, and
/// not for each path and each turn (kernel/bpf/verifier.c, `do_check_subprogs`, since 5.6).
// SAFETY: no other function of this object has this name; so for the next two.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn walk_to_root(buffer: u32) -> u32 {
    again_and_again(|| walk_far(buffer))
}

/// Walks many steps.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn walk_far(buffer: u32) -> u32 {
    again_and_again(|| walk_on(buffer))
}

/// Goes on while there is more above; where there still is, the path is longer than any.
#[inline(always)]
fn again_and_again(go_on: impl Fn() -> u32) -> u32 {
    for _ in 0..CALLS {
        let outcome = go_on();
        if outcome != DEEPER {
            return outcome;
        }
    }
    DEEPER
}

/// Walks a few steps.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn walk_on(buffer: u32) -> u32 {
    let Some(scratch) = Scratch::at(buffer) else { return MISSING };
    for _ in 0..STEPS {
        match step(scratch) {
            Ok(DEEPER) => {}
            Ok(outcome) | Err(outcome) => return outcome,
        }
    }
    DEEPER
}

#[inline(always)]
fn step(scratch: &mut Scratch) -> Result<u32, u32> {
    let dentry = scratch.walk.dentry;
    if dentry == scratch.walk.place.root {
        return leave_mount(&mut scratch.walk);
    }
    let (parent, name) = dentry.parent_and_name().ok_or(MISSING)?;
    let orphan = parent == dentry;
    // The root of a file system that is not the root of its mount (a detached
    // bind mount) has the name "/", which is no component.
    if !orphan || scratch.tail_len == scratch.walk.start {
        append(scratch, dentry, name)?;
    }
    scratch.walk.dentry = parent;
    Ok(if orphan { ROOT } else { DEEPER })
}

#[inline(always)]
fn leave_mount(walk: &mut Walk) -> Result<u32, u32> {
    let MountPlace { parent, mountpoint, .. } = walk.place;
    if parent == walk.mount {
        return Ok(ROOT);
    }
    (walk.dentry, walk.mount) = (mountpoint, parent);
    walk.place = parent.place().ok_or(MISSING)?;
    Ok(DEEPER)
}

/// Appends a name and its NUL to the tail.
#[inline(always)]
fn append(scratch: &mut Scratch, dentry: Dentry, name: Name) -> Result<(), u32> {
    let len = at_most(u64::from(name.len), NAME_MAX).ok_or(MISSING)?;
    let used = scratch.tail_len.wrapping_sub(scratch.walk.start);
    if used + len + 1 > PATH_MAX as u64 {
        return Err(CUT);
    }
    if gate::is_on() && scratch.walk.remembers != 0 {
        scratch.remember_component(used);
    }
    let to = scratch.end(BEFORE_ARGS_MAX as u64).ok_or(CUT)?;
    if dentry.has_short(name) {
        // SAFETY: `to` has room for it: behind it lies the arguments' part.
        unsafe { dentry.copy_short(name, to) };
    } else {
        // Once more, right here: older verifiers forget the bound on the way (6.1).
        let len = at_most(len, NAME_MAX).ok_or(MISSING)?;
        // SAFETY: `to` has room for `len`; the helper checks the source.
        let failed =
            unsafe { bpf_probe_read_kernel(to.cast(), len as u32, name.address as *const _) };
        if failed != 0 {
            return Err(MISSING);
        }
    }
    let len = at_most(len, NAME_MAX).ok_or(MISSING)?;
    // SAFETY: as above: `len` is at most 255, and the tails go on.
    unsafe { to.add(len as usize).write(0) };
    scratch.tail_len += len + 1;
    Ok(())
}
