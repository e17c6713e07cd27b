//! Pages of the kernel's that are mapped.
#![expect(unsafe_code, reason = "mappings; each block says why it holds")]

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
    ptr::{self, NonNull},
};

/// What for pages are mapped.
#[derive(Clone, Copy)]
pub(super) enum Access {
    /// To write there what the kernel reads.
    Write,
    /// To read what the kernel writes there.
    Watch,
    /// To read what nobody writes to.
    Constant,
}

/// Pages that are mapped until this is dropped, a whole page at least.
pub(super) struct Pages {
    start: NonNull<u8>,
    len: usize,
}

impl Pages {
    /// Maps so many bytes of what this descriptor stands for.
    ///
    /// # Errors
    ///
    /// When the kernel refuses, for want of memory or since it cannot be mapped like this.
    pub(super) fn map(
        file: BorrowedFd<'_>,
        access: Access,
        len: usize,
        from: usize,
    ) -> io::Result<Self> {
        let (protection, sharing) = match access {
            Access::Write => (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED),
            Access::Watch => (libc::PROT_READ, libc::MAP_SHARED),
            Access::Constant => (libc::PROT_READ, libc::MAP_PRIVATE),
        };
        let from = libc::off_t::try_from(from).map_err(io::Error::other)?;
        // SAFETY: a mapping at a place that the kernel chooses.
        let start = unsafe {
            libc::mmap(ptr::null_mut(), len, protection, sharing, file.as_raw_fd(), from)
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { start, len })
    }

    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: our own mapping, of which nothing is borrowed any more.
        unsafe {
            libc::munmap(self.start.as_ptr().cast(), self.len);
        }
    }
}
