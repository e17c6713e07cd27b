//! The executable's path: the second tail, leaf first.
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
    record::{EXE_MAX, FILENAME_MAX},
};

use crate::{
    kernel::{Dentry, Mount, MountPlace, Name, Task},
    scratch::Scratch,
    verifier::at_most,
};

/// Components that one program walks. The verifier follows each of them, so
/// more would cost load time, and few paths have more; deeper ones go on in the
/// walk stage, which the kernel lets us enter 33 times (`MAX_TAIL_CALL_CNT`,
/// include/linux/bpf.h): 34 * 64 = 2,176 is more than the 2,047 components that
/// fit into `PATH_MAX`, and the mounts between them.
const COMPONENTS: usize = 64;

/// Longest name of a component (`NAME_MAX`, include/uapi/linux/limits.h).
const NAME_MAX: u64 = 255;

/// Where the walk is. It lives in the scratch buffer, because a tail call keeps
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

/// Puts the walk at the current task's executable.
#[inline(always)]
pub fn start(scratch: &mut Scratch) -> Result<(), Fault> {
    scratch.walk = first_place().ok_or(Fault::Exe)?;
    Ok(())
}

#[inline(always)]
fn first_place() -> Option<Walk> {
    let (mnt, dentry) = Task::current().mm()?.exe_path()?;
    let mount = Mount::of(mnt)?;
    Some(Walk { dentry: Dentry(dentry), mount, place: mount.place()? })
}

/// Walks up to [`COMPONENTS`] steps.
#[inline(always)]
pub fn advance(scratch: &mut Scratch) -> Result<Progress, Fault> {
    let mut walk = scratch.walk;
    for _ in 0..COMPONENTS {
        if step(scratch, &mut walk)? == Progress::Root {
            return Ok(Progress::Root);
        }
    }
    scratch.walk = walk;
    Ok(Progress::Deeper)
}

#[inline(always)]
fn step(scratch: &mut Scratch, walk: &mut Walk) -> Result<Progress, Fault> {
    if walk.dentry == walk.place.root {
        if walk.place.parent == walk.mount {
            return Ok(Progress::Root);
        }
        walk.dentry = walk.place.mountpoint;
        walk.mount = walk.place.parent;
        walk.place = walk.mount.place().ok_or(Fault::Exe)?;
        return Ok(Progress::Deeper);
    }
    let (parent, name) = walk.dentry.parent_and_name().ok_or(Fault::Exe)?;
    let orphan = parent == walk.dentry;
    // The root of a file system that is not the root of its mount (a detached
    // bind mount) has the name "/", which is no component.
    if !orphan || scratch.record.exe_len == 0 {
        append(scratch, name)?;
    }
    walk.dentry = parent;
    Ok(if orphan { Progress::Root } else { Progress::Deeper })
}

/// Appends a name and its NUL to the second tail.
#[inline(always)]
fn append(scratch: &mut Scratch, name: Name) -> Result<(), Fault> {
    let (filename, exe) =
        (u64::from(scratch.record.filename_len), u64::from(scratch.record.exe_len));
    let len = at_most(u64::from(name.len), NAME_MAX).ok_or(Fault::Exe)?;
    if exe + len + 1 > EXE_MAX as u64 {
        return Err(Fault::ExeCut);
    }
    let start = at_most(filename + exe, (FILENAME_MAX + EXE_MAX) as u64).ok_or(Fault::ExeCut)?;
    // SAFETY: `start + len` is inside the tail; the arguments' part lies behind.
    let to = unsafe { scratch.tail().add(start as usize) };
    // SAFETY: `to` has room for `len`; the helper checks the source.
    let failed = unsafe { bpf_probe_read_kernel(to.cast(), len as u32, name.address as *const _) };
    if failed != 0 {
        return Err(Fault::Exe);
    }
    // SAFETY: as above: `len` is at most 255, and the tail goes on.
    unsafe { to.add(len as usize).write(0) };
    scratch.record.exe_len = (exe + len + 1) as u32;
    Ok(())
}
