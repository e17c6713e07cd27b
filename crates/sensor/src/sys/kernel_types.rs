//! What the kernel tells of its types, as it lies in the kernel.
#![expect(unsafe_code, reason = "memory of the kernel's; each block says why it holds")]

use std::{fs::File, io, ops::Deref, os::fd::AsFd, slice};

use super::pages::{Access, Pages};

/// The bytes of `/sys/kernel/btf/vmlinux`, mapped.
///
/// Read, its five megabytes come in thirteen hundred calls, a page with each
/// (`kernfs_file_read_iter`, fs/kernfs/file.c, 6.18), into as many pages that the kernel
/// clears before: a tenth of a start.
pub(crate) struct KernelTypes(Pages);

impl KernelTypes {
    /// Maps this file, which has to be that one: what another has could change.
    ///
    /// # Errors
    ///
    /// Before 6.16 (a539e2a6d51d), and where the kernel has it not at the start of a page.
    pub(crate) fn map(file: &File) -> io::Result<Self> {
        let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        Pages::map(file.as_fd(), Access::Constant, len, 0).map(Self)
    }
}

impl Deref for KernelTypes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: mapped as long as `self` is, and constants of the kernel.
        unsafe { slice::from_raw_parts(self.0.start().as_ptr(), self.0.len()) }
    }
}
