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
    kernel::{Dentry, FilePath, Mount, MountPlace, Name},
    scratch::Scratch,
    verifier::at_most,
};

/// Components that the first program walks. The verifier follows each of them,
/// at a cost of load time, and few executables lie deeper.
pub const FIRST: usize = 16;

/// Components that the walk stage walks. The kernel lets us enter stages 33 times
/// (`MAX_TAIL_CALL_CNT`, include/linux/bpf.h), the last of which is for the stage
/// that finishes: 16 + 32 * 66 = 2,128 is more than the 2,047 components that fit
/// into `PATH_MAX`, and the mounts between them.
pub const STAGE: usize = 66;

/// Components of a working directory or of a parent's executable. They have no
/// stage of their own; of deeper ones, the end is told.
const OTHERS: usize = 32;

/// Longest name of a component (`NAME_MAX`, include/uapi/linux/limits.h).
const NAME_MAX: u64 = 255;

/// Where a walk is. It lives in the scratch buffer, because a tail call keeps
/// nothing else.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Walk {
    dentry: Dentry,
    mount: Mount,
    place: MountPlace,
}

/// How a walk went on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The root is reached.
    Root,
    /// There is more above.
    Deeper,
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

/// Walks a whole path, as far as one program can.
#[inline(always)]
pub fn walk(scratch: &mut Scratch, part: Part, path: Option<FilePath>) -> Result<(), Fault> {
    start(scratch, part, path)?;
    match advance::<OTHERS>(scratch, part)? {
        Progress::Root => Ok(()),
        Progress::Deeper => Err(part.cut),
    }
}

/// Puts the walk at a file.
#[inline(always)]
pub fn start(scratch: &mut Scratch, part: Part, path: Option<FilePath>) -> Result<(), Fault> {
    scratch.walk = first_place(path).ok_or(part.missing)?;
    Ok(())
}

#[inline(always)]
fn first_place(path: Option<FilePath>) -> Option<Walk> {
    let FilePath { mnt, dentry } = path?;
    let mount = Mount::of(mnt)?;
    Some(Walk { dentry: Dentry(dentry), mount, place: mount.place()? })
}

/// Walks up to so many steps.
#[inline(always)]
pub fn advance<const STEPS: usize>(scratch: &mut Scratch, part: Part) -> Result<Progress, Fault> {
    let mut walk = scratch.walk;
    for _ in 0..STEPS {
        if step(scratch, part, &mut walk)? == Progress::Root {
            return Ok(Progress::Root);
        }
    }
    scratch.walk = walk;
    Ok(Progress::Deeper)
}

#[inline(always)]
fn step(scratch: &mut Scratch, part: Part, walk: &mut Walk) -> Result<Progress, Fault> {
    if walk.dentry == walk.place.root {
        if walk.place.parent == walk.mount {
            return Ok(Progress::Root);
        }
        walk.dentry = walk.place.mountpoint;
        walk.mount = walk.place.parent;
        walk.place = walk.mount.place().ok_or(part.missing)?;
        return Ok(Progress::Deeper);
    }
    let (parent, name) = walk.dentry.parent_and_name().ok_or(part.missing)?;
    let orphan = parent == walk.dentry;
    // The root of a file system that is not the root of its mount (a detached
    // bind mount) has the name "/", which is no component.
    if !orphan || scratch.len(part.tail) == 0 {
        append(scratch, part, name)?;
    }
    walk.dentry = parent;
    Ok(if orphan { Progress::Root } else { Progress::Deeper })
}

/// Appends a name and its NUL to the tail.
#[inline(always)]
fn append(scratch: &mut Scratch, part: Part, name: Name) -> Result<(), Fault> {
    let len = at_most(u64::from(name.len), NAME_MAX).ok_or(part.missing)?;
    if scratch.len(part.tail) + len + 1 > PATH_MAX as u64 {
        return Err(part.cut);
    }
    if gate::is_on() && part.tail as usize == Tail::Exe as usize {
        scratch.remember_component();
    }
    let to = scratch.end(BEFORE_ARGS_MAX as u64).ok_or(part.cut)?;
    // SAFETY: `to` has room for `len`: behind it lies the arguments' part; the
    // helper checks the source.
    let failed = unsafe { bpf_probe_read_kernel(to.cast(), len as u32, name.address as *const _) };
    if failed != 0 {
        return Err(part.missing);
    }
    // SAFETY: as above: `len` is at most 255, and the tails go on.
    unsafe { to.add(len as usize).write(0) };
    scratch.grow(part.tail, len + 1);
    Ok(())
}
